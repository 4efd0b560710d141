"""Who books in several regions, or more than once, never waits in a circle with somebody else.

One of the two is held up where it has done the first half of its work, until the other is done or
waits for a lock. Nobody begins anew here: a deadlock would be an error.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from factories import (
    CITY,
    COUNTY,
    DUE,
    FOREIGN_VILLAGE,
    OTHER_COUNTY,
    VILLAGE,
    area_id,
    asks_of,
    assert_balanced,
    counts_of,
    field,
    make_agency,
    make_county,
    make_fields,
    make_person,
    make_request,
)
from waiting import wait_until_blocked

from oneform.collection.commands import (
    DecideRefusal,
    DecideReviews,
    Decision,
    GivenAnswer,
    RefusalReason,
    RefuseAsks,
    SubmitAnswers,
)
from oneform.collection.service import (
    decide_refusal,
    decide_reviews,
    list_reviews,
    refuse_asks,
    submit_answers,
)
from oneform.config import Settings
from oneform.identity.policy import OPERATOR, Principal
from oneform.kernel import locks
from oneform.kernel.clock import FixedClock
from oneform.kernel.context import Context
from oneform.requests import resolver
from oneform.requests.commands import SubmitRequest
from oneform.requests.grants import decide_grant, list_grants
from oneform.requests.service import submit_request
from oneform.requests.withdrawal import cancel_request, expire_asks
from oneform.runtime import Runtime

Deed = Callable[[Context], Any]


@pytest.fixture
def second(settings: Settings, clock: FixedClock) -> Iterator[Runtime]:
    """Another process, as far as the database can tell."""
    runtime = Runtime(settings, clock=clock)
    yield runtime
    runtime.close()


@pytest.fixture
def stats(runtime: Runtime) -> Principal:
    """Owner of the fields of a county."""
    with runtime.context(OPERATOR) as ctx:
        make_county(ctx)
        owner = make_agency(ctx, "stats")
        make_fields(
            ctx,
            *[field(f"test.{name}") for name in "abc"],
            field("test.reviewed", review="township"),
            field("test.checked", review="township"),
            field("test.granted", sharing={"category": "conditional", "conditions": "目的范围"}),
        )
    return owner


def test_answers_of_two_regions_and_of_one(
    runtime: Runtime, second: Runtime, stats: Principal
) -> None:
    with runtime.context(OPERATOR) as ctx:
        health = make_agency(ctx, "health")
        requests = [
            make_request(ctx, health, ["test.b", "test.c"], areas=[FOREIGN_VILLAGE]),
            make_request(ctx, health, ["test.a"], areas=[VILLAGE, FOREIGN_VILLAGE]),
        ]
        here, there = asks_of(ctx), asks_of(ctx, unit=FOREIGN_VILLAGE)
        city = make_person(ctx, "city", "staff", CITY)
        village = make_person(ctx, "village", "staff", FOREIGN_VILLAGE)
    meet(
        (runtime, city, submitting(here["test.a"], there["test.b"])),
        (second, village, submitting(there["test.a"], there["test.c"])),
        when="INSERT INTO answer",
        times=2,
    )
    with runtime.context(OPERATOR) as ctx:
        assert [counts_of(ctx, request) for request in requests] == [{"answered": 2}] * 2
        states = ctx.sql("SELECT DISTINCT state FROM request").scalars()
        assert list(states) == ["fulfilled"]
        assert_balanced(ctx)


def test_refusals_of_two_regions_and_of_one(
    runtime: Runtime, second: Runtime, stats: Principal
) -> None:
    with runtime.context(OPERATOR) as ctx:
        health = make_agency(ctx, "health")
        # What a unit refuses lies in two regions when somebody has moved there: by hand here.
        requests = [
            make_request(ctx, health, ["test.b", "test.c"], areas=[FOREIGN_VILLAGE]),
            make_request(ctx, health, ["test.a"], areas=[VILLAGE, FOREIGN_VILLAGE]),
        ]
        here, there = asks_of(ctx), asks_of(ctx, unit=FOREIGN_VILLAGE)
        ctx.sql(
            "UPDATE ask SET unit_id = (SELECT id FROM area WHERE code = :one) "
            "WHERE unit_id = (SELECT id FROM area WHERE code = :other)",
            one=FOREIGN_VILLAGE,
            other=VILLAGE,
        )
        village = make_person(ctx, "village", "staff", FOREIGN_VILLAGE)
        reviewer = make_person(ctx, "reviewer", "township_reviewer", CITY)
    meet(
        (runtime, village, refusing(here["test.a"], there["test.b"])),
        (second, village, refusing(there["test.a"], there["test.c"])),
        when="INSERT INTO refusal_ask",
    )
    with runtime.context(OPERATOR) as ctx:
        assert [counts_of(ctx, request) for request in requests] == [{"refused": 2}] * 2
        assert_balanced(ctx)
        refusals = list(ctx.sql("SELECT id FROM refusal ORDER BY id").scalars())
    commands = [
        DecideRefusal(id=refusal, decision=Decision.OVERTURN, reason="核实") for refusal in refusals
    ]
    meet(
        (runtime, reviewer, lambda ctx: decide_refusal(ctx, commands[0])),
        (second, reviewer, lambda ctx: decide_refusal(ctx, commands[1])),
        when="UPDATE ask SET live_until",
    )
    with runtime.context(OPERATOR) as ctx:
        assert [counts_of(ctx, request) for request in requests] == [{"asked": 2}] * 2
        assert_balanced(ctx)


def test_reviews_of_several_submissions(
    runtime: Runtime, second: Runtime, stats: Principal
) -> None:
    fields = ["test.reviewed", "test.checked"]
    with runtime.context(OPERATOR) as ctx:
        health = make_agency(ctx, "health")
        requests = [
            make_request(ctx, health, fields, areas=[VILLAGE], period=period)
            for period in ("2025", "2026")
        ]
        asks = asks_by_period(ctx)
        staff = make_person(ctx, "village", "staff", VILLAGE)
        reviewer = make_person(ctx, "reviewer", "township_reviewer", VILLAGE)
        # Each submission is recorded by itself, in the order in which they came.
        answered = [("test.reviewed", "2026"), ("test.reviewed", "2025"),
                    ("test.checked", "2025"), ("test.checked", "2026")]  # fmt: skip
        for cell in answered:
            submitting(asks[cell])(ctx.acting_as(staff))
        answers = [item.id for item in list_reviews(ctx.acting_as(reviewer)).items]
    meet(
        (runtime, reviewer, accepting(answers[:2])),
        (second, reviewer, accepting(answers[2:])),
        when="INSERT INTO provenance",
        times=2,
    )
    with runtime.context(OPERATOR) as ctx:
        assert [counts_of(ctx, request) for request in requests] == [{"answered": 2}] * 2
        assert_balanced(ctx)


def test_request_that_asks_again_for_a_later_one(
    runtime: Runtime, second: Runtime, stats: Principal, clock: FixedClock
) -> None:
    """An older request that is resolved anew settles itself and a newer one, and so does a decision
    on a refusal elsewhere."""
    villages = [VILLAGE, FOREIGN_VILLAGE]
    with runtime.context(OPERATOR) as ctx:
        older, newer = (
            make_request(ctx, make_agency(ctx, code), fields, areas=villages)
            for code, fields in {"health": ["test.a", "test.granted"], "civil": ["test.a"]}.items()
        )
        here, there = (area_id(ctx, code) for code in (COUNTY, OTHER_COUNTY))
        staff = make_person(ctx, "village", "staff", FOREIGN_VILLAGE)
        reviewer = make_person(ctx, "reviewer", "township_reviewer", CITY)
    clock.advance(dt.timedelta(days=200))
    with runtime.context(OPERATOR) as ctx:
        assert expire_asks(ctx, here) == 1
    with runtime.context(stats) as ctx:
        (grant,) = list_grants(ctx).items
        decide_grant(
            ctx, grant.id, decision="grant", reason=None, valid_until=None, conditions=None
        )
    with runtime.context(OPERATOR) as ctx:
        resolve_region(ctx, older, there)
        ask = asks_of(ctx, unit=FOREIGN_VILLAGE)["test.a"]
    with runtime.context(staff) as ctx:
        refusal = refusing(ask)(ctx)
    overturn = DecideRefusal(id=refusal.id, decision=Decision.OVERTURN, reason="核实")
    with ThreadPoolExecutor(2) as pool:
        with runtime.context(OPERATOR) as ctx:
            ctx.sql("SELECT FROM request WHERE id = :id FOR UPDATE", id=newer)
            resolved = pool.submit(
                do, second, OPERATOR, lambda ctx: resolve_region(ctx, older, here)
            )
            wait_until_blocked(runtime.engine, resolved)
            decided = pool.submit(do, runtime, reviewer, lambda ctx: decide_refusal(ctx, overturn))
            wait_until_blocked(runtime.engine, decided, others=1)
        resolved.result(timeout=60)
        decided.result(timeout=60)
    with runtime.context(OPERATOR) as ctx:
        assert counts_of(ctx, older) == {"asked": 4}
        assert counts_of(ctx, newer) == {"asked": 2}
        assert_balanced(ctx)


def test_request_that_is_being_cancelled_is_not_resolved_any_further(
    runtime: Runtime, second: Runtime, stats: Principal
) -> None:
    """A job goes for a region that the cancellation, which began before, has not reached."""
    with runtime.context(OPERATOR) as ctx:
        health = make_agency(ctx, "health")
        request = submit_request(
            ctx.acting_as(health),
            SubmitRequest(
                title="年度调查",
                purpose="规划",
                legal_basis="《统计法》",
                fields=["test.a"],
                areas=[VILLAGE, FOREIGN_VILLAGE],
                level="village",
                period="2026",
                due=DUE,
            ),
        ).id
        here, there = (area_id(ctx, code) for code in (COUNTY, OTHER_COUNTY))
        resolve_region(ctx, request, here)
    meet(
        (runtime, health, lambda ctx: cancel_request(ctx, request)),
        (second, OPERATOR, lambda ctx: resolve_region(ctx, request, there)),
        when=f"'key': {locks.number_in(locks.Space.REGION, there)}",
    )
    with runtime.context(OPERATOR) as ctx:
        asks = ctx.sql("SELECT region_id, state FROM ask").all()
        assert [tuple(row) for row in asks] == [(here, "withdrawn")]


# ---- tools ---------------------------------------------------------------------


def submitting(*asks: str) -> Deed:
    answers = [GivenAnswer(ask=ask, value=1) for ask in asks]
    return lambda ctx: submit_answers(ctx, SubmitAnswers(answers=answers))


def refusing(*asks: str) -> Deed:
    return lambda ctx: refuse_asks(ctx, RefuseAsks(asks=asks, reason=RefusalReason.CANNOT))


def accepting(answers: list[str]) -> Deed:
    return lambda ctx: decide_reviews(ctx, DecideReviews(accept=answers))


def asks_by_period(ctx: Context) -> dict[tuple[str, str], str]:
    rows = ctx.sql(
        "SELECT f.code, a.period, a.region_id || '-' || a.id AS id FROM ask AS a "
        "JOIN field AS f ON f.id = a.field_id"
    )
    return {(row.code, row.period): row.id for row in rows}


def resolve_region(ctx: Context, request_id: uuid.UUID, region_id: int) -> None:
    if resolver.decide(ctx, request_id, region_id):
        resolver.judge(ctx, request_id, region_id)
        resolver.resolve(ctx, request_id, region_id)


def do(runtime: Runtime, who: Principal, deed: Deed) -> Any:
    with runtime.context(who) as ctx:
        return deed(ctx)


def meet(
    first: tuple[Runtime, Principal, Deed],
    other: tuple[Runtime, Principal, Deed],
    *,
    when: str,
    times: int = 1,
) -> None:
    """Hold up the first before it sends `when` for the n-th time, until the other is done or waits."""
    begun: list[Future[Any]] = []
    sent = 0
    with ThreadPoolExecutor(1) as pool:

        def hold_up(
            _connection: object, _cursor: object, statement: str, params: object, *_: object
        ) -> None:
            nonlocal sent
            sent += when in f"{statement} {params}"
            if sent == times and not begun:
                begun.append(pool.submit(do, *other))
                wait_until_blocked(other[0].engine, begun[0])

        engine = first[0].engine
        sa.event.listen(engine, "before_cursor_execute", hold_up)
        try:
            do(*first)
        finally:
            sa.event.remove(engine, "before_cursor_execute", hold_up)
        assert begun, f"nothing like {when} was sent so often"
        begun[0].result(timeout=60)
