"""What the relay hands over, to whom, and how much at a time."""

from __future__ import annotations

import dataclasses
import threading
from collections import Counter

import pytest
import redis
from outbox_tools import Outbox, wait_for
from probe_jobs import ProbeJob
from rq import Queue

from oneform.config import Settings
from oneform.runtime import Runtime
from oneform.runtime.presence import present
from workers.leasing import lease_rows
from workers.perform import perform_with
from workers.queues import QueueName
from workers.registry import JOBS
from workers.relay import IN_FLIGHT, Relay

QUEUE_OF = {name: job.queue.value for name, job in JOBS.items()}


def messages(relay: Relay, queue: QueueName = QueueName.RESOLVE) -> list[str]:
    """Ids of the messages that wait in Redis: row and number."""
    return [str(job_id) for job_id in Queue(queue.value, connection=relay.client).get_job_ids()]


@pytest.mark.usefixtures("one_worker")
def test_small_agency_is_served_among_the_first(runtime: Runtime, outbox: Outbox) -> None:
    outbox.enqueue(ProbeJob.NOTE_IT, times=100, agency_id=1, tag="large")
    outbox.enqueue(ProbeJob.NOTE_IT, agency_id=2, tag="small")
    small = outbox.sql("SELECT id FROM outbox WHERE agency_id = 2").scalar_one()
    rows = lease_rows(runtime.engine, queue_of=QUEUE_OF, room={"resolve": 4}, seconds=30)
    assert [row.id for row in rows].index(small) == 1


@pytest.mark.usefixtures("one_worker")
def test_agency_with_rows_in_flight_waits_for_the_others(runtime: Runtime, outbox: Outbox) -> None:
    outbox.enqueue(ProbeJob.NOTE_IT, times=10, agency_id=1, tag="large")
    lease_rows(runtime.engine, queue_of=QUEUE_OF, room={"resolve": 3}, seconds=30)
    outbox.enqueue(ProbeJob.NOTE_IT, times=5, agency_id=2, tag="other")
    rows = lease_rows(runtime.engine, queue_of=QUEUE_OF, room={"resolve": 6}, seconds=30)
    served = outbox.sql(
        "SELECT agency_id FROM outbox WHERE id = ANY(:ids)", ids=[r.id for r in rows]
    )
    assert Counter(served.scalars()) == {2: 3}


@pytest.mark.usefixtures("one_worker")
def test_only_a_few_times_the_workers_number_is_in_flight(relay: Relay, outbox: Outbox) -> None:
    outbox.enqueue(ProbeJob.NOTE_IT, times=30, tag="x")
    assert relay.relay_once() == IN_FLIGHT
    assert relay.relay_once() == 0
    assert len(messages(relay)) == IN_FLIGHT


@pytest.mark.usefixtures("one_worker")
def test_finished_job_makes_room(runtime: Runtime, relay: Relay, outbox: Outbox) -> None:
    outbox.enqueue(ProbeJob.NOTE_IT, times=5, tag="x")
    relay.relay_once()
    row = outbox.rows()[0]
    perform_with(runtime, row.id, row.lease)
    assert relay.relay_once() == 1


def test_relays_at_the_same_moment_keep_to_the_limit_together(
    runtime: Runtime, outbox: Outbox
) -> None:
    outbox.enqueue(ProbeJob.NOTE_IT, times=200, tag="x")
    barrier, leased = threading.Barrier(4), []

    def lease() -> None:
        barrier.wait()
        for _ in range(5):
            leased.extend(
                lease_rows(runtime.engine, queue_of=QUEUE_OF, room={"resolve": 7}, seconds=30)
            )

    threads = [threading.Thread(target=lease) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({row.id for row in leased}) == len(leased) == 7


@pytest.mark.usefixtures("one_worker")
def test_full_queue_does_not_stand_before_another(relay: Relay, outbox: Outbox) -> None:
    outbox.enqueue(ProbeJob.FETCH_IT, times=30, tag="slow")
    relay.relay_once()
    outbox.enqueue(ProbeJob.NOTE_IT, tag="quick")
    assert relay.relay_once() == 1
    assert len(messages(relay, QueueName.RESOLVE)) == 1


def test_nothing_is_handed_over_while_nobody_works(
    runtime: Runtime, relay: Relay, outbox: Outbox
) -> None:
    outbox.enqueue(ProbeJob.NOTE_IT, times=3, tag="x")
    assert relay.relay_once() == 0
    assert [row.lease for row in outbox.rows()] == [0, 0, 0]
    with present(runtime.redis(), ["fetch"]):
        assert relay.relay_once() == 0
        with present(runtime.redis(), ["resolve"]):
            # The relay looks again for workers after a while only.
            assert wait_for(relay.relay_once, "the new worker is seen") == IN_FLIGHT


@pytest.mark.usefixtures("one_worker")
def test_lease_that_was_not_renewed_is_handed_over_under_a_new_number(
    relay: Relay, outbox: Outbox
) -> None:
    outbox.enqueue(ProbeJob.NOTE_IT, tag="x")
    assert relay.relay_once() == 1
    assert relay.relay_once() == 0
    outbox.sql("UPDATE outbox SET leased_until = clock_timestamp()")
    assert relay.relay_once() == 1
    row = outbox.row()
    assert messages(relay) == [f"{row.id}-1", f"{row.id}-2"]


@pytest.mark.usefixtures("one_worker")
def test_work_for_later_waits(relay: Relay, outbox: Outbox) -> None:
    outbox.enqueue(ProbeJob.NOTE_IT, delay_s=60, tag="x")
    assert relay.relay_once() == 0
    outbox.sql("UPDATE outbox SET run_after = clock_timestamp()")
    assert relay.relay_once() == 1


@pytest.mark.usefixtures("one_worker")
def test_job_that_this_program_does_not_know_is_left_to_others(
    relay: Relay, outbox: Outbox
) -> None:
    outbox.enqueue(ProbeJob.UNKNOWN)
    outbox.enqueue(ProbeJob.NOTE_IT, tag="x")
    assert relay.relay_once() == 1
    assert [row.lease for row in outbox.rows()] == [0, 1]


def test_rows_are_given_back_when_redis_fails_half_way(
    settings: Settings, outbox: Outbox, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "_count_workers", lambda: {"resolve": 1})
    runtime = Runtime(dataclasses.replace(settings, redis_url="redis://127.0.0.1:1"))
    relay.client = runtime.redis(timeout=1)
    outbox.enqueue(ProbeJob.NOTE_IT, tag="x")
    with pytest.raises(redis.RedisError):
        relay.relay_once()
    row = outbox.row()
    assert (row.leased_until, row.lease, row.attempts) == (None, 1, 0)
    runtime.close()


@pytest.mark.usefixtures("running_relay", "one_worker")
def test_relay_is_woken_by_the_commit(outbox: Outbox) -> None:
    outbox.enqueue(ProbeJob.NOTE_IT, tag="x")
    wait_for(lambda: outbox.row().lease == 1, "the row is leased")


@pytest.mark.usefixtures("running_relay", "one_worker")
def test_row_whose_notice_was_missed_is_found_by_the_poll(outbox: Outbox) -> None:
    outbox.sql("INSERT INTO outbox (job, args) VALUES ('probe_note', '{\"tag\": \"x\"}')")
    wait_for(lambda: outbox.row().lease == 1, "the row is leased")


@pytest.mark.usefixtures("one_worker")
def test_relay_goes_on_when_its_connections_were_ended(
    running_relay: Relay, outbox: Outbox
) -> None:
    outbox.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    outbox.enqueue(ProbeJob.NOTE_IT, tag="x")
    wait_for(lambda: outbox.row().lease == 1, "the row is leased")
