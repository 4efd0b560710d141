"""The life of an ask, as rules alone: no SQL, no HTTP.

open ──answer──▶ answered            open ──refuse──▶ refused ──uphold──▶ upheld
  │ ──answer, needs review──▶ in_review ──accept──▶ answered     └─overturn──▶ open
  │                              ├─return──▶ returned ──answer──▶ …
  │                              └─lapse──▶ open (accepted, but too old for some who wait)
  └─▶ withdrawn (nobody waits, field retired, area closed)   ─▶ expired
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum


class AskState(StrEnum):
    OPEN = "open"
    RETURNED = "returned"
    IN_REVIEW = "in_review"
    REFUSED = "refused"
    ANSWERED = "answered"
    WITHDRAWN = "withdrawn"
    UPHELD = "upheld"
    EXPIRED = "expired"


LIVE = (AskState.OPEN, AskState.RETURNED, AskState.IN_REVIEW, AskState.REFUSED)
"""States in which an ask is an open question."""

HOLDING = (*LIVE, AskState.UPHELD)
"""States in which an ask holds its cell: at most one such ask per cell. An upheld
refusal holds it for good, for later requests too."""

ANSWERABLE = (AskState.OPEN, AskState.RETURNED)
"""States in which staff may answer, or refuse."""


class AskEvent(StrEnum):
    ANSWER = "answer"
    SEND_TO_REVIEW = "send_to_review"
    ACCEPT = "accept"
    LAPSE = "lapse"
    """What was answered was accepted, and is too old by now for some who still wait.

    That answer stays recorded; it cannot be amended while its ask is live again."""
    RETURN = "return"
    REFUSE = "refuse"
    UPHOLD = "uphold"
    OVERTURN = "overturn"
    EXEMPT = "exempt"
    """A refusal was upheld for all units: the field is not asked for this period any more."""
    WITHDRAW = "withdraw"
    EXPIRE = "expire"
    FILL = "fill"
    """A value came otherwise: source, import, correction."""


TRANSITIONS: dict[AskEvent, tuple[tuple[AskState, ...], AskState]] = {
    AskEvent.ANSWER: (ANSWERABLE, AskState.ANSWERED),
    AskEvent.SEND_TO_REVIEW: (ANSWERABLE, AskState.IN_REVIEW),
    AskEvent.ACCEPT: ((AskState.IN_REVIEW,), AskState.ANSWERED),
    AskEvent.LAPSE: ((AskState.IN_REVIEW,), AskState.OPEN),
    AskEvent.RETURN: ((AskState.IN_REVIEW,), AskState.RETURNED),
    AskEvent.REFUSE: (ANSWERABLE, AskState.REFUSED),
    AskEvent.UPHOLD: ((AskState.REFUSED,), AskState.UPHELD),
    AskEvent.OVERTURN: ((AskState.REFUSED,), AskState.OPEN),
    AskEvent.EXEMPT: (LIVE, AskState.UPHELD),
    AskEvent.WITHDRAW: (LIVE, AskState.WITHDRAWN),
    # The clock stands still while somebody else has the word.
    AskEvent.EXPIRE: (ANSWERABLE, AskState.EXPIRED),
    AskEvent.FILL: (LIVE, AskState.ANSWERED),
}

LATE_DAYS = 30
"""How long past the last due date an ask stays live (DESIGN.md §9)."""


def earliest_due(state: AskState, stood_days: int, today: dt.date) -> dt.date:
    """Due date of the earliest request for which an answer to an ask would still count today.

    Where the clock stands still, nobody's late days go by.
    """
    if state not in ANSWERABLE:
        return dt.date.min
    return today - dt.timedelta(days=LATE_DAYS + stood_days)


def next_state(state: AskState, event: AskEvent) -> AskState | None:
    """The state after `event`, or None where it cannot happen in `state`."""
    allowed, target = TRANSITIONS[event]
    return target if state in allowed else None
