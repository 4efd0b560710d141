"""Ctrl-C while a command is yet to begin. Light: it is there before the rest is imported.

Importing the rest takes seconds on an old machine, and Ctrl-C in these is to end in a line as
well, not in a stack trace.
"""

from __future__ import annotations

import os
import signal

INTERRUPTED = 130
"""Exit status, as shells give it for Ctrl-C."""


def stop_at_once() -> None:
    """From here on Ctrl-C ends the process with a line, for as long as nothing has begun."""
    # Not where Ctrl-C is to be ignored.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _stop)


def raise_from_here() -> None:
    """From here on Ctrl-C is a KeyboardInterrupt again: what has begun cleans up after itself."""
    if signal.getsignal(signal.SIGINT) is _stop:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _stop(*_: object) -> None:
    os.write(2, b"\nStopped.\n")
    os._exit(INTERRUPTED)
