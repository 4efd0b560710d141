"""A form that was sent: what was typed is saved before anything is said about it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import flask

from oneform.web.form.answering import Reading, read_questions
from oneform.web.form.loading import load_page
from oneform.web.form.model import FormPage
from oneform.web.form.saving import save_typed
from oneform.web.form.typed import Typed, hidden_fields, read_typed
from oneform.web.pages import current_context

PLACE = ("unit", "section", "cursor", "part")


@dataclass(frozen=True, slots=True)
class Received:
    """The page with what was typed into it, and what that says."""

    typed: dict[str, Typed]
    page: FormPage
    readings: list[Reading]

    @property
    def answered(self) -> list[Reading]:
        return [reading for reading in self.readings if reading.question.is_answered]

    @property
    def gone(self) -> int:
        """Answers to questions that are not open any more."""
        there = {reading.question.ask for reading in self.readings}
        return sum(1 for each in self.typed.values() if each.is_answered and each.ask not in there)


def receive() -> Received:
    """What the form in hand says."""
    ctx, form = current_context(), flask.request.form
    typed = read_typed(form)
    stored = load_page(
        ctx,
        unit=form.get("unit"),
        section=form.get("section"),
        cursor=form.get("cursor"),
        only=typed,
    )
    page, readings = read_questions(stored, typed)
    page = save_typed(ctx, stored, page, readings)
    now = {question.ask: question for question in page.questions}
    readings = [replace(reading, question=now[reading.question.ask]) for reading in readings]
    return Received(typed, page, readings)


def place() -> dict[str, str]:
    """Which part of whose form it is, as the page itself says."""
    values = flask.request.values
    return {name: text for name in PLACE if (text := values.get(name, ""))}


def carried_fields(page: FormPage) -> list[tuple[str, str]]:
    """Everything that is in the form, for the page that comes between it and the sending."""
    typed = [
        Typed(
            ask=question.ask,
            texts=question.texts,
            is_confirmed=question.is_confirmed,
            missing=question.missing,
            note=question.note,
            is_sure=question.is_sure,
            base=question.base,
        )
        for question in page.questions
    ]
    return [*place().items(), *hidden_fields(typed)]
