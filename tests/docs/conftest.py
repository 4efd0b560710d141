"""The demo's county on a live server of the test's own, with a thread that does the jobs."""

from __future__ import annotations

import datetime as dt
import io
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console
from werkzeug.serving import make_server

from oneform.app import create_app
from oneform.config import Settings
from oneform.demo.story import Outcome, tell_story
from oneform.demo.telling import Teller
from oneform.demo.world import World, build_world
from oneform.runtime import Runtime
from workers.jobs import JOBS
from workers.leasing import lease_rows
from workers.perform import perform_with
from workers.queues import ALL

PASSWORD = "correct horse"


@dataclass(frozen=True)
class Demo:
    """The county after the story was told."""

    address: str
    world: World
    outcome: Outcome
    told: str
    """What stood on the terminal."""


def _do_jobs(runtime: Runtime) -> bool:
    """Do the jobs that are due, as the relay and a worker would; whether there were any."""
    rows = lease_rows(
        runtime.engine,
        queue_of={name: job.queue.value for name, job in JOBS.items()},
        room={queue.value: 100 for queue in ALL},
        seconds=30,
    )
    for row in rows:
        perform_with(runtime, row.id, row.lease)
    return bool(rows)


@contextmanager
def _working(runtime: Runtime) -> Iterator[None]:
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            if not _do_jobs(runtime):
                over.wait(0.05)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def _serving(runtime: Runtime) -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, create_app(runtime), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


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
        with _working(runtime), _serving(runtime) as address:
            screen = io.StringIO()
            teller = Teller(Console(file=screen, width=80))
            outcome = tell_story(address, world, teller)
            yield Demo(address, world, outcome, screen.getvalue())
    finally:
        runtime.close()
