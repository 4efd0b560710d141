"""What ends a command that stays: Ctrl-C, SIGTERM, and a terminal that is closed."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn

AGAIN_S = 0.01
"""After so long an interrupt that Python has ignored comes again."""

Handler = Callable[[int, FrameType | None], object]


@contextlib.contextmanager
def signals_to(handler: Handler) -> Iterator[None]:
    """Ctrl-C, SIGTERM and the end of the terminal come to `handler`; afterwards to whom they came
    before."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # not under nohup
        numbers.append(signal.SIGHUP)
    before = {}
    try:
        for number in numbers:
            before[number] = signal.signal(number, handler)
        yield
    finally:
        for number, earlier in before.items():
            if earlier is not None:  # not Python's
                signal.signal(number, earlier)


class Interrupts:
    """They come as KeyboardInterrupt: once, and not within what is to be done as a whole."""

    def __init__(self) -> None:
        self._whole = 0
        self._waiting = False
        self._given = False

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """What is within is ended by them; its cleaning up is not interrupted any more."""
        self._waiting = self._given = False
        before = sys.unraisablehook

        def again(lost: sys.UnraisableHookArgs) -> None:
            # Python ignores whatever is raised while it finalizes an object, this as well.
            if lost.exc_type is not KeyboardInterrupt:
                before(lost)
                return
            self._given = False
            timer = threading.Timer(AGAIN_S, os.kill, (os.getpid(), signal.SIGINT))
            timer.daemon = True
            timer.start()

        sys.unraisablehook = again
        try:
            with signals_to(self._receive):
                yield
        finally:
            sys.unraisablehook = before

    @contextlib.contextmanager
    def unbroken(self) -> Iterator[None]:
        """What is within is short, and is done to its end before anything is interrupted."""
        self._whole += 1
        try:
            yield
        finally:
            self._whole -= 1
            if self._waiting and not self._whole:
                self._waiting = False
                raise KeyboardInterrupt

    def cease(self) -> None:
        """What follows is the cleaning up; nothing interrupts it any more."""
        self._given = True

    def interrupt(self) -> NoReturn:
        """Interrupt it ourselves."""
        self._given = True
        raise KeyboardInterrupt

    def _receive(self, *_: object) -> None:
        if self._given:
            return
        self._given = True
        if self._whole:
            self._waiting = True
        else:
            raise KeyboardInterrupt


class Terminal:
    """The terminal in whose foreground we run, if there is one.

    Its end is told to the first process of its session. That passes it on if it is a shell; `make`
    does not, and waits for us: so we look ourselves.
    """

    def __init__(self) -> None:
        self._descriptor: int | None = None
        self._in_front = False
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # not under nohup
            with contextlib.suppress(OSError):
                self._descriptor = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)

    def is_closed(self) -> bool:
        """Whether it was closed while we ran in its foreground."""
        if self._descriptor is None:
            return False
        try:
            self._in_front = os.tcgetpgrp(self._descriptor) == os.getpgrp()
        except OSError:
            return self._in_front
        return False

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
