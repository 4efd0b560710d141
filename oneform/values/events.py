"""What this part tells upper ones, in the transaction that changes cells."""

from __future__ import annotations

from dataclasses import dataclass

from oneform.values.cells import Cells


@dataclass(frozen=True, slots=True)
class CellsChanging:
    """Something about these cells (values, asks) is about to change. The books are read now."""

    cells: Cells


@dataclass(frozen=True, slots=True)
class CellsRecorded:
    """Values of these cells have been written. Asks that they answer end now."""

    cells: Cells


@dataclass(frozen=True, slots=True)
class CellsChanged:
    """The change is complete. The books are brought up to date now."""

    cells: Cells
