"""Where everybody begins: staff at their form, others at a page that says what they can do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import flask
from flask.typing import ResponseReturnValue
from flask_babel import gettext  # type: ignore[import-untyped]

from oneform.identity.policy import Permission, Principal
from oneform.web.pages import Pages, needs, public
from oneform.web.visitors import current_visitor

pages = Pages("home")


@dataclass(frozen=True, slots=True)
class Work:
    """Something that somebody may do, and the calls for it until it has its page."""

    words: str
    calls: tuple[str, ...]


@pages.get("/")
@public
def start() -> ResponseReturnValue:
    visitor = current_visitor()
    if visitor is None:
        return flask.redirect(flask.url_for("web_account.show_login"))
    if visitor.principal.may(Permission.ANSWER):
        return flask.redirect(flask.url_for("web_form.show_form"))
    return flask.redirect(flask.url_for("web_home.show_home"))


@pages.get("/home")
@needs(Permission.READ_AREAS)
def show_home() -> ResponseReturnValue:
    visitor = current_visitor()
    assert visitor is not None
    return flask.render_template("home.html", works=list(_works_of(visitor.principal)))


def _works_of(principal: Principal) -> Iterator[Work]:
    for permission, words, calls in _works():
        if principal.may(permission):
            yield Work(words, calls)


def _works() -> list[tuple[Permission, str, tuple[str, ...]]]:
    p = Permission
    return [
        (
            p.REVIEW_ANSWERS,
            gettext("See what came in, and send single answers back with a comment"),
            ("GET /api/v1/reviews", "POST /api/v1/reviews/decide"),
        ),
        (
            p.DECIDE_REFUSAL,
            gettext("Decide when a village says that a question is not theirs to answer"),
            ("GET /api/v1/refusals", "POST /api/v1/refusals/{id}/decide"),
        ),
        (
            p.SUBMIT_REQUEST,
            gettext("Request data, and see beforehand how much of it is there already"),
            ("POST /api/v1/requests/check", "POST /api/v1/requests"),
        ),
        (
            p.READ_DATA,
            gettext("Follow a request, and fetch its data"),
            ("GET /api/v1/requests/{id}", "GET /api/v1/requests/{id}/data"),
        ),
        (
            p.MANAGE_SOURCES,
            gettext("Offer a table, a file or an interface of your department, once for all"),
            ("GET /api/v1/sources", "POST /api/v1/sources"),
        ),
        (
            p.DECIDE_GRANTS,
            gettext("Decide who may use data that is shared on conditions"),
            ("GET /api/v1/grants", "POST /api/v1/grants/{id}/decide"),
        ),
        (
            p.SUPERVISE,
            gettext("See what was asked of villages, what was refused at the door, and why"),
            ("GET /api/v1/rejections", "GET /api/v1/releases", "GET /api/v1/audit"),
        ),
        (
            p.READ_PUBLIC,
            gettext("Search the list of everything that villages may be asked"),
            ("GET /api/v1/fields?q=",),
        ),
    ]
