"""The login page, wherever it is needed: asked for, or in the place of a page that needs it.

Logging in itself is in `account`.
"""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

import flask
from flask.typing import ResponseReturnValue

from oneform.identity.sessions import LOCK, MAX_FAILURES
from oneform.web.headers import dress


def ask_to_log_in() -> ResponseReturnValue:
    """In the place of a page that needs a session: the login page, and then that page.

    What was typed into a form is carried along, so that it is still there afterwards. Its CSRF
    token was checked: it comes from this browser.
    """
    request = flask.request
    if request.method == "GET":
        address = request.full_path if request.query_string else request.path
        return flask.redirect(flask.url_for("web_account.show_login", next=address))
    typed = [pair for pair in request.form.items(multi=True) if pair[0] != "csrf_token"]
    # Where a form was sent to cannot be asked for; the start page leads to what was saved.
    return show_login_page(next="", carried=urlencode(typed), session_over=True), 403


def show_login_page(
    *,
    next: str,
    username: str = "",
    carried: str = "",
    failed: bool = False,
    session_over: bool = False,
) -> flask.Response:
    page = flask.render_template(
        "login.html",
        next=safe_address(next),
        username=username,
        carried=carried,
        failed=failed,
        session_over=session_over,
        most_failures=MAX_FAILURES,
        lock_minutes=int(LOCK.total_seconds() // 60),
    )
    return dress(flask.make_response(page))


def safe_address(address: str | None) -> str:
    """The address if it is one of this site, else the start page: nobody is sent elsewhere.

    Browsers take backslashes for slashes, and skip control characters.
    """
    start = flask.url_for("web_home.start")
    if not address or not address.startswith("/") or address.startswith("//"):
        return start
    if "\\" in address or any(ord(character) < 0x21 for character in address):
        return start
    parts = urlsplit(address)
    return start if parts.scheme or parts.netloc else address
