"""What the readers of files give: rows, and what is wrong with others between them. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from oneform.values.imports.conflicts import Conflict, ConflictCode


class FileFormat(StrEnum):
    CSV = "csv"
    JSONL = "jsonl"


REQUIRED = ("field", "subject", "value")
OPTIONAL = ("period", "observed_on")
MEMBERS = frozenset(REQUIRED + OPTIONAL)

ROWS_AT_ONCE = 5000
NO_VALUE = "there is no value: leave out what is not known"

Row = tuple[int, str, str, str, str, str]
"""Line, field, subject, period (`""`: none), JSON text of the value, day of the observation.

Lines are counted from 1, in CSV too, where the header is line 1."""


@dataclass(slots=True)
class Batch:
    """Some rows of a file, in its order."""

    rows: list[Row] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    refused: int = 0
    """How many rows have a conflict."""

    def refuse(self, row: int, *wrong: tuple[str, ConflictCode, str]) -> None:
        """Report a row, with a pointer, a code and words for each thing that is wrong."""
        self.refused += 1
        self.conflicts += [Conflict(row, *each) for each in wrong]

    @property
    def is_full(self) -> bool:
        return len(self.rows) + len(self.conflicts) >= ROWS_AT_ONCE
