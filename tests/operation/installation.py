"""A whole installation under test: `oneform` commands as processes, and a look at what runs."""

from __future__ import annotations

import functools
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

PROJECT = Path(__file__).parents[2]
PATIENCE_S = 120.0
USER = 65534
"""An ordinary user, whom root becomes; on every machine `nobody`."""


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Wait until something holds; the limit only ends a test that has failed."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"still waiting: {what}")
        time.sleep(0.05)
    return found


def make_folder() -> Path:
    """Unlike pytest's own it can be crossed by the account that root gives the engines to."""
    folder = Path(tempfile.mkdtemp(prefix="oneform-up-"))
    folder.chmod(0o755)
    return folder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(home: Path, **settings: str) -> dict[str, str]:
    """What a command is told; nothing of the settings of whoever runs the tests."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("ONEFORM_")}
    return {
        **kept,
        "ONEFORM_HOME": str(home),
        "PYTHONPATH": os.pathsep.join([str(PROJECT), *filter(None, sys.path)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        **settings,
    }


@functools.cache
def python_for(user: int | None) -> str | None:
    """A Python that this user can run oneform with; None where there is none."""
    own = shutil.which(f"python{sys.version_info.major}.{sys.version_info.minor}", path=os.defpath)
    for candidate in filter(None, [sys.executable, own]):
        try:
            done = subprocess.run(
                [candidate, "-c", "import oneform.cli.up"],
                env=environment(Path("/nonexistent")),
                cwd="/",
                capture_output=True,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
                check=False,
            )
        except OSError:
            continue
        if done.returncode == 0:
            return candidate
    return None


def command(*arguments: str, python: str = sys.executable) -> list[str]:
    return [python, "-c", "from oneform.cli import main; main()", *arguments]


def run(
    home: Path, *arguments: str, stdin: bytes | None = None, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        command(*arguments),
        env=environment(home, **settings),
        input=None if stdin is None else stdin.decode(),
        capture_output=True,
        text=True,
        check=False,
    )


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def is_running(pid: int) -> bool:
    stat = _stat(pid)
    return bool(stat) and stat[0] not in "ZX"


def title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
    except OSError:
        return ""


def descendants(pid: int) -> list[int]:
    """All processes that stem from one, itself left out."""
    parents = {
        int(entry.name): int(stat[1])
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and (stat := _stat(int(entry.name))) and stat[0] not in "ZX"
    }
    found, look_at = [], [pid]
    while look_at:
        parent = look_at.pop()
        children = [child for child, of in parents.items() if of == parent]
        found += children
        look_at += children
    return found


def engines_of(home: Path) -> list[int]:
    """The servers of a data folder, wherever their files lie."""
    places = [str(home)]
    pointer = home / "engines-at"
    if pointer.exists():
        places.append(pointer.read_text().strip())
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit()
        and any(place in title(int(entry.name)).split("oneform up")[0] for place in places)
        and re.search(r"bin/postgres -D|valkey-server", title(int(entry.name)))
    ]


class Up:
    """A running `oneform up`."""

    def __init__(
        self,
        home: Path,
        port: int,
        *options: str,
        user: int | None = None,
        python: str = sys.executable,
        log_folder: Path | None = None,
        **settings: str,
    ) -> None:
        self.home, self.port = home, port
        log = f"{home.name}-{time.monotonic_ns()}.log"
        self._log = ((log_folder or home.parent) / log).open("w+")
        self.process = subprocess.Popen(
            command("up", "--port", str(port), *options, python=python),
            env=environment(home, **settings),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )

    @property
    def log(self) -> str:
        self._log.seek(0)
        return self._log.read()

    def wait_until_ready(self) -> str:
        """The line that it prints then."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"it ended with {self.process.wait()}: {self.log}"
        return line

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body of an answer; status 0 where nobody answers."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}{path}", timeout=30
            ) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except OSError:
            return 0, b""

    def metrics(self) -> str:
        return self.get("/metrics")[1].decode()

    def readiness(self) -> tuple[int, dict[str, Any]]:
        """Status and body of `/readyz`; status 0 where nobody answers."""
        status, body = self.get("/readyz")
        return status, orjson.loads(body) if status else {}

    def is_ready(self) -> bool:
        status, found = self.readiness()
        return status == 200 and found["status"] == "ok"

    def pids(self, kind: str) -> list[int]:
        """The processes with the title of a kind, those of gunicorn's master first."""
        found = [pid for pid in descendants(self.process.pid) if title(pid) == f"oneform: {kind}"]
        return sorted(found, key=lambda pid: (_stat(pid)[1:2] != [str(self.process.pid)], pid))

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop it cleanly; its status."""
        self.process.send_signal(number)
        return self.process.wait()

    def close(self) -> None:
        """End it whatever its state."""
        if self.process.poll() is None:
            self.stop()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._log.close()


def none_is_running(pids: Sequence[int]) -> bool:
    return not any(map(is_running, pids))
