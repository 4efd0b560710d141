"""One row of the table: a measure beside the bare engine, in the same run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """`ratio` is seconds / bare_seconds; it holds while it is at most `bar`."""

    name: str
    cells: int
    seconds: float
    bare_seconds: float
    bar: float
    rate: float | None = None
    """How many a second, where that says more than seconds; for the table."""

    @property
    def ratio(self) -> float:
        return self.seconds / self.bare_seconds

    @property
    def holds(self) -> bool:
        return self.ratio <= self.bar

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "cells": self.cells,
            "seconds": round(self.seconds, 6),
            "bare_seconds": round(self.bare_seconds, 6),
            "ratio": round(self.ratio, 3),
            "bar": round(self.bar, 3),
            "holds": self.holds,
        }


def table(rows: Sequence[Row]) -> str:
    """The rows as text; times of less than a second in milliseconds."""
    heads = f"{'row':16} {'cells':>10} {'time':>10} {'bare':>10} {'ratio':>6} {'bar':>6}"
    lines = [f"{heads}  holds  a second"]
    lines += [
        f"{row.name:16} {row.cells:>10,} {_time(row.seconds):>10} {_time(row.bare_seconds):>10} "
        f"{row.ratio:>6.2f} {row.bar:>6.2f}  {'yes' if row.holds else 'NO':5}"
        f"{'' if row.rate is None else f'{row.rate:>10,.0f}'}".rstrip()
        for row in rows
    ]
    return "\n".join(lines)


def _time(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.2f} ms"


def write(rows: Sequence[Row], path: Path) -> None:
    """The rows as JSON, a list (API.md, section 8)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([row.as_dict() for row in rows], indent=1) + "\n")
