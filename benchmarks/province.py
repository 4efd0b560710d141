"""A province to measure on: all of Hubei, forty yearly fields, nine tenths of the cells held.

On an embedded PostgreSQL of its own, with the durable settings of an
installation. Origin of the areas: see tests/data/areas/README.md.
"""

from __future__ import annotations

import gzip
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa

from oneform import migrations
from oneform.areas.service import import_areas
from oneform.config import Settings
from oneform.engines import PostgresServer
from oneform.identity.policy import OPERATOR, ORDINARY_SCOPES, Principal, permissions_of_scopes
from oneform.kernel.actor import ActorKind
from oneform.requests.commands import SubmitRequest
from oneform.requests.service import submit_request
from oneform.runtime import Runtime

AREAS = Path(__file__).parents[1] / "tests" / "data" / "areas" / "areas_hubei.csv.gz"
SIZES = {"full": "420000000000", "small": "420100000000"}
FIELDS = 40
PERIOD = "2026"

_FIELDS = f"""
INSERT INTO field (code) SELECT 'bench.f' || lpad(n::text, 2, '0') FROM generate_series(1, {FIELDS}) AS n
"""
_VERSIONS = """
INSERT INTO field_version (field_id, version, name, definition, synonyms, topic, kind_id, levels,
  value_schema, unit, period_type, mode, collected_at, review, owner_id, sharing_category, sharing,
  legal_basis, sensitivity, personal, rollup, soft_checks, seconds, effective_from, expires_on,
  origin)
SELECT f.id, 1, jsonb_build_object('zh', f.code), '{"zh": "测量用"}', '{}', 'bench', k.id, '{5}',
  '{"type": "integer", "minimum": 0}', '人', 'year', 'collect', 5, 'none', a.id, 'unconditional',
  '{"category": "unconditional"}', '测量', 1, false, 'sum', '[]', 15,
  oneform_today() - 30, oneform_today() + 365, 'operator'
FROM field AS f CROSS JOIN subject_kind AS k CROSS JOIN agency AS a
WHERE k.code = 'area' AND a.code = 'bench'
"""
HELD = """
INSERT INTO cell_value (region_id, field_id, period, subject_id, value, observed_on, provenance_id,
  recorded_at, since, since_kind)
SELECT a.region_id, f.id, %(period)s, a.id, to_jsonb((a.id * 7 + f.id) %% 5000),
  oneform_today() - 10, %(origin)s, now(), now(), 'shared'
FROM area AS a JOIN area AS top ON top.code = %(scope)s AND a.path LIKE top.path || '%%'
CROSS JOIN field AS f
WHERE a.level = 5 AND (a.id * 31 + f.id * 17) %% 10 <> 0 ORDER BY 1, 2, 3, 4
"""
"""Values of nine tenths of the cells of a period; in the driver's own words."""


@dataclass(frozen=True)
class Province:
    """A runtime on the province, the server it is on, and what its requests ask for."""

    runtime: Runtime
    server: PostgresServer
    size: str
    scope: str
    agency_id: int

    @property
    def agency(self) -> Principal:
        return Principal(
            kind=ActorKind.AGENCY,
            id=str(uuid.UUID(int=1)),
            label="bench",
            agency_id=self.agency_id,
            area_path="/",
            permissions=permissions_of_scopes(ORDINARY_SCOPES),
        )

    def submit(self) -> uuid.UUID:
        """Accept a request for all forty fields of all villages."""
        with self.runtime.context(self.agency) as ctx:
            due = ctx.calendar.add_working_days(ctx.today(), 20).day
            request = submit_request(
                ctx,
                SubmitRequest(
                    title="bench",
                    purpose="bench",
                    legal_basis="bench",
                    fields=[f"bench.f{n:02d}" for n in range(1, FIELDS + 1)],
                    areas=[self.scope],
                    level="village",
                    period=PERIOD,
                    due=due,
                ),
            )
        return request.id

    def count(self, query: str) -> int:
        with self.runtime.context(OPERATOR) as ctx:
            return int(ctx.sql(query).scalar_one())

    def settle_down(self) -> None:
        """Let the database forget that it was just filled: statistics and visibility."""
        with self.runtime.engine.connect().execution_options(
            isolation_level="AUTOCOMMIT"
        ) as connection:
            connection.execute(sa.text("VACUUM ANALYZE"))


@contextmanager
def open_province(size: str) -> Iterator[Province]:
    """The province in a temporary folder; `small` is its capital alone."""
    with TemporaryDirectory(prefix="oneform-bench-") as folder:
        server = PostgresServer(Path(folder))
        server.start()
        try:
            migrations.upgrade(server.url)
            runtime = Runtime(
                Settings(
                    home=Path(folder),
                    database_url=server.url,
                    secret_key="b" * 40,
                    allow_hosts=("unix",),
                )
            )
            yield _fill(runtime, server, size)
            runtime.close()
        finally:
            server.stop()


def _fill(runtime: Runtime, server: PostgresServer, size: str) -> Province:
    scope = SIZES[size]
    with runtime.context(OPERATOR) as ctx:
        import_areas(ctx, gzip.decompress(AREAS.read_bytes()))
        agency_id = ctx.sql(
            "INSERT INTO agency (code, name, area_id) SELECT 'bench', '{\"zh\": \"测量\"}', id "
            "FROM area WHERE parent_id IS NULL RETURNING id"
        ).scalar_one()
        ctx.sql(_FIELDS)
        ctx.sql(_VERSIONS)
        origin = ctx.sql(
            "INSERT INTO provenance (kind, actor_kind, actor_id, actor_label) "
            "VALUES ('import', 'operator', 'bench', 'bench') RETURNING id"
        ).scalar_one()
        given = {"period": PERIOD, "origin": origin, "scope": scope}
        ctx.session.connection().exec_driver_sql(HELD, given)
    province = Province(runtime, server, size, scope, agency_id)
    province.settle_down()
    return province
