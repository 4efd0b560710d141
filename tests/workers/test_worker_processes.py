"""Real workers and a relay: killed, starved of Redis, told to stop."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
import redis
from outbox_tools import Outbox, wait_for
from probe_jobs import ProbeJob

import workers.__main__ as entry
from oneform.config import Settings
from oneform.engines import ValkeyServer
from oneform.runtime import Runtime
from oneform.runtime.presence import count_workers, present

StartWorker = Callable[..., BaseProcess]


def title(process: BaseProcess) -> str:
    return Path(f"/proc/{process.pid}/cmdline").read_text().rstrip("\0")


def is_done(outbox: Outbox) -> bool:
    return "job done" in outbox.tags()


@pytest.fixture
def slow_job(outbox: Outbox) -> Outbox:
    """An outbox with a job of many steps; waiting in each, so that it can be met half-way."""
    outbox.enqueue(ProbeJob.TAKE_STEPS, tag="job", steps=20, pause=0.1)
    return outbox


def half_way(outbox: Outbox) -> None:
    wait_for(lambda: "job 2" in outbox.tags(), "the job is half-way")


@pytest.mark.usefixtures("running_relay")
def test_work_is_done_by_whoever_is_there(start_worker: StartWorker, outbox: Outbox) -> None:
    start_worker()
    start_worker()
    for number in range(30):
        outbox.enqueue(ProbeJob.NOTE_IT, agency_id=number % 3, tag=str(number))
    wait_for(lambda: not outbox.rows(), "the outbox is empty")
    assert sorted(outbox.tags(), key=int) == [str(number) for number in range(30)]


@pytest.mark.usefixtures("running_relay")
def test_job_of_a_killed_worker_is_finished_by_another(
    start_worker: StartWorker, slow_job: Outbox
) -> None:
    first = start_worker()
    half_way(slow_job)
    first.kill()
    start_worker()
    wait_for(lambda: is_done(slow_job), "another worker has finished it")
    steps = [f"job {step}" for step in range(20)]
    assert slow_job.tags() == [*steps, "job done"]
    assert slow_job.rows() == []


@pytest.mark.usefixtures("running_relay")
def test_work_survives_the_loss_of_everything_in_redis(
    start_worker: StartWorker, settings: Settings, slow_job: Outbox
) -> None:
    start_worker()
    half_way(slow_job)
    slow_job.enqueue(ProbeJob.NOTE_IT, times=5, tag="waiting")
    wait_for(lambda: any(row.lease for row in slow_job.rows()[1:]), "some are in Redis")
    redis.Redis.from_url(str(settings.redis_url)).flushall()
    wait_for(lambda: not slow_job.rows(), "the outbox is empty")
    assert slow_job.tags().count("job done") == 1
    assert slow_job.tags().count("waiting") == 5


@pytest.mark.usefixtures("running_relay")
@pytest.mark.parametrize("queues", [(), ("resolve",)], ids=["all queues", "one queue"])
def test_message_is_forgotten_when_its_job_is_done(
    start_worker: StartWorker, settings: Settings, outbox: Outbox, queues: tuple[str, ...]
) -> None:
    start_worker(*queues)
    outbox.enqueue(ProbeJob.NOTE_IT, times=5, tag="done")
    wait_for(lambda: not outbox.rows(), "the outbox is empty")
    with redis.Redis.from_url(str(settings.redis_url)) as client:
        left = ("rq:job:*", "rq:queue:*", "rq:wip:*", "rq:executions:*", "rq:finished:*")
        wait_for(lambda: not any(client.keys(pattern) for pattern in left), "nothing is left")


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    with ValkeyServer(tmp_path / "valkey", durable=False) as server:
        yield server


class TestRedisThatGoesAndComesBack:
    """With a Valkey of its own, so that it can be stopped."""

    @pytest.fixture
    def settings(self, settings: Settings, own_valkey: ValkeyServer) -> Settings:
        return dataclasses.replace(settings, redis_url=own_valkey.url)

    @pytest.mark.usefixtures("running_relay")
    def test_work_goes_on_without_a_restart(
        self,
        start_worker: StartWorker,
        own_valkey: ValkeyServer,
        slow_job: Outbox,
    ) -> None:
        worker = start_worker()
        half_way(slow_job)
        own_valkey.kill()
        slow_job.enqueue(ProbeJob.NOTE_IT, tag="meanwhile")
        wait_for(lambda: is_done(slow_job), "the job in hand is finished without Redis")
        assert "meanwhile" not in slow_job.tags()
        own_valkey.start()
        wait_for(lambda: "meanwhile" in slow_job.tags(), "the next job is done")
        assert worker.is_alive()

    @pytest.mark.usefixtures("running_relay")
    def test_redis_that_answers_but_takes_nothing_is_waited_for(
        self, start_worker: StartWorker, own_valkey: ValkeyServer, outbox: Outbox
    ) -> None:
        """As one whose disk is full does; here it is told to be another one's copy."""
        client = redis.Redis.from_url(own_valkey.url)
        at_work = start_worker()
        outbox.enqueue(ProbeJob.NOTE_IT, tag="before")
        wait_for(lambda: outbox.tags() == ["before"], "it works")
        client.replicaof("127.0.0.1", 1)
        beginning = start_worker()
        outbox.enqueue(ProbeJob.NOTE_IT, tag="meanwhile")
        wait_for(lambda: title(beginning) == "oneform: worker", "another one has begun")
        assert outbox.tags() == ["before"]
        client.replicaof("NO", "ONE")
        wait_for(lambda: not outbox.rows(), "the work goes on")
        assert at_work.is_alive()
        assert beginning.is_alive()


@pytest.mark.usefixtures("running_relay")
def test_worker_told_to_stop_hands_a_long_job_on(
    start_worker: StartWorker, slow_job: Outbox
) -> None:
    first = start_worker()
    half_way(slow_job)
    first.terminate()
    first.join()
    assert first.exitcode == 0
    row = slow_job.row()
    assert (row.attempts, row.last_error) == (0, None)
    assert not is_done(slow_job)
    start_worker()
    wait_for(lambda: is_done(slow_job), "another worker has finished it")


@pytest.mark.usefixtures("running_relay")
def test_worker_of_some_queues_leaves_the_others_alone(
    start_worker: StartWorker, outbox: Outbox
) -> None:
    start_worker("resolve")
    outbox.enqueue(ProbeJob.FETCH_IT, tag="slow")
    outbox.enqueue(ProbeJob.NOTE_IT, tag="quick")
    wait_for(lambda: outbox.tags() == ["quick"], "the one is done")
    assert outbox.row().lease == 0
    start_worker("fetch")
    wait_for(lambda: not outbox.rows(), "the other is done")


def test_idle_worker_is_seen_titled_and_gone_when_stopped(
    start_worker: StartWorker, runtime: Runtime, outbox: Outbox
) -> None:
    worker = start_worker()
    client = runtime.redis()
    wait_for(lambda: count_workers(client) == 1, "the worker is seen")
    wait_for(lambda: title(worker) == "oneform: worker", "it has its title")
    worker.terminate()
    worker.join()
    assert worker.exitcode == 0
    assert count_workers(client) == 0


@pytest.mark.parametrize("arguments", [[], ["all"], ["worker", "nonsense"], ["relay", "resolve"]])
def test_wrong_usage_is_told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.main(arguments) == 2
    assert capsys.readouterr().err.startswith("usage: ")


def test_settings_that_cannot_be_right_stop_the_start_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ONEFORM_TIMEZONE", "Mars")
    assert entry.main(["relay"]) == 1
    words = capsys.readouterr().err
    assert words.count("\n") == 1
    assert "ONEFORM_TIMEZONE" in words


def test_presence_ends_with_its_block(runtime: Runtime) -> None:
    client = runtime.redis()
    with present(client, ["resolve"]):
        assert count_workers(client) == 1
    assert count_workers(client) == 0
