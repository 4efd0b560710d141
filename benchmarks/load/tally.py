"""What the clients met: how often, how long it took, what else came back."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

MOST_BROKEN = 200


class Tally:
    """Counts of all clients together. `broken` are promises that were not kept, in words."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: dict[str, list[float]] = defaultdict(list)
        self._answered_at: dict[str, list[float]] = defaultdict(list)
        self._others: Counter[tuple[str, str]] = Counter()
        self.broken: list[str] = []
        self.began_at = time.monotonic()

    def answered(self, operation: str, seconds: float) -> None:
        """One more call that was answered 2xx."""
        with self._lock:
            self._seconds[operation].append(seconds)
            self._answered_at[operation].append(time.monotonic())

    def met(self, operation: str, kind: str) -> None:
        """One more answer that was not 2xx, or none at all."""
        with self._lock:
            self._others[operation, kind] += 1

    def break_(self, what: str) -> None:
        """A promise was not kept."""
        with self._lock:
            if len(self.broken) < MOST_BROKEN:
                self.broken.append(what)

    def count(self, operation: str) -> int:
        return len(self._seconds[operation])

    def kinds(self) -> set[str]:
        """All that came back but 2xx."""
        return {kind for _, kind in self._others}

    def first_after(self, moment: float, operation: str) -> float | None:
        """When (of `time.monotonic`) the operation was first answered 2xx after a moment."""
        return next((at for at in self._answered_at[operation] if at > moment), None)

    def as_dict(self) -> dict[str, Any]:
        seconds = time.monotonic() - self.began_at
        with self._lock:
            operations = {
                name: {
                    "answered": len(taken),
                    "per_second": round(len(taken) / seconds, 2),
                    **{
                        f"p{share}_ms": round(percentile(taken, share) * 1000, 1)
                        for share in (50, 95, 99)
                    },
                    "max_ms": round(max(taken) * 1000, 1),
                    "others": {
                        kind: n for (of, kind), n in sorted(self._others.items()) if of == name
                    },
                }
                for name, taken in sorted(self._seconds.items())
                if taken
            }
            return {"seconds": round(seconds, 1), "operations": operations, "broken": self.broken}


def percentile(values: Sequence[float], share: int) -> float:
    """The value that `share` percent of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * share // 100)]


def table(found: dict[str, Any]) -> str:
    """A tally (`Tally.as_dict`) as text."""
    head = f"{'operation':18} {'answered':>9} {'a second':>9} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8}"
    lines = [f"{found['seconds']:.0f} seconds", head]
    for name, row in found["operations"].items():
        others = ", ".join(f"{n} × {kind}" for kind, n in row["others"].items())
        lines.append(
            f"{name:18} {row['answered']:>9,} {row['per_second']:>9.2f} {row['p50_ms']:>8.1f} "
            f"{row['p95_ms']:>8.1f} {row['p99_ms']:>8.1f}  {others}".rstrip()
        )
    lines += [f"BROKEN: {what}" for what in found["broken"]]
    return "\n".join(lines)
