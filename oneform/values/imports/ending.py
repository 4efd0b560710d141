"""How imports end: done, given up, and in the end forgotten."""

from __future__ import annotations

import datetime as dt
import uuid

from oneform.identity import policy
from oneform.identity.policy import Permission
from oneform.kernel.context import Context
from oneform.values.imports.views import ImportState

KEPT_DAYS = 90
"""How long the report of an import is kept."""

ABANDONED_AFTER = dt.timedelta(days=1)
"""A command that has not come to its end by then was killed."""


_END = """
UPDATE value_import SET state = :state, finished_at = :at
WHERE state IN ('waiting', 'running') AND {which} RETURNING id
"""


def finish_import(ctx: Context, import_id: uuid.UUID) -> None:
    """Say that an import is done. Twice is fine."""
    _end(ctx, ImportState.DONE, "id = :id", id=import_id)


def _end(ctx: Context, state: ImportState, which: str, **given: object) -> None:
    """End imports, and drop what is left of their rows."""
    end = _END.format(which=which)
    ended = list(ctx.sql(end, state=state.value, at=ctx.clock.now(), **given).scalars())
    # In statements of their own: a run that was just recording a region has written down its rows.
    for table in ("value_import_block", "value_import_taken"):
        ctx.sql(f"DELETE FROM {table} WHERE import_id = ANY(:ids)", ids=ended)


def stop_import(ctx: Context, import_id: uuid.UUID) -> None:
    """Give up an import that no job works on. What it has recorded stays; what waits is dropped."""
    policy.require(ctx, Permission.OPERATE)
    _end(ctx, ImportState.STOPPED, "id = :id", id=import_id)


def tidy_imports(ctx: Context) -> int:
    """Stop what a killed command has left behind; forget reports of long ago. How many.

    What was accepted over HTTP is not touched before it is done: its job is on the outbox.
    """
    now = ctx.clock.now()
    abandoned = "actor_kind = 'operator' AND created_at < :before"
    _end(ctx, ImportState.STOPPED, abandoned, before=now - ABANDONED_AFTER)
    return ctx.sql(
        "DELETE FROM value_import WHERE finished_at < :before",
        before=now - dt.timedelta(days=KEPT_DAYS),
    ).rowcount
