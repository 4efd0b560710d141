"""Asked once, with everybody at it at once (DESIGN.md §4, points 2, 5, 6 and 7).

Many agencies send requests over the same fields and areas from many threads,
staff answer, amend, type drafts and refuse, reviewers decide, owners consent and bring
values, a clerk moves and merges villages, sweeps run, some requests are cancelled, asks
expire, and workers are killed while they resolve. Afterwards it is counted.
"""

from __future__ import annotations

import contextlib
import dataclasses
import queue
import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
import pytest
import redis
from factories import assert_balanced
from storm_crowd import Storm
from storm_others import bring, change_areas, consent, let_pass, review, sweep, work_beside
from storm_processes import Workers, web
from storm_world import FULL, SMALL, Cell, Size, World, make_orders, make_world
from worker_process import LEASE_S

from oneform.config import Settings
from oneform.identity.policy import OPERATOR
from oneform.runtime import Runtime
from workers.relay import Relay

DONE = ("grants", "imports", "accepted", "amendments", "drafts saved", "areas: move", "areas: open",
        "areas: merge", "sweeps", "expired")  # fmt: skip
"""What somebody or other must have done meanwhile."""


@pytest.fixture
def settings(settings: Settings, redis_url: str) -> Settings:
    redis.Redis.from_url(redis_url).flushall()
    return dataclasses.replace(settings, redis_url=redis_url)


@pytest.fixture
def runtime(settings: Settings) -> Iterator[Runtime]:
    """With the real clock, as the processes have it."""
    runtime = Runtime(settings)
    yield runtime
    runtime.close()


@contextlib.contextmanager
def relay_at_work(settings: Settings) -> Iterator[None]:
    runtime = Runtime(settings)
    relay = Relay(runtime, lease_s=LEASE_S)
    thread = threading.Thread(target=relay.run)
    thread.start()
    yield
    relay.stop()
    thread.join()
    runtime.close()


def blow(settings: Settings, runtime: Runtime, size: Size, log: Path) -> tuple[Storm, Workers]:
    """The storm, from the first request to the end of the last one."""
    chance = random.Random(20261130)
    with runtime.context(OPERATOR) as ctx:
        world = make_world(ctx, size, chance)
    orders: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for order in make_orders(world, chance):
        orders.put(order)
    crew = Workers(settings, runtime, size.workers, size.kills)
    others = 2 * len(world.staff) + 12
    with (
        web(settings, log) as address,
        relay_at_work(settings),
        ThreadPoolExecutor(size.senders + others) as pool,
    ):
        storm = Storm(world, address)
        crew.start()
        began = time.monotonic()
        try:
            killer = pool.submit(crew.kill_some)
            busy = [pool.submit(storm.answer, u, random.Random(u)) for u in world.staff]
            busy += [pool.submit(work_beside, storm, u, random.Random(u)) for u in world.others]
            busy += [pool.submit(storm.poll, random.Random(n)) for n in range(3)]
            busy += [pool.submit(storm.decide), pool.submit(storm.cancel, chance)]
            busy += [pool.submit(consent, storm), pool.submit(review, storm, random.Random(1))]
            busy += [
                pool.submit(bring, storm, random.Random(2)),
                pool.submit(sweep, storm, runtime),
            ]
            busy += [pool.submit(change_areas, storm, runtime, random.Random(3))]
            busy += [pool.submit(let_pass, storm, settings)]
            for sender in [pool.submit(storm.send, orders) for _ in range(size.senders)]:
                sender.result()
            sent = time.monotonic()
            wait_until_resolved(runtime, busy)
            resolved = time.monotonic()
            storm.all_sent.set()
            storm.wait_for_the_end(lambda: raise_first(busy))
        finally:
            storm.over.set()
            storm.all_sent.set()
            crew.stopping.set()
            killer.result()
            crew.stop()
        raise_first(busy, wait=True)
        print(  # noqa: T201
            f"{len(storm.sent)} requests: sent in {sent - began:.1f} s, resolved in "
            f"{resolved - began:.1f} s, over in {time.monotonic() - began:.1f} s; "
            f"{crew.killed} workers killed, {storm.polls} polls, {dict(storm.statuses)}, "
            f"{dict(storm.done)}"
        )
    return storm, crew


def wait_until_resolved(runtime: Runtime, busy: list[Any]) -> None:
    while True:
        with runtime.context(OPERATOR) as ctx:
            if not ctx.sql(
                "SELECT count(*) FROM outbox WHERE job IN ('resolve_request', 'fetch_and_resolve')"
            ).scalar_one():
                return
        raise_first(busy)
        time.sleep(0.2)


def raise_first(futures: list[Any], *, wait: bool = False) -> None:
    for future in futures:
        if wait or future.done():
            future.result()


def count(runtime: Runtime, storm: Storm, world: World) -> None:
    """What the storm must have left."""
    orders = storm.sent.values()
    calm = {cell for o in orders if not o.is_rough and not o.is_roaming(world)
            for cell in o.cells(world)} - world.held  # fmt: skip
    calm |= roaming_cells(runtime, world)
    asks = asks_by_cell(runtime)
    assert {cell for cell in asks if not cell[0].startswith("rough")} == calm
    made = sum(len(rows) for cell, rows in asks.items() if cell in calm)
    assert made == len(calm), "asks ever made, and distinct missing cells"

    wanted = {cell for id, o in storm.sent.items() if id not in storm.cancelled
              if not o.is_roaming(world) for cell in o.cells(world)}  # fmt: skip
    passing = [row.state for cell in calm if cell[0] == "passing.f0" for row in asks[cell]]
    assert set(passing) == {"expired"}
    assert storm.done["expired"] == len(passing)
    rough = {cell: rows for cell, rows in asks.items() if cell[0].startswith("rough")}
    for cell, rows in rough.items():
        *earlier, last = rows
        for before, after in zip(earlier, rows[1:], strict=True):
            # Asked anew only where the earlier ask had ended without a value.
            assert before.state == "withdrawn", (cell, rows)
            assert before.ended_at <= after.created_at
        assert last.state in ("answered", "upheld") or cell not in wanted, (cell, rows)
    assert wanted - world.held <= asks.keys()
    print(f"{made} asks for {len(calm)} calm cells; "  # noqa: T201
          f"{sum(map(len, rough.values()))} asks for {len(rough)} rough ones")  # fmt: skip


def roaming_cells(runtime: Runtime, world: World) -> set[Cell]:
    """In the clerk's county: of the villages that were there when a request was decided."""
    with runtime.context(OPERATOR) as ctx:
        rows = ctx.sql(
            "SELECT f.code, p.code AS village FROM request_unit AS ru "
            "JOIN request_field AS rf ON rf.request_id = ru.request_id "
            "JOIN field AS f ON f.id = rf.field_id JOIN area AS p ON p.id = ru.place_id "
            "JOIN area AS c ON c.id = ru.region_id WHERE c.code = :county",
            county=world.clerks_county,
        )
        return {(row.code, row.village) for row in rows}


def asks_by_cell(runtime: Runtime) -> dict[Cell, list[Any]]:
    found: dict[Cell, list[Any]] = {}
    with runtime.context(OPERATOR) as ctx:
        for row in ctx.sql(
            "SELECT f.code, s.key, a.state, a.created_at, a.ended_at FROM ask AS a "
            "JOIN field AS f ON f.id = a.field_id "
            "JOIN subject AS s ON s.region_id = a.region_id AND s.id = a.subject_id "
            "ORDER BY a.created_at, a.id"
        ):
            found.setdefault((row.code, row.key), []).append(row)
    return found


def check(settings: Settings, runtime: Runtime, size: Size, folder: Path) -> None:
    storm, crew = blow(settings, runtime, size, folder / "web.log")
    assert storm.wrong == []
    assert len(storm.sent) == size.requests + 3 * size.others
    least = (size.others + 1) // 2  # a fast machine is through with the requests soon
    seldom = {what: storm.done[what] for what in DONE if storm.done[what] < least}
    assert seldom == {}, "what was hardly done"
    assert crew.killed
    count(runtime, storm, storm.world)
    with runtime.context(OPERATOR) as ctx:
        assert_balanced(ctx)
        states = {str(row.id): row.state for row in ctx.sql("SELECT id, state FROM request")}
        assert {id for id, state in states.items() if state == "cancelled"} == storm.cancelled
        deadlocks = ctx.sql(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        ).scalar_one()
    assert deadlocks == 0
    lines = [orjson.loads(line) for line in (folder / "web.log").read_text().splitlines()]
    assert any(line["event"] == "request" for line in lines), "calls are logged"
    assert [line for line in lines if line["level"] in ("error", "critical")] == []


def test_asked_once_in_a_storm(settings: Settings, runtime: Runtime, tmp_path: Path) -> None:
    check(settings, runtime, SMALL, tmp_path)


@pytest.mark.soak
def test_asked_once_in_a_great_storm(settings: Settings, runtime: Runtime, tmp_path: Path) -> None:
    check(settings, runtime, FULL, tmp_path)
