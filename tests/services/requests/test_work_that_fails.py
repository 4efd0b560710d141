"""Work on a request that fails again and again is told, and goes on when it can."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
import structlog
from small_world import SmallWorld
from structlog.testing import capture_logs

from oneform.identity.policy import OPERATOR
from oneform.kernel.outbox import STUCK_AFTER
from oneform.requests.commands import SubmitRequest
from oneform.requests.jobs import RequestJob
from oneform.requests.reading import list_events
from oneform.requests.service import submit_request
from oneform.runtime import Runtime
from workers.perform import perform_with
from workers.registry import JOBS


@pytest.fixture
def request_id(runtime: Runtime, world: SmallWorld) -> uuid.UUID:
    """A request that cannot be resolved: its last late day is none of the calendar."""
    with runtime.context(world.principal(1)) as ctx:
        command = SubmitRequest(
            title="年度调查",
            purpose="规划",
            legal_basis="《统计法》",
            fields=world.field_codes[:1],
            areas=world.village_codes[:1],
            level="village",
            period="2026",
            due=ctx.today() + dt.timedelta(days=20),
        )
        request_id = submit_request(ctx, command).id
    set_due(runtime, request_id, dt.date.max)
    return request_id


def set_due(runtime: Runtime, request_id: uuid.UUID, due: dt.date) -> None:
    with runtime.context(OPERATOR) as ctx:
        ctx.sql("UPDATE request SET due_on = :due WHERE id = :id", due=due, id=request_id)


def work(runtime: Runtime, *, attempts: int) -> None:
    """Do the only job, which has failed so often."""
    with runtime.context(OPERATOR) as ctx:
        row = ctx.sql("UPDATE outbox SET attempts = :n RETURNING id, lease", n=attempts).one()
    perform_with(runtime, row.id, row.lease)


def events(runtime: Runtime, request_id: uuid.UUID) -> list[str]:
    with runtime.context(OPERATOR) as ctx:
        return [event.kind for event in list_events(ctx, request_id).items]


def test_request_whose_work_fails_again_and_again_says_so(
    runtime: Runtime, request_id: uuid.UUID
) -> None:
    for attempts in (0, STUCK_AFTER - 2):
        work(runtime, attempts=attempts)
        assert events(runtime, request_id) == ["accepted"]
    work(runtime, attempts=STUCK_AFTER - 1)
    assert events(runtime, request_id) == ["accepted", "held_up"]
    for attempts in (STUCK_AFTER, 2 * STUCK_AFTER - 1):  # once is enough
        work(runtime, attempts=attempts)
    assert events(runtime, request_id) == ["accepted", "held_up"]


@pytest.mark.parametrize("job", RequestJob)
def test_work_of_each_kind_says_so(
    runtime: Runtime, request_id: uuid.UUID, job: RequestJob
) -> None:
    tell = JOBS[job].tell_stuck
    assert tell is not None
    with runtime.context(OPERATOR) as ctx:
        tell(ctx, {"request_id": str(request_id)})
    assert events(runtime, request_id) == ["accepted", "held_up"]


def test_log_has_it_as_an_error(
    runtime: Runtime, request_id: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The module's own logger may have been bound by a test that configured logging.
    monkeypatch.setattr("workers.perform.log", structlog.get_logger())
    for attempts, told in ((0, []), (STUCK_AFTER - 1, [STUCK_AFTER])):
        with capture_logs() as lines:
            work(runtime, attempts=attempts)
        assert [line["attempts"] for line in lines if line["log_level"] == "error"] == told
        assert any("OverflowError" in str(line) or "out of range" in str(line) for line in lines)


def test_request_goes_on_when_the_reason_is_gone(runtime: Runtime, request_id: uuid.UUID) -> None:
    work(runtime, attempts=STUCK_AFTER - 1)
    set_due(runtime, request_id, dt.date(2026, 12, 31))
    work(runtime, attempts=STUCK_AFTER)
    assert events(runtime, request_id) == ["accepted", "held_up", "collecting"]
