"""What callers get to see. Shapes only; member names are those of API.md §4."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import Any

from catalog.whitelist import RejectedField
from oneform.kernel.etags import etag_of
from oneform.requests.models import CellStatus, RequestState


@dataclass(frozen=True, slots=True, kw_only=True)
class CellCounts:
    """The books of a request: cells by status. `total` is always their sum."""

    held: int = 0
    derived: int = 0
    shared: int = 0
    asked: int = 0
    answered: int = 0
    refused: int = 0
    unavailable: int = 0
    pending_grant: int = 0

    @property
    def total(self) -> int:
        return sum(getattr(self, status.value) for status in CellStatus)

    def as_dict(self) -> dict[str, int]:
        return {"total": self.total} | {s.value: getattr(self, s.value) for s in CellStatus}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSummary:
    """A request in a list: without counts."""

    id: uuid.UUID
    control_no: str
    state: RequestState
    title: str
    period: str | None
    due: dt.date
    urgent: bool
    created_at: dt.datetime
    resolved_at: dt.datetime | None
    completed_at: dt.datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestView(RequestSummary):
    """A request with its books."""

    agency: str
    purpose: str
    legal_basis: str
    scope: dict[str, Any]
    gap: str
    cells: CellCounts
    asks_new: int
    asks_joined: int
    units_total: int
    units_complete: int
    dropped_fields: list[dict[str, Any]] = field(default_factory=list)

    @property
    def etag(self) -> str:
        """Of this state of the request, its books included."""
        return etag_of(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What a request would meet: cells by where they stand today."""

    total: int
    held: int
    derived: int
    shareable: int
    already_asked: int
    to_ask: int
    unavailable: int
    pending_grant: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedRequest:
    """The answer to `POST /requests/check`."""

    accepted: bool
    rejected_fields: list[RejectedField]
    coverage: Coverage
    units_to_ask: int
    seconds_to_answer: int
    """Of all units together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaProgress:
    """Progress below one area."""

    code: str
    name: str
    level: str
    cells: CellCounts
    units_total: int
    units_complete: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProgress:
    """One field of a request, with the version that it was made under."""

    code: str
    version: int
    name: dict[str, Any]
    unit: str | None
    mode: str
    period: str | None
    grant_state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    at: dt.datetime
    kind: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlNumberView:
    """What anybody may know of a request by its control number."""

    valid: bool
    complete: bool = True
    """False where it is no control number at all: signs are missing, or one was mistyped."""
    agency: dict[str, Any] | None = None
    title: str | None = None
    legal_basis: str | None = None
    fields: list[dict[str, Any]] = field(default_factory=list)
    due: dt.date | None = None
    state: RequestState | None = None
