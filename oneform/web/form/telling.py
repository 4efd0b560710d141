"""What is said about a form that was sent: mistakes at their questions, and what was spared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flask_babel import gettext, ngettext  # type: ignore[import-untyped]

from oneform.collection.commands import MistakeCode
from oneform.web.form.building import with_questions
from oneform.web.form.loading import field_names
from oneform.web.form.model import FormPage, Question
from oneform.web.form.receiving import Received
from oneform.web.form.words import mistake_words
from oneform.web.pages import current_context


def with_mistakes(page: FormPage, invalid: list[dict[str, str]]) -> FormPage:
    """The page with what a service found in the answers, in words."""
    found = {each["ask"]: each for each in invalid}
    name_of = field_names(current_context())

    def tell(question: Question) -> Question:
        mistake = found.get(question.ask)
        if mistake is None:
            return question
        words = mistake_words(mistake["code"], mistake["detail"], name_of)
        if mistake["code"] == MistakeCode.WARNING_UNCONFIRMED:
            return replace(question, warning=words)
        return replace(question, error=words)

    return with_questions(page, tell)


def nothing_answered(received: Received) -> str:
    """Why there is nothing to send."""
    if received.gone:
        return str(
            gettext("What you filled in has been answered meanwhile. Nothing is left to send.")
        )
    return str(gettext("Nothing is filled in yet. Fill in at least one question, then go on."))


def gone_words(number: int) -> str:
    """That some answers are not needed any more."""
    return str(
        ngettext(
            "%(num)d of your answers is no longer needed: it has been given meanwhile.",
            "%(num)d of your answers are no longer needed: they have been given meanwhile.",
            number,
        )
    )


def spared_words(questions: Sequence[Question]) -> str | None:
    """How often these answers would have been asked for, had everybody asked for themselves.

    None where each was wanted once.
    """
    asked = sum(max(1, len(question.asked_by)) for question in questions)
    if asked == len(questions):
        return None
    seconds = sum((len(each.asked_by) - 1) * each.seconds for each in questions if each.asked_by)
    minutes = max(1, round(seconds / 60))
    wanted = gettext(
        "%(agencies)d departments wanted %(asked)d answers in all; you gave %(given)d.",
        agencies=len({agency for question in questions for agency in question.agencies}),
        asked=asked,
        given=len(questions),
    )
    saved = ngettext(
        "That saves about %(num)d minute.", "That saves about %(num)d minutes.", minutes
    )
    return f"{wanted} {saved}"
