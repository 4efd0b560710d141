"""Keeps the processes of one machine running: starts them, restarts what dies, stops them cleanly."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger()

STOP_WITHIN_S = 40
"""How long a process may take to finish the work in hand; then it is killed."""

QUICK_DEATH_S = 5
LONGEST_PAUSE_S = 10.0


@dataclass
class Child:
    """One supervised process, through all its lives."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause: float = 0.0
    start_at: float = 0.0


@dataclass
class Supervisor:
    """Runs children with one environment until told to stop."""

    environment: Mapping[str, str]
    children: list[Child] = field(default_factory=list)
    stopping: bool = False

    def add(self, name: str, command: Sequence[str], count: int = 1) -> None:
        self.children.extend(Child(name, command) for _ in range(count))

    def request_stop(self, *_: object) -> None:
        self.stopping = True

    def start_all(self) -> None:
        for child in self.children:
            self._start(child)

    def _start(self, child: Child) -> None:
        child.process = subprocess.Popen(
            child.command,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr.fileno(),
            # A session of its own: Ctrl-C reaches only us, and we stop them in order.
            start_new_session=True,
        )
        child.started_at = time.monotonic()

    def watch(self, each_round: Callable[[], None], pause_s: float = 0.2) -> None:
        """Restart what dies until `request_stop`; `each_round` is called between the looks."""
        while not self.stopping:
            for child in self.children:
                self._look_after(child)
            each_round()
            time.sleep(pause_s)

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.start_at:
                self._start(child)
            return
        status = child.process.poll()
        if status is None:
            return
        quick = now - child.started_at < QUICK_DEATH_S
        child.pause = min(max(0.5, child.pause * 2), LONGEST_PAUSE_S) if quick else 0.0
        child.start_at = now + child.pause
        child.process = None
        log.warning("process ended and is started again", process=child.name, status=status)

    def stop_all(self) -> None:
        """Ask every process to finish, in the order in which they were added; kill what does not."""
        running = [child for child in self.children if child.process is not None]
        for child in running:
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + STOP_WITHIN_S
        for child in running:
            assert child.process is not None
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("process is killed, it does not end", process=child.name)
                child.process.kill()
                child.process.wait()


def _signal(child: Child, number: int) -> None:
    assert child.process is not None
    if child.process.poll() is None:
        child.process.send_signal(number)
