"""Logging in and out, and choosing a language."""

from __future__ import annotations

import flask
from flask.typing import ResponseReturnValue

from oneform.identity.models import Staff
from oneform.identity.policy import Permission
from oneform.identity.sessions import authenticate_password
from oneform.runtime.http import act_as
from oneform.web.form.carrying import keep_carried
from oneform.web.languages import COOKIE, parse_language, remember_language
from oneform.web.login_page import safe_address, show_login_page
from oneform.web.pages import Pages, current_context, needs, public
from oneform.web.visitors import current_visitor, log_in, log_out

pages = Pages("account")


@pages.get("/login")
@public
def show_login() -> ResponseReturnValue:
    next = flask.request.args.get("next", "")
    if current_visitor() is not None:
        return flask.redirect(safe_address(next))
    return show_login_page(next=next)


@pages.post("/login")
@public
def log_in_with_password() -> ResponseReturnValue:
    form = flask.request.form
    # No text in PostgreSQL holds U+0000.
    username, carried = form.get("username", "").replace("\0", ""), form.get("carried", "")
    person = authenticate_password(current_context(), username, form.get("password", ""))
    if person is None:
        # Shown, not raised: that somebody tried has to be committed.
        page = show_login_page(
            next=form.get("next", ""), username=username, carried=carried, failed=True
        )
        page.status_code = 422
        return page
    visitor = log_in(current_context(), person)
    act_as(visitor.principal)
    if carried:
        keep_carried(carried)
    response = flask.redirect(safe_address(form.get("next")))
    _speak_to(person, response)
    return response


def _speak_to(person: Staff, response: ResponseReturnValue) -> None:
    """In their own language, unless another was chosen on this machine."""
    if COOKIE not in flask.request.cookies and isinstance(response, flask.Response):
        remember_language(response, parse_language(person.language))


@pages.post("/logout")
@needs(Permission.READ_AREAS)
def log_out_again() -> ResponseReturnValue:
    log_out(current_context())
    return flask.redirect(flask.url_for("web_account.show_login"))


@pages.get("/language/<code>")
@public
def choose_language(code: str) -> ResponseReturnValue:
    """A link rather than a form: it changes nothing but the words."""
    response = flask.make_response(flask.redirect(safe_address(flask.request.args.get("next"))))
    remember_language(response, parse_language(code))
    return response
