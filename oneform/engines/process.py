"""The process of one server: a child of ours, or one that a killed starter left.

Which process is whose is server.py's business; here is how one is begun and ended.
"""

import logging
import os
import re
import signal
import subprocess
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Self

from oneform.engines import processes
from oneform.engines.account import Account
from oneform.engines.errors import EngineError

logger = logging.getLogger(__name__)

# All that a server is told of its surroundings: nothing of ours, no secret, messages in English.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}

_KILLED_SECONDS = 60.0
_REAP_SECONDS = 5.0
_TAIL = 16 * 1024


class Process:
    """A running server."""

    def __init__(self, pid: int, child: subprocess.Popen[bytes] | None = None) -> None:
        self.pid = pid
        self._child = child
        self._watcher: subprocess.Popen[bytes] | None = None
        self._command_line = processes.command_line(pid)

    @classmethod
    def spawn(cls, command: Sequence[str], *, account: Account, log: BinaryIO, lock: int) -> Self:
        """Begin a server that outlives us. It inherits the descriptor `lock` and writes to `log`."""
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=ENVIRONMENT,
            pass_fds=[lock],
            start_new_session=True,  # the terminal's Ctrl-C is for us, not for the server
            umask=0o077,
            **account.run_as(),
        )
        return cls(child.pid, child)

    def end_with_us(self, account: Account) -> None:
        """Let a shell wait for our end (for that of a pipe from us), and stop the server then."""
        self._watcher = subprocess.Popen(
            ["/bin/sh", "-c", 'read _; kill -INT "$0"', str(self.pid)],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
            **account.run_as(),
        )

    def alive(self) -> bool:
        """Tell whether it still runs, and is still itself."""
        if self._child is not None:
            return self._child.poll() is None
        # The number of one that is not our child may be given to another as soon as it has ended.
        return (
            processes.is_running(self.pid)
            and processes.command_line(self.pid) == self._command_line
        )

    def stop(self, signals: Iterable[tuple[signal.Signals, float]]) -> None:
        """Send one signal after the other, each with its time to act, until the process ends."""
        for number, seconds in signals:
            if not self.alive():
                return
            processes.send(self.pid, number)
            if processes.wait_gone(self.pid, seconds):
                return
            logger.warning("process %d did not heed %s", self.pid, number.name)
        raise EngineError(f"process {self.pid} cannot be ended")

    def kill(self, folder: Path, program: str) -> None:
        """End it at once, with its children: those who run `program` in `folder`."""
        if self.alive():
            family = [self.pid, *processes.processes_in(folder, program)]
            for pid in family:
                processes.send(pid, signal.SIGKILL)
            for pid in family:
                processes.wait_gone(pid, _KILLED_SECONDS)

    def reap(self) -> None:
        """Take note of its end."""
        if self._watcher is not None:
            self._watcher.kill()
            self._watcher.communicate()
        if self._child is not None:
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(_REAP_SECONDS)

    def leave(self) -> None:
        """Let it live on without us."""
        if self._child is not None:
            self._child.returncode = 0  # else subprocess complains of a child not waited for


def last_line(log: Path, start: int = 0) -> str:
    """Return the last line after `start` that reports an end (FATAL, PANIC), or the last at all."""
    try:
        with log.open("rb") as file:
            file.seek(max(start, log.stat().st_size - _TAIL))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    lines = [line.strip() for line in lines if line.strip()]
    fatal = [line for line in lines if "FATAL:" in line or "PANIC:" in line]
    found = (fatal or lines or [""])[-1]
    return re.sub(r"^.*?\b(?=(?:FATAL|PANIC|ERROR|LOG):)", "", found)
