"""What areas and subjects tell upper parts, in the same transaction.

All are emitted under the locks of the regions concerned: exclusive for areas,
shared for single subjects.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AreasClosing:
    """These areas are about to end; their rows, and those of what is in them, are still as before."""

    area_ids: tuple[int, ...]
    region_ids: tuple[int, ...]
    """Every region that the change concerns, all locked."""
    successors: Mapping[int, int] = field(default_factory=dict)
    """Into which area one is merged, where it is; its subjects go there."""


@dataclass(frozen=True, slots=True)
class AreasClosed:
    """These areas have ended; their rows say so."""

    area_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AreasMoved:
    """These areas, with all that is below them, hang elsewhere now; paths are the new ones."""

    area_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SubjectMoved:
    """A subject (not an area) lives in another area now."""

    region_id: int
    subject_id: int
    kind_id: int
    from_area_id: int
    to_area_id: int


@dataclass(frozen=True, slots=True)
class SubjectClosed:
    """A subject (not an area) is no more since a day."""

    region_id: int
    subject_id: int
    kind_id: int
    area_id: int
    on: dt.date
