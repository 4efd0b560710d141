"""The schedule, and the sweeps that it makes necessary."""

from __future__ import annotations

import pytest
from outbox_tools import Outbox
from rq.cron import CronScheduler

from oneform.runtime import Runtime
from workers import perform, schedule
from workers.maintenance import MaintenanceJob
from workers.perform import perform_with


@pytest.fixture(autouse=True)
def this_runtime(monkeypatch: pytest.MonkeyPatch, runtime: Runtime) -> None:
    """The runtime of this process, which RQ's plain functions use."""
    monkeypatch.setattr(perform, "_runtime", runtime)


def test_tick_makes_one_sweep_necessary_however_often_it_comes(outbox: Outbox) -> None:
    schedule.tick("sweep_asks")
    schedule.tick("sweep_asks")
    assert [(row.job, row.key) for row in outbox.rows()] == [("sweep_asks", "sweep:sweep_asks")]


def test_every_sweep_is_on_the_schedule() -> None:
    assert set(schedule.SCHEDULE) == set(MaintenanceJob)


def test_cron_is_told_the_whole_schedule(runtime: Runtime) -> None:
    cron = CronScheduler(connection=runtime.redis(), logging_level="WARNING")
    schedule.register(cron)
    assert {job.name: job.interval for job in cron.get_jobs()} == {
        name.value: seconds for name, seconds in schedule.SCHEDULE.items()
    }


@pytest.mark.parametrize("sweep", list(MaintenanceJob))
def test_sweep_of_an_empty_house_ends_well(
    runtime: Runtime, outbox: Outbox, sweep: MaintenanceJob
) -> None:
    schedule.tick(sweep.value)
    perform_with(runtime, *outbox.hand_over())
    assert outbox.rows() == []


def test_answers_and_sessions_past_their_time_are_forgotten(
    runtime: Runtime, outbox: Outbox
) -> None:
    outbox.sql(
        "INSERT INTO idempotency_key (owner, key, fingerprint, status, headers, body, created_at) "
        "SELECT 'x', age::text, '', 200, '{}', '', now() - make_interval(days => age) "
        "FROM unnest(ARRAY[6, 9]) AS age"
    )
    schedule.tick(MaintenanceJob.CLEAN_UP.value)
    perform_with(runtime, *outbox.hand_over())
    assert list(outbox.sql("SELECT key FROM idempotency_key").scalars()) == ["6"]
