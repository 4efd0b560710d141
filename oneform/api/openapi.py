"""The OpenAPI document: made from the same schemas that check and dump."""

from __future__ import annotations

import http
from typing import Any

import flask
import flask_smorest  # type: ignore[import-untyped]

from oneform import __version__
from oneform.api.problems import MEDIA_TYPE
from oneform.api.schemas import Problem

DESCRIPTION = """\
oneform (一表通) turns “ask the grassroots” into “look it up; ask only for the gap; ask once”.

Errors are problem details (RFC 9457) with a stable `type` and every mistake found. Lists are
`{"items": […], "next": cursor or null}`. Times are RFC 3339 in UTC.
"""

SECURITY_SCHEMES: dict[str, dict[str, Any]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key (`ofk_…`), an access token of `POST /oauth/token`, or a session "
        "token of `POST /api/v1/sessions`.",
    },
}


class Api(flask_smorest.Api):  # type: ignore[misc]  # it has no types
    """flask-smorest's, with our errors; the document is served by `docs`."""

    ERROR_SCHEMA = Problem

    def __init__(self, app: flask.Flask) -> None:
        super().__init__(
            app,
            spec_kwargs={
                "title": "oneform",
                "version": __version__,
                "openapi_version": "3.1.0",
                "info": {"description": DESCRIPTION},
                "servers": [{"url": "/"}],
            },
        )
        for name, scheme in SECURITY_SCHEMES.items():
            self.spec.components.security_scheme(name, scheme)

    def _register_error_handlers(self) -> None:
        """Errors are answered by `problems`."""

    def _register_pagination_header(self) -> None:
        """Pages are in bodies."""

    def _register_responses(self) -> None:
        def response(description: str) -> dict[str, Any]:
            return {
                "description": description,
                "content": {MEDIA_TYPE: {"schema": self.ERROR_SCHEMA}},
            }

        for status in http.HTTPStatus:
            found = response(status.phrase) if status >= 400 else {"description": status.phrase}
            self.spec.components.response(status.name, found, lazy=True)
        self.spec.components.response("DEFAULT_ERROR", response("An error"), lazy=True)
