"""The way in: what `oneform` runs, and `python -m oneform`."""

from __future__ import annotations

import os
import sys

from oneform import interrupting


def main() -> None:
    """Run the command line."""
    interrupting.stop_at_once()
    # What is imported takes seconds on an old machine; somebody who looks on is told at once.
    if sys.argv[1:2] == ["demo"] and not {"-h", "--help"} & set(sys.argv) and os.isatty(2):
        os.write(2, "Starting oneform …\n".encode())

    from oneform import cli  # noqa: PLC0415 - what takes the time

    cli.main(prog_name="oneform")


if __name__ == "__main__":
    main()
