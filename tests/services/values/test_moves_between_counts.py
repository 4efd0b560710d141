"""While an import counts, writes and counts again, others want to move the same cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from time import sleep
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

from oneform.collection.commands import RefusalReason, RefuseAsks
from oneform.collection.service import refuse_asks
from oneform.config import Settings
from oneform.identity.policy import OPERATOR
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


def take_while(world: World, deed: Callable[[], Any]) -> Future[Any]:
    """Import the figure; `deed` begins when the cells were counted, and is let end if it can."""
    import_id = world.accept(FIGURE)
    begun: list[Future[Any]] = []
    with ThreadPoolExecutor(1) as pool:

        def meanwhile(_ctx: Context, _event: CellsChanging) -> None:
            if not begun:
                begun.append(pool.submit(deed))
                while not begun[0].done() and not waits(world):
                    sleep(0.01)

        world.runtime.events.on(CellsChanging, meanwhile)
        world.work(import_id)
    return begun[0]


def waits(world: World) -> bool:
    return bool(
        world.scalar(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
    )


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
