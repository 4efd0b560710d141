"""What every response carries, and every request must not: ids, security headers, U+0000."""

from __future__ import annotations

import re

import flask
import structlog

from oneform.api.errors import MalformedRequest
from oneform.kernel.ids import new_id

REQUEST_ID = "X-Request-Id"
_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
}
"""Unless a view has set them itself, as pages do."""


def init_app(app: flask.Flask) -> None:
    app.before_request(begin_request)
    app.after_request(finish_response)


def begin_request() -> None:
    """Name the request, for the log and for whoever asks about it."""
    given = flask.request.headers.get(REQUEST_ID, "")
    flask.g.request_id = given if _SAFE_ID.fullmatch(given) else str(new_id())
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=flask.g.request_id)
    if "\0" in flask.request.path or b"%00" in flask.request.query_string:
        # No text in PostgreSQL can hold it, so it can be part of no name and no filter.
        raise MalformedRequest("The address contains the character U+0000.")


def finish_response(response: flask.Response) -> flask.Response:
    for name, value in SECURITY.items():
        response.headers.setdefault(name, value)
    if flask.request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    response.headers[REQUEST_ID] = flask.g.get("request_id", "-")
    return response
