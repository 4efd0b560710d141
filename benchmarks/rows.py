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
    rate: float | None = None
    """How many a second, where that says more than seconds."""

    @property
    def ratio(self) -> float:
        return self.seconds / self.bare_seconds

    @property
    def holds(self) -> bool:
        return self.ratio <= self.bar

    def as_dict(self) -> dict[str, Any]:
        more = {} if self.rate is None else {"rate": round(self.rate, 1)}
        return {
            **{name: value for name, value in asdict(self).items() if name != "rate"},
            "seconds": round(self.seconds, 3),
            "bare_seconds": round(self.bare_seconds, 3),
            "ratio": round(self.ratio, 2),
            "holds": self.holds,
            **more,
        }


def table(rows: list[Row]) -> str:
    """The rows as text."""
    lines = [
        f"{'row':14} {'cells':>10} {'seconds':>9} {'bare':>9} {'ratio':>6} {'bar':>5}  holds  a second"
    ]
    lines += [
        f"{row.name:14} {row.cells:>10,} {row.seconds:>9.2f} {row.bare_seconds:>9.2f} "
        f"{row.ratio:>6.2f} {row.bar:>5.2f}  {'yes' if row.holds else 'NO':5}"
        f"{'' if row.rate is None else f'{row.rate:>10,.0f}'}"
        for row in rows
    ]
    return "\n".join(lines)
