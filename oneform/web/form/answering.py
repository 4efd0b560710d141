"""From what was typed to answers and drafts, each with its mistake at its question.

What can be read here is only whether a text means a value; whether the value may
be an answer is decided by its schema and by `submit_answers`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask_babel import gettext  # type: ignore[import-untyped]

from oneform.collection.commands import GivenAnswer, SaveDraft
from oneform.web.form.building import with_questions
from oneform.web.form.drafts import Kept, write_draft
from oneform.web.form.model import Checked, FormPage, Question
from oneform.web.form.reading import Unreadable, read_texts, value_words
from oneform.web.form.typed import Typed
from oneform.web.form.words import schema_words
from oneform.web.formats import number_words

NOTHING = object()


@dataclass(frozen=True, slots=True)
class Reading:
    """A question with what was typed, what it says, and what is wrong with it."""

    question: Question
    value: Any = NOTHING
    """The value, or the text that could not be read. NOTHING: no value."""

    @property
    def draft(self) -> Any:
        """What is kept of it; None: nothing."""
        question = self.question
        return write_draft(
            Kept(
                value=None if self.value is NOTHING else self.value,
                missing=question.missing,
                note=question.note,
                is_sure=question.is_sure,
            )
        )

    @property
    def given(self) -> GivenAnswer:
        """The answer; there has to be one, without an error."""
        question = self.question
        note = question.note.strip() or None
        if question.missing:
            return GivenAnswer(ask=question.ask, missing=question.missing, note=note)
        if question.is_confirmed:
            return GivenAnswer(
                ask=question.ask, confirm=True, note=note, accept_warning=question.is_sure
            )
        return GivenAnswer(
            ask=question.ask, value=self.value, note=note, accept_warning=question.is_sure
        )


def read_questions(page: FormPage, typed: Mapping[str, Typed]) -> tuple[FormPage, list[Reading]]:
    """The page with what was typed, and what that says; questions not typed into stay as they are."""
    readings: list[Reading] = []

    def read(question: Question) -> Question:
        reading = read_question(question, typed.get(question.ask))
        readings.append(reading)
        return reading.question

    return with_questions(page, read), readings


def read_question(question: Question, typed: Typed | None) -> Reading:
    if typed is not None and not _is_untouched(question, typed):
        question = replace(
            question,
            texts=typed.texts,
            is_confirmed=typed.is_confirmed,
            missing=typed.missing,
            note=typed.note,
            is_sure=typed.is_sure,
            base=typed.base,
        )
    if (contradiction := _contradiction(question)) is not None:
        value = question.texts[0] if question.texts else NOTHING
        return Reading(replace(question, error=contradiction), value)
    if question.missing:
        if not question.note.strip():
            words = gettext("Say in a few words why")
            question = replace(question, error=words, is_note_missing=True)
        return Reading(question)
    if question.is_confirmed and question.before is not None:
        return Reading(question, question.before.value)
    if not question.texts:
        return Reading(question)
    try:
        value = read_texts(question.control, question.texts)
    except Unreadable as error:
        return Reading(replace(question, error=str(error)), question.texts[0])
    return Reading(replace(question, error=schema_words(question.schema, value)), value)


def _is_untouched(question: Question, typed: Typed) -> bool:
    """Whether somebody else filled in meanwhile what was left empty here: then theirs stands."""
    return not typed.is_answered and not typed.note and typed.base != question.base


def _contradiction(question: Question) -> str | None:
    if question.missing and (question.texts or question.is_confirmed):
        return str(gettext("You answered, and also said that you cannot: take one of the two away"))
    if question.is_confirmed and question.before is None:
        return str(gettext("There is no earlier value any more: please write it"))
    if question.is_confirmed and question.texts and _differs(question):
        return str(
            gettext("“Same as last time” is ticked, and something else is written: take one away")
        )
    return None


def _differs(question: Question) -> bool:
    assert question.before is not None
    try:
        return bool(read_texts(question.control, question.texts) != question.before.value)
    except Unreadable:
        return True


def drafts_of(readings: Sequence[Reading], page: FormPage) -> list[SaveDraft]:
    """What has to be written down so that nothing typed is lost. `page`: as it was stored."""
    stored = {question.ask: question for question in page.questions}
    drafts = []
    for reading in readings:
        before = stored[reading.question.ask]
        value = reading.draft
        # Equal drafts are left alone, whoever made them; True is not 1 here.
        if (type(value), value) != (type(before.draft), before.draft):
            base = reading.question.base
            drafts.append(SaveDraft(ask=before.ask, value=value, base=base, over_own=True))
    return drafts


def checked_lines(readings: Sequence[Reading]) -> list[Checked]:
    """The answers once more, in words."""
    return [_checked(reading) for reading in readings if reading.question.is_answered]


def _checked(reading: Reading) -> Checked:
    question = reading.question
    if question.missing:
        words = missing_words(question.missing)
        return Checked(question=question, words=words, is_same=False, change=None)
    before = question.before
    is_same = before is not None and reading.value == before.value
    return Checked(
        question=question,
        words=value_words(question.control, reading.value),
        is_same=is_same,
        change=None if is_same or before is None else _change(before.value, reading.value),
    )


def missing_words(missing: str) -> str:
    if missing == "unknown":
        return str(gettext("Not known"))
    return str(gettext("Does not apply here"))


def _change(before: Any, now: Any) -> str | None:
    numbers = [each for each in (before, now) if isinstance(each, int | float)]
    if len(numbers) < 2 or any(isinstance(each, bool) for each in numbers):
        return None
    difference = round(numbers[1] - numbers[0], 6)
    return ("+" if difference > 0 else "") + number_words(difference)
