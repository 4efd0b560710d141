"""Processes that end with the one that started them, also when that one is killed.

The parent holds the one end of a pipe and gives the other to its children as
their standard input: when the parent is gone, whatever ended it, the pipe is at
its end. Unlike Linux's parent-death signal this works everywhere, and for the
parent's death only.
"""

from __future__ import annotations

import os
import signal
import threading
import time

VARIABLE = "ENDS_WITH_STANDARD_INPUT"
"""Set for the children. Not `ONEFORM_…`: it is no setting."""

FINISH_WITHIN_S = 20.0


def end_with_parent() -> None:
    """Where the parent wants it: SIGTERM to this process when the parent is gone, then the end."""
    if os.environ.get(VARIABLE) != "1":
        return
    threading.Thread(target=_wait_for_end, name="lifeline", daemon=True).start()


def _wait_for_end() -> None:
    while os.read(0, 1024):
        pass
    # To the main thread itself: another one would not wake it from waiting.
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
    time.sleep(FINISH_WITHIN_S)
    os._exit(1)
