"""`oneform up` while it runs: what is there, what is restarted, what is refused."""

from __future__ import annotations

import os
import re
import signal

import orjson
import psycopg
import pytest
from installation import Up, engines_of, free_port, run, title, wait_for

from oneform.cli.up import queues_of_worker
from oneform.engines import find_engines
from workers.queues import QueueName

KINDS = {"web": 2, "worker": 2, "relay": 1, "cron": 1}
"""Processes of each kind: the web server's master is one."""


def test_it_says_when_it_is_ready_and_where(up: Up) -> None:
    assert up.ready_line == f"ready http://127.0.0.1:{up.port}\n"  # type: ignore[attr-defined]


def test_folder_for_the_files_of_sources_is_there(up: Up) -> None:
    assert (up.home / "files").is_dir()


def test_readiness_is_green_then(up: Up) -> None:
    status, body = up.get("/readyz")
    assert status == 200
    assert set(orjson.loads(body)["checks"].values()) == {"ok"}


def test_every_process_has_its_title(up: Up) -> None:
    assert {kind: len(up.pids(kind)) for kind in KINDS} == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_process_that_is_killed_is_started_again(up: Up, kind: str) -> None:
    before = up.pids(kind)
    os.kill(before[0], signal.SIGKILL)
    wait_for(
        lambda: len(up.pids(kind)) == KINDS[kind] and before[0] not in up.pids(kind),
        f"{kind} is there again",
    )
    wait_for(up.is_ready, "all is well")


def test_engines_that_are_killed_are_started_again(up: Up) -> None:
    before = engines_of(up.home)
    assert len(before) == 2
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: len(engines_of(up.home)) == 2, "both engines are there again")
    assert not set(before) & set(engines_of(up.home))
    wait_for(up.is_ready, "all is well")


def test_work_goes_through_the_outbox_to_a_worker(up: Up) -> None:
    engines = find_engines(up.home)
    assert engines is not None
    assert engines.database_url is not None
    url = engines.database_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("INSERT INTO outbox (job, args, key) VALUES ('clean_up', '{}', 'test')")
        connection.execute("NOTIFY oneform_outbox")
        wait_for(
            lambda: not connection.execute("SELECT FROM outbox WHERE key = 'test'").fetchall(),
            "the job is done",
        )


def test_metrics_are_of_all_processes(up: Up) -> None:
    up.get("/docs")
    # One that an earlier test killed is forgotten after a while.
    wait_for(lambda: "oneform_workers 2.0" in up.metrics(), "both workers are counted")
    text = up.metrics()
    assert re.search(
        r'oneform_http_requests_total\{method="GET",route="/docs",status="200"\} \d', text
    )


def test_backup_and_restore_while_it_runs(up: Up) -> None:
    file = up.home.with_name("x.backup")
    done = run(up.home, "db", "backup", str(file))
    assert done.returncode == 0, done.stderr
    done = run(up.home, "db", "restore", str(file))
    assert done.returncode == 0, done.stderr
    assert "; what was replaced is in " in done.stdout
    wait_for(up.is_ready, "all is well")
    wait_for(
        lambda: 'oneform_outbox_jobs{job="sweep_asks",state="due"}' not in up.metrics(), "sweeps"
    )


def test_second_one_on_the_same_folder_is_refused_in_one_line(up: Up) -> None:
    done = run(up.home, "up", "--port", str(free_port()))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"the data folder {up.home} is already in use by another oneform "
        f"(process {up.process.pid}); it serves http://127.0.0.1:{up.port}; "
        f"Ctrl-C there or `kill {up.process.pid}` stops it\n"
    )


def test_used_port_is_refused_in_one_line(up: Up) -> None:
    done = run(up.home.with_name("other"), "up", "--port", str(up.port))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"cannot listen on 127.0.0.1:{up.port}: Address already in use; "
        "choose another with --host or --port\n"
    )


def test_host_that_does_not_exist_is_refused_in_one_line(up: Up) -> None:
    done = run(up.home.with_name("other"), "up", "--host", "nohost.invalid")
    assert done.returncode == 1
    assert re.fullmatch("cannot listen on nohost.invalid:8080: [^\n]*\n", done.stderr)


def test_database_that_does_not_answer_is_told_in_one_line(up: Up) -> None:
    done = run(
        up.home.with_name("other"),
        *("up", "--port", str(free_port())),
        ONEFORM_DATABASE_URL="postgresql://nobody@127.0.0.1:1/x",
        ONEFORM_REDIS_URL="redis://127.0.0.1:1",
    )
    assert done.returncode == 1
    assert re.fullmatch("the database does not answer: [^\n]*\n", done.stderr)


def test_log_is_one_readable_log(up: Up) -> None:
    lines = up.log.splitlines()
    odd = [
        line for line in lines if not re.match(r"\d{4}-\d\d-\d\dT[\d:.]{12}Z [a-z]+ +[a-z]+ ", line)
    ]
    assert odd == []


def test_one_of_several_workers_has_no_slow_calls() -> None:
    assert queues_of_worker(0, 1) == []
    assert set(queues_of_worker(0, 2)) == {QueueName.RESOLVE, QueueName.MAINTAIN}
    assert queues_of_worker(1, 2) == []


def test_title_of_up_itself_names_the_command(up: Up) -> None:
    assert title(up.process.pid).endswith(f"up --port {up.port} --bare --web-workers 1 --workers 2")
