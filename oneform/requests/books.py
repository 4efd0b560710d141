"""The books: how many cells of each request stand where, at every moment.

`request_unit` holds the counts. Whoever changes cells does so between
`CellsChanging` and `CellsChanged`; here the statuses of just these cells are
counted before and after, for every request that they belong to, and the
difference is booked. So the counts move in the transaction that moves the
cells, and cost what the change costs, not what the request is large. A
transaction that changes cells more than once gathers the differences and books
them together: rows of `request_unit` by key, then rows of `request` by id.

What a cell's status is, `oneform.requests.statuses` says.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from oneform.kernel.context import Context
from oneform.requests.settlement import settle_closed
from oneform.requests.statuses import HOLDS, STATUS, STATUSES, demands, is_exempt, may_ask
from oneform.values.cells import Cells
from oneform.values.events import CellsChanged, CellsChanging, ChangesBegun, ChangesEnded

# From the subjects to the requests that want something about their places, then to the cells, in that
# order (`OFFSET 0`), whatever the statistics say. The cells travel as arrays by subject: to join them
# again, the planner would go through all places of a request for each of its cells.
_TALLY = f"""
WITH touched AS MATERIALIZED (
  SELECT t.subject_id, array_agg(t.field_id) AS fields, array_agg(t.period) AS periods
  FROM (SELECT DISTINCT c.field_id, c.period, c.subject_id FROM {{relation}}) AS t
  GROUP BY t.subject_id),
demand AS MATERIALIZED (
  SELECT p.region_id, s.subject_id, s.fields, s.periods, r.id AS request_id, r.gap, r.state,
    ru.place_id, ru.unit_id, ru.collected_at, rr.decided_at, rr.decided_on
  FROM touched AS s {demands(":c_region_id")}
  WHERE rr.resolved_at IS NOT NULL),
cell AS MATERIALIZED (
  SELECT r.request_id, r.place_id, r.unit_id, r.region_id, rf.field_id, rf.period, r.subject_id,
    r.decided_at, r.decided_on, rf.grant_state, {may_ask()} AS asks, {is_exempt()} AS exempt
  FROM demand AS r
  CROSS JOIN LATERAL (
    SELECT rf.* FROM unnest(r.fields, r.periods) AS t(field_id, period)
    JOIN request_field AS rf ON rf.request_id = r.request_id AND rf.field_id = t.field_id
      AND rf.period = t.period AND rf.collected_at = ANY(r.collected_at) OFFSET 0) AS rf)
SELECT cell.request_id, cell.region_id, cell.place_id, cell.unit_id, {STATUS} AS status, count(*) AS n
FROM cell
LEFT JOIN LATERAL (SELECT * FROM cell_value AS v
  WHERE v.region_id = :c_region_id AND v.field_id = cell.field_id AND v.period = cell.period
    AND v.subject_id = cell.subject_id OFFSET 0) AS v ON true
LEFT JOIN LATERAL (SELECT a.state FROM ask AS a
  WHERE a.region_id = :c_region_id AND a.field_id = cell.field_id AND a.period = cell.period
    AND a.subject_id = cell.subject_id AND a.{HOLDS} OFFSET 0) AS a ON true
GROUP BY 1, 2, 3, 4, 5
"""

Row = tuple[uuid.UUID, int, int, int]
"""Of `request_unit`: request, region, place, unit."""

Tally = dict[Row, dict[str, int]]


@dataclass
class OpenBooks:
    """What is under way in a transaction."""

    before: dict[int, Tally] = field(default_factory=dict)
    """Tallies taken before changes."""
    depth: int = 0
    """How many are gathering, one within the other."""
    gathered: Tally = field(default_factory=dict)

    @property
    def are_gathering(self) -> bool:
        return self.depth > 0

    def gather(self, moves: Tally) -> None:
        for row, move in moves.items():
            sums = self.gathered.setdefault(row, {})
            for status, n in move.items():
                sums[status] = sums.get(status, 0) + n


@dataclass(frozen=True, slots=True)
class Booked:
    """What has to be looked at after booking."""

    closed: Mapping[uuid.UUID, int]
    """Requests of which a unit has no open cell left, with its place."""
    again: frozenset[uuid.UUID]
    """Requests that ask for something again."""


def open_books(ctx: Context) -> OpenBooks:
    """The books of the transaction."""
    found = ctx.session.info.setdefault("books", OpenBooks())
    assert isinstance(found, OpenBooks)
    return found


def tally(ctx: Context, cells: Cells) -> Tally:
    """Statuses of these cells, counted for every request that they belong to and can still move."""
    counts: Tally = defaultdict(dict)
    for row in ctx.sql(
        _TALLY.format(relation=cells.relation), **cells.params, c_region_id=cells.region_id
    ):
        counts[(row.request_id, row.region_id, row.place_id, row.unit_id)][row.status] = row.n
    return counts


def read_before(ctx: Context, event: CellsChanging) -> None:
    """Handler: remember where the cells stand."""
    open_books(ctx).before[id(event.cells)] = tally(ctx, event.cells)


def book_change(ctx: Context, event: CellsChanged) -> None:
    """Handler: book the difference, and end the requests that wait for nothing more."""
    books = open_books(ctx)
    before = books.before.pop(id(event.cells))
    if not before:
        return
    moves = _difference(before, tally(ctx, event.cells))
    if books.are_gathering:
        books.gather(moves)
    else:
        book(ctx, moves)


def begin_gathering(ctx: Context, _event: ChangesBegun) -> None:
    """Handler: several changes follow."""
    open_books(ctx).depth += 1


def book_gathered(ctx: Context, event: ChangesEnded) -> None:
    """Handler: book all that was gathered, at once."""
    books = open_books(ctx)
    books.depth -= 1
    if books.are_gathering:
        return
    moves, books.gathered = books.gathered, {}
    if not event.failed:
        book(ctx, moves)


def _difference(before: Tally, after: Tally) -> Tally:
    """Between two tallies of the same cells, each of the moment at which it was taken.

    A row that is not in the second any more was closed meanwhile: somebody else has booked its last
    open cell. None of these cells was open there, or it would still be booked so; what has a value
    keeps it, so nothing has moved.
    """
    return {
        row: {status: after[row].get(status, 0) - before[row].get(status, 0) for status in STATUSES}
        for row in before.keys() & after.keys()
    }


def book(ctx: Context, moves: Tally) -> None:
    """Book moves, and end the requests that wait for nothing more."""
    booked = book_rows(ctx, moves)
    settle_closed(
        ctx,
        {id: place for id, place in booked.closed.items() if id not in booked.again},
        also=booked.again,
    )


def book_rows(ctx: Context, moves: Tally) -> Booked:
    """Add moves to the rows of `request_unit`, in the order of their keys. Requests stay as they are."""
    moves = {row: moves[row] for row in sorted(moves) if any(moves[row].values())}
    if not moves:
        return Booked({}, frozenset())
    columns = ", ".join(f"CAST(:{status} AS int[])" for status in STATUSES)
    sums = ", ".join(f"{status} = ru.{status} + m.{status}" for status in STATUSES)
    touched = ctx.sql(
        f"""
        WITH m AS MATERIALIZED (
          SELECT * FROM unnest(CAST(:requests AS uuid[]), CAST(:regions AS bigint[]),
            CAST(:places AS bigint[]), CAST(:units AS bigint[]), {columns})
            AS m(request_id, region_id, place_id, unit_id, {", ".join(STATUSES)})),
        held_rows AS MATERIALIZED (
          SELECT ru.request_id, ru.region_id, ru.place_id, ru.unit_id FROM request_unit AS ru
          JOIN m USING (request_id, region_id, place_id, unit_id)
          ORDER BY ru.request_id, ru.region_id, ru.place_id, ru.unit_id FOR UPDATE OF ru)
        UPDATE request_unit AS ru SET {sums}
        FROM m JOIN held_rows USING (request_id, region_id, place_id, unit_id)
        WHERE ru.request_id = m.request_id AND ru.region_id = m.region_id
          AND ru.place_id = m.place_id AND ru.unit_id = m.unit_id
        RETURNING ru.request_id, ru.place_id, ru.asked + ru.pending_grant AS open,
          m.asked AS newly_asked
        """,
        requests=[row[0] for row in moves],
        regions=[row[1] for row in moves],
        places=[row[2] for row in moves],
        units=[row[3] for row in moves],
        **{status: [move.get(status, 0) for move in moves.values()] for status in STATUSES},
    ).all()
    # A row whose last open cell was decided may have been the request's last one, too.
    return Booked(
        closed={row.request_id: row.place_id for row in touched if row.open == 0},
        again=frozenset(row.request_id for row in touched if row.newly_asked > 0),
    )
