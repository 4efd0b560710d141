"""A question to the part above: which requests wait for these cells?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from oneform.collection.previous import CellKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """A request that waits for cells."""

    agency: str
    agency_name: Mapping[str, str]
    control_no: str
    purpose: str
    legal_basis: str
    due: dt.date


@dataclass(frozen=True, slots=True)
class WhoAsks:
    """Emitted with the cells of live asks, and for each the earliest due date of those who can still
    wait for it; whoever knows the requests fills in `askers`."""

    cells: Mapping[CellKey, dt.date]
    askers: dict[CellKey, list[Asker]] = field(default_factory=dict)
