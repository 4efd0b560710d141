"""Resolving: what of a request is held, what can be had, what has to be asked.

One region at a time, each in a transaction of its own under the region's lock
(`decide`, `judge`, `resolve`). All may run twice. Where sources may fill the gap,
they are called outside any transaction, and the region is judged afresh
afterwards (`oneform.requests.resolving`). Everything is a few statements per
region over two temporary tables.
"""

from __future__ import annotations

import datetime as dt
import uuid

from oneform.areas.answering import join_above, unit_of
from oneform.collection.asks import in_states
from oneform.collection.lifecycle import LATE_DAYS, LIVE
from oneform.kernel import locks
from oneform.kernel.context import Context
from oneform.kernel.plans import plan_afresh
from oneform.requests import books
from oneform.requests.settlement import hold_requests, settle_held
from oneform.requests.statuses import (
    COUNTS,
    HOLDS,
    PLACED,
    STATUS,
    STATUSES,
    in_place,
    is_exempt,
    is_permitted,
    may_ask,
    state_of_cell,
)
from oneform.sources.plans import sources_for
from oneform.values.cells import Cells

_LATE = dt.timedelta(days=LATE_DAYS)

_STILL = """
SELECT r.state <> 'cancelled' AS wanted, rr.decided_at, rr.resolved_at
FROM request AS r JOIN request_region AS rr ON rr.request_id = r.id
WHERE r.id = :request AND rr.region_id = :region
"""

_DECIDE = """
UPDATE request_region SET decided_at = statement_timestamp(), decided_on = :today
WHERE request_id = :request AND region_id = :region AND decided_at IS NULL
"""

# Where the request's subjects are on the day, and which unit answers for each place.
_FREEZE_UNITS = f"""
WITH scope AS (
  SELECT a.path FROM request_area AS ra JOIN area AS a ON a.id = ra.area_id
  WHERE ra.request_id = :request),
place AS (
  SELECT DISTINCT s.area_id AS id
  FROM subject AS s JOIN request AS r ON r.id = :request AND s.kind_id = r.kind_id
  WHERE s.region_id = :region
    AND (s.active_from IS NULL OR s.active_from <= :today)
    AND (s.active_to IS NULL OR s.active_to > :today)),
chosen AS (
  SELECT a.id, a.path FROM place JOIN area AS a ON a.id = place.id
  JOIN request AS r ON r.id = :request
  WHERE (r.level IS NULL OR a.level = r.level)
    AND EXISTS (SELECT FROM scope WHERE a.path >= scope.path AND a.path < scope.path || '~')),
levels AS (SELECT DISTINCT collected_at AS level FROM request_field WHERE request_id = :request)
INSERT INTO request_unit (request_id, region_id, place_id, unit_id, collected_at)
SELECT :request, :region, c.id, {unit_of("c")}, array_agg(levels.level ORDER BY levels.level)
FROM chosen AS c CROSS JOIN levels
{join_above("c", "levels.level")}
GROUP BY c.id, {unit_of("c")}
ORDER BY 3, 4
ON CONFLICT DO NOTHING
"""

# Of a region's cells only those are kept one by one that may still be had or asked; of the others,
# mostly nine in ten, only how many there are at each place.
_CREATE_JUDGED = """
CREATE TEMPORARY TABLE IF NOT EXISTS judged_cell (
  place_id bigint, unit_id bigint, field_id int, period text, subject_id bigint,
  field_version_id int, status text, ask_id bigint, gap boolean, joinable boolean, joined boolean
) ON COMMIT DELETE ROWS
"""
_CREATE_COUNTED = f"""
CREATE TEMPORARY TABLE IF NOT EXISTS judged_place (
  place_id bigint, unit_id bigint, {", ".join(f"{status} int" for status in STATUSES)}
) ON COMMIT DELETE ROWS
"""

_OF_WANTED = """(SELECT * FROM {table} WHERE region_id = :region
    AND field_id = ANY(ARRAY(SELECT field_id FROM wanted))
    AND period = ANY(ARRAY(SELECT DISTINCT period FROM wanted)) {rest})"""

# Whole ranges of the two indexes, to be hashed, instead of two look-ups per cell.
_STATE = state_of_cell(
    ":region",
    values=_OF_WANTED.format(table="cell_value", rest=""),
    asks=_OF_WANTED.format(table="ask", rest=f"AND {HOLDS}"),
)

# `joined`: nobody has counted the ask for this request before. When it is resolved anew, that is one
# that came since the last time, or of a field that awaited its grant then.
# Materialised in this order, whatever the planner thinks of rows that are too new for it to know:
# what is one row per request, per field, per subject is worked out once, not once per cell.
_JUDGE = f"""
WITH req AS MATERIALIZED (
  SELECT r.id, r.kind_id, r.gap, r.state, rr.decided_at, rr.decided_on, rr.last_resolved_at
  FROM request AS r JOIN request_region AS rr ON rr.request_id = r.id AND rr.region_id = :region
  WHERE r.id = :request),
wanted AS MATERIALIZED (
  SELECT rf.field_id, rf.period, rf.collected_at, rf.grant_state, rf.grant_decided_at, {may_ask()} AS asks,
    {is_exempt()} AS exempt,
    (SELECT fv.id FROM field_version AS fv
     WHERE fv.field_id = rf.field_id AND fv.mode = 'collect'
       AND fv.effective_from <= oneform_today() AND oneform_today() <= fv.expires_on
       AND (fv.ends_on IS NULL OR oneform_today() < fv.ends_on)) AS version_id
  FROM req AS r JOIN request_field AS rf ON rf.request_id = :request),
member AS MATERIALIZED (
  SELECT ru.place_id, ru.unit_id, ru.collected_at, p.subject_id
  FROM req AS rr
  JOIN request_unit AS ru ON ru.request_id = :request AND ru.region_id = :region
  JOIN {PLACED} AS p ON p.region_id = :region AND p.kind_id = rr.kind_id
    AND p.area_id = ru.place_id AND {in_place()}),
cell AS (
  SELECT m.place_id, m.unit_id, m.subject_id, w.field_id, w.period, w.grant_state, w.asks,
    w.exempt, w.version_id, :region AS region_id, req.decided_at, req.decided_on,
    w.grant_decided_at, req.last_resolved_at
  FROM req CROSS JOIN wanted AS w JOIN member AS m ON w.collected_at = ANY(m.collected_at)),
found AS MATERIALIZED (
  SELECT cell.*, {STATUS} AS status, a.id AS ask_id, a.state AS ask_state,
    a.created_at AS asked_at
  FROM cell {_STATE}),
counted AS (
  INSERT INTO judged_place SELECT place_id, unit_id, {COUNTS}
  FROM found GROUP BY place_id, unit_id
  RETURNING {" + ".join(STATUSES)} AS cells),
kept AS (
  INSERT INTO judged_cell
  SELECT place_id, unit_id, field_id, period, subject_id, version_id, status, ask_id,
    asks AND version_id IS NOT NULL AND status = 'unavailable'
      AND {is_permitted("found")},
    status IN ('asked', 'refused') AND ask_state IN {in_states(LIVE)},
    last_resolved_at IS NULL OR asked_at > last_resolved_at OR grant_decided_at > last_resolved_at
  FROM found WHERE status IN ('asked', 'refused', 'unavailable'))
SELECT coalesce(sum(cells), 0) FROM counted
"""

# A gap is asked of whoever answers for the subject now: it may have moved, and its unit may be no
# more, since the request was decided. What is no more stays unavailable.
# Ordered by key: unordered bulk inserts of two regions in one partition deadlock.
_ASK = f"""
WITH gap AS MATERIALIZED (
  SELECT j.field_version_id, j.field_id, j.period, j.subject_id, s.area_id, rf.collected_at
  FROM judged_cell AS j
  JOIN subject AS s ON s.region_id = :region AND s.id = j.subject_id
    AND (s.active_to IS NULL OR s.active_to > :today)
  JOIN request_field AS rf ON rf.request_id = :request AND rf.field_id = j.field_id
  WHERE j.gap),
unit AS MATERIALIZED (
  SELECT d.area_id, d.collected_at, {unit_of("a")} AS unit_id
  FROM (SELECT DISTINCT area_id, collected_at FROM gap) AS d
  JOIN area AS a ON a.id = d.area_id AND a.valid_to IS NULL
  {join_above("a", "d.collected_at")})
INSERT INTO ask (region_id, field_version_id, field_id, period, subject_id, unit_id, due_on, live_until)
SELECT :region, g.field_version_id, g.field_id, g.period, g.subject_id, u.unit_id, :due, :live_until
FROM gap AS g JOIN unit AS u USING (area_id, collected_at)
ORDER BY g.field_id, g.period, g.subject_id
"""

_NOT_ASKED = f"""
UPDATE judged_cell AS j SET gap = false
WHERE j.gap AND NOT EXISTS (SELECT FROM ask AS a WHERE a.region_id = :region
  AND a.field_id = j.field_id AND a.period = j.period AND a.subject_id = j.subject_id AND a.{HOLDS})
"""

_JOIN = f"""
UPDATE ask AS a SET due_on = least(a.due_on, :due),
  live_until = greatest(a.live_until, :live_until + a.stood_days)
FROM judged_cell AS j
WHERE j.joinable AND a.region_id = :region AND a.id = j.ask_id AND a.state IN {in_states(LIVE)}
  AND (a.due_on > :due OR a.live_until < :live_until + a.stood_days)
"""

_MOVED = {"asked": " + coalesce(o.gap, 0)", "unavailable": " - coalesce(o.gap, 0)"}

_BOOK = f"""
WITH open AS (
  SELECT place_id, unit_id, count(*) FILTER (WHERE gap) AS gap,
    count(*) FILTER (WHERE joinable AND joined) AS joined
  FROM judged_cell GROUP BY place_id, unit_id)
UPDATE request_unit AS ru SET
  {", ".join(f"{status} = c.{status}{_MOVED.get(status, '')}" for status in STATUSES)},
  asks_new = ru.asks_new + coalesce(o.gap, 0),
  asks_joined = ru.asks_joined + coalesce(o.joined, 0)
FROM judged_place AS c LEFT JOIN open AS o USING (place_id, unit_id)
WHERE ru.request_id = :request AND ru.region_id = :region AND ru.place_id = c.place_id
  AND ru.unit_id = c.unit_id
"""

# Others to whom a new ask may matter: requests for one of its cells that were decided before.
_CONCERNS_OTHERS = """
SELECT EXISTS (
  SELECT FROM (SELECT DISTINCT field_id, period FROM judged_cell WHERE gap) AS g
  JOIN request_field AS rf USING (field_id, period)
  JOIN request_region AS rr ON rr.request_id = rf.request_id AND rr.region_id = :region
    AND rr.resolved_at IS NOT NULL
  WHERE rf.request_id <> :request)
"""

_NEW_ASKS = "(SELECT field_id, period, subject_id FROM judged_cell WHERE gap) AS c"


def decide(ctx: Context, request_id: uuid.UUID, region_id: int, *, again: bool = False) -> bool:
    """Fix the instant and the subjects of a request in a region.

    Takes the region's lock. A second call changes nothing. False when nothing
    is to be done: the request is cancelled, or resolved here and not `again`.
    """
    plan_afresh(ctx)
    locks.take_region_of_request(ctx, request_id, region_id)
    row = ctx.sql(_STILL, request=request_id, region=region_id).one_or_none()
    if row is None or not row.wanted or (row.resolved_at is not None and not again):
        return False
    if row.decided_at is None:
        today = ctx.today()
        ctx.sql(_DECIDE, request=request_id, region=region_id, today=today)
        ctx.sql(_FREEZE_UNITS, request=request_id, region=region_id, today=today)
    return True


def judge(ctx: Context, request_id: uuid.UUID, region_id: int) -> int:
    """Judge every cell of the request in the region; how many there are.

    `judged_cell` then has those that may still be had or asked, `judged_place` all by status.
    Under the region's lock, after `decide`.
    """
    ctx.sql(_CREATE_JUDGED)
    ctx.sql(_CREATE_COUNTED)
    ctx.sql("TRUNCATE judged_cell, judged_place")
    # The planner knows nothing of rows written a moment ago, believes in one row, and would look
    # up every cell in a nested loop.
    ctx.sql("SET LOCAL enable_nestloop = off")
    cells = ctx.sql(_JUDGE, request=request_id, region=region_id).scalar_one()
    ctx.sql("SET LOCAL enable_nestloop = on")
    ctx.sql("ANALYZE judged_cell, judged_place")
    return int(cells)


def missing_fields(ctx: Context, request_id: uuid.UUID) -> list[int]:
    """Fields of which a judged cell is neither held nor asked, and that sources may answer."""
    return list(
        ctx.sql(
            "SELECT DISTINCT j.field_id FROM judged_cell AS j JOIN request_field AS rf "
            "ON rf.request_id = :request AND rf.field_id = j.field_id "
            f"WHERE j.status = 'unavailable' AND {is_permitted()} ORDER BY 1",
            request=request_id,
        ).scalars()
    )


def resolve(ctx: Context, request_id: uuid.UUID, region_id: int) -> int:
    """Ask for the gap that `judge` found, and book the counts; how many asks were made.

    In the transaction of `decide` and `judge`. May run again (after a grant,
    after a crash): then it asks only what is still missing.
    """
    row = ctx.sql(
        "SELECT due_on, (SELECT count(*) FROM judged_cell WHERE gap) AS gap FROM request "
        "WHERE id = :request",
        request=request_id,
    ).one()
    terms = {"region": region_id, "due": row.due_on, "live_until": row.due_on + _LATE}
    made = ctx.sql(_ASK, request=request_id, today=ctx.today(), **terms).rowcount
    if made < row.gap:
        ctx.sql(_NOT_ASKED, region=region_id)
    ctx.sql(_JOIN, **terms)
    ctx.sql(_BOOK, request=request_id, region=region_id)
    again = _book_for_others(ctx, request_id, region_id) if made else frozenset()
    ctx.sql(
        "UPDATE request_region SET resolved_at = clock_timestamp(), "
        "last_resolved_at = clock_timestamp() WHERE request_id = :request AND region_id = :region",
        request=request_id,
        region=region_id,
    )
    keeps_trying = bool(sources_for(ctx, unaskable_fields(ctx, request_id), region_id))
    moved = sorted({request_id, *again})
    hold_requests(ctx, moved)
    if keeps_trying:
        ctx.sql(_KEEP_TRYING, request=request_id, today=ctx.today())
    settle_held(ctx, moved)
    return made


def close_books(ctx: Context, request_id: uuid.UUID, region_id: int) -> None:
    """Count a region of a cancelled request for the last time; it was to be resolved anew."""
    judge(ctx, request_id, region_id)
    ctx.sql(_BOOK, request=request_id, region=region_id)
    ctx.sql(
        "UPDATE request_region SET resolved_at = last_resolved_at "
        "WHERE request_id = :request AND region_id = :region",
        request=request_id,
        region=region_id,
    )


_KEEP_TRYING = """
UPDATE request SET retrying = true WHERE id = :request AND NOT retrying AND due_on >= :today
"""


def unaskable_fields(ctx: Context, request_id: uuid.UUID) -> list[int]:
    """Fields that only sources may answer, of which a judged cell is missing."""
    return list(
        ctx.sql(
            "SELECT DISTINCT j.field_id FROM judged_cell AS j JOIN request_field AS rf "
            "ON rf.request_id = :request AND rf.field_id = j.field_id AND rf.mode = 'share' "
            f"WHERE j.status = 'unavailable' AND {is_permitted()} ORDER BY 1",
            request=request_id,
        ).scalars()
    )


def _book_for_others(ctx: Context, request_id: uuid.UUID, region_id: int) -> frozenset[uuid.UUID]:
    """Cells that were given up for other requests are asked again, from unavailable to asked; whose.

    A cell that is asked anew had neither a value nor an ask that holds it, so it
    was `unavailable` wherever it counts as `asked` now.
    """
    if not ctx.sql(_CONCERNS_OTHERS, request=request_id, region=region_id).scalar_one():
        return frozenset()
    after = books.tally(ctx, Cells(region_id, _NEW_ASKS))
    moves = {
        row: {"unavailable": -counts["asked"], "asked": counts["asked"]}
        for row, counts in after.items()
        if row[0] != request_id and counts.get("asked")
    }
    return books.book_rows(ctx, moves).again
