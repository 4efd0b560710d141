"""One row of the table: a measure beside the bare engine, in the same run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """`ratio` is seconds / bare_seconds; it holds while it is at most `bar`."""

    name: str
    cells: int
    seconds: float
    bare_seconds: float
    bar: float

    @property
    def ratio(self) -> float:
        return self.seconds / self.bare_seconds

    @property
    def holds(self) -> bool:
        return self.ratio <= self.bar

    def as_dict(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "seconds": round(self.seconds, 3),
            "bare_seconds": round(self.bare_seconds, 3),
            "ratio": round(self.ratio, 2),
            "holds": self.holds,
        }


def table(rows: list[Row]) -> str:
    """The rows as text."""
    lines = [f"{'row':14} {'cells':>10} {'seconds':>9} {'bare':>9} {'ratio':>6} {'bar':>5}  holds"]
    lines += [
        f"{row.name:14} {row.cells:>10,} {row.seconds:>9.2f} {row.bare_seconds:>9.2f} "
        f"{row.ratio:>6.2f} {row.bar:>5.1f}  {'yes' if row.holds else 'NO'}"
        for row in rows
    ]
    return "\n".join(lines)
