"""Times that a busy machine does not spoil: both sides taken turn by turn, and their medians."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Sequence

ROUNDS = 3

Measure = Callable[[], float]
"""Does the work once; the seconds that count."""


def timed(work: Callable[[], object]) -> float:
    """Seconds that `work` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def drained(chunks: Iterable[object]) -> float:
    """Seconds until the last chunk was taken."""

    def drain() -> None:
        for _ in chunks:
            pass

    return timed(drain)


def in_turn(*sides: Measure, rounds: int = ROUNDS) -> list[float]:
    """The median of each side, measured in turn: what slows the machine for a while slows all."""
    taken: list[Sequence[float]] = [[side() for side in sides] for _ in range(rounds)]
    return [statistics.median(times) for times in zip(*taken, strict=True)]
