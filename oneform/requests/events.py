"""What requests tell upper parts, in the same transaction."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from oneform.requests.models import RequestState


@dataclass(frozen=True, slots=True)
class RequestSettled:
    """A request changed its state by what became of its cells."""

    request_id: uuid.UUID
    agency_id: int
    old: RequestState
    new: RequestState
