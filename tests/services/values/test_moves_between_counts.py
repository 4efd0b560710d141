"""While an import counts, writes and counts again, others want to move the same cells."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from factories import (
    VILLAGE,
    ask_state,
    asks_of,
    assert_balanced,
    counts_of,
    make_agency,
    make_person,
    make_request,
)
from values_world import World
from waiting import wait_until_blocked

from oneform.collection.commands import (
    AmendAnswer,
    GivenAnswer,
    RefusalReason,
    RefuseAsks,
    SubmitAnswers,
)
from oneform.collection.errors import InvalidAnswers, NotAmendable
from oneform.collection.service import amend_answer, get_submission, refuse_asks, submit_answers
from oneform.config import Settings
from oneform.identity.policy import OPERATOR, Principal
from oneform.kernel.clock import FixedClock
from oneform.kernel.context import Context
from oneform.kernel.errors import Invalid
from oneform.runtime import Runtime
from oneform.values.events import CellsChanging

FIGURE = [{"field": "pop.total", "subject": VILLAGE, "period": "2026", "value": 5}]


@pytest.fixture
def second(world: World, settings: Settings, clock: FixedClock) -> Iterator[World]:
    """The same world, for another process."""
    runtime = Runtime(settings, clock=clock)
    yield World(runtime, world.stats, world.civil)
    runtime.close()


@dataclass(frozen=True)
class Stale:
    """A standing value past its time: who answered it and who wants it."""

    agency: Principal
    staff: Principal
    answer: str
    request: uuid.UUID


def take_while(
    world: World, deed: Callable[[], Any], figure: list[dict[str, Any]] = FIGURE
) -> Future[Any]:
    """Import the figure; `deed` begins when the cells were counted, and is let end if it can."""
    import_id = world.accept(figure)
    return while_counted(world, lambda: world.work(import_id), deed)


def while_counted(world: World, first: Callable[[], Any], deed: Callable[[], Any]) -> Future[Any]:
    """Do the first; `deed` begins when its cells were counted, and is let end if it can."""
    begun: list[Future[Any]] = []
    with ThreadPoolExecutor(1) as pool:

        def meanwhile(_ctx: Context, _event: CellsChanging) -> None:
            if not begun:
                begun.append(pool.submit(deed))
                wait_until_blocked(world.runtime.engine, begun[0])

        world.runtime.events.on(CellsChanging, meanwhile)
        first()
    return begun[0]


def test_refusal_comes_too_late_for_a_cell_that_an_import_has_counted(
    world: World, second: World
) -> None:
    with world.runtime.context(OPERATOR) as ctx:
        request = make_request(ctx, make_agency(ctx, "health"), ["pop.total"], areas=[VILLAGE])
        ask = asks_of(ctx)["pop.total"]
        staff = make_person(ctx, "village", "staff", VILLAGE)

    def refuse() -> None:
        with second.runtime.context(staff) as ctx:
            refuse_asks(ctx, RefuseAsks(asks=[ask], reason=RefusalReason.CANNOT))

    refused = take_while(world, refuse).exception()
    assert isinstance(refused, Invalid)
    assert [mistake.code for mistake in refused.mistakes] == ["not_open"]
    with world.runtime.context(OPERATOR) as ctx:
        assert ask_state(ctx, ask) == "answered"
        assert counts_of(ctx, request) == {"shared": 1}
        assert_balanced(ctx)


def test_other_import_of_a_cell_that_nobody_was_asked_for(world: World, second: World) -> None:
    with world.runtime.context(OPERATOR) as ctx:
        agency = make_agency(ctx, "health")
        request = make_request(ctx, agency, ["pop.total"], areas=[VILLAGE], gap="leave")
        assert counts_of(ctx, request) == {"unavailable": 1}
    other = second.accept([{**FIGURE[0], "value": 6}])
    assert take_while(world, lambda: second.work(other)).exception() is None
    with world.runtime.context(OPERATOR) as ctx:
        assert counts_of(ctx, request) == {"shared": 1}
        assert_balanced(ctx)


def test_others_close_a_request_while_an_import_replaces_what_it_holds(
    world: World, second: World
) -> None:
    world.take(FIGURE)
    with world.runtime.context(OPERATOR) as ctx:
        agency = make_agency(ctx, "health")
        request = make_request(ctx, agency, ["pop.total", "pop.rate"], areas=[VILLAGE])
        assert counts_of(ctx, request) == {"held": 1, "asked": 1}
        ask = asks_of(ctx)["pop.rate"]
        staff = make_person(ctx, "village", "staff", VILLAGE)

    def answer() -> None:
        with second.runtime.context(staff) as ctx:
            submit_answers(ctx, SubmitAnswers(answers=[GivenAnswer(ask=ask, value=1)]))

    replaced = [{**FIGURE[0], "value": 6}]
    assert take_while(world, answer, replaced).exception() is None
    assert world.held()["pop.total", VILLAGE, "2026"] == 6
    with world.runtime.context(OPERATOR) as ctx:
        assert counts_of(ctx, request) == {"held": 1, "answered": 1}
        assert_balanced(ctx)


NOTE = [{"field": "pop.note", "subject": VILLAGE, "value": "桥断了"}]


@pytest.fixture
def stale(world: World, clock: FixedClock) -> Stale:
    """A standing value that was answered long ago; somebody wants it now, but does not ask."""
    with world.runtime.context(OPERATOR) as ctx:
        agency = make_agency(ctx, "health")
        make_request(ctx, agency, ["pop.note"], areas=[VILLAGE])
        staff = make_person(ctx, "village", "staff", VILLAGE)
        given = GivenAnswer(ask=asks_of(ctx)["pop.note"], value="路通了")
        village = ctx.acting_as(staff)
        receipt = submit_answers(village, SubmitAnswers(answers=[given]))
        (answer,) = get_submission(village, receipt.id).answers
    clock.advance(dt.timedelta(days=90))
    with world.runtime.context(OPERATOR) as ctx:
        request = make_request(
            ctx, agency, ["pop.note"], areas=[VILLAGE], gap="leave", due=dt.date(2026, 12, 31)
        )
        assert counts_of(ctx, request) == {"unavailable": 1}
    return Stale(agency, staff, answer.id, request)


def amending(world: World, stale: Stale) -> Callable[[], Any]:
    def amend() -> None:
        with world.runtime.context(stale.staff) as ctx:
            amend_answer(ctx, AmendAnswer(answer=stale.answer, value="路又断了"))

    return amend


def test_amendment_comes_too_late_for_a_stale_value_that_an_import_has_counted(
    world: World, second: World, stale: Stale
) -> None:
    amended = take_while(world, amending(second, stale), NOTE).exception()
    assert isinstance(amended, NotAmendable)
    with world.runtime.context(OPERATOR) as ctx:
        assert counts_of(ctx, stale.request) == {"shared": 1}
        assert_balanced(ctx)


def test_answer_comes_too_late_for_a_stale_value_that_was_amended(
    world: World, second: World, stale: Stale
) -> None:
    with world.runtime.context(OPERATOR) as ctx:
        asking = make_request(
            ctx, stale.agency, ["pop.note"], areas=[VILLAGE], due=dt.date(2026, 12, 31)
        )
        ask = asks_of(ctx)["pop.note"]

    def answer() -> None:
        with second.runtime.context(stale.staff) as ctx:
            given = GivenAnswer(ask=ask, value="还没通")
            submit_answers(ctx, SubmitAnswers(answers=[given]))

    answered = while_counted(world, amending(world, stale), answer).exception()
    assert isinstance(answered, InvalidAnswers)
    assert world.held()["pop.note", VILLAGE, ""] == "路又断了"
    with world.runtime.context(OPERATOR) as ctx:
        assert counts_of(ctx, stale.request) == counts_of(ctx, asking) == {"answered": 1}
        assert_balanced(ctx)
