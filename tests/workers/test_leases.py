"""One run at a time, whatever comes twice, late, or not at all."""

from __future__ import annotations

import threading

import pytest
from outbox_tools import Outbox
from probe_jobs import ProbeJob

from oneform.config import Settings
from oneform.runtime import Runtime
from workers.lease import claim, hand_back, keeping
from workers.perform import perform_with
from workers.registry import JOBS, STOPPING, HandedBack, JobRun, LeaseLost


@pytest.fixture
def handed(outbox: Outbox) -> tuple[int, int]:
    """A row with the job `NOTE_IT`, handed over."""
    outbox.enqueue(ProbeJob.NOTE_IT, tag="done")
    return outbox.hand_over()


def test_job_takes_its_row_off_the_outbox(
    runtime: Runtime, outbox: Outbox, handed: tuple[int, int]
) -> None:
    perform_with(runtime, *handed)
    assert outbox.tags() == ["done"]
    assert outbox.rows() == []


def test_job_handed_over_twice_runs_once(
    runtime: Runtime, outbox: Outbox, handed: tuple[int, int]
) -> None:
    perform_with(runtime, *handed)
    perform_with(runtime, *handed)
    assert outbox.tags() == ["done"]


def test_second_worker_with_the_same_message_finds_nothing_to_claim(
    runtime: Runtime, handed: tuple[int, int]
) -> None:
    assert claim(runtime.engine, *handed, 30) is not None
    assert claim(runtime.engine, *handed, 30) is None


def test_message_of_an_earlier_hand_over_is_void(
    runtime: Runtime, outbox: Outbox, handed: tuple[int, int]
) -> None:
    outbox.hand_over()
    perform_with(runtime, *handed)
    assert outbox.tags() == []
    assert len(outbox.rows()) == 1


def test_run_that_was_replaced_leaves_nothing_behind(
    runtime: Runtime, outbox: Outbox, handed: tuple[int, int]
) -> None:
    claimed = claim(runtime.engine, *handed, 30)
    assert claimed is not None
    run = JobRun(runtime, claimed.id, claimed.lease, claimed.args)
    outbox.hand_over()
    with pytest.raises(LeaseLost):
        JOBS[claimed.job].body(run)
    assert outbox.tags() == []
    assert len(outbox.rows()) == 1


def test_run_that_was_replaced_stops_before_its_next_unit(
    runtime: Runtime, handed: tuple[int, int]
) -> None:
    lost = threading.Event()
    run = JobRun(runtime, *handed, {}, lost=lost)
    with run.context():
        lost.set()
    with pytest.raises(LeaseLost):
        run.context()


def test_lease_that_somebody_else_took_is_noticed_while_working(
    runtime: Runtime, outbox: Outbox, handed: tuple[int, int]
) -> None:
    claimed = claim(runtime.engine, *handed, 0.3)
    assert claimed is not None
    with keeping(runtime.engine, claimed, 0.3):
        outbox.hand_over()
        assert claimed.lost.wait(30)


def test_lease_is_renewed_while_the_job_works(
    runtime: Runtime, outbox: Outbox, handed: tuple[int, int]
) -> None:
    claimed = claim(runtime.engine, *handed, 0.6)
    assert claimed is not None
    first = outbox.row().leased_until
    with keeping(runtime.engine, claimed, 0.6):
        for _ in range(3):
            later = outbox.row().leased_until
            while outbox.row().leased_until == later:
                assert not claimed.lost.is_set()
    assert outbox.row().leased_until > first
    assert outbox.row().lease == claimed.lease


def test_failed_job_waits_longer_each_time_and_keeps_the_reason(
    runtime: Runtime, outbox: Outbox
) -> None:
    outbox.enqueue(ProbeJob.FAIL_FIRST)
    perform_with(runtime, *outbox.hand_over())
    row = outbox.row()
    assert (row.attempts, row.leased_until) == (1, None)
    assert row.last_error == "ValueError: no such luck"
    pauses = []
    for attempts in (0, 1, 2, 8, 9, 500):
        outbox.sql("UPDATE outbox SET attempts = :n", n=attempts)
        outbox.sql("DELETE FROM probe")
        perform_with(runtime, *outbox.hand_over())
        pauses.append(
            outbox.sql(
                "SELECT extract(epoch FROM run_after - clock_timestamp()) FROM outbox"
            ).scalar_one()
        )
    assert [round(float(pause)) for pause in pauses] == [2, 4, 8, 512, 600, 600]


def test_failed_job_is_done_at_last(runtime: Runtime, outbox: Outbox) -> None:
    outbox.enqueue(ProbeJob.FAIL_FIRST)
    perform_with(runtime, *outbox.hand_over())
    perform_with(runtime, *outbox.hand_over())
    assert outbox.tags() == ["tried", "tried", "done"]
    assert outbox.rows() == []


def test_job_that_met_another_is_begun_anew_at_once(runtime: Runtime, outbox: Outbox) -> None:
    outbox.enqueue(ProbeJob.MEET_ANOTHER)
    perform_with(runtime, *outbox.hand_over())
    assert outbox.rows() == []


def test_process_that_is_to_end_hands_its_job_back(runtime: Runtime, outbox: Outbox) -> None:
    outbox.enqueue(ProbeJob.TAKE_STEPS, tag="step", steps=3)
    STOPPING.set()
    perform_with(runtime, *outbox.hand_over())
    row = outbox.row()
    assert (row.attempts, row.leased_until, row.last_error) == (0, None, None)
    assert outbox.tags() == []


def test_process_that_is_to_end_still_finishes_the_last_unit(
    runtime: Runtime, outbox: Outbox, handed: tuple[int, int]
) -> None:
    STOPPING.set()
    perform_with(runtime, *handed)
    assert outbox.tags() == ["done"]


def test_no_body_takes_the_end_of_its_run_for_its_own_trouble() -> None:
    assert not issubclass(LeaseLost, Exception)
    assert not issubclass(HandedBack, Exception)


def test_row_of_another_run_is_not_handed_back(
    runtime: Runtime, outbox: Outbox, handed: tuple[int, int]
) -> None:
    claimed = claim(runtime.engine, *handed, 30)
    assert claimed is not None
    outbox.hand_over()
    hand_back(runtime.engine, claimed)
    assert outbox.row().leased_until is not None


def test_database_that_is_away_raises_nothing_out_of_a_job(settings: Settings) -> None:
    nowhere = Settings(home=settings.home, database_url="postgresql+psycopg://x@127.0.0.1:1/x")
    runtime = Runtime(nowhere)
    perform_with(runtime, 1, 1)
    runtime.close()
