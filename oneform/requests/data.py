"""Data of a request: what is there so far, streamed by the database itself.

The database writes the rows (`COPY … TO STDOUT`); this process only passes
chunks on, so that its memory does not grow with the export. One statement is
one snapshot. The release is on record before the first byte leaves, with the
number of values that the books say; when the last one has left, with that of
the snapshot.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql as psql

from oneform.audit import service as audit
from oneform.audit.tags import Tag
from oneform.identity import policy
from oneform.identity.policy import Permission
from oneform.kernel.context import Context
from oneform.kernel.db import driver_text
from oneform.kernel.errors import NotFound
from oneform.kernel.ids import new_id
from oneform.requests.grants import fields_run_out
from oneform.requests.models import CellStatus, Release
from oneform.requests.statuses import (
    HOLDS,
    PLACED,
    STATUS,
    in_place,
    is_exempt,
    may_ask,
    state_of_cell,
)


class DataFormat(StrEnum):
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


class Layout(StrEnum):
    LONG = "long"
    WIDE = "wide"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadData:
    """Which data, in which shape."""

    request_id: uuid.UUID
    format: DataFormat = DataFormat.JSON
    layout: Layout = Layout.LONG
    status: CellStatus | None = None
    area: str | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """A statement that counts the values that an export lets out, and the cells it goes through."""

    statement: str
    params: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Export:
    """An export that may begin: its statement, and the release that stands for it."""

    release_id: uuid.UUID
    format: DataFormat
    copy: str
    header: bytes
    cells: int
    count: Count
    """Counts in the snapshot."""


LONG_COLUMNS = (
    "subject", "subject_name", "area", "field", "period",
    "value", "status", "observed_on", "source", "missing_reason",
)  # fmt: skip
WIDE_COLUMNS = ("subject", "subject_name", "area")

VALUED = (CellStatus.HELD, CellStatus.DERIVED, CellStatus.SHARED, CellStatus.ANSWERED)
WITH_VALUE = "status IN ({})".format(", ".join(f"'{status}'" for status in VALUED))

_OF_WANTED = """(SELECT * FROM {table}
    WHERE region_id = ANY(ARRAY(SELECT region_id FROM request_region WHERE request_id = :request))
      AND field_id = ANY(ARRAY(SELECT field_id FROM wanted))
      AND period = ANY(ARRAY(SELECT DISTINCT period FROM wanted)) {rest})"""

# One row per cell. What is one per field or per subject is worked out once, and given a number to
# sort by. What a status does not let out (a grant awaited, a stale value) is NULL here.
_CELLS = f"""
WITH wanted AS MATERIALIZED (
  SELECT rf.field_id, rf.period, rf.collected_at, {{grant_state}} AS grant_state, {may_ask()} AS asks,
    {is_exempt()} AS exempt, f.code AS field, row_number() OVER (ORDER BY f.code) AS field_no
  FROM request AS r JOIN request_field AS rf ON rf.request_id = r.id
  JOIN field AS f ON f.id = rf.field_id WHERE r.id = :request),
member AS MATERIALIZED (
  SELECT *, row_number() OVER (ORDER BY subject, subject_id) AS subject_no
  FROM (
    SELECT p.region_id, p.subject_id, ru.collected_at, pl.code AS area, rr.decided_at,
      rr.decided_on, s.name AS subject_name,
      CASE WHEN k.personal THEN p.region_id || '-' || p.subject_id ELSE s.key END
        COLLATE "C" AS subject
    FROM request AS r
    JOIN subject_kind AS k ON k.id = r.kind_id
    JOIN request_region AS rr ON rr.request_id = r.id AND rr.resolved_at IS NOT NULL
    JOIN request_unit AS ru ON ru.request_id = r.id AND ru.region_id = rr.region_id
    JOIN area AS pl ON pl.id = ru.place_id {{area}}
    JOIN {PLACED} AS p ON p.region_id = rr.region_id AND p.kind_id = r.kind_id
      AND p.area_id = ru.place_id AND {in_place()}
    JOIN subject AS s ON s.region_id = p.region_id AND s.id = p.subject_id
    WHERE r.id = :request) AS m),
cell AS (
  SELECT m.*, w.field_id, w.period, w.grant_state, w.asks, w.exempt, w.field, w.field_no
  FROM member AS m JOIN wanted AS w ON w.collected_at = ANY(m.collected_at)),
judged AS (
  SELECT cell.*, {STATUS} AS status, v.value AS raw_value, v.missing AS raw_missing,
    v.observed_on AS raw_observed_on, v.provenance_id
  FROM cell {{state}}),
told AS (
  SELECT j.subject, j.subject_no, j.subject_name, j.area, j.field, j.field_no,
    nullif(j.period, '') AS period, j.status,
    CASE WHEN {WITH_VALUE} THEN j.raw_value END AS value,
    CASE WHEN {WITH_VALUE} THEN j.raw_missing END AS missing_reason,
    CASE WHEN {WITH_VALUE} THEN j.raw_observed_on END AS observed_on,
    CASE WHEN {WITH_VALUE} THEN coalesce(src.code, pv.kind) END AS source
  FROM judged AS j
  LEFT JOIN provenance AS pv ON pv.id = j.provenance_id
  LEFT JOIN source AS src ON src.id = pv.source_id)
"""

_STATE = state_of_cell(
    "cell.region_id",
    values=_OF_WANTED.format(table="cell_value", rest=""),
    asks=_OF_WANTED.format(table="ask", rest=f"AND {HOLDS}"),
)

# Text that a spreadsheet would take for a formula gets an apostrophe; numbers stay numbers.
_FORMULA = r"('=', '+', '-', '@', E'\t', E'\r')"
_TEXT = "value #>> '{{}}'"  # the braces are doubled: it stands in templates
_CSV_VALUE = f"""CASE WHEN jsonb_typeof(value) = 'string' AND left({_TEXT}, 1) IN {_FORMULA}
  THEN '''' || ({_TEXT}) ELSE {_TEXT} END"""
_CSV_NAME = f"""CASE WHEN left(subject_name, 1) IN {_FORMULA}
  THEN '''' || subject_name ELSE subject_name END"""

_CSV_SUBJECT = f"""CASE WHEN left(subject, 1) IN {_FORMULA}
  THEN '''' || subject ELSE subject END"""

_LONG_CSV = f"""{{cells}} SELECT {_CSV_SUBJECT}, {_CSV_NAME}, area, field, period, {_CSV_VALUE}, status,
  observed_on, source, missing_reason FROM told {{where}} ORDER BY subject_no, field_no"""

_LONG_JSON = """{cells} SELECT json_build_object('subject', subject, 'subject_name', subject_name,
  'area', area, 'field', field, 'period', period, 'value', value, 'status', status,
  'observed_on', observed_on, 'source', source, 'missing_reason', missing_reason)::text
  FROM told {where} ORDER BY subject_no, field_no"""

# Every subject has every field exactly once, so that the n-th value is the n-th field's.
_WIDE_CSV = f"""{{cells}} SELECT {_CSV_SUBJECT}, name, area, {{columns}} FROM (
  SELECT subject, {_CSV_NAME} AS name, area,
    array_agg(CASE WHEN {{kept}} THEN {_CSV_VALUE} END ORDER BY field_no) AS v, subject_no
  FROM told GROUP BY subject_no, subject, subject_name, area) AS wide ORDER BY subject_no"""

_WIDE_JSON = """{cells} SELECT (jsonb_build_object('subject', subject, 'subject_name', subject_name,
  'area', area) || jsonb_object_agg(field, CASE WHEN {kept} THEN value END))::text
  FROM told GROUP BY subject_no, subject, subject_name, area ORDER BY subject_no"""


def begin_export(ctx: Context, command: ReadData) -> Export:
    """Check reach, put the release on record, and say what is to be streamed.

    Raises NotFound for a request that is not the actor's, and for an unknown area.
    """
    actor = policy.require(ctx, Permission.READ_DATA)
    request = ctx.sql(
        "SELECT agency_id, purpose FROM request WHERE id = :id", id=command.request_id
    ).one_or_none()
    if request is None or (actor.area_path != "" and request.agency_id != actor.agency_id):
        raise NotFound("There is no such request of your agency.")
    fields = list(
        ctx.sql(
            "SELECT f.code FROM request_field AS rf JOIN field AS f ON f.id = rf.field_id "
            "WHERE rf.request_id = :id ORDER BY f.code",
            id=command.request_id,
        ).scalars()
    )
    area_path = _area_path(ctx, command.area)
    run_out = fields_run_out(ctx, command.request_id)
    books = _by_books(command, area_path)
    counted = ctx.sql(books.statement, **books.params).one()
    export = Export(
        release_id=new_id(),
        format=command.format,
        copy=_copy_statement(command, fields, area_path, run_out),
        header=_header(command, fields),
        cells=counted.cells,
        count=_one_by_one(command, area_path, run_out) if run_out else books,
    )
    _record_release(
        ctx, export, command, request.agency_id, request.purpose, fields, counted.values
    )
    return export


# By the books, which are not kept of regions that are to be resolved anew: nothing is let out of them.
_COUNT = """
SELECT coalesce(sum({values}), 0)::bigint AS values, coalesce(sum({cells}), 0)::bigint AS cells
FROM request_unit AS ru
JOIN request_region AS rr ON rr.request_id = ru.request_id AND rr.region_id = ru.region_id
  AND rr.resolved_at IS NOT NULL
JOIN area AS pl ON pl.id = ru.place_id
WHERE ru.request_id = :id AND pl.path LIKE coalesce(CAST(:path AS text), '') || '%'
"""


def _by_books(command: ReadData, area_path: str | None) -> Count:
    let_out = [status for status in VALUED if command.status in (None, status)]
    return Count(
        _COUNT.format(cells=" + ".join(CellStatus), values=" + ".join(let_out) or "0"),
        {"id": command.request_id, "path": area_path},
    )


# While the books still have what is not let out any more. As dear as the export itself, and so left
# to the connection that streams it, where statements are planned for that.
_COUNT_CELLS = """{cells} SELECT count(*) FILTER (WHERE {with_value}
  AND (CAST(:status AS text) IS NULL OR status = :status)) AS values, count(*) AS cells FROM told
"""


def _one_by_one(command: ReadData, area_path: str | None, run_out: list[int]) -> Count:
    area = "" if area_path is None else "AND pl.path LIKE :path || '%'"
    return Count(
        _COUNT_CELLS.format(cells=_cells(area, run_out), with_value=WITH_VALUE),
        {"request": command.request_id, "path": area_path, "status": command.status},
    )


def _area_path(ctx: Context, code: str | None) -> str | None:
    if code is None:
        return None
    path = ctx.sql(
        "SELECT path FROM area WHERE code = :code AND valid_to IS NULL", code=code
    ).scalar_one_or_none()
    if path is None:
        raise NotFound(f"There is no area “{code}”.")
    return str(path)


def _cells(area: str, run_out: list[int]) -> str:
    """The cells of an export. Fields of which the grant has run out count as refused at once."""
    grant_state = "rf.grant_state"
    if run_out:
        among = ", ".join(str(number) for number in run_out)
        grant_state = f"CASE WHEN rf.field_id IN ({among}) THEN 'refused' ELSE rf.grant_state END"
    return _CELLS.format(area=area, state=_STATE, grant_state=grant_state)


def _copy_statement(
    command: ReadData, fields: list[str], area_path: str | None, run_out: list[int]
) -> str:
    """The whole COPY statement; its few values are written in as literals, as COPY demands."""
    status = None if command.status is None else _literal(command.status.value)
    area = "" if area_path is None else f"AND pl.path LIKE {_literal(area_path + '%')}"
    cells = _cells(area, run_out).replace(":request", _literal(str(command.request_id)))
    wide = command.layout is Layout.WIDE
    as_csv = command.format is DataFormat.CSV
    template = {
        (False, True): _LONG_CSV,
        (False, False): _LONG_JSON,
        (True, True): _WIDE_CSV,
        (True, False): _WIDE_JSON,
    }[(wide, as_csv)]
    query = template.format(
        cells=cells,
        where="" if status is None else f"WHERE status = {status}",
        kept="true" if status is None else f"status = {status}",
        columns=", ".join(f"v[{position + 1}]" for position in range(len(fields))),
    )
    # A JSON text holds no control character, so that with these nothing is ever quoted.
    shape = "FORMAT csv" if as_csv else r"FORMAT csv, DELIMITER E'\x02', QUOTE E'\x01'"
    return f"COPY ({query}) TO STDOUT WITH ({shape})"


def _literal(text: str) -> str:
    return psql.Literal(text).as_string(None)


def _header(command: ReadData, fields: list[str]) -> bytes:
    if command.format is not DataFormat.CSV:
        return b""
    columns = LONG_COLUMNS if command.layout is Layout.LONG else (*WIDE_COLUMNS, *fields)
    return (",".join(columns) + "\n").encode()


def _record_release(
    ctx: Context,
    export: Export,
    command: ReadData,
    agency_id: int,
    purpose: str,
    fields: list[str],
    values: int,
) -> None:
    areas = ctx.sql(
        "SELECT a.code FROM request_area AS ra JOIN area AS a ON a.id = ra.area_id "
        "WHERE ra.request_id = :id ORDER BY a.code",
        id=command.request_id,
    ).scalars()
    filters = {
        name: value
        for name, value in (("status", command.status), ("area", command.area))
        if value is not None
    }
    ctx.session.add(
        Release(
            id=export.release_id,
            agency_id=agency_id,
            actor_label=ctx.actor.label,
            request_id=command.request_id,
            purpose=purpose,
            format=command.format,
            layout=command.layout,
            fields=fields,
            areas=list(areas),
            filters=filters,
            values_count=values,
        )
    )
    audit.append(
        ctx,
        Tag.DATA_RELEASED,
        "request",
        command.request_id,
        format=command.format,
        layout=command.layout,
        values=values,
    )


CHUNK_BYTES = 64 * 1024
LARGE = 10_000
"""Cells from which on whole index ranges are hashed."""


def stream(engine: sa.Engine, export: Export) -> Iterator[bytes]:
    """The bytes of an export, in chunks, over a connection of its own.

    Marks the release as finished when the last chunk was taken, with the values that there were in
    the snapshot; a reader that goes away earlier closes the connection and leaves it unfinished.
    """
    as_json = export.format is DataFormat.JSON
    connection = engine.raw_connection()
    try:
        driver = connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        yield b'{"items":[' if as_json else export.header
        with driver.cursor() as cursor:
            # So that what is counted is what is copied.
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("SET LOCAL work_mem = '192MB'")
            if export.cells > LARGE:
                # Rows written a moment ago are unknown to the planner, which would look up every
                # cell by itself.
                cursor.execute("SET LOCAL enable_nestloop = off")
            cursor.execute(driver_text(export.count.statement), export.count.params)
            [values, _] = cursor.fetchone() or (0, 0)
        with driver.cursor() as cursor, cursor.copy(export.copy) as copy:
            yield from _chunks(copy, b",\n" if as_json else None)
        if as_json:
            yield b'],"next":null}'
        with driver.cursor() as cursor:
            cursor.execute(
                "UPDATE release SET finished_at = clock_timestamp(), values_count = %s WHERE id = %s",
                (values, export.release_id),
            )
        driver.commit()
    except BaseException:
        connection.invalidate()
        raise
    finally:
        connection.close()


def _chunks(rows: psycopg.Copy, separator: bytes | None) -> Iterator[bytes]:
    """Rows of a COPY gathered into chunks; with `separator`, it stands between rows instead of the line end."""
    gathered: list[bytes] = []
    size = 0
    first = True
    for row in rows:
        data = bytes(row)
        if separator is not None:
            data = data.rstrip(b"\n") if first else separator + data.rstrip(b"\n")
            first = False
        gathered.append(data)
        size += len(data)
        if size >= CHUNK_BYTES:
            yield b"".join(gathered)
            gathered, size = [], 0
    if gathered:
        yield b"".join(gathered)
