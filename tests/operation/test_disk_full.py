"""A disk that is full for a while: what cannot be done says so, and all goes on when there is room.

On a small file system in memory, which only root can mount: a limit on the size of single files
is not the same, since the servers would be killed by it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from installation import Up, free_port, make_folder, wait_for

from benchmarks.load.checking import check
from benchmarks.load.installation import open_load
from benchmarks.load.world import Plan
from oneform.engines import erase_engines, find_engines

SIZE = "256m"


@pytest.fixture
def small_disk() -> Iterator[Path]:
    folder = make_folder()
    disk = folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=755", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        shutil.rmtree(folder)
        pytest.skip("needs the right to mount a small file system")
    try:
        yield disk
    finally:
        erase_engines(disk / "home")
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
        shutil.rmtree(folder)


def fill(disk: Path) -> None:
    """Take all the room that is left, to the last block."""
    with (disk / "filler").open("ab", buffering=0) as filler:
        for size in (1 << 20, 4096):
            try:
                while filler.write(b"\0" * size) == size:
                    pass
            except OSError:
                continue


def write_ahead_until_it_dies(url: str) -> None:
    """Fill PostgreSQL's log of changes, for which it needs a new file that it cannot have."""
    with (
        suppress(psycopg.OperationalError),
        psycopg.connect(url, autocommit=True) as connection,
    ):
        while True:
            connection.execute(
                "SELECT pg_logical_emit_message(false, 'test', string_agg(md5(n::text), '')) "
                "FROM generate_series(1, 20000) AS n"
            )


def says(up: Up, **checks: str) -> bool:
    """Whether `/readyz` is 503 with these checks."""
    status, found = up.readiness()
    return status == 503 and found["checks"].items() >= checks.items()


@pytest.mark.parametrize("log_is_on_it", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_full_disk_is_told_and_survived(small_disk: Path, log_is_on_it: bool) -> None:
    home = small_disk / "home"
    up = Up(
        home,
        free_port(),
        *("--bare", "--web-workers", "1", "--workers", "1"),
        log_folder=small_disk if log_is_on_it else small_disk.parent,
    )
    try:
        up.wait_until_ready()
        engines = find_engines(home)
        assert engines is not None
        assert engines.database_url is not None
        workers = up.pids("worker")
        load = open_load(
            f"http://127.0.0.1:{up.port}", home, Plan(agencies=1, villages=1, pace_s=0.2)
        )
        load.start()
        wait_for(lambda: load.tally.count("submit"), "work goes on")

        fill(small_disk)
        full = {"database": "has no room on its disk", "redis": "takes nothing"}
        wait_for(lambda: says(up, **full), "both servers are found to be full")
        wait_for(lambda: "503 unavailable" in load.tally.kinds(), "what cannot be done says so")
        assert up.pids("worker") == workers

        write_ahead_until_it_dies(engines.database_url.replace("+psycopg", ""))
        wait_for(lambda: fill(small_disk) or says(up, database="does not answer"), "it has died")
        if not log_is_on_it:
            wait_for(lambda: fill(small_disk) or "it is tried again" in up.log, "it is tried again")
            assert "No space left on device" in up.log

        (small_disk / "filler").unlink()
        wait_for(up.is_ready, "all is well without anybody's help")
        load.finish(within_s=120)
        check(load)
        load.call_off()
        assert load.tally.broken == []
        assert "Traceback" not in up.log
    finally:
        up.close()
