"""A watch over a running installation: memory, descriptors, and connections left in transactions."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from installation import Up

KINDS = ("web", "worker", "relay", "cron")
MASTER = "master"
"""Gunicorn's own process, which has a web process's title and none of its work."""
MIB = 1024 * 1024
PAGE = os.sysconf("SC_PAGE_SIZE")

_LEFT_OPEN = """
SELECT application_name, extract(epoch FROM clock_timestamp() - state_change), left(query, 100)
FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND datname = current_database()
"""


@dataclass
class Series:
    """Of one process: seconds, bytes of memory (RSS), open descriptors."""

    kind: str
    at: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)

    def after(self, warm_up_s: float) -> Series:
        """What was seen when the process was older than that, by the first look at it."""
        start = next((n for n, at in enumerate(self.at) if at - self.at[0] >= warm_up_s), None)
        keep = slice(len(self.at) if start is None else start, None)
        return Series(self.kind, self.at[keep], self.memory[keep], self.descriptors[keep])

    @property
    def seconds(self) -> float:
        return self.at[-1] - self.at[0] if self.at else 0.0

    def slope(self, values: list[int]) -> float:
        """Growth of the values an hour: the median of all slopes (Theil and Sen).

        A single step, such as one large export, moves it little; steady growth, all of it.
        """
        step = max(1, len(self.at) // 200)
        points = list(zip(self.at[::step], values[::step], strict=True))
        slopes = [(w - v) / (b - a) for (a, v), (b, w) in combinations(points, 2) if b > a]
        return 3600 * statistics.median(slopes)


class Watch:
    """Looks every `every_s` seconds, on a thread of its own, as long as the block lasts."""

    def __init__(self, up: Up, database_url: str, *, every_s: float = 1.0) -> None:
        self.series: dict[int, Series] = {}
        self.left_open: dict[str, float] = defaultdict(float)
        """Longest that a connection was seen waiting within a transaction, by who and with what."""
        self._up, self._every_s = up, every_s
        self._url = database_url.replace("+psycopg", "")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def longest_open(self) -> tuple[float, str]:
        return max(((seconds, who) for who, seconds in self.left_open.items()), default=(0.0, ""))

    def _run(self) -> None:
        with psycopg.connect(self._url, autocommit=True, application_name="watch") as connection:
            while not self._over.wait(self._every_s):
                for kind in KINDS:
                    pids = self._up.pids(kind)
                    for pid in pids:
                        is_master = kind == "web" and pid == pids[0]
                        self._look(MASTER if is_master else kind, pid)
                for name, seconds, query in connection.execute(_LEFT_OPEN):
                    who = f"{name}: {query}"
                    self.left_open[who] = max(self.left_open[who], float(seconds))

    def _look(self, kind: str, pid: int) -> None:
        try:
            memory = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
            descriptors = len(os.listdir(f"/proc/{pid}/fd"))
        except OSError:
            return
        series = self.series.setdefault(pid, Series(kind))
        series.at.append(time.monotonic())
        series.memory.append(memory)
        series.descriptors.append(descriptors)
