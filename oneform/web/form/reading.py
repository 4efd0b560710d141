"""Between what is typed and what it means: reading texts as values, showing values as texts.

Forgiving about the way of writing (full-width digits, thousands separators, the
unit behind the number), never about the meaning: what cannot be read is said,
not guessed.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from flask_babel import gettext  # type: ignore[import-untyped]

from oneform.web.form.controls import Control, ControlKind
from oneform.web.formats import day_words, number_words

YES, NO = "yes", "no"

MOST_DIGITS = 15
"""As many as every program that reads the number keeps."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")
_THOUSANDS = re.compile(r"(?<=\d)[,，](?=\d{3}(\D|$))")
_DAY = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?")


class Unreadable(ValueError):
    """What was typed is not of the kind that is asked for; the words say what is."""


def read_texts(control: Control, texts: Sequence[str]) -> Any:
    """The value that texts mean. At least one text is not blank. Unreadable."""
    text = texts[0]
    match control.kind:
        case ControlKind.NUMBER:
            return _read_number(control, text)
        case ControlKind.DATE:
            return _read_day(text)
        case ControlKind.YES_NO:
            return _read_choice({YES: True, NO: False}, text)
        case ControlKind.CHOICE:
            return _read_choice({each.text: each.value for each in control.choices}, text)
        case ControlKind.CHOICES:
            values = {each.text: each.value for each in control.choices}
            return [_read_choice(values, each) for each in texts]
        case ControlKind.JSON:
            return _read_json(text)
        case _:
            return text.strip()


def _read_number(control: Control, text: str) -> int | float:
    tidy = unicodedata.normalize("NFKC", text).strip()
    tidy = tidy.translate(_SIGNS)
    if control.unit:
        tidy = tidy.removesuffix(unicodedata.normalize("NFKC", control.unit)).strip()
    tidy = _THOUSANDS.sub("", tidy).replace(" ", "")
    if not _NUMBER.fullmatch(tidy) or not tidy.isascii():
        example = "1203" if control.is_whole else "12.5"
        raise Unreadable(
            gettext("Write a number in digits, for example %(number)s", number=example)
        )
    if sum(character.isdigit() for character in tidy) > MOST_DIGITS:
        raise Unreadable(gettext("The number has too many digits"))
    number = float(tidy)
    return int(number) if "." not in tidy or (control.is_whole and number.is_integer()) else number


_SIGNS = str.maketrans({"−": "-", "–": "-", "。": "."})


def _read_day(text: str) -> str:
    match = _DAY.fullmatch(unicodedata.normalize("NFKC", text).strip())
    try:
        if match is None:
            raise ValueError
        return dt.date(int(match[1]), int(match[2]), int(match[3])).isoformat()
    except ValueError:
        raise Unreadable(gettext("Write a day like this: 2026-03-16")) from None


def _read_choice(values: dict[str, Any], text: str) -> Any:
    if text not in values:
        raise Unreadable(gettext("Choose one from the list"))
    return values[text]


def _read_json(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Unreadable(gettext("This has to be JSON")) from None


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def show_value(control: Control, value: Any) -> tuple[str, ...]:
    """The texts that stand in the control for a value; what could not be read stays as it was."""
    match control.kind:
        case ControlKind.YES_NO if isinstance(value, bool):
            return (YES if value else NO,)
        case ControlKind.CHOICE:
            return tuple(each.text for each in control.choices if each.value == value) or _raw(
                value
            )
        case ControlKind.CHOICES if isinstance(value, list):
            return tuple(each.text for each in control.choices if each.value in value)
        case ControlKind.JSON if not isinstance(value, str):
            return (json.dumps(value, ensure_ascii=False),)
        case _:
            return _raw(value)


def _raw(value: Any) -> tuple[str, ...]:
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False),)


def value_words(control: Control, value: Any) -> str:
    """A value as people read it: with its unit, or with the name of its code."""
    match value:
        case bool():
            return str(gettext("yes") if value else gettext("no"))
        case int() | float():
            unit = control.unit or ""
            # Together on one line.
            return f"{number_words(value)}\u00a0{unit}".strip()
        case str() if control.kind is ControlKind.DATE:
            return _day_words(value)
        case _ if control.choices:
            wanted = value if isinstance(value, list) else [value]
            names = {each.text: each.words for each in control.choices}
            return "、".join(names.get(text, text) for each in wanted for text in _raw(each))
        case _:
            return _raw(value)[0]


def _day_words(text: str) -> str:
    try:
        return day_words(dt.date.fromisoformat(text))
    except ValueError:
        return text
