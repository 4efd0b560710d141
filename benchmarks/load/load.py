"""All clients together: begun, finished, checked."""

from __future__ import annotations

import threading
import time
from typing import TypeVar

from benchmarks.load.agencies import AgencyClient
from benchmarks.load.client import Client, Course
from benchmarks.load.promises import Promises
from benchmarks.load.reviewers import ReviewerClient
from benchmarks.load.tally import Tally
from benchmarks.load.villages import VillageClient
from benchmarks.load.world import World

C = TypeVar("C", bound=Client)


class Load:
    """The clients of a world, at work on an installation.

    `promises` are those of an earlier load on the same world: they hold still.
    """

    def __init__(self, address: str, world: World, promises: Promises | None = None) -> None:
        self.address, self.world = address, world
        self.promises, self.tally = promises or Promises(), Tally()
        self.course = Course(threading.Event(), threading.Event(), threading.Event())
        self.agencies: list[Client] = []
        self.others: list[Client] = []
        for number in range(world.plan.agencies):
            agency = self._make(AgencyClient, f"agency {number}")
            agency.number = number
            self.agencies.append(agency)
        for code in world.villages:
            village = self._make(VillageClient, f"village {code}")
            village.village = code
            self.others.append(village)
        for code in world.townships:
            reviewer = self._make(ReviewerClient, f"township {code}")
            reviewer.township = code
            self.others.append(reviewer)

    def _make(self, kind: type[C], name: str) -> C:
        return kind(name, self.address, self.world, self.promises, self.tally, self.course)

    def start(self) -> None:
        for client in (*self.others, *self.agencies):
            client.thread.start()

    def finish(self, within_s: float) -> None:
        """Make no new requests, and answer what is open; what is left then is broken."""
        self.course.finishing.set()
        deadline = time.monotonic() + within_s
        for clients in (self.agencies, self.others):
            for client in clients:
                client.thread.join(max(0.0, deadline - time.monotonic()))
                if client.thread.is_alive():
                    client.broken("is not finished")
            self.course.finished.set()
        self.call_off()

    def call_off(self) -> None:
        """End the clients wherever they are."""
        self.course.called_off.set()
        for client in (*self.agencies, *self.others):
            if client.thread.ident is not None:
                client.thread.join()
