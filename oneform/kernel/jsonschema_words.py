"""The words of a mistake that the slow validator found. They never repeat the value.

A value may be an identity number or ten megabytes long; what the schema demands is public.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from oneform.kernel.errors import Mistake
from oneform.kernel.jsonschema_engine import OWN_WORDS
from oneform.kernel.jsonvalues import json_pointer

MAX_SHOWN = 200
MAX_ALTERNATIVES = 5

_TYPE_NAMES = {
    dict: "an object",
    list: "an array",
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "a boolean",
    type(None): "null",
}
_NAMED_TYPES = {
    "object": "an object",
    "array": "an array",
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "a boolean",
    "null": "null",
}


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"


def _type(error: Any) -> str:
    wanted = error.validator_value
    names = [wanted] if isinstance(wanted, str) else wanted
    expected = " or ".join(_NAMED_TYPES[name] for name in names)
    return f"must be {expected}, not {_TYPE_NAMES[type(error.instance)]}"


def _enum(error: Any) -> str:
    shown = _shown(error.validator_value)
    if shown.endswith("…"):
        return f"is none of the {len(error.validator_value)} values allowed"
    return f"must be one of {shown}"


def _any_of(error: Any) -> str:
    # Where every alternative fails in one place, their words are short enough to list.
    words = list(dict.fromkeys(mistake_of(each).detail for each in error.context))
    if len(words) > MAX_ALTERNATIVES or any(each.relative_path for each in error.context):
        return f"fits none of the {len(error.validator_value)} alternatives"
    return "fits no alternative: " + "; or ".join(words)


def _one_of(error: Any) -> str:
    return _any_of(error) if error.context else "fits more than one alternative"


_WORDS: dict[str, Callable[[Any], str]] = {
    "type": _type,
    "enum": _enum,
    "const": lambda e: f"must be {_shown(e.validator_value)}",
    "minimum": lambda e: f"must be at least {e.validator_value}",
    "maximum": lambda e: f"must be at most {e.validator_value}",
    "exclusiveMinimum": lambda e: f"must be greater than {e.validator_value}",
    "exclusiveMaximum": lambda e: f"must be less than {e.validator_value}",
    "minLength": lambda e: f"must have at least {e.validator_value} characters",
    "maxLength": lambda e: f"must have at most {e.validator_value} characters",
    "minItems": lambda e: f"must have at least {e.validator_value} items",
    "maxItems": lambda e: f"must have at most {e.validator_value} items",
    "minProperties": lambda e: f"must have at least {e.validator_value} members",
    "maxProperties": lambda e: f"must have at most {e.validator_value} members",
    "uniqueItems": lambda _: "has the same item twice",
    "items": lambda _: "has more items than are allowed",
    "contains": lambda _: "has no item of the kind demanded",
    "minContains": lambda e: f"must have at least {e.validator_value} items of the kind demanded",
    "maxContains": lambda e: f"must have at most {e.validator_value} items of the kind demanded",
    "format": lambda e: f"is no valid {e.validator_value}",
    "not": lambda _: "is of a kind that is excluded",
    "anyOf": _any_of,
    "oneOf": _one_of,
}


def mistake_of(error: Any) -> Mistake:
    """A `jsonschema` ValidationError as a mistake; its code is the keyword that failed."""
    if error.validator is None:
        code, detail = "false", "is not allowed here"
    elif error.validator in OWN_WORDS:
        code, detail = error.validator, error.message
    else:
        code, detail = error.validator, _WORDS[error.validator](error)
    if getattr(error, "is_about_a_name", False):
        detail = f"has a member whose name {detail}"
    return Mistake(json_pointer(error.absolute_path), code, detail)
