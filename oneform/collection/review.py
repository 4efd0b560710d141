"""Review: somebody of the township looks at answers before they count. Deciding is in `reviewing`."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from oneform.collection.previous import look_around
from oneform.collection.reach import find_unit
from oneform.collection.receipts import ANSWER_COLUMNS, ANSWER_JOINS, answer_members
from oneform.collection.views import ReviewItem
from oneform.identity import policy
from oneform.identity.policy import Permission
from oneform.kernel.context import Context
from oneform.kernel.paging import Page, decode_cursor, encode_cursor

# Answers to live asks are found by their units; amendments, whose asks have ended, by their state.
_WAITING = sa.text(
    f"""
    WITH unit AS (SELECT id FROM area WHERE path >= :path AND path < :path || '~'),
    waiting AS (
      SELECT w.region_id, w.id, a.unit_id FROM unit
      JOIN ask AS a ON a.unit_id = unit.id AND a.state = 'in_review'
      JOIN answer AS w ON w.region_id = a.region_id AND w.ask_id = a.id AND w.state = 'in_review'
      UNION ALL
      SELECT w.region_id, w.id, a.unit_id FROM answer AS w
      JOIN ask AS a ON a.region_id = w.region_id AND a.id = w.ask_id
      JOIN unit ON unit.id = a.unit_id
      WHERE w.state = 'in_review' AND w.kind = 'amendment')
    SELECT {ANSWER_COLUMNS}, a.field_id, u.code AS unit, u.name AS unit_name, p.name AS by
    FROM waiting JOIN answer AS w USING (region_id, id) {ANSWER_JOINS}
    JOIN area AS u ON u.id = waiting.unit_id
    JOIN submission AS b ON b.id = w.submission_id
    JOIN staff AS p ON p.id = b.staff_id
    WHERE CAST(:at AS timestamptz) IS NULL OR (w.created_at, w.region_id, w.id)
      > (CAST(:at AS timestamptz), CAST(:region AS bigint), CAST(:id AS bigint))
    ORDER BY w.created_at, w.region_id, w.id LIMIT :limit
    """
)


def list_reviews(
    ctx: Context,
    *,
    unit: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
    language: str = "zh",
) -> Page[ReviewItem]:
    """Answers that wait for their review in a unit (the actor's own by default) and all below it.

    The oldest first, each with the previous value of its cell. Three queries.
    """
    policy.require(ctx, Permission.REVIEW_ANSWERS)
    place = find_unit(ctx, unit)
    at, region, last = decode_cursor(cursor, [dt.datetime, int, int]) if cursor else (None,) * 3
    rows = ctx.sql(_WAITING, path=place.path, at=at, region=region, id=last, limit=limit + 1).all()
    shown = rows[:limit]
    cells = [(row.region_id, row.field_id, row.period, row.subject_id) for row in shown]
    previous = look_around(ctx, previous=list(dict.fromkeys(cells))).previous
    items = [
        ReviewItem(
            **answer_members(row, language),
            unit=row.unit,
            unit_name=row.unit_name,
            by=row.by,
            previous=previous.get(cell),
        )
        for row, cell in zip(shown, cells, strict=True)
    ]
    end = shown[-1] if len(rows) > limit else None
    return Page(items, encode_cursor(end.created_at, end.region_id, end.id) if end else None)
