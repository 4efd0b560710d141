"""Reading JSON bodies strictly, so that nothing ambiguous or unstorable gets further in.

Refused with 400: other encodings than UTF-8, names given twice, NaN and
infinities (also as 1e999), integers of more than 64 bits, U+0000 and halves of
surrogate pairs (PostgreSQL stores neither), nesting deeper than `MAX_DEPTH`.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

import flask

from oneform.api.errors import MalformedBody, UnsupportedMediaType
from oneform.kernel.errors import Mistake
from oneform.kernel.jsonvalues import MAX_INTEGER, MIN_INTEGER, json_mistakes

MAX_DEPTH = 64


def json_body() -> Any:
    """The body of the request in hand, parsed once. MalformedBody, UnsupportedMediaType."""
    if "oneform_json" not in flask.g:
        _check_media_type()
        flask.g.oneform_json = parse(flask.request.get_data(cache=False))
    return flask.g.oneform_json


def _check_media_type() -> None:
    request = flask.request
    if request.content_encoding not in (None, "", "identity"):
        raise UnsupportedMediaType("Compressed bodies are not read.")
    mimetype = request.mimetype
    if not (mimetype == "application/json" or mimetype.endswith("+json")):
        raise UnsupportedMediaType("The body must be application/json.")
    if request.mimetype_params.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise UnsupportedMediaType("JSON must be in UTF-8.")


def parse(body: bytes) -> Any:
    """The value of a JSON text in UTF-8 (a byte order mark is allowed); MalformedBody."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedBody(f"The body is not UTF-8 (byte {error.start}).") from None
    if not text.strip():
        raise MalformedBody("The body is empty; JSON is needed.")
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise MalformedBody(
            f"The body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})."
        ) from None
    except RecursionError:
        raise _too_deep() from None
    _check_depth(value, text)
    _check_text(value, text)
    return value


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        double = next(name for name in names if names.count(name) > 1)
        raise MalformedBody(f"The name {_shown(double)} is given twice in one object.")
    return found


def _integer(text: str) -> int:
    # Longer ones than 20 characters need not be converted to be known as too large.
    if len(text) > 20 or not MIN_INTEGER <= (number := int(text)) <= MAX_INTEGER:
        raise MalformedBody(f"The number {_shown(text)} has more than 64 bits.")
    return number


def _real(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise MalformedBody(f"The number {_shown(text)} is too large.")
    return number


def _constant(text: str) -> NoReturn:
    raise MalformedBody(f"{text} is no JSON.")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_int=_integer, parse_float=_real, parse_constant=_constant
)


def _shown(text: str) -> str:
    return json.dumps(text if len(text) <= 40 else text[:40] + "…")


def _too_deep() -> MalformedBody:
    return MalformedBody(f"The body is nested deeper than {MAX_DEPTH} levels.")


def _check_depth(value: Any, text: str) -> None:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            part
            for whole in level
            for part in (whole.values() if isinstance(whole, dict) else whole)
            if isinstance(part, dict | list)
        ]
        if not level:
            return
    raise _too_deep()


def _check_text(value: Any, text: str) -> None:
    """Escapes are the only way in for what UTF-8 itself cannot carry, and for U+0000."""
    lowered = text.lower() if "\\u" in text else ""
    if "\\u0000" not in lowered and "\\ud" not in lowered:
        return
    mistakes = json_mistakes(value, max_depth=MAX_DEPTH, max_nodes=len(text) + 1)
    if mistakes:
        raise MalformedBody(
            "Text in the body cannot be stored.",
            mistakes=[Mistake(m.pointer, "text", m.detail) for m in mistakes[:100]],
        )
