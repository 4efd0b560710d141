"""What all clients have in common: a turn, a pause, another turn, until there is nothing to do."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass
from random import Random
from typing import Any

from benchmarks.load.calling import Caller, GaveUp
from benchmarks.load.promises import Promises
from benchmarks.load.tally import Tally
from benchmarks.load.world import PASSWORD, World


@dataclass
class Course:
    """How far the load is, for all clients."""

    finishing: threading.Event
    """No new requests are made; what was begun is finished."""
    finished: threading.Event
    """No agency waits for anything any more."""
    called_off: threading.Event


class Client(ABC):
    """One client, on a thread of its own."""

    def __init__(
        self,
        name: str,
        address: str,
        world: World,
        promises: Promises,
        tally: Tally,
        course: Course,
    ) -> None:
        self.name = name
        self.world, self.promises, self.tally, self.course = world, promises, tally, course
        self.rng = Random(f"{world.plan.seed}:{name}")
        self.caller = Caller(address, tally, course.called_off)
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    @abstractmethod
    def sign_in(self) -> None: ...

    @abstractmethod
    def turn(self) -> bool:
        """Do one thing; False when nothing is left to do."""

    def log_in(self, username: str) -> None:
        answer = self.caller.call(
            "log in", "POST", "/sessions", body={"username": username, "password": PASSWORD}
        )
        self.caller.use(answer.body["token"])

    def broken(self, what: str, detail: Any = "") -> None:
        self.tally.break_(f"{self.name}: {what} {detail}".rstrip())

    def _run(self) -> None:
        pace = self.world.plan.pace_s
        try:
            self.sign_in()
            while self.turn():
                # Half of the mean at the least, so that nobody calls without a breath.
                pause = pace and pace / 2 + self.rng.expovariate(2 / pace)
                if self.course.called_off.wait(pause):
                    break
        except GaveUp as error:
            if not self.course.called_off.is_set():
                self.broken(str(error))
        except Exception as error:
            self.broken("the client itself failed:", repr(error))
            raise
        finally:
            self.caller.close()
