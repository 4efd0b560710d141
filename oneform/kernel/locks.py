"""Advisory locks of a transaction, each in a numbered space of its own.

Order, to be kept everywhere, or there will be deadlocks: idempotency key →
`AREAS`, `CATALOG` → request → regions (ascending) → turn to record in a region →
rows of `ask` (by key) → rows of `cell_value` that are replaced (by key) → rows
of `request_unit` (by key) → rows of `request` (by id). The last two once in a
transaction, at its end (`values.recording.together`). See DESIGN.md §5 for who
takes a region alone and who shares it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from enum import IntEnum

import sqlalchemy as sa

from oneform.kernel.context import Context


class Space(IntEnum):
    """First half of an advisory key."""

    REGION = 1
    IDEMPOTENCY = 2
    AREAS = 3
    CATALOG = 4
    SOURCE = 5
    RECORDING = 6
    """By region: turns of those who record values that were not answered to asks."""
    REQUEST = 7
    """By request: who resolves one of its regions shares it; who needs all of them takes it alone."""


_EXCLUSIVE = sa.text("SELECT pg_advisory_xact_lock(:key)")
_SHARED = sa.text("SELECT pg_advisory_xact_lock_shared(:key)")
_SHARED_FOR_FEW = sa.text(
    "SELECT pg_advisory_xact_lock_shared(:key), "
    "set_config('plan_cache_mode', 'force_generic_plan', true)"
)


def number_in(space: Space, number: int) -> int:
    """The advisory key of a number in a space."""
    return (int(space) << 56) | (number & ((1 << 56) - 1))


def take_regions(ctx: Context, region_ids: Iterable[int]) -> None:
    """Hold regions alone: resolve, cancel, expiry, retirement, area changes."""
    for region_id in sorted(set(region_ids)):
        ctx.sql(_EXCLUSIVE, key=number_in(Space.REGION, region_id))


def share_regions(ctx: Context, region_ids: Iterable[int], *, for_few_rows: bool = False) -> None:
    """Hold regions together with others of the kind: submissions, reviews, refusals, imports.

    `for_few_rows`: what follows in this transaction looks rows up by their keys. Then plans are kept
    that do not depend on the region: to plan for one out of so many partitions, each time, takes
    longer than to execute.
    """
    statement = _SHARED_FOR_FEW if for_few_rows else _SHARED
    for region_id in sorted(set(region_ids)):
        ctx.sql(statement, key=number_in(Space.REGION, region_id))


def take_request(ctx: Context, request_id: uuid.UUID, region_ids: Iterable[int]) -> None:
    """Hold all regions of a request alone: cancel, decide on grants, end those that have run out.

    The request first, so that its jobs wait before their next region: else one would run after them
    from region to region, until everything is resolved.
    """
    ctx.sql(_EXCLUSIVE, key=number_in(Space.REQUEST, request_id.int))
    take_regions(ctx, region_ids)


def take_region_of_request(ctx: Context, request_id: uuid.UUID, region_id: int) -> None:
    """Hold one region alone, to resolve a request there."""
    ctx.sql(_SHARED, key=number_in(Space.REQUEST, request_id.int))
    take_regions(ctx, [region_id])


def take(ctx: Context, space: Space, number: int = 0) -> None:
    """Hold one lock of a space alone until the transaction ends."""
    ctx.sql(_EXCLUSIVE, key=number_in(space, number))
