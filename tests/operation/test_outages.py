"""Outages under load: of Redis, of PostgreSQL, of any process. Nothing accepted is lost or doubled.

The two servers are the test's own here, so that they can stay away for a while; what `oneform up`
does about its own ones is in `test_up_running.py` and `test_disk_full.py`.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random

import pytest
from installation import Up, engines_of, free_port, make_folder, wait_for

from benchmarks.load.checking import check
from benchmarks.load.installation import make_world, open_load
from benchmarks.load.load import Load
from benchmarks.load.promises import Promises
from benchmarks.load.world import Plan, World
from oneform.engines import PostgresServer, ValkeyServer, erase_engines

# While Redis is away nothing new is asked: requests and answers need something left to do, or they
# fall silent for a reason of their own.
PLAN = Plan(agencies=1, villages=1, pace_s=0.3, open_requests=30, most_answers=2)

MINUTES = float(os.environ.get("ONEFORM_TEST_SOAK_MINUTES", "60"))


@dataclass
class Site:
    """An installation on servers that can be stopped, and all that it was heard to promise."""

    postgres: PostgresServer
    valkey: ValkeyServer
    up: Up
    world: World
    promises: Promises = field(default_factory=Promises)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    folder = make_folder()
    servers = folder / "servers"
    try:
        # Durable, or a PostgreSQL that is killed may forget what it has promised.
        with PostgresServer(servers) as postgres, ValkeyServer(servers) as valkey:
            up = Up(
                folder / "home",
                free_port(),
                *("--bare", "--web-workers", "1", "--workers", "1"),
                ONEFORM_DATABASE_URL=postgres.url,
                ONEFORM_REDIS_URL=valkey.url,
            )
            try:
                up.wait_until_ready()
                world = make_world(postgres.url, PLAN)
                yield Site(postgres, valkey, up, world)
            finally:
                up.close()
    finally:
        erase_engines(servers)
        shutil.rmtree(folder)


@contextmanager
def working(site: Site) -> Iterator[Load]:
    """Clients at work; at the end all that they were ever promised is there, exactly once."""
    load = Load(f"http://127.0.0.1:{site.up.port}", site.world, site.promises)
    load.start()
    try:
        answered_after(load, 0.0)
        yield load
        wait_for(site.up.is_ready, "all is well")
        load.finish(within_s=120)
        check(load)
    finally:
        load.call_off()
    assert load.tally.broken == []


def answered_after(load: Load, moment: float) -> None:
    """Wait until answers and requests go in again."""
    for operation in ("request", "submit"):
        wait_for(lambda name=operation: load.tally.first_after(moment, name), operation)


def test_redis_goes_loses_everything_and_comes_back(site: Site) -> None:
    workers = site.up.pids("worker")
    with working(site) as load:
        site.valkey.kill()
        wait_for(lambda: site.up.readiness()[1].get("status") == "degraded", "it says so")
        assert site.up.readiness()[0] == 200
        answered_after(load, time.monotonic())
        shutil.rmtree(site.valkey.layout.valkey / "appendonlydir")
        site.valkey.start()
        wait_for(site.up.is_ready, "all is well")
    assert not any(kind.startswith("5") for kind in load.tally.kinds())
    assert site.up.pids("worker") == workers


def test_postgres_is_stopped_hard_and_comes_back(site: Site) -> None:
    with working(site) as load:
        site.postgres.kill()
        wait_for(lambda: site.up.readiness()[0] == 503, "it says so")
        wait_for(lambda: "503 unavailable" in load.tally.kinds(), "so does every answer")
        site.postgres.start()
        answered_after(load, time.monotonic())
    assert "Traceback" not in site.up.log


@pytest.mark.soak
def test_everything_is_killed_at_random_for_long(up: Up) -> None:
    """Engines too, which `oneform up` starts again by itself."""
    rng = Random(2)
    plan = Plan(agencies=2, villages=6, pace_s=0.3)
    load = open_load(f"http://127.0.0.1:{up.port}", up.home, plan)
    load.start()
    until = time.monotonic() + MINUTES * 60
    try:
        while time.monotonic() < until:
            kind = rng.choice(("web", "worker", "relay", "cron", "engine"))
            pids = engines_of(up.home) if kind == "engine" else up.pids(kind)
            if pids:
                os.kill(rng.choice(pids), signal.SIGKILL)
            time.sleep(rng.expovariate(1 / 8))
        killed_at = time.monotonic()
        wait_for(up.is_ready, "all is well")
        answered_after(load, killed_at)
        load.finish(within_s=300)
        check(load)
    finally:
        load.call_off()
    assert load.tally.broken == []
    assert "Traceback" not in up.log
