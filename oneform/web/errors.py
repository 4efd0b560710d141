"""What a page says when it cannot be shown: always in words, with what to do next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import flask
import sqlalchemy as sa
import structlog
from flask.typing import ResponseReturnValue
from flask_babel import gettext  # type: ignore[import-untyped]
from flask_wtf.csrf import CSRFError  # type: ignore[import-untyped]
from werkzeug.exceptions import HTTPException

from oneform.kernel.errors import DomainError, Unauthenticated
from oneform.runtime.database_errors import is_away, is_unstorable, may_be_done
from oneform.web.headers import dress
from oneform.web.login_page import ask_to_log_in

log = structlog.get_logger(__name__)

ProgramAnswer = Callable[[HTTPException], ResponseReturnValue]

STATUS = {
    "not-found": 404,
    "forbidden": 403,
    "invalid": 400,
    "bad-cursor": 400,
    "malformed-request": 400,
    "conflict": 409,
    "try-again": 503,
}
"""Status of each code of a DomainError, or of a base class of it."""

PROGRAMS = ("/api/", "/oauth/")
"""Below these addresses nobody is a browser."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What the page says: what is the matter, and what to do."""

    title: str
    advice: str
    again: bool = False
    """Whether the very same can be asked for again at once."""


def trouble_of(status: int) -> Trouble:
    """The words for a status."""
    match status:
        case 403:
            return Trouble(
                gettext("This page is not for you"),
                gettext("Your account may not open it. If you need it, ask your township."),
            )
        case 404:
            return Trouble(
                gettext("There is no such page"),
                gettext("Perhaps the address has a mistake, or the page is gone. Begin again."),
            )
        case 409:
            return Trouble(
                gettext("Somebody else was faster"),
                gettext("Things have changed in the meantime. Open the form again and look."),
            )
        case 413:
            return Trouble(
                gettext("That was too much at once"),
                gettext("Go back, and send a part of it first."),
            )
        case 503 if is_reading():
            return Trouble(
                gettext("It does not work at the moment"),
                gettext("Nothing is lost. Wait a minute, then try again."),
                again=True,
            )
        case 503 if sent_form() is not None:
            return Trouble(
                gettext("It does not work at the moment"),
                gettext(
                    "Nothing was changed, and what you typed is kept. Wait a minute, then try again."
                ),
                again=True,
            )
        case 503:
            return Trouble(
                gettext("It does not work at the moment"),
                gettext(
                    "Nothing was changed. Go back and try again in a minute: "
                    "what you typed is still there."
                ),
            )
        case 500:
            return Trouble(
                gettext("Something went wrong on our side"),
                gettext(
                    "It is not your fault, and nothing was changed. Go back and try again. "
                    "If it happens again, tell your township this number:"
                ),
            )
        case _:
            return Trouble(
                gettext("That could not be read"),
                gettext("Go back, or begin again from the start."),
            )


def _unknown_end() -> Trouble:
    """For a deed of which nobody knows whether it was done. A page sent again does nothing twice."""
    return Trouble(
        gettext("It does not work at the moment"),
        gettext(
            "Whether your last step was saved is not known. Wait a minute, then try again: "
            "what you typed is kept, and nothing is counted twice."
        ),
        again=True,
    )


def show_trouble(status: int, trouble: Trouble | None = None) -> flask.Response:
    """The error page of a status; for scripts, the same words as JSON."""
    trouble = trouble or trouble_of(status)
    if wants_json():
        response = flask.jsonify({"title": trouble.title, "advice": trouble.advice})
    else:
        response = flask.make_response(
            flask.render_template(
                "error.html",
                trouble=trouble,
                sent=sent_form() if trouble.again else None,
                number=flask.g.get("request_id") if status == 500 else None,
            )
        )
    response.status_code = status
    return dress(response)


def sent_form() -> list[tuple[str, str]] | None:
    """The form that came, to be sent again as it is: nothing typed is lost with the page.

    None where none came, and for passwords, which stand on no page.
    """
    request = flask.request
    if request.method != "POST" or request.is_json or "password" in request.form:
        return None
    return list(request.form.items(multi=True))


def is_reading() -> bool:
    """Whether something was only to be shown."""
    return flask.request.method in ("GET", "HEAD")


def wants_json() -> bool:
    """Whether a script of ours asks."""
    return flask.request.accept_mimetypes.best == "application/json"


def show_domain_error(error: DomainError) -> ResponseReturnValue:
    if isinstance(error, Unauthenticated):
        if wants_json():
            return show_trouble(
                401,
                Trouble(
                    gettext("You have to log in again"),
                    gettext("What you typed is still on this page."),
                ),
            )
        return ask_to_log_in()
    codes = (cls.__dict__.get("code") for cls in type(error).__mro__)
    status = next((STATUS[code] for code in codes if code in STATUS), None)
    return show_fault(error) if status is None else show_trouble(status)


def show_http_error(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or error.code is None or error.code < 400:
        return error.get_response()
    response = show_trouble(error.code)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def show_forged(_error: CSRFError) -> ResponseReturnValue:
    """No valid CSRF token: nearly always a page that was open for days."""
    return show_trouble(
        400,
        Trouble(
            gettext("This page was open for too long"),
            gettext(
                "For safety nothing was sent. Go back: what you typed is still there. "
                "Copy what you need, load the page again and send it once more."
            ),
        ),
    )


def show_database_error(error: sa.exc.SQLAlchemyError) -> ResponseReturnValue:
    if is_away(error):
        log.error("database.unavailable", error=str(error).splitlines()[0])
        doubtful = may_be_done(error) and sent_form() is not None
        return show_trouble(503, _unknown_end() if doubtful else None)
    if is_unstorable(error):
        log.warning("input.unstorable", path=flask.request.path)
        return show_trouble(400)
    return show_fault(error)


def show_fault(error: Exception) -> ResponseReturnValue:
    """500: what happened goes to the log, under the number that the page shows."""
    log.error("request.failed", path=flask.request.path, exc_info=error)
    return show_trouble(500)


def init_pages(pages: flask.Blueprint) -> None:
    """Error pages for what goes wrong in a page."""
    pages.register_error_handler(DomainError, show_domain_error)
    pages.register_error_handler(HTTPException, show_http_error)
    pages.register_error_handler(CSRFError, show_forged)
    pages.register_error_handler(sa.exc.SQLAlchemyError, show_database_error)
    pages.register_error_handler(Exception, show_fault)
    pages.after_request(dress)


def init_app(app: flask.Flask, answer_program: ProgramAnswer) -> None:
    """A page for a browser that asks for an address that there is not."""

    def show(error: HTTPException) -> ResponseReturnValue:
        return show_http_error(error) if _is_browser() else answer_program(error)

    for status in (404, 405):
        app.register_error_handler(status, show)


def _is_browser() -> bool:
    if flask.request.path.startswith(PROGRAMS):
        return False
    # Browsers name it; programs that take anything do not.
    return "text/html" in flask.request.accept_mimetypes.values()
