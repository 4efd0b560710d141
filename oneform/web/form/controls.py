"""How a question is put: which control fits the schema of its values. Pure.

A new type of value is a branch in `control_of`, a reading in `typing` and a
macro in `templates/form/controls.html`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MOST_RADIOS = 5
LONG_TEXT = 80


class ControlKind(StrEnum):
    NUMBER = "number"
    DATE = "date"
    YES_NO = "yes_no"
    CHOICE = "choice"
    CHOICES = "choices"
    TEXT = "text"
    LONG_TEXT = "long_text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Choice:
    """One that can be chosen: what the form sends, what it means, what it is called."""

    text: str
    value: Any
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    kind: ControlKind
    unit: str | None = None
    choices: tuple[Choice, ...] = ()
    is_whole: bool = False
    inputmode: str | None = None
    max_length: int | None = None
    autocomplete: str = "off"

    @property
    def is_select(self) -> bool:
        """A list to unfold, where radio buttons would fill the screen."""
        return self.kind is ControlKind.CHOICE and len(self.choices) > MOST_RADIOS

    @property
    def is_typed(self) -> bool:
        """One box to type into."""
        return self.kind in (
            ControlKind.NUMBER,
            ControlKind.DATE,
            ControlKind.TEXT,
            ControlKind.LONG_TEXT,
            ControlKind.JSON,
        )


def control_of(
    schema: Mapping[str, Any], *, unit: str | None = None, names: Mapping[str, str] | None = None
) -> Control:
    """The control for a schema with its codes resolved; `names` are those of the codes."""
    names = names or {}
    if "enum" in schema:
        return Control(kind=ControlKind.CHOICE, unit=unit, choices=_choices(schema["enum"], names))
    match _type(schema):
        case "boolean":
            return Control(kind=ControlKind.YES_NO)
        case "integer":
            return Control(
                kind=ControlKind.NUMBER, unit=unit, is_whole=True, inputmode=_pad(schema, "numeric")
            )
        case "number":
            return Control(kind=ControlKind.NUMBER, unit=unit, inputmode=_pad(schema, "decimal"))
        case "string":
            return _text(schema, unit)
        case "array" if "enum" in (items := schema.get("items") or {}):
            return Control(kind=ControlKind.CHOICES, choices=_choices(items["enum"], names))
        case _:
            return Control(kind=ControlKind.JSON)


def _type(schema: Mapping[str, Any]) -> str:
    found = schema.get("type", "")
    if isinstance(found, str):
        return found
    return next((name for name in found if name != "null"), "null")


def _choices(values: Sequence[Any], names: Mapping[str, str]) -> tuple[Choice, ...]:
    return tuple(
        Choice(text, value, names.get(text, text))
        for value in values
        for text in [value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)]
    )


def _pad(schema: Mapping[str, Any], pad: str) -> str | None:
    """The keypad of a phone; none where a minus may be needed, which many keypads lack."""
    lowest = schema.get("minimum", schema.get("exclusiveMinimum"))
    return pad if lowest is not None and lowest >= 0 else None


def _text(schema: Mapping[str, Any], unit: str | None) -> Control:
    longest = schema.get("maxLength")
    match schema.get("format"):
        case "date":
            return Control(kind=ControlKind.DATE)
        case "cn-mobile":
            return Control(kind=ControlKind.TEXT, inputmode="tel")
        case "cn-area-code":
            return Control(kind=ControlKind.TEXT, inputmode="numeric")
        case "email":
            return Control(kind=ControlKind.TEXT, inputmode="email")
        case "uri":
            return Control(kind=ControlKind.TEXT, inputmode="url")
    is_long = longest is not None and longest > LONG_TEXT
    return Control(
        kind=ControlKind.LONG_TEXT if is_long else ControlKind.TEXT,
        unit=unit,
        max_length=longest,
    )
