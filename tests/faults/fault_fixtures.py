"""One database for all scenes, which is brought back to what it was after each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from dying import Theatre
from fault_world import World, make_world
from nursery import Nursery

from oneform.app import create_app
from oneform.config import Settings
from oneform.kernel.clock import FixedClock
from oneform.runtime import Runtime


@pytest.fixture(scope="module")
def module_clock() -> FixedClock:
    return FixedClock(dt.datetime(2026, 3, 16, 1, tzinfo=dt.UTC))


@pytest.fixture(scope="module")
def module_settings(module_database_url: str, redis_url: str) -> Settings:
    return Settings(
        home=Path("/nonexistent"),
        database_url=module_database_url,
        redis_url=redis_url,
        secret_key="k" * 40,
        rate_limit=100_000,
        allow_hosts=("unix", "localhost", "127.0.0.1"),
    )


@pytest.fixture(scope="module")
def world(module_settings: Settings, module_clock: FixedClock) -> Iterator[World]:
    runtime = Runtime(module_settings, clock=module_clock)
    yield make_world(runtime, create_app(runtime))
    runtime.close()


@pytest.fixture(scope="module")
def nursery(module_settings: Settings, module_clock: FixedClock) -> Iterator[Nursery]:
    nursery = Nursery(module_settings, module_clock)
    yield nursery
    nursery.close()


@pytest.fixture(scope="module")
def looking(module_settings: Settings) -> Iterator[psycopg.Connection[Any]]:
    """A connection of whoever looks at the database."""
    url = sa.make_url(str(module_settings.database_url)).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        # Asks are brought back on the day on which they were made.
        connection.execute("SELECT set_config('oneform.today', '2026-03-16', false)")
        yield connection


@pytest.fixture
def theatre(world: World, nursery: Nursery, looking: psycopg.Connection[Any]) -> Theatre:
    return Theatre(world, nursery, looking)
