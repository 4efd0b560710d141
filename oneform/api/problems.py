"""From error to answer: the one table of statuses, and problem details (RFC 9457).

`type` is `urn:oneform:problem:<name>`, the name being the error's code. An
error whose own code is not in the table is answered as the nearest of its base
classes; one that has none there is a fault of ours: 500, without details.
"""

from __future__ import annotations

from typing import Any

import flask
import marshmallow
import orjson
import sqlalchemy as sa
import structlog
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

from oneform.api.errors import InvalidBody
from oneform.api.mistakes import mistakes_of
from oneform.kernel.db import DISK_FULL
from oneform.kernel.errors import DomainError
from oneform.runtime.database_errors import is_away, is_unstorable, may_be_done, sqlstate_of

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
PREFIX = "urn:oneform:problem:"

STATUS: dict[str, int] = {
    "malformed-body": 400,
    "malformed-request": 400,
    "invalid-parameters": 400,
    "bad-cursor": 400,
    "idempotency-key-missing": 400,
    "token-refused": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "not-found": 404,
    "conflict": 409,
    "idempotency-key-in-use": 409,
    # Somebody else's store is in no state to be read; nothing is wrong with this server.
    "source-failed": 409,
    "source-unavailable": 409,
    "precondition-failed": 412,
    "unsupported-media-type": 415,
    "invalid": 422,
    "invalid-request": 422,
    "invalid-answers": 422,
    "idempotency-key-reused": 422,
    "off-whitelist": 422,
    "due-too-soon": 422,
    "request-too-large": 422,
    "address-refused": 422,
    "host-unknown": 422,
    "too-many-requests": 429,
    "try-again": 503,
}
"""Status of each code of a DomainError."""

NAMES = {"invalid": "invalid-request"}
"""Codes that have another name outside."""

HTTP_NAMES = {
    400: "malformed-request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    412: "precondition-failed",
    413: "body-too-large",
    415: "unsupported-media-type",
    429: "too-many-requests",
}
"""Name of each status that the framework itself answers with."""

MOST_MISTAKES = 1000
"""A body of a few MB may have a million of them, and nobody reads those."""

UNAVAILABLE = "unavailable"
"""The database does not answer."""


def status_of(error: DomainError) -> int | None:
    """The status of an error; None when the table does not know it or a base class of it."""
    return status_of_kind(type(error))


def status_of_kind(kind: type[DomainError]) -> int | None:
    """The status of errors of a class, as `status_of`."""
    for cls in kind.__mro__:
        code = cls.__dict__.get("code")
        if code in STATUS:
            return STATUS[code]
    return None


def name_of(error: DomainError | type[DomainError]) -> str:
    """The name of the problem that an error is told as."""
    return NAMES.get(error.code, error.code)


def problem(
    status: int,
    name: str,
    title: str,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    extra: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> flask.Response:
    """A response with problem details."""
    body: dict[str, Any] = {
        **(extra or {}),
        "type": PREFIX + name,
        "title": title,
        "status": status,
        "detail": detail,
        # Always there, so that a client needs no second shape.
        "errors": errors or [],
    }
    response = flask.Response(
        orjson.dumps(body, default=str), status=status, mimetype=MEDIA_TYPE, headers=headers
    )
    if status == 401 and "WWW-Authenticate" not in response.headers:
        given = "Authorization" in flask.request.headers
        response.headers["WWW-Authenticate"] = (
            'Bearer realm="oneform", error="invalid_token"' if given else 'Bearer realm="oneform"'
        )
    return response


def answer_domain_error(error: DomainError) -> flask.Response:
    """The answer to a domain error, by the table."""
    status = status_of(error)
    if status is None:
        return answer_fault(error)
    headers = {}
    detail = error.detail
    if len(error.mistakes) > MOST_MISTAKES:
        detail += f" Of {len(error.mistakes)} mistakes the first {MOST_MISTAKES} are listed."
    retry_after = error.data.get("retry_after", 1 if status == 503 else None)
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    return problem(
        status,
        name_of(error),
        error.title,
        detail,
        errors=[mistake.as_dict() for mistake in error.mistakes[:MOST_MISTAKES]],
        extra=error.data,
        headers=headers,
    )


def answer_http_error(error: HTTPException) -> flask.typing.ResponseReturnValue:
    """The answer to an error of the framework; redirects pass."""
    status = error.code
    if error.response is not None or status is None or status < 400:
        return error.get_response()
    title = HTTP_STATUS_CODES.get(status, error.name)
    name = HTTP_NAMES.get(status, title.lower().replace(" ", "-"))
    headers = {
        key: value
        for key, value in error.get_headers()
        if key.lower() not in ("content-type", "content-length")
    }
    return problem(status, name, title, error.description or title, headers=headers)


def answer_schema_error(error: marshmallow.ValidationError) -> flask.Response:
    """The answer to a schema that a view itself applied."""
    return answer_domain_error(InvalidBody(mistakes=mistakes_of(error.messages)))


def answer_database_error(error: sa.exc.SQLAlchemyError) -> flask.Response:
    """Away: 503. Input that no column can hold: 400. Anything else is a fault."""
    if is_away(error):
        log.error("database.unavailable", error=str(error).splitlines()[0])
        full = sqlstate_of(error) == DISK_FULL
        if full:
            detail = "The database has no room on its disk; nothing was changed."
        elif may_be_done(error):
            detail = "The database went away meanwhile; whether this was done is not known."
        else:
            detail = "The database does not answer; nothing was changed."
        return problem(
            503,
            UNAVAILABLE,
            "Not possible at the moment",
            f"{detail} Please send the same again.",
            headers={"Retry-After": "5" if full else "1"},
        )
    if is_unstorable(error):
        log.warning("input.unstorable", sqlstate=sqlstate_of(error), path=flask.request.path)
        return problem(
            400,
            "malformed-request",
            "The request cannot be read",
            "A value in the request is out of every range, or is text that cannot be stored.",
        )
    return answer_fault(error)


def answer_fault(error: Exception) -> flask.Response:
    """500: what happened goes to the log, under the request's id, and not to the client."""
    log.error("request.failed", path=flask.request.path, exc_info=error)
    return problem(
        500,
        "internal",
        "Something went wrong on our side",
        f"Nothing was changed. Please report this number: {flask.g.get('request_id', '-')}",
    )


def init_app(app: flask.Flask) -> None:
    app.register_error_handler(DomainError, answer_domain_error)
    app.register_error_handler(HTTPException, answer_http_error)
    app.register_error_handler(marshmallow.ValidationError, answer_schema_error)
    app.register_error_handler(sa.exc.SQLAlchemyError, answer_database_error)
    app.register_error_handler(Exception, answer_fault)
