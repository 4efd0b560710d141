"""Sorting out the rows of an import: what each means, and which cannot be recorded.

Everything here is in one transaction and on one connection, whose temporary table
`import_cell` then holds the rows that are right, by region, for `working`. What is
refused is taken off those that wait (`waiting`), so that a run that is killed is begun
anew from what is left.
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
from oneform.values.imports.waiting import HEADS, latest_taken, take_refused, unpack

CHUNK = 5000

_TABLES = (
    "CREATE TEMPORARY TABLE import_head (head int, version_id int, field_id int, kind_id int,"
    " period text, levels smallint[], day date, mistakes jsonb)",
    "CREATE TEMPORARY TABLE import_fault (version_id int, value text, mistakes jsonb)",
    # Without a region: to be refused. The value is still the text that came.
    "CREATE TEMPORARY TABLE import_cell (region_id bigint, field_id int, period text,"
    " subject_id bigint, value text, observed_on date, row bigint, version_id int)",
    "CREATE TEMPORARY TABLE import_refused (row bigint)",
)

_MEANT = """
FROM import_row AS r
JOIN import_head AS h ON h.head = r.head
LEFT JOIN import_subject AS s ON s.kind_id = h.kind_id AND s.number = r.subject
"""

_IS_OF_LEVEL = "(cardinality(h.levels) = 0 OR s.level IS NULL OR s.level = ANY(h.levels))"

_ALL = f"""
INSERT INTO import_cell
  (region_id, field_id, period, subject_id, value, observed_on, row, version_id)
SELECT CASE WHEN h.mistakes IS NULL AND s.code IS NULL AND {_IS_OF_LEVEL} THEN s.region_id END,
  h.field_id, h.period, s.subject_id, r.value, h.day, r.row, h.version_id
{_MEANT}
ORDER BY 1
"""

_VALUES = "SELECT DISTINCT version_id, value FROM import_cell WHERE version_id > 0"

# Deleted, not marked: an index made over rows that were changed in the same transaction is not
# used as long as an older one is open.
_REFUSE = """
WITH gone AS (DELETE FROM import_cell AS c {which} RETURNING c.row)
INSERT INTO import_refused SELECT row FROM gone
"""
_WITHOUT_REGION = _REFUSE.format(which="WHERE c.region_id IS NULL")
_FAULTY = _REFUSE.format(
    which="USING import_fault AS v WHERE v.version_id = c.version_id AND v.value = c.value"
)

_REPORT = f"""
INSERT INTO value_conflict (import_id, row, pointer, code, detail)
SELECT :id, r.row, m.pointer, m.code, m.detail
{_MEANT}
LEFT JOIN import_fault AS v ON v.version_id = h.version_id AND v.value = r.value
CROSS JOIN LATERAL (
  SELECT pointer, code, detail
  FROM jsonb_to_recordset(coalesce(h.mistakes, '[]') || coalesce(v.mistakes, '[]'))
    AS m(pointer text, code text, detail text)
  UNION ALL
  SELECT '/subject', s.code, s.detail WHERE s.code IS NOT NULL
  UNION ALL
  SELECT '/subject', '{ConflictCode.WRONG_LEVEL}', 'the field is not about areas of this level'
  WHERE NOT {_IS_OF_LEVEL}) AS m
WHERE r.row IN (SELECT row FROM import_refused)
"""


# Nobody has counted the rows yet, and a planner that expects one where there are a million would
# loop over them.
_HASH = "SET LOCAL enable_nestloop = off"
_ANYHOW = "SET LOCAL enable_nestloop = on"


@dataclass(frozen=True, slots=True)
class Sorted:
    """What was found: the number of rows refused, and of those that are left by region.

    `seen`: the number under which rows were last taken off.
    """

    refused: int
    regions: dict[int, int]
    seen: int


def sort_rows(
    ctx: Context, import_id: uuid.UUID, *, agency_id: int | None, reach: str | None
) -> Sorted:
    """Judge every row that an import has left, refuse what is wrong, and arrange the rest.

    `agency_id` and `reach` are those of whoever imports; None: any agency's fields, no area.
    """
    # Tables of this connection alone; a run that was begun anew may find its own.
    ctx.sql(
        "DROP TABLE IF EXISTS import_head, import_name, import_subject, import_fault, import_cell, "
        "import_refused, import_gone, import_row"
    )
    for statement in _TABLES:
        ctx.sql(statement)
    seen = latest_taken(ctx, import_id)
    catalog = snapshot(ctx)
    judge = Judge(catalog, ctx.today(), agency_id)
    _judge_heads(ctx, import_id, judge)
    ctx.sql(_HASH)
    unpack(ctx, import_id)
    name_subjects(ctx, import_id)
    ctx.sql(_ANYHOW)
    find_subjects(ctx, catalog, reach)
    ctx.sql(_HASH)
    ctx.sql(_ALL)
    if _judge_values(ctx, judge):
        ctx.sql(_FAULTY)
    ctx.sql(_WITHOUT_REGION)
    ctx.sql("CREATE INDEX ON import_cell (region_id)")
    ctx.sql("ANALYZE import_cell (region_id, field_id, period, subject_id, row)")
    refused = _refuse(ctx, import_id, seen + 1)
    ctx.sql("DROP TABLE import_gone, import_row")
    ctx.sql(_ANYHOW)
    regions = ctx.sql(
        "SELECT region_id, count(*) AS number FROM import_cell GROUP BY region_id ORDER BY region_id"
    ).all()
    numbers = {row.region_id: row.number for row in regions}
    return Sorted(refused, numbers, seen + 1 if refused else seen)


def _refuse(ctx: Context, import_id: uuid.UUID, number: int) -> int:
    """Report the rows that are refused, and take them off. How many."""
    if not ctx.sql("SELECT EXISTS (SELECT FROM import_refused)").scalar_one():
        return 0
    ctx.sql(_REPORT, id=import_id)
    return take_refused(ctx, import_id, number)


def _judge_heads(ctx: Context, import_id: uuid.UUID, judge: Judge) -> None:
    copy = "COPY import_head FROM STDIN (FORMAT csv, FORCE_NULL (day, mistakes))"
    for rows in _stream(ctx, HEADS, id=import_id):
        judged = (
            (number, *_columns(judge.head(field, period, day), period))
            for number, field, period, day in rows
        )
        copy_csv(ctx, copy, judged)
    ctx.sql("ANALYZE import_head")


def _columns(head: Head, period: str) -> tuple[object, ...]:
    levels = "{" + ",".join(map(str, head.levels)) + "}"
    ids = head.version_id, head.field_id, head.kind_id
    return *ids, period, levels, head.day or "", _json(head.mistakes)


def _judge_values(ctx: Context, judge: Judge) -> bool:
    """Fill `import_fault` with the values that break the schemas; whether there are any."""
    found = False
    for rows in _stream(ctx, _VALUES):
        faults = [
            (version_id, value, _json(mistakes))
            for version_id, value in rows
            if (mistakes := judge.value(version_id, value))
        ]
        copy_csv(ctx, "COPY import_fault FROM STDIN (FORMAT csv)", faults)
        found = found or bool(faults)
    ctx.sql("ANALYZE import_fault")
    return found


def _json(mistakes: Sequence[Mistake]) -> str:
    return orjson.dumps([each.as_dict() for each in mistakes]).decode() if mistakes else ""


def _stream(ctx: Context, query: str, **given: object) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of a query, some at a time; between them the connection is free for COPY."""
    connection = ctx.session.connection().connection.driver_connection
    assert connection is not None
    with connection.cursor(name="import_rows") as cursor:
        cursor.execute(query, given)
        while rows := cursor.fetchmany(CHUNK):
            yield rows
