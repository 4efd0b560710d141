"""Sorting out the rows of an import: what each means, and which cannot be recorded.

Everything here is in one transaction and on one connection, whose temporary table
`import_cell` then holds the rows that are right, by region, for `working`. The rows
themselves stay in `value_import_row` until their region is recorded, so that a run
that is killed is begun anew from what is left.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from catalog.snapshot import snapshot
from oneform.kernel.context import Context
from oneform.kernel.errors import Mistake
from oneform.values.imports.conflicts import ConflictCode
from oneform.values.imports.judging import Head, Judge
from oneform.values.imports.staging import copy_csv
from oneform.values.imports.subjects import find_subjects, name_subjects

CHUNK = 5000

_TABLES = (
    "CREATE TEMPORARY TABLE import_head (field text, period text, observed_on text,"
    " version_id int, field_id int, kind_id int, levels smallint[], day date, mistakes jsonb)",
    "CREATE TEMPORARY TABLE import_fault (version_id int, value text, mistakes jsonb)",
    "CREATE TEMPORARY TABLE import_cell (region_id bigint, field_id int, period text,"
    " subject_id bigint, value jsonb, missing text, observed_on date, row bigint)",
)

_HEADS = """
SELECT DISTINCT field, period, observed_on FROM value_import_row WHERE import_id = %(id)s
"""

_VALUES = """
SELECT DISTINCT h.version_id, r.value
FROM value_import_row AS r JOIN import_head AS h USING (field, period, observed_on)
WHERE r.import_id = %(id)s AND h.version_id > 0
"""

_MEANT = """
FROM value_import_row AS r
LEFT JOIN import_head AS h USING (field, period, observed_on)
LEFT JOIN import_subject AS s ON s.kind_id = h.kind_id AND s.subject = r.subject
LEFT JOIN import_fault AS v ON v.version_id = h.version_id AND v.value = r.value
"""

_IS_OF_LEVEL = "(cardinality(h.levels) = 0 OR s.level IS NULL OR s.level = ANY(h.levels))"

_GOOD = f"""
INSERT INTO import_cell (region_id, field_id, period, subject_id, value, observed_on, row)
SELECT s.region_id, h.field_id, r.period, s.subject_id, CAST(r.value AS jsonb), h.day, r.row
{_MEANT}
WHERE r.import_id = :id AND h.mistakes IS NULL AND s.subject IS NOT NULL AND s.code IS NULL
  AND v.value IS NULL AND {_IS_OF_LEVEL}
ORDER BY s.region_id
"""

_BAD = f"""
INSERT INTO value_conflict (import_id, row, pointer, code, detail)
SELECT r.import_id, r.row, m.pointer, m.code, m.detail
{_MEANT}
CROSS JOIN LATERAL (
  SELECT pointer, code, detail
  FROM jsonb_to_recordset(coalesce(h.mistakes, '[]') || coalesce(v.mistakes, '[]'))
    AS m(pointer text, code text, detail text)
  UNION ALL
  SELECT '/subject', s.code, s.detail WHERE s.code IS NOT NULL
  UNION ALL
  SELECT '/subject', '{ConflictCode.WRONG_LEVEL}', 'the field is not about areas of this level'
  WHERE NOT {_IS_OF_LEVEL}) AS m
WHERE r.import_id = :id AND NOT EXISTS (SELECT FROM import_cell AS c WHERE c.row = r.row)
"""

_DROP_BAD = """
DELETE FROM value_import_row AS r
WHERE r.import_id = :id AND NOT EXISTS (SELECT FROM import_cell AS c WHERE c.row = r.row)
"""


# Imports come and go: the statistics of the waiting rows are those of some other import, or of
# none, and a planner that expects one row where there are a million would loop over them.
_HASH = "SET LOCAL enable_nestloop = off"
_ANYHOW = "SET LOCAL enable_nestloop = on"


@dataclass(frozen=True, slots=True)
class Sorted:
    """What was found: the number of rows refused, and of those that are left by region."""

    refused: int
    regions: dict[int, int]


def sort_rows(
    ctx: Context, import_id: uuid.UUID, *, agency_id: int | None, reach: str | None
) -> Sorted:
    """Judge every row that an import has left, refuse what is wrong, and arrange the rest.

    `agency_id` and `reach` are those of whoever imports; None: any agency's fields, no area.
    """
    # Tables of this connection alone; a run that was begun anew may find its own.
    ctx.sql(
        "DROP TABLE IF EXISTS import_head, import_name, import_subject, import_fault, import_cell"
    )
    for statement in _TABLES:
        ctx.sql(statement)
    catalog = snapshot(ctx)
    judge = Judge(catalog, ctx.today(), agency_id)
    _judge_heads(ctx, import_id, judge)
    ctx.sql(_HASH)
    name_subjects(ctx, import_id)
    _judge_values(ctx, import_id, judge)
    ctx.sql(_ANYHOW)
    find_subjects(ctx, catalog, reach)
    ctx.sql(_HASH)
    good = ctx.sql(_GOOD, id=import_id).rowcount
    ctx.sql("CREATE INDEX ON import_cell (region_id)")
    ctx.sql("ANALYZE import_cell")
    given = ctx.sql(
        "SELECT count(*) FROM value_import_row WHERE import_id = :id", id=import_id
    ).scalar_one()
    if good < given:
        ctx.sql(_BAD, id=import_id)
        ctx.sql(_DROP_BAD, id=import_id)
    ctx.sql(_ANYHOW)
    regions = ctx.sql(
        "SELECT region_id, count(*) AS number FROM import_cell GROUP BY region_id ORDER BY region_id"
    ).all()
    return Sorted(given - good, {row.region_id: row.number for row in regions})


def _judge_heads(ctx: Context, import_id: uuid.UUID, judge: Judge) -> None:
    copy = "COPY import_head FROM STDIN (FORMAT csv, FORCE_NULL (day, mistakes))"
    for rows in _stream(ctx, _HEADS, import_id):
        copy_csv(ctx, copy, ((*row, *_columns(judge.head(*row))) for row in rows))
    ctx.sql("ANALYZE import_head")


def _columns(head: Head) -> tuple[object, ...]:
    levels = "{" + ",".join(map(str, head.levels)) + "}"
    ids = head.version_id, head.field_id, head.kind_id
    return *ids, levels, head.day or "", _json(head.mistakes)


def _judge_values(ctx: Context, import_id: uuid.UUID, judge: Judge) -> None:
    for rows in _stream(ctx, _VALUES, import_id):
        faults = (
            (version_id, value, _json(mistakes))
            for version_id, value in rows
            if (mistakes := judge.value(version_id, value))
        )
        copy_csv(ctx, "COPY import_fault FROM STDIN (FORMAT csv)", faults)
    ctx.sql("ANALYZE import_fault")


def _json(mistakes: Sequence[Mistake]) -> str:
    return orjson.dumps([each.as_dict() for each in mistakes]).decode() if mistakes else ""


def _stream(ctx: Context, query: str, import_id: uuid.UUID) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a query, some at a time; between them the connection is free for COPY."""
    connection = ctx.session.connection().connection.driver_connection
    assert connection is not None
    with connection.cursor(name="import_rows") as cursor:
        cursor.execute(query, {"id": import_id})
        while rows := cursor.fetchmany(CHUNK):
            yield rows
