"""What the templates of the form show. Shapes only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oneform.web.form.controls import Control


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedBy:
    """Somebody who waits for the answer."""

    agency: str
    purpose: str
    legal_basis: str
    control_no: str
    due: dt.date


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """The last value, which one touch confirms."""

    value: Any
    words: str
    period: str
    source: str
    observed_on: dt.date | None
    """None where the period says the year already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One ask, with what stands in its controls."""

    ask: str
    number: int
    name: str
    definition: str
    legal_basis: str
    seconds: int
    schema: Mapping[str, Any]
    control: Control
    subject: str
    """Whose value it is, where it is not the village's own; else empty."""
    due: dt.date
    is_late: bool
    asked_by: Sequence[AskedBy]
    before: Before | None
    comment: str | None
    """Why the township sent it back."""
    is_reviewed: bool
    draft: Any
    base: str | None
    """The etag of the draft; None where there is none."""
    texts: tuple[str, ...] = ()
    is_confirmed: bool = False
    missing: str = ""
    note: str = ""
    is_sure: bool = False
    error: str | None = None
    warning: str | None = None
    is_note_missing: bool = False
    """Whether the error is that a reason is missing."""

    @property
    def is_answered(self) -> bool:
        return bool(self.texts or self.is_confirmed or self.missing)

    @property
    def said(self) -> str:
        """The answer in words: as it was typed, or as it was last time."""
        if self.is_confirmed and self.before:
            return self.before.words
        return "、".join(self.texts)

    @property
    def is_ready(self) -> bool:
        """Answered, and nothing found that would have it refused."""
        return self.is_answered and not self.error and not self.warning

    @property
    def agencies(self) -> list[str]:
        """Each once, the most urgent first."""
        return list(dict.fromkeys(each.agency for each in self.asked_by))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The questions about one subject; `name` and `key` are empty for the village itself."""

    name: str
    key: str
    questions: Sequence[Question]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A section of the form: one topic and period, one kind of subject."""

    id: str
    section: str
    topic: str
    kind: str
    """The kind's name; empty for areas."""
    period: str
    due: dt.date
    rows: Sequence[Row]
    next: str | None

    @property
    def questions(self) -> Iterator[Question]:
        for row in self.rows:
            yield from row.questions

    @property
    def total(self) -> int:
        return sum(1 for _ in self.questions)

    @property
    def answered(self) -> int:
        return sum(1 for question in self.questions if question.is_ready)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """As much of a long form as stands on one page."""

    number: int
    groups: Sequence[Group]

    @property
    def topics(self) -> list[str]:
        """Each once, in their order."""
        return list(dict.fromkeys(group.topic for group in self.groups))

    @property
    def names(self) -> list[str]:
        """First and last of the subjects that have names; none in a part about the village."""
        found = [row.name for group in self.groups for row in group.rows if row.name]
        return [found[0], found[-1]] if found else []

    @property
    def due(self) -> dt.date:
        return min(question.due for group in self.groups for question in group.questions)

    @property
    def total(self) -> int:
        return sum(group.total for group in self.groups)

    @property
    def answered(self) -> int:
        return sum(group.answered for group in self.groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """An ask that waits for somebody else's word."""

    name: str
    subject: str
    is_refused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FormPage:
    """The form of a unit, or a part of it."""

    unit_code: str
    unit_name: str
    is_own: bool
    due: dt.date | None
    days_left: int | None
    groups: Sequence[Group]
    closed: Sequence[Closed]
    further: Sequence[tuple[str, str]] = ()
    """Sections of which there are more rows, each with its cursor."""
    part: int = 1
    parts: int = 1

    @property
    def questions(self) -> Iterator[Question]:
        for group in self.groups:
            yield from group.questions

    @property
    def total(self) -> int:
        return sum(group.total for group in self.groups)

    @property
    def answered(self) -> int:
        return sum(group.answered for group in self.groups)

    @property
    def has_last_values(self) -> bool:
        """Whether any question has a value of last time."""
        return any(each.before for each in self.questions)

    @property
    def minutes(self) -> int:
        """For what is not filled in yet, by the catalogue's estimate."""
        seconds = sum(each.seconds for each in self.questions if not each.is_answered)
        return -(-seconds // 60)

    @property
    def mistakes(self) -> list[Question]:
        """Both those that have to be changed and those that are only odd."""
        return [each for each in self.questions if each.error or each.warning]

    @property
    def errors(self) -> list[Question]:
        return [each for each in self.mistakes if each.error]

    @property
    def warnings(self) -> list[Question]:
        """Those that are only odd, and pass as they are with a reason."""
        return [each for each in self.mistakes if not each.error]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A line of the page that shows the answers once more before they are sent."""

    question: Question
    words: str
    is_same: bool
    change: str | None
