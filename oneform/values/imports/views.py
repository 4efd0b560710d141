"""What is told of an import."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from oneform.kernel.paging import Page
from oneform.values.imports.conflicts import Conflict


class ImportState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"  # given up half-way by the operator; what was recorded stays


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """What became of the rows; while the job runs, of those that are done with."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    invalid: int = 0


@dataclass(frozen=True, slots=True)
class ImportView:
    """`conflicts` is a page of them, by row. Of a dry run, the counts say what would have been."""

    id: uuid.UUID
    state: ImportState
    dry_run: bool
    counts: ImportCounts
    conflicts: Page[Conflict]
    created_at: dt.datetime
    finished_at: dt.datetime | None

    def as_dict(self) -> dict[str, Any]:
        """As it is shown outside (API.md, section 6)."""
        return {
            "id": str(self.id),
            "state": self.state.value,
            "dry_run": self.dry_run,
            "counts": asdict(self.counts),
            "conflicts": [asdict(conflict) for conflict in self.conflicts.items],
            "next": self.conflicts.next,
            "created_at": self.created_at,
            "finished_at": self.finished_at,
        }
