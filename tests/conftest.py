"""Fixtures of the whole suite: real PostgreSQL and Valkey, a database of its own for each test.

A server named by `ONEFORM_TEST_DATABASE_URL` is used where it is set (another
PostgreSQL version); otherwise one is started from the wheel, once per process.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import sqlalchemy as sa
from in_memory import server_folder

from oneform import migrations
from oneform.config import Settings
from oneform.identity.policy import OPERATOR
from oneform.kernel.clock import FixedClock
from oneform.kernel.context import Context
from oneform.runtime import Runtime

# What helpers assert is told as tests' own assertions are, with what was there.
_HELPERS = {path.stem for path in Path(__file__).parent.rglob("*.py")} - {"__init__", "conftest"}
pytest.register_assert_rewrite(*(_HELPERS - sys.modules.keys()))

# A deadline would be a timed assertion.
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")

TODAY = dt.date(2026, 3, 16)
"""The day of most tests: a Monday without holidays around it."""


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a server's maintenance database, with the right to create databases."""
    given = os.environ.get("ONEFORM_TEST_DATABASE_URL")
    if given:
        yield given
        return
    from oneform.engines import PostgresServer

    with (
        server_folder(tmp_path_factory.mktemp("pg")) as folder,
        PostgresServer(folder, durable=False) as server,
    ):
        yield server.url


def _with_database(url: str, name: str) -> str:
    return sa.make_url(url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def template_database(postgres_url: str) -> Iterator[str]:
    """Name of a migrated, empty database that others are copied from."""
    name = f"template_{uuid.uuid4().hex[:8]}"
    admin = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    migrations.upgrade(_with_database(postgres_url, name))
    yield name
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


def _copy(postgres_url: str, template: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    admin = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        # By files: page by page through the log, as is usual, takes six times as long.
        connection.execute(
            sa.text(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        )
    yield _with_database(postgres_url, name)
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def database_url(postgres_url: str, template_database: str) -> Iterator[str]:
    """A fresh, migrated database for one test."""
    yield from _copy(postgres_url, template_database)


@pytest.fixture(scope="module")
def module_database_url(postgres_url: str, template_database: str) -> Iterator[str]:
    """A fresh, migrated database for the tests of one module that only read, or stay apart."""
    yield from _copy(postgres_url, template_database)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    from oneform.engines import ValkeyServer

    server = ValkeyServer(tmp_path_factory.mktemp("valkey"), durable=False)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


@pytest.fixture
def clock() -> FixedClock:
    """Stands at nine in the morning of `TODAY` in Shanghai."""
    return FixedClock(dt.datetime.combine(TODAY, dt.time(1), dt.UTC))


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", database_url=database_url, secret_key="k" * 40)


@pytest.fixture
def runtime(settings: Settings, clock: FixedClock) -> Iterator[Runtime]:
    runtime = Runtime(settings, clock=clock)
    yield runtime
    runtime.close()


@pytest.fixture
def ctx(runtime: Runtime) -> Iterator[Context]:
    """A unit of work of the operator, committed after the test."""
    with runtime.context(OPERATOR) as ctx:
        yield ctx
