"""The demo's county on a live server of the test's own, with a thread that does the jobs."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from live_server import serving, working
from rich.console import Console

from oneform.config import Settings
from oneform.demo.story import Outcome, tell_story
from oneform.demo.telling import Teller
from oneform.demo.world import World, build_world
from oneform.runtime import Runtime

PASSWORD = "correct horse"


@dataclass(frozen=True)
class Demo:
    """The county after the story was told."""

    address: str
    world: World
    outcome: Outcome
    told: str
    """What stood on the terminal."""


@pytest.fixture(scope="module")
def demo(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    home: Path = tmp_path_factory.mktemp("demo")
    settings = Settings(
        home=home,
        database_url=module_database_url,
        secret_key="k" * 40,
        today=dt.date(2026, 3, 16),
    )
    runtime = Runtime(settings)
    try:
        world = build_world(runtime, PASSWORD)
        with working(runtime), serving(runtime) as address:
            screen = io.StringIO()
            teller = Teller(Console(file=screen, width=80))
            outcome = tell_story(address, world, teller)
            yield Demo(address, world, outcome, screen.getvalue())
    finally:
        runtime.close()
