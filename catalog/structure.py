"""The shape of a bundle's members as JSON Schemas (API.md, section 7).

What a shape cannot say (which owner exists, what a formula names, how long is too long)
is in `catalog.check`. A member that is null counts as left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from catalog.definition import Rollup
from catalog.formula import FIELD_CODE, MAX_LENGTH
from catalog.models import Mode, Review, Sharing
from catalog.periods import PeriodType
from oneform.areas.models import Level
from oneform.kernel.errors import Mistake
from oneform.kernel.jsonschemas import CompiledSchema, compile_schema

BUNDLE: Final = "oneform-catalog/1"
"""What the member `bundle` says; another number would be another format."""

LEVELS: Final = [level.word for level in Level]
MAX_ITEMS: Final = 20_000


# C0, DEL, C1 and the separators of lines and paragraphs.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_UNPRINTABLE_IN_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def _is_text(value: object) -> bool:
    """Not blank, and nothing in it that a page or a table could not show."""
    return isinstance(value, str) and bool(value.strip()) and not _UNPRINTABLE_IN_TEXT.search(value)


def _is_line(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and not _UNPRINTABLE.search(value)


_FORMATS = {"text": _is_text, "line of text": _is_line}

_LINE = {"type": "string", "maxLength": 200, "format": "line of text"}
_TEXT = {"type": "string", "maxLength": 4000, "format": "text"}
_CODE = {"type": "string", "maxLength": 100, "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$"}
_FIELD_CODE = {"type": "string", "maxLength": 100, "pattern": f"^{FIELD_CODE}$"}
_DAY = {"type": "string", "format": "date"}
_LANGUAGE = "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"


def _object(required: Mapping[str, Any], **optional: Any) -> dict[str, Any]:
    """These members and no others."""
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


def _one_of(terms: type[StrEnum]) -> dict[str, Any]:
    return {"enum": [term.value for term in terms]}


def _by_language(text: Mapping[str, Any]) -> dict[str, Any]:
    """Words in Chinese and, if any, in other languages."""
    return {
        "type": "object",
        "required": ["zh"],
        "propertyNames": {"pattern": _LANGUAGE},
        "additionalProperties": text,
    }


_NAME = _by_language(_LINE)
_EXPRESSION = {"type": "string", "maxLength": MAX_LENGTH}

SCHEMAS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "agencies": _object({"code": _CODE, "name": _NAME}),
        "subject_kinds": _object(
            {"code": _CODE, "name": _NAME},
            key_schema={"type": "object"},
            personal={"type": "boolean"},
        ),
        "code_lists": _object({"code": _CODE, "name": _NAME, "items": {"type": "array"}}),
        "items": _object(
            {"code": {"type": "string", "maxLength": 100, "format": "line of text"}, "name": _NAME}
        ),
        "fields": _object(
            {
                "code": _FIELD_CODE,
                "name": _NAME,
                "definition": _by_language(_TEXT),
                "topic": _CODE,
                "subject_kind": _CODE,
                "schema": {"type": "object"},
                "period_type": _one_of(PeriodType),
                "mode": _one_of(Mode),
                "owner": _CODE,
                "sharing": _object({"category": _one_of(Sharing)}, conditions=_TEXT, basis=_TEXT),
                "legal_basis": _TEXT,
                "effective_from": _DAY,
                "expires_on": _DAY,
            },
            synonyms={"type": "array", "items": _LINE, "maxItems": 200},
            levels={"type": "array", "items": {"enum": LEVELS}, "uniqueItems": True},
            unit={"type": "string", "maxLength": 40, "format": "line of text"},
            valid_for={"type": "string"},
            collected_at={"enum": LEVELS},
            review=_one_of(Review),
            sensitivity={"type": "integer", "minimum": 1, "maximum": 4},
            personal={"type": "boolean"},
            rollup=_one_of(Rollup),
            derivation=_object({}, formula=_EXPRESSION, count=_CODE, where=_EXPRESSION),
            soft_checks={"type": "array", "items": {"type": "object"}, "maxItems": 20},
            seconds={"type": "integer", "minimum": 0, "maximum": 86_400},
            window={"type": "object"},
        ),
    }
)
"""By member of a bundle, and `items` for those of a code list."""


@cache
def _compiled(member: str) -> CompiledSchema:
    return compile_schema(SCHEMAS[member], _FORMATS)


def shape_mistakes(member: str, value: object) -> list[Mistake]:
    """Why a value has not the shape of a member: all that is wrong, as pointers into it.

    The items of a code list are members of their own and not looked into.
    """
    if isinstance(value, dict):
        value = {name: part for name, part in value.items() if part is not None}
        if isinstance(sharing := value.get("sharing"), dict):
            value["sharing"] = {n: part for n, part in sharing.items() if part is not None}
        if member == "code_lists" and isinstance(value.get("items"), list):
            if len(value["items"]) > MAX_ITEMS:
                return [Mistake("/items", "size", f"has more than {MAX_ITEMS} items")]
            value["items"] = []
    shape = _compiled(member)
    return [] if shape.is_valid(value) else shape.errors(value)
