"""Everybody of `everybody`, once for the tests of a module, and the application for their calls."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import flask
import pytest
from everybody import Everybody, make_everybody

from oneform.app import create_app
from oneform.config import Settings
from oneform.kernel.clock import FixedClock
from oneform.runtime import Runtime

__all__ = ["app", "everybody_settings", "world"]


@pytest.fixture(scope="module")
def everybody_settings(module_database_url: str) -> Settings:
    """For calls as fast as they come."""
    return Settings(
        home=Path("/nonexistent"),
        database_url=module_database_url,
        secret_key="k" * 40,
        rate_limit=1_000_000,
    )


@pytest.fixture(scope="module")
def world(everybody_settings: Settings) -> Iterator[Everybody]:
    clock = FixedClock(dt.datetime(2026, 3, 16, 1, tzinfo=dt.UTC))
    runtime = Runtime(everybody_settings, clock=clock)
    yield make_everybody(runtime)
    runtime.close()


@pytest.fixture(scope="module")
def app(world: Everybody) -> flask.Flask:
    return create_app(world.runtime)
