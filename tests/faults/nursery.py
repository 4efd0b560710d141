"""Processes that live for one deed, and end where they are told to.

They are forked from a process that has loaded and built everything, and that has no thread and no
connection: so each is as fresh as one that was just started, at the cost of a fork.
"""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import pickle
import signal
import sys
import traceback
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

import structlog
from boundaries import Boundary, Walk
from doings import Doing, Program

from oneform.app import create_app
from oneform.config import Settings
from oneform.kernel.clock import FixedClock
from oneform.runtime import Runtime
from oneform.sources import fetching
from workers import perform

LONGEST_LIFE_S = 3600.0


@dataclass(slots=True)
class Life:
    """What became of a process."""

    boundaries: list[Boundary] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)
    """What it had to say of each thing that it did, as far as it came to that."""
    killed: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    doings: tuple[Doing, ...]
    at: int | None
    days: int


class Nursery:
    """The process from which the others are forked. Close it."""

    def __init__(self, settings: Settings, clock: FixedClock) -> None:
        ours, theirs = multiprocessing.Pipe()
        self._pipe = ours
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(target=_keep, args=(theirs, settings, clock.now()))
        self._process.start()
        theirs.close()

    def live(self, *doings: Doing, at: int | None = None, days: int = 0) -> Life:
        """Have a process do something, `days` after the day of the tests, and end at a boundary."""
        self._pipe.send(Order(doings, at, days))
        life = self._pipe.recv()
        assert isinstance(life, Life), life
        return life

    def close(self) -> None:
        self._pipe.close()
        self._process.join()
        self._process.close()


def _keep(pipe: Connection, settings: Settings, now: Any) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    fetching.RETRY_PAUSES_S = ()
    # On a slow machine a lease would be renewed at one boundary or another.
    perform.LEASE_S = LONGEST_LIFE_S
    runtime = Runtime(settings, clock=FixedClock(now))
    # What the dialect asks at its first connection is none of the deeds' business.
    runtime.engine.connect().close()
    runtime.engine.dispose()
    perform._runtime = runtime  # what RQ calls finds it there
    program = Program(runtime, create_app(runtime))
    # A collector that went through all of this in every child would copy it there.
    gc.collect()
    gc.freeze()
    while True:
        try:
            order = pipe.recv()
        except EOFError:
            return
        pipe.send(_raise_child(program, order))


def _raise_child(program: Program, order: Order) -> Life | str:
    """Fork, listen, and say what became of it; the words of an error that it died of."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _live(program, order, writing)
    os.close(writing)
    life = Life()
    trouble = ""
    with os.fdopen(reading, "rb") as heard:
        while True:
            try:
                told = pickle.load(heard)
            except EOFError:
                break
            match told:
                case Boundary():
                    life.boundaries.append(told)
                case ("answer", answer):
                    life.answers.append(answer)
                case ("trouble", trouble):
                    pass
    _, status = os.waitpid(child, 0)
    life.killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return trouble or life


def _live(program: Program, order: Order, writing: int) -> None:
    """The whole life of a child. Never returns."""

    def tell(what: object) -> None:
        os.write(writing, pickle.dumps(what))

    try:
        program.pass_days(order.days)
        walk = Walk(tell, order.at)
        walk.begin()
        for doing in order.doings:
            tell(("answer", doing.do(program)))
            walk.reach("answered")
    except BaseException:
        tell(("trouble", traceback.format_exc()))
    finally:
        sys.stdout.flush()
        os._exit(0)
