"""What is sent once, however many regions a deed touches: else two of a kind wait in a circle."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager

from collection_fixtures import World
from factories import (
    COUNTY,
    FOREIGN_VILLAGE,
    VILLAGE,
    asks_of,
    counts_of,
    make_request,
    pass_days,
)

from oneform.areas.service import apply_changes
from oneform.collection.commands import (
    DecideRefusal,
    Decision,
    RefusalReason,
    RefusalScope,
    RefuseAsks,
)
from oneform.collection.lifecycle import LATE_DAYS
from oneform.collection.service import decide_refusal, refuse_asks
from oneform.kernel.context import Context
from oneform.requests.withdrawal import cancel_request

Counting = Callable[[], AbstractContextManager[list[str]]]

BOTH = (COUNTY, FOREIGN_VILLAGE)
"""Areas of two regions."""


def booked(sent: list[str]) -> int:
    """How often the books were moved."""
    return sum("UPDATE request_unit AS ru" in statement for statement in sent)


def test_cancelling_moves_the_books_once(
    ctx: Context, world: World, count_statements: Counting
) -> None:
    """Also those of another request, which does not wait any more."""
    over = make_request(
        ctx, world.civil, ["test.people"], areas=BOTH, due=ctx.today() + dt.timedelta(days=10)
    )
    request = make_request(ctx, world.health, ["test.people"], areas=BOTH)
    pass_days(ctx, 11 + LATE_DAYS)
    with count_statements() as sent:
        cancel_request(ctx, request)
    assert counts_of(ctx, over) == counts_of(ctx, request) == {"unavailable": 4}
    assert booked(sent) == 1


def test_areas_that_close_move_the_books_once(
    ctx: Context, world: World, count_statements: Counting
) -> None:
    request = make_request(ctx, world.health, ["test.people"], areas=BOTH)
    with count_statements() as sent:
        apply_changes(
            ctx,
            b"change,old_code,new_code,parent_code,level,name,on_date\n"
            + b"".join(
                f"close,{code},,,,,2026-03-10\n".encode() for code in (VILLAGE, FOREIGN_VILLAGE)
            ),
        )
    assert counts_of(ctx, request) == {"asked": 2, "unavailable": 2}
    assert booked(sent) == 1


def test_upholding_for_all_moves_the_books_once(
    ctx: Context, world: World, count_statements: Counting
) -> None:
    request = make_request(ctx, world.health, ["test.people"], areas=BOTH)
    ask = asks_of(ctx)["test.people"]
    refusal = refuse_asks(
        ctx.acting_as(world.village), RefuseAsks(asks=[ask], reason=RefusalReason.CANNOT)
    )
    command = DecideRefusal(
        id=refusal.id, decision=Decision.UPHOLD, scope=RefusalScope.ALL, reason="没有人能答"
    )
    with count_statements() as sent:
        decide_refusal(ctx.acting_as(world.catalog_admin), command)
    assert counts_of(ctx, request) == {"refused": 4}
    assert booked(sent) == 1


def test_resolving_locks_rows_of_requests_once(
    ctx: Context, world: World, count_statements: Counting
) -> None:
    with count_statements() as sent:
        make_request(ctx, world.health, ["test.people"])
    assert sum("FOR NO KEY UPDATE" in statement for statement in sent) == 1
