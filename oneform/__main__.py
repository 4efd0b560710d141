"""The way in: what `oneform` runs, and `python -m oneform`.

Light, so that it is there at once: importing the rest takes a second or more on an old
machine, and Ctrl-C in that second is to end in a line as well, not in a stack trace.
"""

from __future__ import annotations

import os
import signal

INTERRUPTED = 130
"""Exit status, as shells give it for Ctrl-C."""


def _stop(*_: object) -> None:
    os.write(2, b"\nStopped.\n")
    os._exit(INTERRUPTED)  # nothing has begun that would want to be ended


def main() -> None:
    """Run the command line."""
    before = signal.getsignal(signal.SIGINT)
    listening = before is signal.default_int_handler  # not where Ctrl-C is to be ignored
    if listening:
        signal.signal(signal.SIGINT, _stop)

    from oneform import cli  # noqa: PLC0415 - what takes the time

    if listening:
        signal.signal(signal.SIGINT, before)
    cli.main(prog_name="oneform")


if __name__ == "__main__":
    main()
