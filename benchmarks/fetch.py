"""fetch: a million values from a department's table, beside `SELECT` and `COPY` by hand.

The table is in another database of the same server: a row for each village, a column
for each field, as departments keep them. Ours is a run of the whole source: connector,
conversion and schema of every value, conflicts, provenance, books. By hand is one
program that knows its columns and believes what it reads.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import psycopg

from benchmarks.progress import tell
from benchmarks.province import Province
from benchmarks.rounds import in_turn, timed
from benchmarks.rows import Row
from oneform.identity.policy import OPERATOR
from oneform.sources.fetching import run_source
from oneform.sources.runs import start_run
from oneform.sources.service import add_source, delete_source

BAR = 4.0
FIELDS = 37
ROUNDS = 2
DATABASE = "bench_department"
FIRST_YEAR = 2001
"""Each measure has a year, and so cells, of its own."""


def run(province: Province) -> list[Row]:
    years = count(FIRST_YEAR)
    with _department(province) as department:
        values = _fill(province, department)

        def by_hand() -> float:
            year = _next_year(department, years)
            return timed(lambda: _by_hand(province, department, year))

        def ours() -> float:
            _next_year(department, years)
            return _run_source(province, department, values)

        bare, seconds = in_turn(by_hand, ours, rounds=ROUNDS)
    return [Row("fetch", values, seconds, bare, BAR)]


@contextmanager
def _department(province: Province) -> Iterator[str]:
    """The URL of a database of somebody else's."""
    with psycopg.connect(_plain(province.server.url), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {DATABASE}")
        try:
            yield province.server.url_of(DATABASE)
        finally:
            admin.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def _plain(url: str) -> str:
    return url.replace("+psycopg", "")


def _fill(province: Province, department: str) -> int:
    """Make the department's table; how many values it has."""
    with province.runtime.context(OPERATOR) as ctx:
        villages = ctx.sql(
            "SELECT a.code FROM area AS a JOIN area AS top ON top.code = :scope "
            "AND a.path LIKE top.path || '%' WHERE a.level = 5 ORDER BY a.code",
            scope=province.scope,
        ).all()
    columns = [f"c{number:02d}" for number in range(1, FIELDS + 1)]
    with psycopg.connect(_plain(department)) as connection:
        connection.execute(
            f"CREATE TABLE villages (code text, year int, surveyed date, "
            f"{', '.join(f'{column} int' for column in columns)})"
        )
        with connection.cursor() as cursor, cursor.copy("COPY villages FROM STDIN") as copy:
            for place, (code,) in enumerate(villages):
                figures = ((place * 7 + number * 13) % 5000 for number in range(FIELDS))
                copy.write_row((code, 0, "2026-01-10", *figures))
    return len(villages) * FIELDS


def _next_year(department: str, years: Iterator[int]) -> int:
    year = next(years)
    with psycopg.connect(_plain(department), autocommit=True) as connection:
        connection.execute("UPDATE villages SET year = %s", (year,))
        connection.execute("VACUUM FULL ANALYZE villages")
    return year


def _run_source(province: Province, department: str, values: int) -> float:
    """Seconds of one run."""
    definition = {
        "code": f"bench-{uuid.uuid4().hex[:8]}",
        "agency": "bench",
        "kind": "sql",
        "settings": {"url": department, "table": "villages"},
        "keys": {"subject": "code", "period": "year", "observed_on": "surveyed"},
        "fields": {f"bench.f{number:02d}": f"c{number:02d}" for number in range(1, FIELDS + 1)},
        "areas": [province.scope],
    }
    runtime = province.runtime
    with runtime.context(OPERATOR) as ctx:
        source = add_source(ctx, definition, runtime.settings)
        run_id = start_run(ctx, source.code, now=True).id
    seconds = timed(lambda: run_source(runtime, run_id))
    with runtime.context(OPERATOR) as ctx:
        counts = ctx.sql("SELECT counts FROM source_run WHERE id = :id", id=run_id).scalar_one()
        delete_source(ctx, source.code)
    if counts["created"] != values:
        raise RuntimeError(f"{counts} instead of {values} new values")
    tell(f"fetch: {seconds:.1f} s")
    return seconds


_COPY = (
    "COPY cell_value (region_id, field_id, period, subject_id, value, observed_on, provenance_id, "
    "recorded_at, since, since_kind) FROM STDIN"
)


def _by_hand(province: Province, department: str, year: int) -> None:
    with (
        psycopg.connect(_plain(department)) as source,
        psycopg.connect(_plain(province.server.url)) as target,
    ):
        places = {
            code: (region, subject)
            for code, region, subject in target.execute(
                "SELECT code, region_id, id FROM area WHERE valid_to IS NULL"
            )
        }
        fields = [
            id
            for (id,) in target.execute(
                "SELECT id FROM field WHERE code LIKE 'bench.%%' ORDER BY code LIMIT %s", (FIELDS,)
            )
        ]
        (origin,) = target.execute("SELECT max(id) FROM provenance").fetchone() or (0,)
        (now,) = target.execute("SELECT now()").fetchone() or (None,)
        with (
            source.cursor("villages") as rows,
            target.cursor() as cursor,
            cursor.copy(_COPY) as copy,
        ):
            rows.itersize = 2000
            for code, _, surveyed, *figures in rows.execute("SELECT * FROM villages"):
                region, subject = places[code]
                end = f"{surveyed}\t{origin}\t{now}\t{now}\tshared\n"
                copy.write(
                    "".join(
                        f"{region}\t{field}\t{year}\t{subject}\t{figure}\t{end}"
                        for field, figure in zip(fields, figures, strict=True)
                    )
                )
