"""Judging the answers of a submission: each by itself, then beside each other and what is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from oneform.collection import checks
from oneform.collection.asks import AskKey, AskRow, parse_ask, why_not
from oneform.collection.commands import (
    NOTE_IS_MISSING,
    NOTHING,
    AnswerKind,
    GivenAnswer,
    MistakeCode,
)
from oneform.collection.previous import CellKey, Surroundings, look_around
from oneform.collection.questions import Question, judges_of, questions_of
from oneform.collection.views import InvalidAnswer
from oneform.identity import policy
from oneform.kernel.context import Context
from oneform.kernel.jsonschemas import CompiledSchema
from oneform.values.models import Missing

Judges = Mapping[int, CompiledSchema]

_C = MistakeCode
_MISSING = {missing.value: AnswerKind(missing.value) for missing in Missing}


@dataclass(slots=True)
class Entry:
    """One given answer on its way. `ask` and `question` are there unless `mistake` says why not."""

    place: int
    given: GivenAnswer
    key: AskKey | None
    kind: AnswerKind = AnswerKind.VALUE
    value: Any = NOTHING
    missing: str | None = None
    mistake: tuple[MistakeCode, str] | None = None
    _ask: AskRow | None = None
    _question: Question | None = None

    @property
    def ask(self) -> AskRow:
        assert self._ask is not None
        return self._ask

    @property
    def question(self) -> Question:
        assert self._question is not None
        return self._question

    @property
    def cell(self) -> CellKey:
        ask = self.ask
        return ask.region_id, ask.field_id, ask.period, ask.subject_id

    @property
    def has_question(self) -> bool:
        return self._question is not None

    def find(self, code: MistakeCode, detail: str) -> None:
        self.mistake = self.mistake or (code, detail)

    def answers(self, ask: AskRow, question: Question) -> None:
        self._ask, self._question = ask, question

    def json(self) -> str | None:
        return None if self.value is NOTHING else orjson.dumps(self.value).decode()

    def as_invalid(self) -> InvalidAnswer:
        assert self.mistake is not None
        code, detail = self.mistake
        return InvalidAnswer(self.given.ask, code, detail)

    def is_worth_keeping(self) -> bool:
        """Whether something was typed that could still be sent."""
        return self._ask is not None and self.given.value is not NOTHING


def read_entries(answers: Sequence[GivenAnswer]) -> list[Entry]:
    """What can be said of answers before anything is looked up."""
    entries = [Entry(place, given, parse_ask(given.ask)) for place, given in enumerate(answers)]
    times = Counter(entry.key for entry in entries)
    for entry in entries:
        if entry.key is not None and times[entry.key] > 1:
            entry.find(_C.SCHEMA, "The same ask is answered more than once here.")
        _read_kind(entry)
    return entries


def _read_kind(entry: Entry) -> None:
    given = entry.given
    ways = (given.value is not NOTHING, given.confirm, given.missing is not None)
    if sum(ways) != 1:
        entry.find(_C.SCHEMA, "An answer has one of value, confirm and missing.")
    elif given.confirm:
        entry.kind = AnswerKind.CONFIRM
    elif given.missing is None:
        entry.value = given.value
    elif given.missing not in _MISSING:
        entry.find(_C.SCHEMA, f"missing is one of {', '.join(_MISSING)}.")
    elif not has_note(given.note):
        entry.find(_C.SCHEMA, "An answer without a value needs a note that says why.")
    else:
        entry.kind, entry.missing = _MISSING[given.missing], given.missing


def has_note(note: str | None) -> bool:
    return bool(note and note.strip())


def judge_entries(ctx: Context, entries: Sequence[Entry], asks: Mapping[AskKey, AskRow]) -> None:
    """Find the mistakes of all entries, and the values of those that confirm."""
    actor = policy.principal(ctx)
    questions = questions_of(ctx, {ask.field_version_id for ask in asks.values()})
    for entry in entries:
        ask = asks.get(entry.key) if entry.key is not None else None
        if closed := why_not(ask, actor):
            entry.find(*closed)
        elif ask is not None:
            entry.answers(ask, questions[ask.field_version_id])
    judge_values(ctx, [entry for entry in entries if entry.has_question])


def judge_values(ctx: Context, entries: Sequence[Entry]) -> None:
    """Judge what the entries say, all of which have their questions."""
    judges = judges_of(ctx, {e.question.version_id: e.question for e in entries}.values())
    for entry in entries:
        if not entry.mistake and entry.value is not NOTHING:
            _judge_schema(entry, judges)
    beside = _look_beside(ctx, entries)
    for entry in entries:
        if not entry.mistake and entry.kind is AnswerKind.CONFIRM:
            _confirm(entry, beside, judges)
    said = {
        entry.cell: entry.value
        for entry in entries
        if not entry.mistake and entry.value is not NOTHING
    }
    for entry in entries:
        if not entry.mistake and entry.value is not NOTHING and entry.question.soft_checks:
            _judge_softly(entry, said, beside)


def _judge_schema(entry: Entry, judges: Judges) -> None:
    wrong = checks.schema_mistake(judges[entry.question.version_id], entry.value)
    if wrong is not None:
        entry.find(_C.SCHEMA, wrong)
    elif entry.question.is_integer and isinstance(entry.value, float):
        entry.value = int(entry.value)  # 1203.0, as JSON Schema allows; held as 1203


def _confirm(entry: Entry, beside: Surroundings, judges: Judges) -> None:
    previous = beside.previous.get(entry.cell)
    if previous is None:
        entry.find(_C.NOTHING_TO_CONFIRM, "There is no earlier value to confirm.")
        return
    entry.value = previous.value
    _judge_schema(entry, judges)


def _look_beside(ctx: Context, entries: Sequence[Entry]) -> Surroundings:
    """Previous values, for those that confirm or compare; and values of other fields that soft
    checks name."""
    live = [entry for entry in entries if not entry.mistake]
    backwards = [
        entry.cell
        for entry in live
        if entry.kind is AnswerKind.CONFIRM or entry.question.looks_back
    ]
    beside = [cell for entry in live for cell in _companions(entry).values()]
    return look_around(ctx, previous=backwards, held=list(dict.fromkeys(beside)))


def _companions(entry: Entry) -> dict[tuple[str, str], CellKey]:
    """Cells that the soft checks of an entry name, by code and period: its own, or none."""
    ask = entry.ask
    return {
        (code, period): (ask.region_id, field_id, period, ask.subject_id)
        for code, field_id in entry.question.companions.items()
        for period in {ask.period, ""}
    }


def _judge_softly(entry: Entry, said: Mapping[CellKey, Any], beside: Surroundings) -> None:
    cells = _companions(entry)

    def known(code: str) -> checks.Number | None:
        for period in (entry.ask.period, ""):
            cell = cells.get((code, period))
            if cell is not None and (cell in said or cell in beside.held):
                return checks.as_number(said.get(cell, beside.held.get(cell)))
        return None

    previous = beside.previous.get(entry.cell)
    found = checks.warnings(entry.question, entry.value, previous and previous.value, known)
    given = entry.given
    if found and not (given.accept_warning and has_note(given.note)):
        hint = "If it is right, say so with accept_warning and a note."
        if given.accept_warning:
            hint = NOTE_IS_MISSING
        entry.find(_C.WARNING_UNCONFIRMED, f"The value {', and '.join(found)}. {hint}")
