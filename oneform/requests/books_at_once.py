"""The books of few final cells, moved by the statement that records them.

As `books` would, without its two tallies: the statuses before and after follow from what that
statement has found of each cell (`matched`) and of the ask that held it (`found`). A cell of a
period that has a value keeps it, so only the instant of its first value matters.
"""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from oneform.kernel.context import Context
from oneform.requests.books import open_books
from oneform.requests.settlement import settle_closed
from oneform.requests.statuses import STATUSES, demands, is_exempt, may_ask
from oneform.values.events import CellsRecordingAtOnce

_MOVES = ", ".join(
    f"count(*) FILTER (WHERE after = '{status}') - count(*) FILTER (WHERE before = '{status}') "
    f"AS {status}"
    for status in STATUSES
)
_SUMS = ", ".join(f"{status} = ru.{status} + m.{status}" for status in STATUSES)

# The values are written before the rows of the books are locked, as in the order of locks (a part of
# a statement that nobody asks for would come last): who imports the same cells has them in that
# order, too. From the few subjects to the requests that want something about their places, then to the cells,
# in that order (`OFFSET 0`), whatever the statistics say.
_MOVE = f"""
demand AS MATERIALIZED (
  SELECT p.subject_id, r.id AS request_id, ru.place_id, ru.unit_id, ru.collected_at,
    rr.decided_at, rr.decided_on, r.gap, r.state
  FROM (SELECT DISTINCT subject_id FROM matched) AS s {demands(":c_region_id")}
  WHERE rr.resolved_at IS NOT NULL),
touched AS MATERIALIZED (
  SELECT r.request_id, r.place_id, r.unit_id,
    cell_status(rf.grant_state, {may_ask()}, m.old_since, m.old_since_kind, m.old_fresh_until,
      r.decided_at, r.decided_on, f.state, {is_exempt()}) AS before,
    cell_status(rf.grant_state, {may_ask()}, coalesce(m.old_since, statement_timestamp()),
      coalesce(m.old_since_kind, :since_kind), NULL,
      r.decided_at, r.decided_on, NULL, {is_exempt()}) AS after
  FROM demand AS r JOIN matched AS m ON m.subject_id = r.subject_id
  CROSS JOIN LATERAL (SELECT * FROM request_field AS rf
    WHERE rf.request_id = r.request_id AND rf.field_id = m.field_id AND rf.period = m.period
      AND rf.collected_at = ANY(r.collected_at) OFFSET 0) AS rf
  LEFT JOIN found AS f ON f.field_id = m.field_id AND f.period = m.period
    AND f.subject_id = m.subject_id),
moves AS MATERIALIZED (
  SELECT request_id, place_id, unit_id, {_MOVES}
  FROM touched WHERE before <> after GROUP BY request_id, place_id, unit_id)"""

_BOOK = f"""
held_rows AS MATERIALIZED (
  SELECT ru.request_id, ru.place_id, ru.unit_id FROM request_unit AS ru
  JOIN moves USING (request_id, place_id, unit_id)
  WHERE ru.region_id = :c_region_id
    AND (SELECT count(*) FROM created) + (SELECT count(*) FROM updated) >= 0
  ORDER BY ru.request_id, ru.place_id, ru.unit_id FOR UPDATE OF ru),
booked AS (
  UPDATE request_unit AS ru SET {_SUMS}
  FROM moves AS m JOIN held_rows USING (request_id, place_id, unit_id)
  WHERE ru.request_id = m.request_id AND ru.region_id = :c_region_id
    AND ru.place_id = m.place_id AND ru.unit_id = m.unit_id
  RETURNING ru.request_id, ru.place_id, ru.asked + ru.pending_grant AS open)"""

_CLOSED = """
(SELECT json_object_agg(request_id, place_id) FROM booked WHERE open = 0) AS closed"""

_GATHERED = """
(SELECT json_agg(moves) FROM moves) AS moves"""


def book_at_once(ctx: Context, event: CellsRecordingAtOnce) -> None:
    """Book the change in the statement that makes it, and end requests that wait for nothing more.

    Where several changes are booked together, that statement only tells what is to be booked.
    """
    books = open_books(ctx)
    event.parts.append(_MOVE)
    if books.are_gathering:

        def gather(row: sa.Row[Any]) -> None:
            region_id = event.cells.region_id
            for move in row.moves or ():
                key = (uuid.UUID(move["request_id"]), region_id, move["place_id"], move["unit_id"])
                books.gather({key: {status: move[status] for status in STATUSES}})

        event.columns.append(_GATHERED)
        event.then.append(gather)
        return

    def settle(row: sa.Row[Any]) -> None:
        closed = {uuid.UUID(id): place for id, place in (row.closed or {}).items()}
        settle_closed(ctx, closed)

    event.parts.append(_BOOK)
    event.columns.append(_CLOSED)
    event.then.append(settle)
