"""What this part tells upper ones, in the transaction that changes cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from oneform.values.cells import Cells


@dataclass(frozen=True, slots=True)
class CellsLocking:
    """Values of these cells come otherwise than by answers. Who waits for the cells is locked now,
    before anybody counts where they stand."""

    cells: Cells


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


@dataclass(frozen=True, slots=True)
class ChangesBegun:
    """Several changes follow. From now on the books are gathered, not moved."""


@dataclass(frozen=True, slots=True)
class ChangesEnded:
    """All changes since `ChangesBegun` are complete, and the books move now; or they `failed`."""

    failed: bool = False


@dataclass(frozen=True, slots=True)
class CellsRecordingAtOnce:
    """Few final cells are about to be written, by one statement to which upper parts add theirs.

    It stands for `CellsChanging`, `CellsRecorded` and `CellsChanged`, without their round trips.
    `parts` are CTEs that follow those of `values.recording`, in the order of the handlers; they see
    `matched`, and the tables as they were before. `columns` are added to its only row, which each of
    `then` gets afterwards. The asks of the cells are locked.
    """

    cells: Cells
    parts: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    then: list[Callable[[sa.Row[Any]], None]] = field(default_factory=list)
