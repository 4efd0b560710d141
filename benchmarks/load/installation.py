"""An installation to work on: `oneform up` in a temporary folder."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.load.load import Load
from benchmarks.load.world import Plan, World, build_world
from oneform.config import Settings
from oneform.engines import erase_engines, find_engines
from oneform.runtime import Runtime


class NotStarted(Exception):
    """`oneform up` did not get ready; the message is the end of its log."""


@contextmanager
def installed_load(plan: Plan, *, web_workers: int, workers: int) -> Iterator[Load]:
    """A load on an installation of its own. NotStarted."""
    with TemporaryDirectory(prefix="oneform-load-") as folder:
        Path(folder).chmod(0o755)  # it can be crossed by the account that root gives the engines to
        home, port = Path(folder) / "home", _free_port()
        with _running(home, port, web_workers, workers):
            yield open_load(f"http://127.0.0.1:{port}", home, plan)


def open_load(address: str, home: Path, plan: Plan) -> Load:
    """A load on an installation that runs in `home` and is empty but for that."""
    engines = find_engines(home)
    assert engines is not None
    assert engines.database_url is not None
    return Load(address, make_world(engines.database_url, plan))


def make_world(database_url: str, plan: Plan) -> World:
    """A world in an installation that is empty."""
    # Nothing is sealed with this key.
    runtime = Runtime(Settings(database_url=database_url, secret_key="l" * 40))
    try:
        return build_world(runtime, plan)
    finally:
        runtime.close()


@contextmanager
def _running(home: Path, port: int, web_workers: int, workers: int) -> Iterator[None]:
    log = home.with_name("up.log")
    kept = {name: text for name, text in os.environ.items() if not name.startswith("ONEFORM_")}
    command = [sys.executable, "-c", "from oneform.cli import main; main()", "up", "--bare"]
    command += ["--port", str(port), "--web-workers", str(web_workers), "--workers", str(workers)]
    with log.open("w") as errors:
        process = subprocess.Popen(
            command,
            env={**kept, "ONEFORM_HOME": str(home)},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    assert process.stdout is not None
    with process.stdout:
        try:
            if not process.stdout.readline():
                raise NotStarted("\n".join(log.read_text().splitlines()[-5:]))
            yield
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait()
            erase_engines(home)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
