"""A consent ends with its last day: for data, for asks, and in the books."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from factories import COUNTY, NEXT_VILLAGE, VILLAGE, assert_balanced
from sharing_world import AID, PEOPLE, Sharing

from oneform.audit.tags import Tag
from oneform.identity.policy import OPERATOR
from oneform.kernel.clock import FixedClock
from oneform.requests.data import Layout
from oneform.requests.expiring import expire_grants, requests_with_grants_run_out
from oneform.requests.models import CellStatus
from oneform.requests.reading import list_events, list_request_fields
from oneform.requests.withdrawal import cancel_request
from oneform.runtime import Runtime

DAY = dt.timedelta(days=1)
VILLAGES = 3


@pytest.fixture
def granted(sharing: Sharing, clock: FixedClock) -> uuid.UUID:
    """A request for both fields in three villages, of which one has both values; its grant counts
    today for the last time."""
    sharing.hold(PEOPLE, {VILLAGE: 12})
    sharing.hold(AID, {VILLAGE: 4711})
    request = sharing.request(PEOPLE, AID)
    sharing.grant(until=clock.today())
    sharing.resolve(request)
    return request


def expire(runtime: Runtime) -> list[int]:
    """What the sweep does; how many grants of each request it was."""
    with runtime.context(OPERATOR) as ctx:
        requests = requests_with_grants_run_out(ctx)
    ended = []
    for request in requests:
        with runtime.context(OPERATOR) as ctx:
            ended.append(expire_grants(ctx, request))
    with runtime.context(OPERATOR) as ctx:
        assert_balanced(ctx)
    return ended


def asks_for(runtime: Runtime, code: str) -> list[str]:
    with runtime.context(OPERATOR) as ctx:
        return list(
            ctx.sql(
                "SELECT a.state FROM ask AS a JOIN field AS f ON f.id = a.field_id "
                "WHERE f.code = :code ORDER BY a.region_id, a.id",
                code=code,
            ).scalars()
        )


def test_on_its_last_day_a_grant_counts(
    runtime: Runtime, sharing: Sharing, granted: uuid.UUID
) -> None:
    assert expire(runtime) == []
    assert sum(",4711,held," in row for row in sharing.rows(sharing.export(granted))) == 1
    assert sharing.on_record() == (2, True)


@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize(
    ("more", "values"), [({}, 1), ({"area": COUNTY}, 1), ({"status": CellStatus.ASKED}, 0)]
)
def test_the_day_after_nothing_is_let_out_even_before_it_is_booked(
    sharing: Sharing,
    granted: uuid.UUID,
    clock: FixedClock,
    layout: Layout,
    more: dict[str, object],
    values: int,
) -> None:
    clock.advance(DAY)
    rows = sharing.rows(sharing.export(granted, layout=layout, **more))
    assert not any("4711" in row for row in rows)
    assert sharing.on_record() == (values, True)


def test_the_data_says_what_the_books_will_say(
    runtime: Runtime, sharing: Sharing, granted: uuid.UUID, clock: FixedClock
) -> None:
    clock.advance(DAY)
    before = sharing.rows(sharing.export(granted))
    assert expire(runtime) == [1]
    assert sharing.rows(sharing.export(granted)) == before
    assert sum(",unavailable," in row for row in before) == VILLAGES
    assert sharing.on_record() == (1, True)


def test_what_a_grant_gave_is_unavailable_when_it_has_run_out(
    runtime: Runtime, sharing: Sharing, granted: uuid.UUID, clock: FixedClock
) -> None:
    cells = sharing.read(granted).cells
    assert (cells.held, cells.asked) == (2, 4)
    clock.advance(DAY)
    assert expire(runtime) == [1]
    view = sharing.read(granted)
    assert (view.cells.held, view.cells.asked, view.cells.unavailable) == (1, 2, 3)
    assert view.state == "collecting"
    assert (asks_for(runtime, AID), asks_for(runtime, PEOPLE)) == (
        ["withdrawn"] * 2,
        ["open"] * 2,
    )
    assert sharing.grants()[0].state == "expired"
    with runtime.context(OPERATOR) as ctx:
        assert [field.grant_state for field in list_request_fields(ctx, granted)] == [
            "refused",
            "none",
        ]
        assert [event.kind for event in list_events(ctx, granted).items][-1] == "grant_expired"
        tags = ctx.sql("SELECT tag FROM audit_event ORDER BY id DESC LIMIT 1").scalars()
        assert list(tags) == [Tag.GRANT_EXPIRED]


def test_a_second_time_changes_nothing(
    runtime: Runtime, sharing: Sharing, granted: uuid.UUID, clock: FixedClock
) -> None:
    clock.advance(DAY)
    expire(runtime)
    view = sharing.read(granted)
    with runtime.context(OPERATOR) as ctx:
        assert expire_grants(ctx, granted) == 0
        assert list_events(ctx, granted).items[-1].kind == "grant_expired"
    assert (sharing.read(granted), expire(runtime)) == (view, [])


def test_a_request_that_had_everything_is_partial_when_its_grant_has_run_out(
    runtime: Runtime, sharing: Sharing, clock: FixedClock
) -> None:
    values = dict.fromkeys((VILLAGE, NEXT_VILLAGE, "420102002001"), 5)
    sharing.hold(AID, values)
    request = sharing.request(AID)
    sharing.grant(until=clock.today())
    sharing.resolve(request)
    assert sharing.read(request).state == "fulfilled"
    clock.advance(400 * DAY)
    assert expire(runtime) == [1]
    view = sharing.read(request)
    assert (view.state, view.cells.held, view.cells.unavailable) == ("partial", 0, 3)


def test_an_ask_stays_for_whoever_else_waits_for_it(
    runtime: Runtime, sharing: Sharing, granted: uuid.UUID, clock: FixedClock
) -> None:
    others = sharing.request(AID, agency=sharing.other)
    sharing.grant()
    sharing.resolve(others)
    clock.advance(DAY)
    assert expire(runtime) == [1]
    assert asks_for(runtime, AID) == ["open", "open"]
    assert sharing.read(others).cells.asked == 2
    # What is answered now is theirs alone.
    sharing.hold(AID, {NEXT_VILLAGE: 4712})
    assert any("4712" in row for row in sharing.rows(sharing.export(others)))
    assert not any("4712" in row for row in sharing.rows(sharing.export(granted)))
    with runtime.context(OPERATOR) as ctx:
        assert_balanced(ctx)


def test_a_grant_may_run_out_while_its_request_waits_to_be_resolved_anew(
    runtime: Runtime, sharing: Sharing, clock: FixedClock
) -> None:
    request = sharing.request(PEOPLE, AID)
    sharing.grant(until=clock.today())
    clock.advance(DAY)
    assert expire(runtime) == [1]
    sharing.resolve(request)
    view = sharing.read(request)
    assert (view.cells.asked, view.cells.unavailable) == (VILLAGES, VILLAGES)
    assert asks_for(runtime, AID) == []


def test_a_cancelled_request_loses_what_its_grant_gave(
    runtime: Runtime, sharing: Sharing, granted: uuid.UUID, clock: FixedClock
) -> None:
    with runtime.context(OPERATOR) as ctx:
        cancel_request(ctx, granted)
    clock.advance(DAY)
    assert expire(runtime) == [1]
    view = sharing.read(granted)
    assert (view.state, view.cells.held, view.cells.unavailable) == ("cancelled", 1, 5)


def test_whoever_wants_it_still_asks_for_a_new_grant(
    runtime: Runtime, sharing: Sharing, granted: uuid.UUID, clock: FixedClock
) -> None:
    clock.advance(DAY)
    expire(runtime)
    again = sharing.request(AID)
    assert sharing.read(again).cells.pending_grant == VILLAGES
    assert [grant.state for grant in sharing.grants()] == ["pending", "expired"]
    sharing.grant()
    sharing.resolve(again)
    assert sum(",4711,held," in row for row in sharing.rows(sharing.export(again))) == 1
    assert sharing.read(granted).cells.unavailable == VILLAGES
