"""The pages of the form: fill in, check, send. The way there and back loses nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import flask
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext  # type: ignore[import-untyped]

from oneform.collection.commands import MistakeCode
from oneform.collection.errors import InvalidAnswers
from oneform.identity.policy import Permission
from oneform.web.form import answering, sending
from oneform.web.form.answering import Reading
from oneform.web.form.building import ON_ONE_PAGE, part_of, with_questions
from oneform.web.form.loading import field_names, load_page
from oneform.web.form.model import FormPage, Question
from oneform.web.form.saving import save_typed
from oneform.web.form.typed import Typed, hidden_fields, read_typed
from oneform.web.form.words import mistake_words
from oneform.web.languages import parse_language, remember_language, speak
from oneform.web.pages import Pages, current_context, needs

pages = Pages("form")


@pages.get("/form")
@needs(Permission.ANSWER)
def show_form() -> ResponseReturnValue:
    args = flask.request.args
    section = args.get("section")
    page = load_page(
        current_context(), unit=args.get("unit"), section=section, cursor=args.get("cursor")
    )
    if section:
        return _show(part_of(page, section, args.get("part", 1, type=int)))
    if page.total > ON_ONE_PAGE:
        return flask.render_template("form/topics.html", page=page)
    return _show(page)


@pages.get("/form/<any(check, save, edit, send):step>")
@needs(Permission.ANSWER)
def begin_again(**_step: str) -> ResponseReturnValue:
    """A page that was sent cannot be asked for; what was typed is at the form."""
    place: dict[str, Any] = {**_place()}
    return flask.redirect(flask.url_for("web_form.show_form", **place))


@dataclass(frozen=True, slots=True)
class _Received:
    """A form that was sent: the page as it was stored, and as it was typed into."""

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


def _receive() -> _Received:
    """What the form in hand says. What was typed is saved before anything is said about it."""
    ctx, form = current_context(), flask.request.form
    typed = read_typed(form)
    stored = load_page(
        ctx,
        unit=form.get("unit"),
        section=form.get("section"),
        cursor=form.get("cursor"),
        only=typed,
    )
    page, readings = answering.read_questions(stored, typed)
    page = save_typed(ctx, stored, page, readings)
    now = {question.ask: question for question in page.questions}
    readings = [replace(reading, question=now[reading.question.ask]) for reading in readings]
    return _Received(typed, page, readings)


@pages.post("/form/check")
@needs(Permission.ANSWER)
def check() -> ResponseReturnValue:
    """Everything that is wrong at once, or the answers once more."""
    received = _receive()
    page = received.page
    if not received.answered:
        return _show(page, failed=True, trouble=_nothing_answered(received))
    if not page.mistakes:
        given = [reading.given for reading in received.answered]
        page = _with_mistakes(page, sending.look_over(current_context(), given))
    if page.mistakes:
        return _show(page, failed=True)
    return flask.render_template(
        "form/check.html",
        page=page,
        lines=answering.checked_lines(received.answered),
        hidden=_carried(received),
        key=sending.new_key(),
        gone=received.gone,
    )


@pages.post("/form/send")
@needs(Permission.ANSWER)
def send() -> ResponseReturnValue:
    ctx = current_context()
    key = flask.request.form.get("key", "")
    sent = sending.find_sent(ctx, key) if key else None
    if sent is not None:
        return _receipt_of(str(sent))
    received = _receive()
    if not received.answered or received.page.mistakes:
        trouble = None if received.answered else _nothing_answered(received)
        return _show(received.page, failed=True, trouble=trouble)
    given = [reading.given for reading in received.answered]
    try:
        submission = sending.send_once(ctx, key or sending.new_key(), given)
    except InvalidAnswers as refused:
        return _show(_with_mistakes(received.page, refused.data["invalid"]), failed=True)
    _tell_what_was_saved(received)
    return _receipt_of(str(submission))


@pages.post("/form/save")
@needs(Permission.ANSWER)
def save() -> ResponseReturnValue:
    received = _receive()
    return _show(received.page, notice=gettext("Saved. You can go on later."))


@pages.post("/form/edit")
@needs(Permission.ANSWER)
def edit() -> ResponseReturnValue:
    """Back from checking, with everything as it was typed."""
    return _show(_receive().page)


@pages.post("/form/language/<code>")
@needs(Permission.ANSWER)
def change_language(code: str) -> ResponseReturnValue:
    """In the middle of the form: as the link elsewhere, but with what was typed."""
    language = parse_language(code)
    speak(language)
    response = flask.make_response(_show(_receive().page))
    remember_language(response, language)
    return response


@pages.post("/form/drafts")
@needs(Permission.ANSWER)
def save_in_passing() -> ResponseReturnValue:
    """For the script: save some questions, and say what is wrong with them."""
    received = _receive()
    return {
        "questions": {
            question.ask: {"base": question.base, "error": question.error}
            for question in received.page.questions
        },
        "gone": received.gone,
    }


def _show(
    page: FormPage,
    *,
    failed: bool = False,
    trouble: str | None = None,
    notice: str | None = None,
) -> ResponseReturnValue:
    if not page.total and not failed:
        return flask.render_template("form/nothing.html", page=page)
    shown = flask.render_template(
        "form/form.html", page=page, trouble=trouble, notice=notice, place=_place()
    )
    return shown, 422 if failed else 200


def _place() -> dict[str, str]:
    """Which part of the form it is, as the page itself says."""
    values = flask.request.values
    return {
        name: text
        for name in ("unit", "section", "cursor", "part")
        if (text := values.get(name, ""))
    }


def _carried(received: _Received) -> list[tuple[str, str]]:
    bases = {question.ask: question.base for question in received.page.questions}
    typed = [replace(each, base=bases[ask]) for ask, each in received.typed.items() if ask in bases]
    return [*_place().items(), *hidden_fields(typed)]


def _nothing_answered(received: _Received) -> str:
    if received.gone:
        return str(
            gettext("What you filled in has been answered meanwhile. Nothing is left to send.")
        )
    return str(gettext("Nothing is filled in yet. Fill in at least one question, then go on."))


def _with_mistakes(page: FormPage, invalid: list[dict[str, str]]) -> FormPage:
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


def _tell_what_was_saved(received: _Received) -> None:
    """How often these answers would have been asked for, had everybody asked for themselves."""
    questions = [reading.question for reading in received.answered]
    asked = sum(max(1, len(question.asked_by)) for question in questions)
    spared = asked - len(questions)
    if spared < 1:
        return
    seconds = sum((len(each.asked_by) - 1) * each.seconds for each in questions if each.asked_by)
    agencies = len({agency for question in questions for agency in question.agencies})
    minutes = max(1, round(seconds / 60))
    flask.flash(
        gettext(
            "%(agencies)d departments wanted %(asked)d answers in all; you gave %(given)d.",
            agencies=agencies,
            asked=asked,
            given=len(questions),
        )
        + " "
        + ngettext("That saves about %(num)d minute.", "That saves about %(num)d minutes.", minutes)
    )


def _receipt_of(submission: str) -> ResponseReturnValue:
    return flask.redirect(flask.url_for("web_submissions.show_receipt", id=submission), 303)
