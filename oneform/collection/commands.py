"""What callers say, and the words for it. Shapes only; member names are those of API.md §5."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any


class _Nothing(Enum):
    NOTHING = "nothing"


NOTHING = _Nothing.NOTHING
"""No value given: `null` is a value."""


class Mode(StrEnum):
    ALL = "all"
    PARTIAL = "partial"


class AnswerKind(StrEnum):
    VALUE = "value"
    CONFIRM = "confirm"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"
    AMENDMENT = "amendment"


class AnswerState(StrEnum):
    IN_REVIEW = "in_review"
    RECORDED = "recorded"
    RETURNED = "returned"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    """The ask was withdrawn while the answer waited for its review."""


class MistakeCode(StrEnum):
    """Why an answer was not taken."""

    SCHEMA = "schema"
    UNKNOWN_ASK = "unknown_ask"
    NOT_OPEN = "not_open"
    OUTSIDE_REACH = "outside_reach"
    NOTHING_TO_CONFIRM = "nothing_to_confirm"
    WARNING_UNCONFIRMED = "warning_unconfirmed"


NOTE_IS_MISSING = "It is said to be right; the note that says why is missing."
"""Ends the detail of `warning_unconfirmed` where `accept_warning` came without a note."""


class RefusalReason(StrEnum):
    NOT_OURS = "not_ours"
    DUPLICATE = "duplicate"
    DEADLINE = "deadline"
    CANNOT = "cannot"
    OTHER = "other"


class RefusalState(StrEnum):
    UNDECIDED = "undecided"
    UPHELD = "upheld"
    OVERTURNED = "overturned"


class Decision(StrEnum):
    UPHOLD = "uphold"
    OVERTURN = "overturn"


class RefusalScope(StrEnum):
    UNIT = "unit"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenAnswer:
    """One answer: a `value`, or `confirm`, or `missing` with a note that says why."""

    ask: str
    value: Any = NOTHING
    confirm: bool = False
    missing: str | None = None
    note: str | None = None
    accept_warning: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitAnswers:
    answers: Sequence[GivenAnswer]
    mode: Mode = Mode.ALL


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveDraft:
    """`base`: the etag of the draft that was changed, None where there was none.

    A `value` of None takes the draft away.
    """

    ask: str
    value: Any
    base: str | None = None
    over_own: bool = False
    """Replace what the same person wrote since, in another window or a moment ago, whatever `base`."""


class DraftOutcome(StrEnum):
    SAVED = "saved"
    REMOVED = "removed"
    CONFLICT = "conflict"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseAsks:
    asks: Sequence[str]
    reason: RefusalReason
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideRefusal:
    id: uuid.UUID
    decision: Decision
    reason: str
    scope: RefusalScope = RefusalScope.UNIT


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnAnswer:
    answer: str
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideReviews:
    accept: Sequence[str] = ()
    give_back: Sequence[ReturnAnswer] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendAnswer:
    answer: str
    value: Any
    note: str | None = None
