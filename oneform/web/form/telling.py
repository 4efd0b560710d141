"""What is said about a form that was sent: mistakes at their questions, and what was spared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import flask
from flask_babel import gettext, ngettext  # type: ignore[import-untyped]

from oneform.collection.commands import MistakeCode
from oneform.web.form.building import with_questions
from oneform.web.form.loading import field_names
from oneform.web.form.model import FormPage, Question
from oneform.web.form.receiving import Received
from oneform.web.form.sending import look_over
from oneform.web.form.words import lacks_note, mistake_words, note_words
from oneform.web.languages import Language, current_language
from oneform.web.pages import current_context

_SPARED = "spared"


def with_mistakes(page: FormPage, invalid: list[dict[str, str]]) -> FormPage:
    """The page with what a service found in the answers, in words."""
    found = {each["ask"]: each for each in invalid}
    name_of = field_names(current_context())

    def tell(question: Question) -> Question:
        mistake = found.get(question.ask)
        if mistake is None:
            return question
        code, detail = mistake["code"], mistake["detail"]
        words = mistake_words(code, detail, name_of)
        if lacks_note(code, detail):
            needed = note_words(question.said)
            return replace(question, warning=words, error=needed, is_note_missing=True)
        if code == MistakeCode.WARNING_UNCONFIRMED:
            return replace(question, warning=words)
        return replace(question, error=words)

    return with_questions(page, tell)


def judged(received: Received) -> FormPage:
    """The page with everything that stands in the way of sending it: what cannot be an answer,
    and what the service finds in the others."""
    given = [reading.given for reading in received.answered if not reading.question.error]
    if not given:
        return received.page
    return with_mistakes(received.page, look_over(current_context(), given))


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


@dataclass(frozen=True, slots=True)
class Spared:
    """How often answers would have been asked for, had everybody asked for themselves."""

    agencies: int
    asked: int
    given: int
    seconds: int

    @classmethod
    def by(cls, questions: Sequence[Question]) -> Spared:
        """What giving each of these answers once has spared."""
        return cls(
            agencies=len({agency for question in questions for agency in question.agencies}),
            asked=sum(max(1, len(question.asked_by)) for question in questions),
            given=len(questions),
            seconds=sum(
                (len(question.asked_by) - 1) * question.seconds
                for question in questions
                if question.asked_by
            ),
        )

    def words(self) -> str | None:
        """None where each answer was wanted once."""
        if self.asked == self.given:
            return None
        minutes = max(1, round(self.seconds / 60))
        wanted = gettext(
            "%(agencies)d departments wanted %(asked)d answers in all; you gave %(given)d.",
            agencies=self.agencies,
            asked=self.asked,
            given=self.given,
        )
        saved = ngettext(
            "That saves about %(num)d minute.", "That saves about %(num)d minutes.", minutes
        )
        # Chinese sentences stand without a blank between them.
        between = " " if current_language() is Language.EN else ""
        return f"{wanted}{between}{saved}"


def remember_spared(submission: str, spared: Spared) -> None:
    """Keep it in the visitor's session, for the receipt of their last submission."""
    flask.session[_SPARED] = {"submission": submission, **asdict(spared)}


def spared_by(submission: str) -> Spared | None:
    """What a submission has spared, if it is the visitor's last."""
    kept = dict(flask.session.get(_SPARED) or {})
    return Spared(**kept) if kept.pop("submission", None) == submission else None
