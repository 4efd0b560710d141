"""What becomes of asks when areas and subjects change. Handlers; see `oneform.runtime.wiring`.

The question of what ends is asked before the rows change (`AreasClosing`), so
that the books can be read as they were; who answers is worked out afterwards.
"""

from __future__ import annotations

from typing import Any

from oneform.areas.answering import join_above, unit_of
from oneform.areas.events import AreasClosed, AreasClosing, AreasMoved, SubjectClosed, SubjectMoved
from oneform.collection.asks import by_region, end_asks, hold_asks, in_states
from oneform.collection.lifecycle import LIVE
from oneform.kernel.context import Context
from oneform.values.recording import together

# About the area itself, and about whoever lives there and goes nowhere else.
_ENDING = f"""
SELECT a.region_id, a.id FROM ask AS a
JOIN subject AS s ON s.region_id = a.region_id AND s.id = a.subject_id
WHERE a.region_id = ANY(:regions) AND a.state IN {in_states(LIVE)}
  AND (s.id = ANY(:closing) OR s.area_id = ANY(:abandoned))
"""

_OF_SUBJECT = f"""
SELECT region_id, id FROM ask
WHERE region_id = :region AND subject_id = :subject AND state IN {in_states(LIVE)}
"""

# Locked in the order of their keys, as everywhere; those that stay where they are, not at all: the
# region of somebody who left long ago is not ours.
_MOVE = f"""
WITH moved AS MATERIALIZED (
  SELECT a.region_id, a.id, {unit_of("p")} AS unit_id
  FROM {{subjects}} AS m
  JOIN subject AS s ON s.region_id = m.region_id AND s.id = m.subject_id
  JOIN area AS p ON p.id = s.area_id
  JOIN ask AS a ON a.region_id = s.region_id AND a.subject_id = s.id
    AND a.state IN {in_states(LIVE)}
  JOIN field_version AS v ON v.id = a.field_version_id
  {join_above("p", "v.collected_at")}
  WHERE a.unit_id <> {unit_of("p")}
  ORDER BY a.region_id, a.id FOR UPDATE OF a)
UPDATE ask AS a SET unit_id = moved.unit_id FROM moved
WHERE a.region_id = moved.region_id AND a.id = moved.id
"""

_CAME_FROM = """(SELECT DISTINCT region_id, subject_id FROM subject_history
  WHERE area_id = ANY(:areas))"""

_LIVE_BELOW = """(SELECT s.region_id, s.id AS subject_id FROM area AS top
  JOIN area AS below ON below.path >= top.path AND below.path < top.path || '~'
  JOIN subject AS s ON s.area_id = below.id WHERE top.id = ANY(:areas))"""

_ONE = "(SELECT CAST(:region AS bigint) AS region_id, CAST(:subject AS bigint) AS subject_id)"


def end_asks_of_closing_areas(ctx: Context, event: AreasClosing) -> None:
    """Nobody answers for what is no more. Asks about people who move on go with them."""
    _withdraw(
        ctx,
        _ENDING,
        regions=list(event.region_ids),
        closing=list(event.area_ids),
        abandoned=[area_id for area_id in event.area_ids if area_id not in event.successors],
    )


def move_asks_of_closed_areas(ctx: Context, event: AreasClosed) -> None:
    """Whoever lived in an area that was merged is asked about where they are now."""
    ctx.sql(_MOVE.format(subjects=_CAME_FROM), areas=list(event.area_ids))


def move_asks_of_moved_areas(ctx: Context, event: AreasMoved) -> None:
    """Asks that a township or county answers go to the one that the area belongs to now."""
    ctx.sql(_MOVE.format(subjects=_LIVE_BELOW), areas=list(event.area_ids))


def move_asks_of_subject(ctx: Context, event: SubjectMoved) -> None:
    """The asks about a subject follow it to its new unit."""
    ctx.sql(_MOVE.format(subjects=_ONE), region=event.region_id, subject=event.subject_id)


def end_asks_of_subject(ctx: Context, event: SubjectClosed) -> None:
    """Nobody is asked about a subject that is no more."""
    _withdraw(ctx, _OF_SUBJECT, region=event.region_id, subject=event.subject_id)


def _withdraw(ctx: Context, statement: str, **params: Any) -> None:
    keys = {(row.region_id, row.id) for row in ctx.sql(statement, **params)}
    live = [ask for ask in hold_asks(ctx, keys).values() if ask.state in LIVE]
    with together(ctx):
        for region_id, asks in by_region(live).items():
            end_asks(ctx, region_id, [ask.id for ask in asks])
