"""Requests at the service: what is asked, joined, expired and asked anew."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import pytest
from factories import asks_of, assert_balanced, make_person
from small_world import SmallWorld, make_field, make_source, make_version

from oneform.collection.commands import DecideRefusal, Decision, RefusalReason, RefuseAsks
from oneform.collection.service import decide_refusal, read_form, refuse_asks
from oneform.identity.policy import OPERATOR
from oneform.kernel import locks
from oneform.kernel.clock import FixedClock
from oneform.kernel.context import Context
from oneform.kernel.errors import Conflict
from oneform.requests import resolver
from oneform.requests.commands import SubmitRequest
from oneform.requests.grants import decide_grant, list_grants
from oneform.requests.reading import get_request, list_events
from oneform.requests.resolving import retry_sources
from oneform.requests.service import submit_request
from oneform.requests.sweeps import regions_with_late_asks, requests_that_retry
from oneform.requests.views import RequestView
from oneform.requests.withdrawal import cancel_request, expire_asks
from oneform.runtime import Runtime
from oneform.values.cells import values_of
from oneform.values.models import ProvenanceKind
from oneform.values.recording import open_provenance, record


def submit(
    runtime: Runtime,
    world: SmallWorld,
    agency: int,
    *,
    fields: tuple[int, ...] = (0,),
    codes: list[str] | None = None,
    villages: tuple[int, ...] = (0,),
    due: dt.date | None = None,
) -> uuid.UUID:
    """Submit and resolve a request."""
    with runtime.context(world.principal(agency)) as ctx:
        request = submit_request(
            ctx,
            SubmitRequest(
                title="年度调查",
                purpose="规划",
                legal_basis="《统计法》",
                fields=codes or [world.field_codes[n] for n in fields],
                areas=[world.village_codes[n] for n in villages],
                level="village",
                period="2026",
                due=due or ctx.today() + dt.timedelta(days=20),
            ),
        )
    _resolve(runtime, world, request.id)
    return request.id


def _resolve(runtime: Runtime, world: SmallWorld, request_id: uuid.UUID) -> None:
    for region in world.regions:
        with runtime.context(OPERATOR) as ctx:
            if resolver.decide(ctx, request_id, region):
                resolver.judge(ctx, request_id, region)
                resolver.resolve(ctx, request_id, region)


def read(runtime: Runtime, request_id: uuid.UUID) -> RequestView:
    with runtime.context(OPERATOR) as ctx:
        return get_request(ctx, request_id)


def bring(ctx: Context, world: SmallWorld, field: int, *, age: int = 0) -> None:
    """A value of a field for the first village, as from an import, observed some days ago."""
    locks.share_regions(ctx, world.regions[:1])
    cells = values_of(
        world.regions[0],
        fields=[world.fields[field]],
        periods=["" if field == STANDING else "2026"],
        subjects=[world.villages[0]],
        values=["7"],
        missing=[None],
        observed_on=[ctx.today() - dt.timedelta(days=age)],
    )
    record(ctx, cells, open_provenance(ctx, ProvenanceKind.IMPORT))


def test_what_is_missing_is_asked_once_and_joined_by_the_second(
    runtime: Runtime, world: SmallWorld
) -> None:
    first = submit(runtime, world, 0, fields=(0, 1), villages=(0, 1))
    second = submit(runtime, world, 1, fields=(1,), villages=(1, 2))
    assert read(runtime, first).asks_new == 4
    view = read(runtime, second)
    assert (view.asks_new, view.asks_joined, view.cells.asked) == (1, 1, 2)
    assert view.state == "collecting"


def test_a_cell_that_expired_for_one_request_is_asked_again_for_another(
    runtime: Runtime, world: SmallWorld, clock: FixedClock
) -> None:
    first = submit(runtime, world, 0)
    clock.advance(dt.timedelta(days=60))
    with runtime.context(OPERATOR) as ctx:
        assert expire_asks(ctx, world.regions[0]) == 1
    assert read(runtime, first).cells.unavailable == 1
    second = submit(runtime, world, 1)
    assert read(runtime, second).asks_new == 1
    assert read(runtime, first).cells.asked == 1


def test_cancelling_withdraws_only_what_nobody_else_waits_for(
    runtime: Runtime, world: SmallWorld
) -> None:
    first = submit(runtime, world, 0, villages=(0, 1))
    second = submit(runtime, world, 1, villages=(1, 2))
    with runtime.context(OPERATOR) as ctx:
        view = cancel_request(ctx, first)
        states = list(ctx.sql("SELECT state FROM ask ORDER BY id").scalars())
    assert view.state == "cancelled"
    assert view.cells.unavailable == 2
    assert sorted(states) == ["open", "open", "withdrawn"]
    assert read(runtime, second).cells.asked == 2


def test_what_happened_to_a_cancelled_request(runtime: Runtime, world: SmallWorld) -> None:
    request = submit(runtime, world, 0)
    with runtime.context(OPERATOR) as ctx:
        cancel_request(ctx, request)
        kinds = [event.kind for event in list_events(ctx, request).items]
    assert kinds == ["accepted", "collecting", "cancelled"]


def test_cancelling_moves_the_books_of_whoever_came_too_late(
    runtime: Runtime, world: SmallWorld, clock: FixedClock
) -> None:
    late = submit(runtime, world, 0)
    other = submit(runtime, world, 1, due=clock.today() + dt.timedelta(days=90))
    clock.advance(dt.timedelta(days=60))
    with runtime.context(OPERATOR) as ctx:
        cancel_request(ctx, other)
        assert_balanced(ctx)
    assert ask_states(runtime) == ["withdrawn"]
    assert read(runtime, late).cells.unavailable == 1


def test_the_due_date_of_an_ask_is_the_earliest_of_those_who_still_wait(
    runtime: Runtime, world: SmallWorld, clock: FixedClock
) -> None:
    early, late = (clock.today() + dt.timedelta(days=days) for days in (10, 40))
    submit(runtime, world, 0, due=late)
    first = submit(runtime, world, 1, due=early)
    with runtime.context(OPERATOR) as ctx:
        row = ctx.sql("SELECT due_on, live_until FROM ask").one()
        assert row.due_on == early
        assert row.live_until == late + dt.timedelta(days=30)
        cancel_request(ctx, first)
        assert ctx.sql("SELECT due_on FROM ask").scalar_one() == late


def test_the_due_date_of_an_ask_moves_on_when_late_days_are_over(
    runtime: Runtime, world: SmallWorld, clock: FixedClock
) -> None:
    early, late = (clock.today() + dt.timedelta(days=days) for days in (10, 60))
    submit(runtime, world, 0, due=early)
    submit(runtime, world, 1, due=late)
    clock.advance(dt.timedelta(days=40))
    assert late_regions(runtime) == []  # on the last of the late days
    clock.advance(dt.timedelta(days=1))
    assert late_regions(runtime) == world.regions[:1]
    assert terms(runtime) == (early, late + LATE)
    with runtime.context(OPERATOR) as ctx:
        assert expire_asks(ctx, world.regions[0]) == 0
    assert terms(runtime) == (late, late + LATE)
    assert late_regions(runtime) == []


def late_regions(runtime: Runtime) -> list[int]:
    with runtime.context(OPERATOR) as ctx:
        return regions_with_late_asks(ctx)


LATE = dt.timedelta(days=30)


def terms(runtime: Runtime) -> tuple[dt.date, dt.date]:
    """Of the only ask: when it is due, and its last day."""
    with runtime.context(OPERATOR) as ctx:
        row = ctx.sql("SELECT due_on, live_until FROM ask WHERE state = 'open'").one()
        return row.due_on, row.live_until


@pytest.fixture
def overturned(runtime: Runtime, world: SmallWorld, clock: FixedClock) -> uuid.UUID:
    """The second of two requests whose ask was refused, and opened again after twenty days."""
    submit(runtime, world, 0)
    second = submit(runtime, world, 1, due=clock.today() + dt.timedelta(days=25))
    with runtime.context(OPERATOR) as ctx:
        village = world.village_codes[0]
        staff = make_person(ctx, "staff", "staff", village)
        reviewer = make_person(ctx, "reviewer", "township_reviewer", village)
        ask = asks_of(ctx, unit=village)[world.field_codes[0]]
    with runtime.context(staff) as ctx:
        refusal = refuse_asks(ctx, RefuseAsks(asks=[ask], reason=RefusalReason.CANNOT))
    clock.advance(dt.timedelta(days=20))
    with runtime.context(reviewer) as ctx:
        decide_refusal(ctx, DecideRefusal(id=refusal.id, decision=Decision.OVERTURN, reason="核实"))
    return second


STOOD = dt.timedelta(days=20)


def test_days_that_the_clock_stood_stay_when_somebody_cancels(
    runtime: Runtime, overturned: uuid.UUID
) -> None:
    due = read(runtime, overturned).due
    assert terms(runtime)[1] == due + LATE + STOOD
    with runtime.context(OPERATOR) as ctx:
        (first,) = ctx.sql("SELECT id FROM request WHERE id <> :id", id=overturned).scalars()
        cancel_request(ctx, overturned)
    assert terms(runtime)[1] == read(runtime, first).due + LATE + STOOD


def test_days_that_the_clock_stood_stay_when_somebody_joins(
    runtime: Runtime, world: SmallWorld, clock: FixedClock, overturned: uuid.UUID
) -> None:
    due = clock.today() + dt.timedelta(days=50)
    submit(runtime, world, 2, due=due)
    assert terms(runtime)[1] == due + LATE + STOOD


def test_request_waits_for_an_ask_while_its_extended_late_days_last(
    runtime: Runtime, world: SmallWorld, clock: FixedClock, overturned: uuid.UUID
) -> None:
    other = submit(runtime, world, 2, due=clock.today() + dt.timedelta(days=90))
    first_due, _ = terms(runtime)
    clock.advance(first_due + LATE + STOOD - clock.today())
    assert len(askers(runtime, world)) == 3
    with runtime.context(OPERATOR) as ctx:
        cancel_request(ctx, other)
    assert ask_states(runtime) == ["open"]
    clock.advance(dt.timedelta(days=1))
    assert len(askers(runtime, world)) == 1


def askers(runtime: Runtime, world: SmallWorld) -> list[str]:
    """Who is named beside the only question of a village."""
    with runtime.context(OPERATOR) as ctx:
        form = read_form(ctx, world.village_codes[0])
        (ask,) = form.sections[0].rows[0].asks
        return [asker.control_no for asker in ask.requested_by]


STANDING = 2
"""A field whose values are fresh for sixty days."""


@pytest.mark.parametrize(
    ("ages", "status"), [([10], "held"), ([60], "held"), ([61], "asked"), ([97, 61], "asked")]
)
def test_a_standing_value_counts_while_it_is_fresh(
    runtime: Runtime, world: SmallWorld, ages: list[int], status: str
) -> None:
    for age in ages:
        with runtime.context(OPERATOR) as ctx:
            bring(ctx, world, STANDING, age=age)
    request = submit(runtime, world, 0, fields=(STANDING,))
    assert read(runtime, request).cells.as_dict()[status] == 1


def test_a_grant_that_is_decided_leaves_the_cells_undecided_until_they_are_resolved_anew(
    runtime: Runtime, world: SmallWorld
) -> None:
    with runtime.context(OPERATOR) as ctx:
        make_field(ctx, "test.conditional", world.agencies[0], category="conditional")
    request, grant = _awaiting(runtime, world)
    assert read(runtime, request).cells.pending_grant == 1
    with runtime.context(world.principal(0)) as ctx:
        decide_grant(ctx, grant, decision="grant", reason=None, valid_until=None, conditions=None)
    assert read(runtime, request).state == "resolving"
    _resolve(runtime, world, request)
    view = read(runtime, request)
    assert (view.state, view.cells.asked, view.asks_new) == ("collecting", 1, 1)


def test_asks_that_are_joined_after_a_grant_are_counted(
    runtime: Runtime, world: SmallWorld
) -> None:
    with runtime.context(OPERATOR) as ctx:
        make_field(ctx, "test.conditional", world.agencies[0], category="conditional")
    owners = submit(runtime, world, 0, codes=["test.conditional"])
    request, grant = _awaiting(runtime, world, "test.conditional", *world.field_codes[:2])
    later = submit(runtime, world, 2, fields=(0,))
    view = read(runtime, request)
    assert (view.asks_new, view.asks_joined) == (2, 0)
    with runtime.context(OPERATOR) as ctx:
        bring(ctx, world, 0)
    with runtime.context(world.principal(0)) as ctx:
        decide_grant(ctx, grant, decision="grant", reason=None, valid_until=None, conditions=None)
    _resolve(runtime, world, request)
    view = read(runtime, request)
    assert (view.asks_new, view.asks_joined) == (2, 1)
    assert read(runtime, later).asks_joined == read(runtime, owners).asks_new == 1


def test_a_request_that_is_cancelled_while_it_is_resolved_anew_keeps_its_cells(
    runtime: Runtime, world: SmallWorld, being_resolved_anew: uuid.UUID
) -> None:
    with runtime.context(OPERATOR) as ctx:
        view = cancel_request(ctx, being_resolved_anew)
        assert_balanced(ctx)
    assert (view.cells.total, view.cells.unavailable) == (2, 2)
    _resolve(runtime, world, being_resolved_anew)
    assert read(runtime, being_resolved_anew).cells == view.cells


def test_what_came_while_a_request_waited_to_be_resolved_anew_counts_when_it_is_cancelled(
    runtime: Runtime, world: SmallWorld, being_resolved_anew: uuid.UUID
) -> None:
    with runtime.context(OPERATOR) as ctx:
        bring(ctx, world, 0)
    with runtime.context(OPERATOR) as ctx:
        view = cancel_request(ctx, being_resolved_anew)
        assert_balanced(ctx)
    assert (view.cells.shared, view.cells.unavailable) == (1, 1)


def test_a_cancelled_request_awaits_no_grant(runtime: Runtime, world: SmallWorld) -> None:
    with runtime.context(OPERATOR) as ctx:
        make_field(ctx, "test.conditional", world.agencies[0], category="conditional")
    request, grant = _awaiting(runtime, world)
    with runtime.context(OPERATOR) as ctx:
        view = cancel_request(ctx, request)
    assert (view.cells.pending_grant, view.cells.unavailable) == (0, 1)
    with pytest.raises(Conflict), runtime.context(world.principal(0)) as ctx:
        decide_grant(ctx, grant, decision="grant", reason=None, valid_until=None, conditions=None)


@pytest.fixture
def being_resolved_anew(runtime: Runtime, world: SmallWorld) -> uuid.UUID:
    """A request that has asked something, and whose grant was decided a moment ago."""
    with runtime.context(OPERATOR) as ctx:
        make_field(ctx, "test.conditional", world.agencies[0], category="conditional")
    request, grant = _awaiting(runtime, world, "test.conditional", world.field_codes[0])
    with runtime.context(world.principal(0)) as ctx:
        decide_grant(ctx, grant, decision="grant", reason=None, valid_until=None, conditions=None)
    return request


def ask_states(runtime: Runtime) -> list[str]:
    with runtime.context(OPERATOR) as ctx:
        return list(ctx.sql("SELECT state FROM ask ORDER BY created_at").scalars())


def test_a_request_that_is_cancelled_while_it_is_resolved_anew_leaves_no_ask(
    runtime: Runtime, being_resolved_anew: uuid.UUID
) -> None:
    with runtime.context(OPERATOR) as ctx:
        cancel_request(ctx, being_resolved_anew)
    assert ask_states(runtime) == ["withdrawn"]


def test_a_request_that_is_resolved_anew_still_waits(
    runtime: Runtime, world: SmallWorld, being_resolved_anew: uuid.UUID
) -> None:
    other = submit(runtime, world, 2)
    with runtime.context(OPERATOR) as ctx:
        cancel_request(ctx, other)
    _resolve(runtime, world, being_resolved_anew)
    assert ask_states(runtime) == ["open", "open"]
    assert read(runtime, being_resolved_anew).cells.asked == 2


def _awaiting(runtime: Runtime, world: SmallWorld, *fields: str) -> tuple[uuid.UUID, uuid.UUID]:
    with runtime.context(world.principal(1)) as ctx:
        request = submit_request(
            ctx,
            SubmitRequest(
                title="救助",
                purpose="救助",
                legal_basis="《社会救助暂行办法》",
                fields=list(fields) or ["test.conditional"],
                areas=[world.village_codes[0]],
                level="village",
                period="2026",
                due=ctx.today() + dt.timedelta(days=20),
            ),
        ).id
    _resolve(runtime, world, request)
    with runtime.context(world.principal(0)) as ctx:
        (grant,) = list_grants(ctx).items
    return request, grant.id


def test_what_closed_while_a_request_waited_is_not_asked(
    runtime: Runtime, world: SmallWorld
) -> None:
    with runtime.context(OPERATOR) as ctx:
        make_field(ctx, "test.conditional", world.agencies[0], category="conditional")
    request, grant = _awaiting(runtime, world)
    with runtime.context(OPERATOR) as ctx:
        ctx.sql(
            "UPDATE area SET valid_to = :today WHERE id = :id",
            today=ctx.today(),
            id=world.villages[0],
        )
    with runtime.context(world.principal(0)) as ctx:
        decide_grant(ctx, grant, decision="grant", reason=None, valid_until=None, conditions=None)
    _resolve(runtime, world, request)
    view = read(runtime, request)
    assert (view.asks_new, view.cells.unavailable, view.state) == (0, 1, "partial")


def test_subjects_of_two_regions_in_one_place_are_all_asked(
    runtime: Runtime, world: SmallWorld
) -> None:
    village = world.villages[0]
    with runtime.context(OPERATOR) as ctx:
        kind = ctx.sql(
            "INSERT INTO subject_kind (code, name) VALUES ('household', '{\"zh\": \"户\"}') "
            "RETURNING id"
        ).scalar_one()
        for region in world.regions:
            ctx.sql(
                "INSERT INTO subject (region_id, kind_id, key, name, area_id) "
                "VALUES (:region, :kind, :key, '户', :area)",
                region=region,
                kind=kind,
                key=f"h{region}",
                area=village,
            )
        make_field(ctx, "test.household", world.agencies[0], kind="household")
    with runtime.context(world.principal(0)) as ctx:
        request = submit_request(
            ctx,
            SubmitRequest(
                title="户情",
                purpose="规划",
                legal_basis="《统计法》",
                fields=["test.household"],
                areas=[world.village_codes[0]],
                kind="household",
                period="2026",
                due=ctx.today() + dt.timedelta(days=20),
            ),
        ).id
    _resolve(runtime, world, request)
    view = read(runtime, request)
    assert (view.cells.total, view.cells.asked, view.units_total) == (2, 2, 1)


def test_cancelling_withdraws_asks_of_cells_that_the_other_request_held(
    runtime: Runtime, world: SmallWorld, clock: FixedClock
) -> None:
    with runtime.context(OPERATOR) as ctx:
        bring(ctx, world, STANDING)
    # It holds one value and waits for another, so that it lives on.
    submit(runtime, world, 0, fields=(0, STANDING), due=clock.today() + dt.timedelta(days=200))
    clock.advance(dt.timedelta(days=100))
    second = submit(runtime, world, 1, fields=(STANDING,))
    assert read(runtime, second).asks_new == 1
    with runtime.context(OPERATOR) as ctx:
        cancel_request(ctx, second)
        states = ctx.sql(
            "SELECT state FROM ask WHERE field_id = :f", f=world.fields[STANDING]
        ).scalars()
        assert list(states) == ["withdrawn"]


def test_cancelling_withdraws_asks_that_the_other_request_may_not_make(
    runtime: Runtime, world: SmallWorld, clock: FixedClock
) -> None:
    """It was made under a version that only sources answer."""
    others = submit(runtime, world, 1, fields=(3,), due=clock.today() + dt.timedelta(days=60))
    with runtime.context(OPERATOR) as ctx:
        ctx.sql(
            "UPDATE field_version SET ends_on = :day, ended_as = 'superseded' WHERE field_id = :id",
            day=ctx.today() + dt.timedelta(days=1),
            id=world.fields[3],
        )
        make_version(ctx, world.fields[3], mode="collect", on=ctx.today() + dt.timedelta(days=1))
    clock.advance(dt.timedelta(days=1))
    second = submit(runtime, world, 2, fields=(3,))
    assert (read(runtime, others).asks_new, read(runtime, second).asks_new) == (0, 1)
    with runtime.context(OPERATOR) as ctx:
        cancel_request(ctx, second)
        assert_balanced(ctx)
    assert ask_states(runtime) == ["withdrawn"]


@dataclass
class RunOvertaken:
    """A run of a job, during which something else happens before its last unit of work."""

    runtime: Runtime
    meanwhile: Callable[[], None]

    def context(self) -> AbstractContextManager[Context]:
        return self.runtime.context(OPERATOR)

    def last(self) -> AbstractContextManager[Context]:
        self.meanwhile()
        return self.runtime.context(OPERATOR)


def test_a_request_that_is_resolved_anew_while_sources_are_tried_again_goes_on_trying(
    runtime: Runtime, world: SmallWorld
) -> None:
    with runtime.context(OPERATOR) as ctx:
        field = make_field(
            ctx, "test.conditional", world.agencies[0], category="conditional", mode="share"
        )
    request, grant = _awaiting(runtime, world, "test.conditional", "test.shared")

    def meanwhile() -> None:
        with runtime.context(OPERATOR) as ctx:
            make_source(ctx, world, field)
        with runtime.context(world.principal(0)) as ctx:
            decide_grant(
                ctx, grant, decision="grant", reason=None, valid_until=None, conditions=None
            )
        _resolve(runtime, world, request)

    retry_sources(RunOvertaken(runtime, meanwhile), request)
    assert read(runtime, request).state == "collecting"
    with runtime.context(OPERATOR) as ctx:
        assert requests_that_retry(ctx) == [request]


def test_a_request_is_over_when_no_source_is_left_to_be_tried_again(
    runtime: Runtime, world: SmallWorld
) -> None:
    with runtime.context(OPERATOR) as ctx:
        source = make_source(ctx, world, world.fields[3])
    request = submit(runtime, world, 1, fields=(3,))
    assert read(runtime, request).state == "collecting"
    with runtime.context(OPERATOR) as ctx:
        ctx.sql("UPDATE source SET enabled = false WHERE id = :id", id=source)
    retry_sources(RunOvertaken(runtime, lambda: None), request)
    assert read(runtime, request).state == "partial"
