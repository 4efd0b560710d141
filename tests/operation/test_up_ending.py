"""How `oneform up` ends: asked to, while it starts, and killed."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import psycopg
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

from oneform.engines import find_engines


def test_it_stops_cleanly_when_it_is_interrupted(home: Path) -> None:
    up = Up(home, free_port(), "--bare", "--web-workers", "1", "--workers", "1")
    up.wait_until_ready()
    family = descendants(up.process.pid)
    assert up.stop(signal.SIGINT) == 0
    assert none_is_running(family)
    assert engines_of(home) == []
    assert find_engines(home) is None
    assert up.log.splitlines()[-1].endswith("stopped")
    assert not list(Path("/dev/shm").glob(f"oneform-metrics-*-{family[0]}"))
    up.close()


def test_it_stops_while_it_starts(home: Path) -> None:
    up = Up(home, free_port(), "--bare")
    wait_for(lambda: list(home.glob("postgres*/PG_VERSION")), "the cluster is being made")
    assert up.stop() == 0
    assert engines_of(home) == []
    assert "Traceback" not in up.log
    up.close()
    again = Up(home, up.port, "--bare", "--web-workers", "1", "--workers", "1")
    again.wait_until_ready()
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
