"""submit 5M: the same submissions with 20,000 answers stored, and with five million.

On two databases of one server, the second a copy of the first to which the answers of earlier
years were added; behind a web server each, measured in turn. `bare_seconds` is the one with few.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import psycopg
from psycopg import sql

from benchmarks.client import Call
from benchmarks.progress import tell
from benchmarks.province import Province
from benchmarks.rounds import in_turn
from benchmarks.rows import Row
from benchmarks.serving import OURS, serving
from benchmarks.villagers import ANSWERS
from oneform.engines.postgres_settings import ADMIN, DATABASE
from oneform.runtime import Runtime

BAR = 1.25
"""At least 80 % of the rate with few."""

YEARS = {"full": 5, "small": 4}
"""For 27,057 villages × 40 fields, or for those of the capital."""

ROUNDS = 3
SUBMISSIONS = {"full": 1_000, "small": 250}
FEW = 20_000
COPY = "bench_stored"

_STORE = """
SET session_replication_role = replica;
CREATE TEMPORARY TABLE sent AS
  SELECT gen_random_uuid() AS id, u.id AS unit_id, u.region_id, y::text AS period
  FROM area AS u JOIN area AS top ON top.code = {scope} AND u.path LIKE top.path || '%'
  CROSS JOIN generate_series(1980, 1979 + {years}) AS y
  WHERE u.level = 5 AND u.valid_to IS NULL;
CREATE TEMPORARY TABLE origin AS SELECT max(id) AS id FROM provenance;
INSERT INTO submission (id, unit_id, staff_id, mode, accepted, in_review, invalid)
  SELECT id, unit_id, gen_random_uuid(), 'all', 40, 0, '[]' FROM sent;
INSERT INTO ask (region_id, field_version_id, field_id, period, subject_id, unit_id, due_on,
    live_until, state, ended_at)
  SELECT s.region_id, v.id, v.field_id, s.period, s.unit_id, s.unit_id, oneform_today(),
    oneform_today() + 30, 'answered', now()
  FROM sent AS s CROSS JOIN field_version AS v ORDER BY 1, 3, 4, 5;
INSERT INTO answer (region_id, ask_id, submission_id, kind, value, state)
  SELECT a.region_id, a.id, s.id, 'value', to_jsonb(a.id % 5000), 'recorded'
  FROM ask AS a JOIN sent AS s ON s.unit_id = a.unit_id AND s.period = a.period;
INSERT INTO cell_value (region_id, field_id, period, subject_id, value, observed_on,
    provenance_id, recorded_at, since, since_kind)
  SELECT a.region_id, a.field_id, a.period, a.subject_id, to_jsonb(a.id % 5000), oneform_today(),
    o.id, now(), now(), 'answered'
  FROM ask AS a CROSS JOIN origin AS o WHERE a.period < '1990' ORDER BY 1, 2, 3, 4;
"""


def run(province: Province, calls: list[Call]) -> Row:
    """Takes what it sends from the end of `calls`, the same for both sides."""
    each = SUBMISSIONS[province.size]
    with (
        _with_many(province) as many,
        serving(many.runtime.settings, OURS) as (loaded,),
        serving(province.runtime.settings, OURS) as (light,),
    ):
        first = _take(calls, FEW // ANSWERS)
        for server in (loaded, light):
            server.send_all(first, 201)
        batches = [_take(calls, each) for _ in range(ROUNDS)]
        of_loaded, of_light = iter(batches), iter(batches)
        seconds, few = in_turn(
            lambda: loaded.send_all(next(of_loaded), 201),
            lambda: light.send_all(next(of_light), 201),
            rounds=ROUNDS,
        )
    return Row("submit 5M", each * ANSWERS, seconds, few, BAR, rate=each / seconds)


def _take(calls: list[Call], count: int) -> Sequence[Call]:
    taken = calls[-count:]
    del calls[-count:]
    return taken


@contextmanager
def _with_many(province: Province) -> Iterator[Province]:
    province.runtime.engine.dispose()
    server = province.server
    with psycopg.connect(server.admin_url.replace("+psycopg", ""), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {COPY} TEMPLATE {DATABASE} OWNER oneform")
    try:
        # By the superuser, who need not check each row's references again.
        address = server.url_of(COPY, ADMIN).replace("+psycopg", "")
        with psycopg.ClientCursor(psycopg.connect(address)) as cursor:
            scope = sql.Literal(province.scope)
            years = sql.Literal(YEARS[province.size])
            cursor.execute(sql.SQL(_STORE).format(scope=scope, years=years))
            cursor.connection.commit()
            cursor.connection.close()
        runtime = Runtime(replace(province.runtime.settings, database_url=server.url_of(COPY)))
        many = replace(province, runtime=runtime)
        many.settle_down()
        tell(f"submit 5M: {many.count('SELECT count(*) FROM answer'):,} answers stored")
        runtime.close()
        yield many
    finally:
        with psycopg.connect(server.admin_url.replace("+psycopg", ""), autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {COPY} WITH (FORCE)")
