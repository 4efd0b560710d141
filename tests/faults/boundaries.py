"""The switch, for tests only: boundaries of statements, at one of which something is done.

Boundaries are found where the drivers go to their servers: before and after each statement, each
COMMIT and ROLLBACK, each block of a COPY, each command to Redis. Nobody lists them.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import psycopg
import redis.connection

Reached = Callable[["Boundary"], None]


@dataclass(frozen=True, slots=True)
class Boundary:
    """One instant of a run, by its number (from 1)."""

    number: int
    name: str
    commits: bool = False
    """What went before it has just become durable."""


@dataclass
class Walk:
    """Counts the boundaries that this process reaches and tells each; does something at one."""

    tell: Reached
    at: int | None = None
    do: Callable[[], None] = field(default=lambda: os.kill(os.getpid(), signal.SIGKILL))
    reached: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reach(self, name: str, *, commits: bool = False) -> None:
        with self.lock:
            self.reached += 1
            here = Boundary(self.reached, name, commits)
            self.tell(here)
        if here.number == self.at:
            self.do()

    def begin(self, patch: Callable[[Any, str, Any], None] = setattr) -> None:
        """From here on all that this process sends is walked."""
        self._walk_postgres(patch)
        self._walk_redis(patch)

    def _walk_postgres(self, patch: Callable[[Any, str, Any], None]) -> None:
        wait = psycopg.Connection.wait

        def walked(
            connection: Any, work: Generator[Any, Any, Any], *more: Any, **other: Any
        ) -> Any:
            name = _name_of(work)
            self.reach(f"before {name}")
            result = wait(connection, work, *more, **other)
            durable = name == "COMMIT" or (connection.autocommit and not name.startswith("("))
            self.reach(f"after {name}", commits=durable)
            return result

        patch(psycopg.Connection, "wait", walked)

    def _walk_redis(self, patch: Callable[[Any, str, Any], None]) -> None:
        send = redis.connection.AbstractConnection.send_packed_command

        def walked(connection: Any, command: Any, *more: Any, **other: Any) -> None:
            # The first command's verb: `*3\r\n$4\r\nEVAL\r\n…`.
            packed = b"".join([command] if isinstance(command, bytes) else command)
            name = "redis " + packed.split(b"\r\n", 3)[2].decode()
            self.reach(f"before {name}")
            send(connection, command, *more, **other)
            self.reach(f"after {name}")

        patch(redis.connection.AbstractConnection, "send_packed_command", walked)


_VERBS = {"_commit_gen": "COMMIT", "_rollback_gen": "ROLLBACK"}


def _name_of(work: Generator[Any, Any, Any]) -> str:
    """A statement by its first words; what the driver does besides by its own name, in brackets."""
    name = getattr(work, "__name__", "") or type(work).__name__
    if name in _VERBS:
        return _VERBS[name]
    frame = getattr(work, "gi_frame", None)
    given = frame.f_locals if frame else {}
    statement = given.get("query", given.get("statement"))
    if statement is None:
        return f"({name})"
    if isinstance(statement, bytes):
        statement = statement.decode(errors="replace")
    return " ".join(str(statement).split())[:70]
