"""The pages of the form: fill in, check, send. The way there and back loses nothing."""

from __future__ import annotations

from typing import Any

import flask
from flask.typing import ResponseReturnValue
from flask_babel import gettext  # type: ignore[import-untyped]

from oneform.collection.errors import InvalidAnswers
from oneform.identity.policy import Permission
from oneform.web.form import sending, telling
from oneform.web.form.answering import checked_lines, read_questions
from oneform.web.form.building import ON_ONE_PAGE, part_of, split
from oneform.web.form.loading import load_page
from oneform.web.form.model import FormPage
from oneform.web.form.receiving import carried_fields, place, receive
from oneform.web.languages import parse_language, remember_language, speak
from oneform.web.pages import Pages, current_context, needs

pages = Pages("form")


@pages.get("/form")
@needs(Permission.ANSWER)
def show_form() -> ResponseReturnValue:
    args = flask.request.args
    page = load_page(
        current_context(),
        unit=args.get("unit"),
        section=args.get("section"),
        cursor=args.get("cursor"),
    )
    # What is kept may be what could not be sent: that is told, and not counted.
    page, _ = read_questions(page, {})
    part = args.get("part", type=int)
    if part is None and page.total > ON_ONE_PAGE:
        return flask.render_template("form/parts.html", page=page, parts=split(page), place=place())
    return _show(part_of(page, part or 1))


@pages.get("/form/<any(check, save, edit, send):step>")
@needs(Permission.ANSWER)
def begin_again(**_step: str) -> ResponseReturnValue:
    """A page that was sent cannot be asked for; what was typed is at the form."""
    where: dict[str, Any] = {**place()}
    return flask.redirect(flask.url_for("web_form.show_form", **where))


@pages.post("/form/check")
@needs(Permission.ANSWER)
def check() -> ResponseReturnValue:
    """Everything that is wrong at once, or the answers once more."""
    received = receive()
    if not received.answered:
        return _show(received.page, failed=True, trouble=telling.nothing_answered(received))
    page = telling.judged(received)
    if page.mistakes:
        return _show(page, failed=True)
    return flask.render_template(
        "form/check.html",
        page=page,
        place=place(),
        lines=checked_lines(received.answered),
        hidden=carried_fields(page),
        key=sending.new_key(),
        notice=telling.gone_words(received.gone) if received.gone else None,
    )


@pages.post("/form/send")
@needs(Permission.ANSWER)
def send() -> ResponseReturnValue:
    ctx = current_context()
    key = sending.tidy_key(flask.request.form.get("key", ""))
    sent = sending.find_sent(ctx, key)
    if sent is not None:
        return _receipt_of(str(sent))
    received = receive()
    if not received.answered:
        return _show(received.page, failed=True, trouble=telling.nothing_answered(received))
    if received.page.mistakes:
        return _show(telling.judged(received), failed=True)
    try:
        given = [reading.given for reading in received.answered]
        submission = sending.send_once(ctx, key, given)
    except InvalidAnswers as refused:
        page = telling.with_mistakes(received.page, refused.data["invalid"])
        return _show(page, failed=True)
    if received.gone:
        flask.flash(telling.gone_words(received.gone))
    spared = telling.Spared.by([reading.question for reading in received.answered])
    telling.remember_spared(str(submission), spared)
    return _receipt_of(str(submission))


@pages.post("/form/save")
@needs(Permission.ANSWER)
def save() -> ResponseReturnValue:
    return _show(receive().page, notice=gettext("Saved. You can go on later."))


@pages.post("/form/edit")
@needs(Permission.ANSWER)
def edit() -> ResponseReturnValue:
    """Back from checking, with everything as it was typed."""
    return _show(receive().page)


@pages.post("/form/language/<code>")
@needs(Permission.ANSWER)
def change_language(code: str) -> ResponseReturnValue:
    """In the middle of the form: as the link elsewhere, but with what was typed."""
    language = parse_language(code)
    speak(language)
    response = flask.make_response(_show(receive().page))
    remember_language(response, language)
    return response


@pages.post("/form/drafts")
@needs(Permission.ANSWER)
def save_in_passing() -> ResponseReturnValue:
    """For the script: save some questions, and say what is wrong with them."""
    return {
        "questions": {
            question.ask: {"base": question.base, "error": question.error}
            for question in receive().page.questions
        }
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
        "form/form.html", page=page, trouble=trouble, notice=notice, place=place()
    )
    return shown, 422 if failed else 200


def _receipt_of(submission: str) -> ResponseReturnValue:
    return flask.redirect(flask.url_for("web_submissions.show_receipt", id=submission), 303)
