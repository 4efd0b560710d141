"""Who acts. The kernel only needs to know whom to name; reach is `oneform.identity`'s business."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    AGENCY = "agency"  # an API client of an agency
    PERSON = "person"  # somebody with an account
    OPERATOR = "operator"  # the command line on the machine itself
    SYSTEM = "system"  # workers, relay, schedule
    PUBLIC = "public"  # nobody in particular


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Whoever a piece of work is done for, as it is put on record."""

    kind: ActorKind
    id: str
    label: str


SYSTEM = Actor(kind=ActorKind.SYSTEM, id="system", label="oneform")
