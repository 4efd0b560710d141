"""Jobs, queues, the schedule and the Procfile hold together."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

import oneform
from oneform.cli import COMMANDS
from oneform.cli.up import queues_of_worker
from oneform.kernel.outbox import JobName
from workers import __main__ as processes
from workers.jobs import JOBS
from workers.queues import ALL, QueueName
from workers.schedule import SCHEDULE
from workers.worker import queue_names

PROCFILE = Path(oneform.__file__).parents[1] / "Procfile"
OURS = ("oneform.", "catalog.", "workers.")


def job_names() -> set[str]:
    """Members of all enums in which parts name their jobs (tests have some of their own)."""
    return {
        member.value
        for enum in JobName.__subclasses__()
        if enum.__module__.startswith(OURS)
        for member in enum
    }


def commands() -> dict[str, list[str]]:
    """The words of each line of the Procfile."""
    lines = PROCFILE.read_text(encoding="utf-8").splitlines()
    return {name: command.split() for name, _, command in (line.partition(":") for line in lines)}


def test_every_job_name_has_a_body_and_every_body_a_name() -> None:
    bodies = {name for name, job in JOBS.items() if job.body.__module__.startswith(OURS)}
    assert bodies == job_names()


def test_no_name_is_used_by_two_parts() -> None:
    enums = [enum for enum in JobName.__subclasses__() if enum.__module__.startswith(OURS)]
    assert sum(map(len, enums)) == len(job_names())


def test_every_body_says_what_it_does() -> None:
    silent = [name for name, job in JOBS.items() if not (job.body.__doc__ or "").strip()]
    assert silent == []


def test_the_schedule_names_jobs_only() -> None:
    assert {name.value for name in SCHEDULE} <= job_names()


def test_the_procfile_has_every_process() -> None:
    assert set(commands()) == {"release", "web", "worker", "relay", "cron"}
    assert {"worker", "relay", "cron"} == set(processes.PROCESSES)


@pytest.mark.parametrize("process", ["worker", "relay", "cron"])
def test_process_of_the_procfile_can_be_started(process: str) -> None:
    python, option, module, name = commands()[process]
    assert (python, option, name) == ("python", "-m", process)
    assert importlib.util.find_spec(f"{module}.__main__") is not None


def test_web_of_the_procfile_serves_the_application() -> None:
    words = commands()["web"]
    assert words[0] == "gunicorn"
    config = words[words.index("-c") + 1].removeprefix("python:")
    module, _, _attribute = words[-1].partition(":")
    assert importlib.util.find_spec(config) is not None
    assert importlib.util.find_spec(module) is not None


def test_release_of_the_procfile_is_a_command() -> None:
    program, group, *_ = commands()["release"]
    assert program == "oneform"
    assert group in COMMANDS


def test_every_queue_is_worked_by_the_procfiles_worker() -> None:
    _, _, _, _, *named = [*commands()["worker"]]
    assert set(queue_names(named)) == {queue.value for queue in QueueName}
    assert set(ALL) == set(QueueName)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_every_queue_is_worked_by_up(workers: int) -> None:
    worked = {
        queue
        for number in range(workers)
        for queue in queue_names(queues_of_worker(number, workers))
    }
    assert worked == {queue.value for queue in QueueName}


def test_usage_names_every_process_and_queue() -> None:
    for word in (*processes.PROCESSES, *(queue.value for queue in QueueName)):
        assert re.search(rf"\b{word}\b", processes.USAGE)
