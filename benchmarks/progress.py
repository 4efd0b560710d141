"""What a run is at, on standard error: the table alone goes to standard output."""

from __future__ import annotations

import sys


def tell(words: str) -> None:
    print(f"  {words}", file=sys.stderr, flush=True)
