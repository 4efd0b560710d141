"""Keeps the processes of one machine running: starts them, restarts what dies, stops them cleanly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog

from oneform.cli.interrupts import signals_to
from oneform.runtime.lifeline import VARIABLE

log = structlog.get_logger(__name__)

STOP_WITHIN_S = 30.0
"""How long a process may take to finish the work in hand; then it is killed."""

MOST_DEATHS = 4
"""So often a process may end before everything was ready once; then it cannot start."""

REASON_WITHIN_S = 10.0
"""How long a process that cannot start is listened to."""

QUICK_DEATH_S = 5.0
LONGEST_PAUSE_S = 10.0
_LOOK_S = 0.05

NOWHERE = "/"
"""Where processes run: Python imports from its current folder, so that a file `redis.py` in the
user's would be run instead of the library, and a checkout `oneform` be taken for the package. Here
only root can put one. What they are told about folders is therefore absolute."""


class CannotStart(Exception):
    """One line: which process ends whenever it is started, and the last that it said."""


class Signals:
    """What the terminal or the operator has sent: the first asks to stop, the second to be quick.

    Where `interrupting`, the first is raised as KeyboardInterrupt instead of being noted only.
    """

    def __init__(self) -> None:
        self.received = 0
        self._raises = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """They come to us within."""
        with signals_to(self._receive):
            yield

    def _receive(self, *_: object) -> None:
        self.received += 1
        if self._raises and self.received == 1:
            raise KeyboardInterrupt

    @contextmanager
    def interrupting(self) -> Iterator[None]:
        """For what takes long, and cleans up after itself when it is interrupted."""
        self._raises = True
        try:
            if self.received:
                raise KeyboardInterrupt
            yield
        finally:
            self._raises = False


@dataclass
class Child:
    """One supervised process, through all its lives."""

    name: str
    command: Sequence[str]
    descriptors: Collection[int] = ()
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause: float = 0.0
    start_at: float = 0.0
    deaths: int = 0


@dataclass
class Supervisor:
    """Runs children with one environment until told to stop.

    They hold the other end of a pipe of ours as their standard input, and end when we are gone.
    """

    environment: Mapping[str, str]
    signals: Signals
    children: list[Child] = field(default_factory=list)
    stopping: bool = False
    has_been_ready: bool = False
    """From then on a process that dies is started again for as long as it takes."""

    def __post_init__(self) -> None:
        self._their_end, self._our_end = os.pipe()

    def add(self, name: str, command: Sequence[str], *, descriptors: Collection[int] = ()) -> None:
        """One more process; it inherits `descriptors`."""
        self.children.append(Child(name, command, descriptors))

    def request_stop(self) -> None:
        self.stopping = True

    def start_all(self) -> None:
        for child in self.children:
            self._start(child)

    def _start(self, child: Child) -> None:
        child.process = subprocess.Popen(
            child.command,
            cwd=NOWHERE,
            env={**self.environment, VARIABLE: "1"},
            stdin=self._their_end,
            stdout=sys.stderr.fileno(),
            pass_fds=tuple(child.descriptors),
            # A session of its own: Ctrl-C reaches only us, and we stop them in order.
            start_new_session=True,
        )
        child.started_at = time.monotonic()

    def watch(self, each_round: Callable[[], None], pause_s: float = 0.2) -> None:
        """Restart what dies until a signal or `request_stop`; `each_round` is called in between.

        CannotStart.
        """
        while not (self.stopping or self.signals.received):
            self.look_after_all()
            each_round()
            time.sleep(pause_s)

    def look_after_all(self) -> None:
        """Look at every process once, and start again what has died. CannotStart."""
        for child in self.children:
            self._look_after(child)

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.start_at:
                self._start(child)
            return
        status = child.process.poll()
        if status is None:
            return
        if not self.has_been_ready:
            child.deaths += 1
            if child.deaths >= MOST_DEATHS:
                child.process = None
                raise CannotStart(f"{child.name} cannot start: {self._last_words(child, status)}")
        quick = now - child.started_at < QUICK_DEATH_S
        child.pause = min(max(0.5, child.pause * 2), LONGEST_PAUSE_S) if quick else 0.0
        child.start_at = now + child.pause
        child.process = None
        tell = log.info if status == 0 else log.warning
        tell("process ended and is started again", process=child.name, status=_words(status))

    def _last_words(self, child: Child, status: int) -> str:
        """The last line of its errors, from one more start that is listened to."""
        try:
            done = subprocess.run(
                child.command,
                cwd=NOWHERE,
                env={**self.environment, VARIABLE: "1"},
                stdin=self._their_end,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=tuple(child.descriptors),
                timeout=REASON_WITHIN_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"it ended with {_words(status)}"
        lines = done.stderr.decode(errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return said[-1] if said else f"it ended with {_words(done.returncode)}"

    def stop_all(self) -> None:
        """Ask every process to finish; kill what does not in time, or at a second signal."""
        received = self.signals.received
        running = [child for child in self.children if child.process is not None]
        for child in running:
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + STOP_WITHIN_S
        while alive := [child for child in running if _is_alive(child)]:
            if time.monotonic() >= deadline or self.signals.received > max(1, received):
                for child in alive:
                    log.warning("process is killed, it does not end", process=child.name)
                    _signal(child, signal.SIGKILL)
                for child in alive:
                    assert child.process is not None
                    child.process.wait()
            time.sleep(_LOOK_S)
        os.close(self._our_end)
        os.close(self._their_end)


def _is_alive(child: Child) -> bool:
    return child.process is not None and child.process.poll() is None


def _signal(child: Child, number: signal.Signals) -> None:
    if _is_alive(child):
        assert child.process is not None
        child.process.send_signal(number)


def _words(status: int) -> str:
    """An exit status as an operator reads it."""
    return str(status) if status >= 0 else signal.Signals(-status).name
