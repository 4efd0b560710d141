"""How `oneform up` ends: asked to, while it starts, and killed."""

from __future__ import annotations

import datetime as dt
import os
import signal
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import orjson
import psycopg
from held_back import HeldBack
from installation import (
    USER,
    Up,
    descendants,
    engines_of,
    free_port,
    is_running,
    none_is_running,
    python_for,
    wait_for,
)

from benchmarks.load.installation import make_world
from benchmarks.load.world import PASSWORD, Plan, World
from oneform.engines import find_engines


def test_it_stops_cleanly_and_finishes_what_it_has_in_hand(home: Path) -> None:
    up = Up(home, free_port(), "--bare", "--web-workers", "1", "--workers", "1")
    up.wait_until_ready()
    family = descendants(up.process.pid)
    engines = find_engines(home)
    assert engines is not None
    world = make_world(str(engines.database_url), Plan(agencies=1, villages=1))
    with Village(up.port, world) as village:
        submission = HeldBack(
            *(up.port, "POST", "/submissions", village.token), {"answers": village.answers()}
        )
        export = HeldBack(
            *(up.port, "GET", f"/requests/{village.request}/data?format=csv", world.keys[0])
        )
    with submission, export:
        up.process.send_signal(signal.SIGTERM)
        wait_for(lambda: not up.pids("relay"), "the others are being stopped too")
        status, receipt = submission.finish()
        assert (status, orjson.loads(receipt)["accepted"]) == (201, 1)
        status, data = export.finish()
        assert (status, len(data.splitlines())) == (200, 2)
    assert up.process.wait() == 0
    assert none_is_running(family)
    assert engines_of(home) == []
    assert find_engines(home) is None
    assert up.log.splitlines()[-1].endswith("stopped")
    assert not list(Path("/dev/shm").glob(f"oneform-metrics-*-{family[0]}"))
    up.close()


class Village:
    """Staff with one ask, and the agency that wants it answered."""

    def __init__(self, port: int, world: World) -> None:
        self._world = world
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", trust_env=False)

    def __enter__(self) -> Self:
        who = {"username": self._world.villages[0], "password": PASSWORD}
        self.token = self._client.post("/sessions", json=who).json()["token"]
        demand = {
            "title": "测试",
            "purpose": "测试",
            "legal_basis": "测试",
            "fields": self._world.fields[-1:],
            "scope": {"areas": self._world.townships, "kind": "area", "level": "village"},
            "period": "2001-01-01",
            "due": (self._world.today + dt.timedelta(days=60)).isoformat(),
        }
        headers = {"Authorization": f"Bearer {self._world.keys[0]}", "Idempotency-Key": "one"}
        answer = self._client.post("/requests", json=demand, headers=headers)
        assert answer.status_code == 202, answer.text
        self.request = answer.json()["id"]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def answers(self) -> list[dict[str, object]]:
        """What is to be sent, as soon as it is asked."""
        [section] = wait_for(self._sections, "it is asked")
        return [{"ask": ask["id"], "value": 7} for ask in section["rows"][0]["asks"]]

    def _sections(self) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        return self._client.get("/form", headers=headers).json()["sections"]


def test_it_stops_while_it_starts(home: Path) -> None:
    up = Up(home, free_port(), "--bare")
    wait_for(lambda: list(home.glob("postgres*/PG_VERSION")), "the cluster is being made")
    assert up.stop() == 0
    assert engines_of(home) == []
    assert "Traceback" not in up.log
    up.close()
    again = Up(home, up.port, "--bare", "--web-workers", "1", "--workers", "1")
    again.wait_until_ready()
    assert again.stop(signal.SIGINT) == 0
    again.close()


def test_killed_one_leaves_nothing_in_the_way_of_the_next(home: Path) -> None:
    """As an ordinary user where root runs the tests, so that both are tried."""
    user = USER if os.geteuid() == 0 and python_for(USER) else None
    python = python_for(user) or sys.executable
    if user is not None:
        os.chown(home.parent, user, user)
    port = free_port()
    options = ("--bare", "--web-workers", "1", "--workers", "1")
    first = Up(home, port, *options, user=user, python=python)
    first.wait_until_ready()
    children = [pid for kind in ("web", "worker", "relay", "cron") for pid in first.pids(kind)]
    engines = engines_of(home)
    found = find_engines(home)
    assert found is not None
    assert found.database_url is not None
    url = found.database_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    first.process.kill()
    first.process.wait()

    second = Up(home, port, *options, user=user, python=python)
    assert second.wait_until_ready() == f"ready http://127.0.0.1:{port}\n"
    wait_for(lambda: none_is_running(children), "the processes of the killed one have ended")
    assert all(map(is_running, engines)), "the engines were taken over"
    with psycopg.connect(url, autocommit=True) as connection:
        assert connection.execute("SELECT one FROM kept").fetchall() == [(1,)]
    assert second.is_ready()
    assert second.stop() == 0
    assert none_is_running(engines)
    first.close()
    second.close()
