"""What callers get to see. Shapes only; member names are those of API.md §5."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oneform.collection.commands import (
    DraftOutcome,
    MistakeCode,
    RefusalReason,
    RefusalScope,
    RefusalState,
)
from oneform.collection.lifecycle import AskState


@dataclass(frozen=True, slots=True)
class InvalidAnswer:
    """An answer that was not taken, and why."""

    ask: str
    code: MistakeCode
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a submission."""

    id: uuid.UUID
    accepted: int
    in_review: int
    invalid: Sequence[InvalidAnswer] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionSummary:
    id: uuid.UUID
    unit: str
    unit_name: str
    by: str
    mode: str
    accepted: int
    in_review: int
    invalid: Sequence[Mapping[str, Any]]
    created_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectRef:
    """A subject as it is named in forms: the key of a person is masked."""

    id: str
    key: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerView:
    id: str
    ask: str
    field: str
    field_name: str
    subject: SubjectRef
    period: str | None
    kind: str
    value: Any
    missing: str | None
    note: str | None
    state: str
    comment: str | None
    created_at: dt.datetime
    decided_at: dt.datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionView(SubmissionSummary):
    answers: Sequence[AnswerView]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    value: Any
    etag: str
    updated_at: dt.datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedDraft:
    """What became of one draft. `mine` and `theirs`: in a conflict, in which nothing is changed."""

    ask: str
    outcome: DraftOutcome
    etag: str | None = None
    mine: Any = None
    theirs: Draft | None = None
    code: MistakeCode | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedAsk:
    id: str
    field: str
    field_name: str
    subject: SubjectRef
    period: str | None
    state: AskState


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalView:
    id: uuid.UUID
    unit: str
    unit_name: str
    reason: RefusalReason
    comment: str | None
    state: RefusalState
    scope: RefusalScope | None
    decision_reason: str | None
    decided_at: dt.datetime | None
    created_at: dt.datetime
    asks: Sequence[RefusedAsk]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewItem(AnswerView):
    """An answer that waits for its review, with what was there before."""

    unit: str
    unit_name: str
    by: str
    previous: Previous | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Previous:
    """The last value of the same field and subject; for a standing field, the stale one."""

    value: Any
    period: str | None
    observed_on: dt.date
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedBy:
    """A request that waits for an ask."""

    agency: str
    agency_name: str
    control_no: str
    purpose: str
    legal_basis: str
    due: dt.date


@dataclass(frozen=True, slots=True, kw_only=True)
class FormAsk:
    id: str
    field: str
    version: int
    state: AskState
    due: dt.date
    draft: Draft | None
    previous: Previous | None
    requested_by: Sequence[RequestedBy]
    comment: str | None = None
    """The reviewer's, where the ask is `returned`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeName:
    code: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """A field as a form asks for it. Asks name it by code and version."""

    code: str
    version: int
    name: str
    definition: str
    unit: str | None
    schema: Mapping[str, Any]
    legal_basis: str
    seconds: int
    review: bool
    codes: Sequence[CodeName] | None
    """What the codes in its schema mean, in their order; None where it has no code list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormRow:
    subject: SubjectRef
    asks: Sequence[FormAsk]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormSection:
    section: str
    """What `?section=` takes."""
    topic: str
    kind: str
    period: str | None
    due: dt.date
    fields: Sequence[FormField]
    rows: Sequence[FormRow]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FormCounts:
    open: int
    draft: int
    returned: int
    in_review: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FormUnit:
    code: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The one form of a unit."""

    unit: FormUnit
    due: dt.date | None
    counts: FormCounts
    sections: Sequence[FormSection]
