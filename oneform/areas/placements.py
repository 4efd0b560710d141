"""Old placements of subjects: kept before they are written over."""

from __future__ import annotations

import datetime as dt

from oneform.kernel.context import Context

_KEEP = """
INSERT INTO subject_history (region_id, subject_id, superseded_at, kind_id, key, name, area_id,
  active_from, active_to, recorded_at)
SELECT s.region_id, s.id, :at, s.kind_id, s.key, s.name, s.area_id,
  s.active_from, s.active_to, s.recorded_at
"""


def instant(ctx: Context) -> dt.datetime:
    """The instant at which old placements end and new ones begin (`recorded_at`)."""
    now = ctx.sql("SELECT clock_timestamp()").scalar_one()
    assert isinstance(now, dt.datetime)
    return now


def supersede(ctx: Context, which: str, /, *, at: dt.datetime, **params: object) -> None:
    """Copy to the history the subjects `s` that an UPDATE with the same clauses is about to change.

    `which` is its FROM and WHERE, with parameters; that UPDATE sets `recorded_at` to `at`.
    """
    source = which.replace("WHERE", "CROSS JOIN subject AS s WHERE", 1)
    ctx.sql(f"{_KEEP} {source} ORDER BY s.region_id, s.id", at=at, **params)
