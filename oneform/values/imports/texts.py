"""From the text of a CSV cell to the JSON text of a value, by the type of the field. Pure.

Spreadsheets write `1,203`, `１２０３` or `2026/3/16` for what is meant as 1203 and
2026-03-16. What cannot be read so is kept as a text, which the schema of the field
then refuses in words; nothing is guessed.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import orjson

from oneform.kernel.jsonvalues import MAX_INTEGER, MIN_INTEGER, is_json

_NUMBER = re.compile(
    r"[+-]?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?"
)
_DAY = re.compile(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?")
_BOOLEANS = {
    **dict.fromkeys(("true", "yes", "1", "是"), True),
    **dict.fromkeys(("false", "no", "0", "否"), False),
}
_LONGEST_NUMBER = 400
_DIGITS = 18  # of a whole number that surely has no more than 64 bits
_REMEMBERED = 10_000

Schema = Mapping[str, Any]
Reader = Callable[[str], str]


class CellReader:
    """Reads cells of any field."""

    def __init__(self, schema_of: Callable[[str], Schema | None]) -> None:
        """`schema_of` gives the schema of a field by its code; None where there is no such field."""
        self._schema_of = schema_of
        self._readers: dict[str, Reader] = {}

    def __call__(self, field: str, text: str) -> str:
        """The JSON text of the value that a cell of a field means."""
        try:
            read = self._readers[field]
        except KeyError:
            if len(self._readers) >= _REMEMBERED:
                self._readers.clear()
            read = self._readers[field] = reader_of(self._schema_of(field) or {})
        return read(text)


def reader_of(schema: Schema) -> Reader:
    """From cells of a field with this schema to JSON texts (code lists need not be resolved)."""
    types = schema.get("type")
    named = [types] if isinstance(types, str) else list(types or ())
    match next((name for name in named if name != "null"), None):
        case "integer" | "number":
            return _number_of
        case "boolean":
            return lambda text: _written(_BOOLEANS.get(text.lower(), text))
        case "array" | "object":
            return lambda text: _attempt(orjson.loads, text)  # its JSONDecodeError is a ValueError
        case "string" if schema.get("format") == "date":
            return lambda text: _attempt(read_day, text)
    return _written


def _number_of(text: str) -> str:
    # Most numbers are written as they are meant.
    if len(text) <= _DIGITS and text.isascii() and text.isdigit() and text[0] != "0":
        return text
    return _attempt(read_number, text)


def _attempt(read: Callable[[str], Any], text: str) -> str:
    try:
        value = read(text)
    except ValueError:
        value = text
    # A list or an object may hold what cannot be stored.
    return _written(value if is_json(value) else text)


def _written(value: Any) -> str:
    return orjson.dumps(value).decode()


def read_number(text: str) -> int | float:
    """A number as a spreadsheet writes it, integral ones as integers; ValueError."""
    text = unicodedata.normalize("NFKC", text).strip()
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        raise ValueError("is no number")
    number = Decimal(text.replace(",", ""))
    if number == number.to_integral_value():
        whole = int(number)
        if MIN_INTEGER <= whole <= MAX_INTEGER:
            return whole
        raise ValueError("has more than 64 bits")
    return float(number)


def read_day(text: str) -> str:
    """A day as RFC 3339 has it, however it is written with the year first; ValueError."""
    match = _DAY.fullmatch(text)
    if match is None:
        raise ValueError("is no day")
    return dt.date(*map(int, match.groups())).isoformat()
