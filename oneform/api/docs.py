"""The OpenAPI document and its viewer: a page of our own, without script and without other hosts."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import flask
import orjson
from markupsafe import Markup, escape

from oneform.api.blueprints import BASE
from oneform.api.openapi import Api
from oneform.identity.access import public

METHODS = ("get", "post", "put", "patch", "delete")
POLICY = "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'"
_STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True)
class Operation:
    method: str
    path: str
    doc: dict[str, Any]
    parameters: list[dict[str, Any]]

    @property
    def anchor(self) -> str:
        words = self.path.replace("{", "").replace("}", "").strip("/").split("/")
        return "-".join([self.method, *words])


def init_app(app: flask.Flask, api: Api) -> None:
    """Serve the document of what is registered so far, and the page that shows it."""
    document = api.spec.to_dict()
    raw = orjson.dumps(document)
    stylesheet = (_STATIC / "docs.css").read_bytes()
    blueprint = flask.Blueprint("docs", __name__, template_folder="templates")

    @blueprint.get(f"{BASE}/openapi.json")
    @public
    def openapi_json() -> flask.Response:
        return flask.Response(raw, mimetype="application/json")

    # It takes long to make, is open to everybody and never changes.
    @functools.cache
    def page() -> bytes:
        return flask.render_template(
            "docs.html",
            document=document,
            topics=_topics(document),
            type_of=type_words,
            marked=marked,
        ).encode()

    @blueprint.get("/docs")
    @public
    def docs() -> flask.Response:
        headers = {"Content-Security-Policy": POLICY}
        return flask.Response(page(), mimetype="text/html", headers=headers)

    @blueprint.get("/docs/style.css")
    @public
    def style() -> flask.Response:
        cached = {"Cache-Control": "public, max-age=3600"}
        return flask.Response(stylesheet, mimetype="text/css", headers=cached)

    app.register_blueprint(blueprint)


def _topics(document: dict[str, Any]) -> list[tuple[dict[str, Any], list[Operation]]]:
    operations = list(_operations(document))
    return [
        (tag, [operation for operation in operations if tag["name"] in operation.doc["tags"]])
        for tag in document.get("tags", [])
    ]


def _operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                own = item[method].get("parameters", [])
                parameters = [*item.get("parameters", []), *own]
                shown = [_resolved(document, parameter) for parameter in parameters]
                yield Operation(method, path, item[method], shown)


def _resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        found: Any = document
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


def marked(text: str | None) -> Markup:
    """A text of the document with what stands in backticks as code."""
    pieces = (text or "").split("`")
    # An odd number of backticks is no code.
    if len(pieces) % 2 == 0:
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if number % 2 else piece
        for number, piece in enumerate(pieces)
    )


def type_words(schema: dict[str, Any]) -> str:
    """A schema in a few words: `string (date)`, `list of AreaOut`, `integer, 1 to 500`."""
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[1])
    if schema.get("type") == "array":
        return f"list of {type_words(schema.get('items', {}))}"
    for word in ("allOf", "anyOf", "oneOf"):
        if word in schema:
            return " or ".join(type_words(part) for part in schema[word])
    found = schema.get("type", "any")
    words = " or ".join(found) if isinstance(found, list) else str(found)
    if "format" in schema:
        words += f" ({schema['format']})"
    if "enum" in schema:
        words += ": " + ", ".join(str(value) for value in schema["enum"])
    if "minimum" in schema and "maximum" in schema:
        words += f", {schema['minimum']} to {schema['maximum']}"
    return words
