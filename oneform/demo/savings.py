"""How much villages were spared. Pure, and no more than can be counted.

Wanted: every cell that a department asked for, if the field is one that villages
are asked (fields that only come from registers count nothing). Put to villages:
each cell that had to be asked, once, whoever wants it. The rest was spared. A
cell weighs the seconds that the whitelist estimates for one answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Cell = tuple[str, str]
"""Subject and field, of one period."""

PUT_TO_VILLAGES = frozenset({"asked", "answered", "refused"})


@dataclass(frozen=True, slots=True)
class Savings:
    wanted: int
    put: int
    spared_seconds: int
    put_seconds: int

    @property
    def spared(self) -> int:
        return self.wanted - self.put

    @property
    def minutes(self) -> int:
        return round(self.spared_seconds / 60)


def savings_of(requests: Iterable[Mapping[Cell, str]], seconds_of: Mapping[str, int]) -> Savings:
    """The savings of some requests together: the status of each cell of each, and the seconds of fields."""
    wanted = wanted_seconds = 0
    put: set[Cell] = set()
    for cells in requests:
        for cell, status in cells.items():
            seconds = seconds_of[cell[1]]
            if seconds:
                wanted += 1
                wanted_seconds += seconds
                if status in PUT_TO_VILLAGES:
                    put.add(cell)
    put_seconds = sum(seconds_of[field] for _, field in put)
    return Savings(wanted, len(put), wanted_seconds - put_seconds, put_seconds)


def joined_cells(earlier: Mapping[Cell, str], later: Mapping[Cell, str]) -> int:
    """Cells that two requests both wait for, or waited for: one answer serves both."""
    return sum(
        1
        for cell, status in later.items()
        if status in PUT_TO_VILLAGES and earlier.get(cell) in PUT_TO_VILLAGES
    )
