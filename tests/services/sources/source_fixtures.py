"""Two counties, two agencies, five fields, and a department's tables to read them from."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from catalog.bundle import bundle_of
from catalog.importing import import_bundle
from oneform.areas.service import import_areas
from oneform.config import Settings
from oneform.identity.agencies import AddAgency, add_agency
from oneform.identity.policy import OPERATOR, Principal, Role, permissions_of_roles
from oneform.kernel.actor import ActorKind
from oneform.kernel.clock import FixedClock
from oneform.runtime import Runtime
from oneform.sources.service import SourceView, add_source

CITY, COUNTY, OTHER = "420100000000", "420102000000", "420103000000"
AREAS = f"""code,parent_code,level,name
420000000000,,1,湖北省
{CITY},420000000000,2,武汉市
{COUNTY},{CITY},3,江岸区
420102001000,{COUNTY},4,大智街道
420102001001,420102001000,5,一村
420102001002,420102001000,5,二村
420102001003,420102001000,5,三村
{OTHER},{CITY},3,江汉区
420103001000,{OTHER},4,民权街道
420103001001,420103001000,5,四村
"""


def field(code: str, schema: dict[str, Any], owner: str, **other: Any) -> dict[str, Any]:
    """A field of a bundle."""
    return {
        "code": code,
        "name": {"zh": f"数据项 {code}"},
        "definition": {"zh": f"测试用的数据项 {code}"},
        "topic": "test",
        "subject_kind": "area",
        "levels": ["village"],
        "schema": schema,
        "unit": "人",
        "period_type": "year",
        "mode": "collect",
        "owner": owner,
        "sharing": {"category": "unconditional"},
        "legal_basis": "《中华人民共和国统计法》",
        "seconds": 15,
        "effective_from": "2026-01-01",
        "expires_on": "2028-12-31",
    } | other


STANDING = {"period_type": "none", "valid_for": "P2Y"}
COUNT = {"type": "integer", "minimum": 0}
BUNDLE = {
    "bundle": "oneform-catalog/1",
    "agencies": [],
    "subject_kinds": [{"code": "resident", "name": {"zh": "居民"}, "personal": True}],
    "code_lists": [
        {
            "code": "status",
            "name": {"zh": "类别"},
            "items": [{"code": "1", "name": {"zh": "低保"}}, {"code": "2", "name": {"zh": "特困"}}],
        }
    ],
    "fields": [
        field("pop.total", COUNT, "stats"),
        field("pop.rate", {"type": "number", "maximum": 100}, "stats", unit="%"),
        field("aid.status", {"type": "string", "code_list": "status"}, "civil", unit=None),
        field("road.length", COUNT, "civil", unit="米", **STANDING),
        field("pop.monthly", COUNT, "stats", period_type="month"),
        field(
            "person.age",
            COUNT,
            "civil",
            subject_kind="resident",
            levels=[],
            unit="岁",
            personal=True,
            sensitivity=3,
            **STANDING,
        ),
    ],
}


def _url_of(postgres_url: str, name: str) -> str:
    return sa.make_url(postgres_url).set(database=name).render_as_string(hide_password=False)


@contextmanager
def _copied(postgres_url: str, template: str) -> Iterator[str]:
    """Name of a copy of a database."""
    name = f"sources_{uuid.uuid4().hex[:12]}"
    admin = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    yield name
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    admin.dispose()


@pytest.fixture(scope="session")
def world_database(postgres_url: str, template_database: str) -> Iterator[str]:
    """Name of a database with the small world, which the tests copy."""
    with _copied(postgres_url, template_database) as name:
        settings = Settings(
            home=Path("/nonexistent"), database_url=_url_of(postgres_url, name), secret_key="k" * 40
        )
        runtime = Runtime(settings, clock=FixedClock(dt.datetime(2026, 3, 16, 1, tzinfo=dt.UTC)))
        with runtime.context(OPERATOR) as ctx:
            import_areas(ctx, AREAS.encode())
            for code in ("stats", "civil"):
                add_agency(ctx, AddAgency(code=code, name=code, area=CITY))
            import_bundle(ctx, bundle_of(BUNDLE))
        with runtime.engine.connect() as connection:
            connection.exec_driver_sql("CREATE SCHEMA dept")
            connection.exec_driver_sql(
                "CREATE TABLE dept.villages (code text, year text, total text, rate numeric, "
                "status text, road int, surveyed date)"
            )
            connection.exec_driver_sql(
                "INSERT INTO dept.villages VALUES "
                "('420102001001', '2025', '1203', 12.5, 'A', 900, '2026-01-10'), "
                "('420102001002', '2025', '7', NULL, '2', NULL, '2026-01-10'), "
                "('420103001001', '2025', '55', 3, NULL, 40, '2026-01-10'), "
                "('420102001001', '2024', '1199', 11, 'A', 800, '2025-01-10')"
            )
            connection.commit()
        runtime.close()
        yield name


@pytest.fixture
def database_url(postgres_url: str, world_database: str) -> Iterator[str]:
    with _copied(postgres_url, world_database) as name:
        yield _url_of(postgres_url, name)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    (tmp_path / "files").mkdir()
    return Settings(
        home=tmp_path / "home",
        database_url=database_url,
        secret_key="k" * 40,
        allow_hosts=("unix", "localhost", "127.0.0.1"),
        allow_files=(str(tmp_path / "files"),),
    )


@pytest.fixture
def department(database_url: str) -> Iterator[sa.Engine]:
    """A department's database: the schema `dept`."""
    engine = sa.create_engine(database_url, isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()


Definition = Callable[..., dict[str, Any]]


@pytest.fixture
def definition(settings: Settings) -> Definition:
    """A definition of a source, with some members given otherwise."""

    def make(**other: Any) -> dict[str, Any]:
        return {
            "code": "stats.villages",
            "agency": "stats",
            "kind": "sql",
            "settings": {"url": settings.database_url, "table": "dept.villages"},
            "keys": {"subject": "code", "period": "year"},
            "fields": {"pop.total": "total", "pop.rate": "rate"},
            "areas": [CITY],
        } | other

    return make


@pytest.fixture
def offered(
    runtime: Runtime, department: sa.Engine, definition: Definition
) -> Callable[..., SourceView]:
    """Add a source on the department's tables."""

    def add(**other: Any) -> SourceView:
        with runtime.context(OPERATOR) as ctx:
            return add_source(ctx, definition(**other), runtime.settings)

    return add


@pytest.fixture
def owner(runtime: Runtime) -> Callable[[str], Principal]:
    """A source owner of an agency."""

    def make(code: str) -> Principal:
        with runtime.context(OPERATOR) as ctx:
            row = ctx.sql(
                "SELECT g.id, a.id AS area_id, a.path FROM agency AS g "
                "JOIN area AS a ON a.id = g.area_id WHERE g.code = :code",
                code=code,
            ).one()
        return Principal(
            kind=ActorKind.PERSON,
            id=f"owner of {code}",
            label=code,
            agency_id=row.id,
            area_id=row.area_id,
            area_path=row.path,
            permissions=permissions_of_roles([Role.SOURCE_OWNER]),
        )

    return make


class Held:
    """Looks at, and puts, values."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def region(self, code: str = COUNTY) -> int:
        with self._runtime.context(OPERATOR) as ctx:
            return int(ctx.sql("SELECT id FROM area WHERE code = :code", code=code).scalar_one())

    def field(self, code: str) -> int:
        with self._runtime.context(OPERATOR) as ctx:
            return int(ctx.sql("SELECT id FROM field WHERE code = :code", code=code).scalar_one())

    def values(self) -> dict[tuple[str, str, str], Any]:
        """(subject, field, period) → value."""
        with self._runtime.context(OPERATOR) as ctx:
            rows = ctx.sql(
                "SELECT s.key, f.code, v.period, v.value FROM cell_value AS v "
                "JOIN field AS f ON f.id = v.field_id "
                "JOIN subject AS s ON s.region_id = v.region_id AND s.id = v.subject_id"
            ).all()
        return {(row.key, row.code, row.period): row.value for row in rows}


@pytest.fixture
def held(runtime: Runtime) -> Held:
    return Held(runtime)


def with_settings(runtime: Runtime, **changes: Any) -> Runtime:
    """A runtime on the same database with other settings."""
    return Runtime(dataclasses.replace(runtime.settings, **changes), clock=runtime.clock)
