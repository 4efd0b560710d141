"""Reading arguments of views: strict JSON, and mistakes in the shape of all others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import flask
import marshmallow as ma
from webargs.flaskparser import FlaskParser

from oneform.api.errors import InvalidBody, InvalidParameters
from oneform.api.mistakes import mistakes_of
from oneform.api.strictjson import json_body

_IN_THE_BODY = frozenset({"json", "form", "files"})


class Parser(FlaskParser):
    """webargs' parser of Flask requests, with our reading of JSON and our errors."""

    def load_json(self, _request: flask.Request, _schema: ma.Schema) -> Any:
        return json_body()

    def handle_error(
        self,
        error: ma.ValidationError,
        _request: flask.Request,
        _schema: ma.Schema,
        *,
        error_status_code: int | None,  # noqa: ARG002 - part of the signature; the table decides
        error_headers: Mapping[str, str] | None,  # noqa: ARG002
    ) -> NoReturn:
        assert isinstance(error.messages, dict)
        ((location, messages),) = error.messages.items()
        if location in _IN_THE_BODY:
            raise InvalidBody(mistakes=mistakes_of(messages)) from None
        raise InvalidParameters(mistakes=mistakes_of(messages, pointer="?{}")) from None
