"""How hard a source may be driven, and what happens when it is down."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
import sqlalchemy as sa
from waiting import wait_until_blocked

from oneform.identity.policy import OPERATOR
from oneform.kernel.clock import FixedClock
from oneform.kernel.ids import new_id
from oneform.runtime import Runtime
from oneform.sources import claims, fetching
from oneform.sources.definition import Limits
from oneform.sources.errors import SourceBusy, SourceUnavailable
from oneform.sources.fetching import SourcePlan, fetch_region, run_source
from oneform.sources.runs import RunState, get_run, list_runs, put_off_run, start_run, tidy_runs
from oneform.sources.service import SourceView, change_source, get_source

Offer = Callable[..., SourceView]
CODE = "stats.villages"


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "RETRY_PAUSES_S", (0.01, 0.01))


@pytest.fixture
def fetch(runtime: Runtime, held: Any) -> Callable[[SourceView], fetching.FetchReport]:
    def run(source: SourceView) -> fetching.FetchReport:
        plan = SourcePlan(source.id, source.code, (held.field("pop.total"),), owner=True)
        return fetch_region(runtime, plan, held.region())

    return run


@pytest.fixture
def down(offered: Offer) -> SourceView:
    """A source where nobody listens."""
    return offered(settings={"url": "postgresql://u@127.0.0.1:1/db", "table": "t"})


def fares(runtime: Runtime) -> SourceView:
    with runtime.context(OPERATOR) as ctx:
        return get_source(ctx, CODE)


def test_source_that_is_down_is_unavailable(runtime: Runtime, down: SourceView, fetch: Any) -> None:
    with pytest.raises(SourceUnavailable) as caught:
        fetch(down)
    assert caught.value.retry_after > 0
    assert caught.value.data["retry_after"] >= 1
    with runtime.context(OPERATOR) as ctx:
        (run,) = list_runs(ctx, CODE).items
    assert run.state is RunState.FAILED
    assert run.counts["calls"] == 1 + len(fetching.RETRY_PAUSES_S)
    assert run.finished_at is not None


def test_source_that_comes_back_between_two_attempts_is_read(
    runtime: Runtime, offered: Offer, department: sa.Engine, held: Any
) -> None:
    """The table is locked at the first attempt only."""
    source = offered(limits={"timeout_s": 0.3})
    plan = SourcePlan(source.id, source.code, (held.field("pop.total"),), owner=True)
    with department.connect().execution_options(isolation_level="READ COMMITTED") as connection:
        connection.exec_driver_sql("LOCK TABLE dept.villages")
        timer = threading.Timer(0.5, connection.rollback)
        timer.start()
        report = fetch_region(runtime, plan, held.region())
        timer.join()
    assert report.counts.created == 3
    with runtime.context(OPERATOR) as ctx:
        assert get_run(ctx, CODE, report.run_id).counts["calls"] > 1
    assert fares(runtime).failures == 0


def test_five_failures_break_the_circuit(
    runtime: Runtime, down: SourceView, fetch: Any, clock: FixedClock
) -> None:
    for _ in range(2):
        with pytest.raises(SourceUnavailable):
            fetch(down)
    assert fares(runtime).failures == claims.FAILURES_BEFORE_BREAK
    closed_until = fares(runtime).closed_until
    assert closed_until is not None
    with pytest.raises(SourceUnavailable, match="left alone") as caught:
        fetch(down)
    assert caught.value.retry_after == (closed_until - clock.now()).total_seconds()
    assert fares(runtime).failures == claims.FAILURES_BEFORE_BREAK  # it was not called


def test_pause_grows_up_to_its_limit(
    runtime: Runtime, down: SourceView, fetch: Any, clock: FixedClock
) -> None:
    pauses = []
    with runtime.context(OPERATOR) as ctx:
        for _ in range(20):
            pauses.append(claims.note_failure(ctx, down.id))
    assert pauses[4:7] == [30, 60, 120]
    assert pauses == sorted(pauses)
    assert pauses[-1] == claims.LONGEST_BREAK_S


def test_circuit_closes_again_when_a_call_succeeds(
    runtime: Runtime, offered: Offer, fetch: Any, clock: FixedClock
) -> None:
    source = offered()
    with runtime.context(OPERATOR) as ctx:
        for _ in range(claims.FAILURES_BEFORE_BREAK):
            claims.note_failure(ctx, source.id)
    with pytest.raises(SourceUnavailable):
        fetch(source)
    clock.advance(dt.timedelta(seconds=claims.FIRST_BREAK_S + 1))
    assert fetch(source).counts.created == 3
    assert (fares(runtime).failures, fares(runtime).closed_until) == (0, None)


def test_change_of_the_definition_closes_the_circuit(
    runtime: Runtime, offered: Offer, fetch: Any
) -> None:
    source = offered()
    with runtime.context(OPERATOR) as ctx:
        for _ in range(claims.FAILURES_BEFORE_BREAK):
            claims.note_failure(ctx, source.id)
    with runtime.context(OPERATOR) as ctx:
        change_source(ctx, CODE, {"limits": {"timeout_s": 9}}, runtime.settings)
    assert fetch(source).counts.created == 3


def test_calls_per_minute_are_kept(offered: Offer, fetch: Any, clock: FixedClock) -> None:
    source = offered(limits={"calls_per_minute": 2})
    fetch(source)
    clock.advance(dt.timedelta(seconds=20))
    fetch(source)
    with pytest.raises(SourceBusy) as caught:
        fetch(source)
    assert caught.value.retry_after == 40
    clock.advance(dt.timedelta(seconds=41))
    fetch(source)


def test_calls_of_other_sources_do_not_count(offered: Offer, fetch: Any) -> None:
    one = offered(limits={"calls_per_minute": 1})
    other = offered(code="other", limits={"calls_per_minute": 1})
    fetch(one)
    fetch(other)


def test_call_that_may_not_be_made_leaves_no_run(
    runtime: Runtime, offered: Offer, fetch: Any
) -> None:
    source = offered(limits={"calls_per_minute": 1})
    fetch(source)
    with pytest.raises(SourceBusy):
        fetch(source)
    with runtime.context(OPERATOR) as ctx:
        assert len(list_runs(ctx, CODE).items) == 1


def test_only_so_many_calls_run_at_once(runtime: Runtime, offered: Offer, fetch: Any) -> None:
    source = offered(limits={"concurrency": 2})
    limits = Limits(concurrency=2)
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(claims.slot(runtime.engine, source.id, limits, new_id()))
        with pytest.raises(SourceBusy, match="2 calls at once"):
            fetch(source)
        with claims.slot(runtime.engine, source.id + 1, limits, new_id()):
            pass
    assert fetch(source).counts.created == 3


def test_slot_ends_with_the_process_that_holds_it(runtime: Runtime) -> None:
    limits, run_id = Limits(concurrency=1), new_id()
    other = Runtime(runtime.settings, clock=runtime.clock)
    holding = claims.slot(other.engine, 1, limits, run_id)
    holding.__enter__()
    with runtime.context(OPERATOR) as ctx:
        assert claims.is_at_work(ctx, run_id)
        ctx.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    wait_until_free(runtime, run_id)
    with claims.slot(runtime.engine, 1, limits, run_id):
        pass
    with pytest.raises(sa.exc.OperationalError):
        holding.__exit__(None, None, None)
    other.close()


def wait_until_free(runtime: Runtime, run_id: uuid.UUID) -> None:
    for _ in range(500):
        with runtime.context(OPERATOR) as ctx:
            if not claims.is_at_work(ctx, run_id):
                return
            ctx.sql("SELECT pg_sleep(0.02)")
    raise AssertionError("the lock is still held")


def test_no_transaction_is_open_while_the_source_is_called(
    runtime: Runtime, offered: Offer, department: sa.Engine, held: Any
) -> None:
    source = offered(limits={"timeout_s": 20})
    plan = SourcePlan(source.id, source.code, (held.field("pop.total"),), owner=True)
    with department.connect().execution_options(isolation_level="READ COMMITTED") as connection:
        connection.exec_driver_sql("LOCK TABLE dept.villages")
        thread = threading.Thread(target=fetch_region, args=(runtime, plan, held.region()))
        thread.start()
        wait_until_blocked(department)
        states = states_of_ours(department)
        connection.rollback()
        thread.join()
    assert "idle in transaction" not in states


def states_of_ours(engine: sa.Engine) -> set[str]:
    """States of oneform's own connections."""
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT state FROM pg_stat_activity "
            "WHERE application_name = 'oneform' AND datname = current_database()"
        )
        return set(rows.scalars())


def test_run_is_carried_out_once_at_a_time(runtime: Runtime, offered: Offer) -> None:
    source = offered()
    with runtime.context(OPERATOR) as ctx:
        run = start_run(ctx, CODE)
    with claims.slot(runtime.engine, source.id, Limits(), run.id):
        with pytest.raises(SourceBusy, match="at work"):
            run_source(runtime, run.id)
    assert run_source(runtime, run.id).counts.created > 0


def test_started_run_waits_for_a_worker(runtime: Runtime, offered: Offer) -> None:
    source = offered()
    with runtime.context(OPERATOR) as ctx:
        first = start_run(ctx, CODE)
        assert start_run(ctx, CODE).id == first.id
        rows = ctx.sql("SELECT job, args FROM outbox").all()
    assert [(row.job, row.args) for row in rows] == [("run_source", {"run_id": str(first.id)})]
    assert (first.state, first.source) == (RunState.WAITING, source.code)


def test_run_that_died_half_way_is_taken_up_again(
    runtime: Runtime, offered: Offer, held: Any
) -> None:
    offered()
    with runtime.context(OPERATOR) as ctx:
        run = start_run(ctx, CODE)
    run_source(runtime, run.id)
    with runtime.context(OPERATOR) as ctx:
        # As a process leaves it that was killed before the last transaction.
        ctx.sql("UPDATE source_run SET state = 'running', finished_at = NULL")
        ctx.sql("DELETE FROM cell_value WHERE region_id = :region", region=held.region())
    report = run_source(runtime, run.id)
    assert (report.counts.created, report.counts.unchanged) == (5, 2)
    with runtime.context(OPERATOR) as ctx:
        assert get_run(ctx, CODE, run.id).state is RunState.DONE


def test_run_that_failed_is_put_off(runtime: Runtime, down: SourceView) -> None:
    with runtime.context(OPERATOR) as ctx:
        run = start_run(ctx, CODE)
    with pytest.raises(SourceUnavailable):
        run_source(runtime, run.id)
    with runtime.context(OPERATOR) as ctx:
        assert get_run(ctx, CODE, run.id).state is RunState.FAILED
        put_off_run(ctx, run.id, 30)
        after = get_run(ctx, CODE, run.id)
        jobs = ctx.sql("SELECT count(*) FROM outbox").scalar_one()
    assert (after.state, after.finished_at, jobs) == (RunState.WAITING, None, 2)


def test_run_of_a_source_switched_off_fails_in_words(runtime: Runtime, offered: Offer) -> None:
    offered()
    with runtime.context(OPERATOR) as ctx:
        run = start_run(ctx, CODE)
        change_source(ctx, CODE, {"enabled": False}, runtime.settings)
    assert "switched off" in str(run_source(runtime, run.id).error)


def test_old_runs_are_forgotten(
    runtime: Runtime, offered: Offer, fetch: Any, clock: FixedClock
) -> None:
    source = offered()
    fetch(source)
    with runtime.context(OPERATOR) as ctx:
        ctx.sql("UPDATE source_run SET state = 'running'")
    clock.advance(dt.timedelta(days=2))
    with runtime.context(OPERATOR) as ctx:
        assert tidy_runs(ctx) == 0
        (run,) = list_runs(ctx, CODE).items
        assert (run.state, run.error) == (RunState.FAILED, "interrupted")
    clock.advance(dt.timedelta(days=90))
    with runtime.context(OPERATOR) as ctx:
        assert tidy_runs(ctx) == 1
