"""How imports end: done, given up, and in the end forgotten."""

from __future__ import annotations

import datetime as dt
import uuid

from oneform.identity import policy
from oneform.identity.policy import Permission
from oneform.kernel.context import Context

KEPT_DAYS = 90
"""How long the report of an import is kept."""

ABANDONED_AFTER = dt.timedelta(days=1)
"""A command that has not come to its end by then was killed."""


def finish_import(ctx: Context, import_id: uuid.UUID) -> None:
    """Say that an import is done. Twice is fine."""
    ctx.sql(
        "UPDATE value_import SET state = 'done', finished_at = :at "
        "WHERE id = :id AND state IN ('waiting', 'running')",
        id=import_id,
        at=ctx.clock.now(),
    )


_STOP = """
WITH stopped AS (
  UPDATE value_import SET state = 'stopped', finished_at = :at
  WHERE state IN ('waiting', 'running') AND {which}
  RETURNING id)
DELETE FROM value_import_row AS r USING stopped WHERE r.import_id = stopped.id
"""


def stop_import(ctx: Context, import_id: uuid.UUID) -> None:
    """Give up an import that no job works on. What it has recorded stays; what waits is dropped."""
    policy.require(ctx, Permission.OPERATE)
    ctx.sql(_STOP.format(which="id = :id"), id=import_id, at=ctx.clock.now())


def tidy_imports(ctx: Context) -> int:
    """Stop what a killed command has left behind; forget reports of long ago. How many.

    What was accepted over HTTP is not touched before it is done: its job is on the outbox.
    """
    now = ctx.clock.now()
    ctx.sql(
        _STOP.format(which="actor_kind = 'operator' AND created_at < :before"),
        at=now,
        before=now - ABANDONED_AFTER,
    )
    return ctx.sql(
        "DELETE FROM value_import WHERE finished_at < :before",
        before=now - dt.timedelta(days=KEPT_DAYS),
    ).rowcount
