"""import: a million values pushed by their owner, beside the bare engine with the same rows.

What is measured is the whole way of a CSV file: handed in (read, put aside, committed),
then sorted out, checked row by row and recorded region by region, with provenance and
whatever else hangs on cells. Once into empty cells, beside `COPY` into the same table; and
once with another value for each of them, beside `COPY` into a table of its own and two
statements by hand, which write the old values to the history and the new ones over them.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import psycopg

from benchmarks.province import Province
from benchmarks.rows import Row
from oneform.identity.policy import OPERATOR
from oneform.values.imports.ending import finish_import
from oneform.values.imports.rows import FileFormat
from oneform.values.imports.service import accept_import, get_import
from oneform.values.imports.views import ImportCounts
from oneform.values.imports.working import on_one_connection, work_import

BAR = 4.0
FIELDS = 37
PERIOD = "2025"
BARE_PERIODS = ("2022", "2023")
"""Cells of their own, so that the same table takes them."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell to fill, by its names and by its numbers."""

    field: str
    field_id: int
    subject: str
    subject_id: int
    region_id: int


def run(province: Province) -> list[Row]:
    """The bare engine before, between and after ours: the machine may change its mood meanwhile."""
    cells = _cells(province)
    first, second = BARE_PERIODS
    bare = [_copy(province, cells, first)]
    new = _push(province, cells, ImportCounts(created=len(cells)), seed=1)
    bare.append(_copy(province, cells, second))
    replaced = [_replace(province, cells, first)]
    changed = _push(province, cells, ImportCounts(updated=len(cells)), seed=2)
    replaced.append(_replace(province, cells, second))
    return [
        Row("import", len(cells), new, statistics.mean(bare), BAR),
        Row("import changed", len(cells), changed, statistics.mean(replaced), BAR),
    ]


def _cells(province: Province) -> list[Cell]:
    """In the order in which bureaus write their tables: village by village."""
    with province.runtime.context(OPERATOR) as ctx:
        rows = ctx.sql(
            "SELECT f.code AS field, f.id AS field_id, a.code AS subject, a.id AS subject_id, "
            "a.region_id FROM area AS a JOIN area AS top ON top.code = :scope "
            "AND a.path LIKE top.path || '%' CROSS JOIN (SELECT * FROM field ORDER BY code "
            "LIMIT :fields) AS f WHERE a.level = 5 ORDER BY a.code, f.code",
            scope=province.scope,
            fields=FIELDS,
        )
        return [Cell(**row._mapping) for row in rows]


def _values(cells: list[Cell], seed: int) -> Iterator[tuple[Cell, int]]:
    """Each cell with a value of its own for every seed; the same ones every time."""
    chosen = random.Random(1)
    for cell in cells:
        yield cell, chosen.randrange(5000) + 5000 * seed


def _push(province: Province, cells: list[Cell], expected: ImportCounts, *, seed: int) -> float:
    """Seconds from the file to its last value."""
    with tempfile.TemporaryFile("w+b") as file:
        file.write(b"field,subject,period,value,observed_on\n")
        with province.runtime.context(OPERATOR) as ctx:
            day = ctx.today()
        for cell, value in _values(cells, seed):
            file.write(f"{cell.field},{cell.subject},{PERIOD},{value},{day}\n".encode())
        began = time.perf_counter()
        with province.runtime.context(OPERATOR) as ctx:
            import_id = accept_import(ctx, file, FileFormat.CSV, by_job=False).id
        with on_one_connection(province.runtime) as runtime:
            work_import(lambda: runtime.context(OPERATOR), import_id)
        with province.runtime.context(OPERATOR) as ctx:
            finish_import(ctx, import_id)
        seconds = time.perf_counter() - began
    with province.runtime.context(OPERATOR) as ctx:
        counts = get_import(ctx, import_id).counts
    assert counts == expected, f"{counts} instead of {expected}"
    return seconds


_TABLE = "(LIKE cell_value INCLUDING DEFAULTS)"
_COPY = (
    "COPY {table} (region_id, field_id, period, subject_id, value, observed_on, provenance_id, "
    "recorded_at, since, since_kind) FROM STDIN"
)
_SAME = """v.region_id = g.region_id AND v.field_id = g.field_id AND v.period = g.period
  AND v.subject_id = g.subject_id"""
_KEEP_OLD = f"""
INSERT INTO cell_value_history (region_id, field_id, period, subject_id, superseded_at, value,
  missing, observed_on, provenance_id, recorded_at, since, since_kind, fresh_until)
SELECT v.region_id, v.field_id, v.period, v.subject_id, now(), v.value, v.missing, v.observed_on,
  v.provenance_id, v.recorded_at, v.since, v.since_kind, v.fresh_until
FROM given AS g JOIN cell_value AS v ON {_SAME}
"""
_OVERWRITE = f"""
UPDATE cell_value AS v SET value = g.value, observed_on = g.observed_on,
  provenance_id = g.provenance_id, recorded_at = g.recorded_at
FROM given AS g WHERE {_SAME}
"""


def _copy(province: Province, cells: list[Cell], period: str) -> float:
    """Seconds of the bare engine for the same rows, into empty cells."""
    with _file(province, cells, period, seed=1) as file, _connection(province) as driver:
        began = time.perf_counter()
        _send(driver, file, "cell_value")
        driver.commit()
        return time.perf_counter() - began


def _replace(province: Province, cells: list[Cell], period: str) -> float:
    """Seconds of the bare engine for the same rows, over those that `_copy` wrote."""
    with _file(province, cells, period, seed=2) as file, _connection(province) as driver:
        began = time.perf_counter()
        driver.execute(f"CREATE TEMPORARY TABLE given {_TABLE} ON COMMIT DROP")
        _send(driver, file, "given")
        driver.execute("ANALYZE given")
        kept = driver.execute(_KEEP_OLD).rowcount
        written = driver.execute(_OVERWRITE).rowcount
        driver.commit()
        seconds = time.perf_counter() - began
    assert kept == written == len(cells), f"{kept} kept and {written} written of {len(cells)}"
    return seconds


@contextmanager
def _file(province: Province, cells: list[Cell], period: str, *, seed: int) -> Iterator[BinaryIO]:
    """The cells with their values, in the text format of `COPY`."""
    with tempfile.TemporaryFile("w+b") as file:
        with province.runtime.context(OPERATOR) as ctx:
            origin, day, now = ctx.sql(
                "SELECT max(id), oneform_today(), now() FROM provenance"
            ).one()
        end = f"{day}\t{origin}\t{now}\t{now}\tshared\n"
        for cell, value in _values(cells, seed):
            key = f"{cell.region_id}\t{cell.field_id}\t{period}\t{cell.subject_id}"
            file.write(f"{key}\t{value}\t{end}".encode())
        file.seek(0)
        yield file


@contextmanager
def _connection(province: Province) -> Iterator[psycopg.Connection[Any]]:
    connection = province.runtime.engine.raw_connection()
    try:
        driver = connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        yield driver
    finally:
        connection.close()


def _send(driver: psycopg.Connection[Any], file: BinaryIO, table: str) -> None:
    with driver.cursor() as cursor, cursor.copy(_COPY.format(table=table)) as copy:
        while block := file.read(256 * 1024):
            copy.write(block)
