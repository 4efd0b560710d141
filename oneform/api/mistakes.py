"""From marshmallow's messages to mistakes with JSON pointers and stable codes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from oneform.kernel.errors import Mistake
from oneform.kernel.jsonvalues import json_pointer

_CODES: list[tuple[re.Pattern[str], str]] = [
    (re.compile(pattern), code)
    for pattern, code in (
        (r"^Missing data", "required"),
        (r"^Unknown field", "unknown-member"),
        (r"may not be null", "null"),
        (r"must not be blank", "blank"),
        (r"^Not a valid|^Invalid (type|URL)|^must be a JSON object|cannot be formatted", "type"),
        (r"^(Must be one of|One or more of the choices)", "choice"),
        (r"^(Shorter|Longer) than|^Length must", "length"),
        (r"^Must be (greater|less|equal)", "range"),
        (r"does not match", "pattern"),
    )
]
_WORDS = {
    "required": "is missing",
    "unknown-member": "is no member of this",
    "null": "must not be null",
}


def mistakes_of(messages: Any, *, pointer: str | None = None) -> list[Mistake]:
    """All mistakes in the messages of a ValidationError, in their order.

    `pointer` is a pattern such as `?{}` for parameters, whose names are not nested.
    """
    return [_mistake(path, message, pointer) for path, message in _walk(messages, ())]


def _walk(
    messages: Any, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            # `_schema` is marshmallow's name for the whole.
            yield from _walk(inner, path if name == "_schema" else (*path, name))
    elif isinstance(messages, list | tuple):
        for message in messages:
            yield from _walk(message, path)
    else:
        yield path, str(messages)


def _mistake(path: tuple[str | int, ...], message: str, pattern: str | None) -> Mistake:
    code = next((code for regex, code in _CODES if regex.search(message)), "invalid")
    where = pattern.format(path[0]) if pattern and path else json_pointer(path)
    words = _WORDS.get(code, message)
    # The pointer of the whole is empty, and says nothing to whoever reads it.
    return Mistake(where, code, words if where else f"the body: {words}")
