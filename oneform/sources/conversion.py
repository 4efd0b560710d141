"""From what a store holds to what a field holds. Pure: one raw value, one result.

The same fact comes as `1203`, `Decimal("1203.00")`, `"1,203"` or `"１２０３"`, and
must become the same JSON. What cannot be read so, or breaks the field's schema,
is refused in words; nothing is guessed.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

import orjson

from catalog.periods import Period, PeriodError, PeriodType, parse_period
from oneform.kernel.jsonschemas import CompiledSchema, compile_schema
from oneform.sources.connectors.base import is_moderate, text_of


class RefusalCode(StrEnum):
    """Why a value, or a whole row, was put aside."""

    SCHEMA = "schema"  # it breaks the field's schema
    PERIOD = "period"  # the row's period cannot be read, or is not of the field's type
    OBSERVED_ON = "observed_on"  # no date, or one in the future
    STALE = "stale"  # observed longer ago than the source's `fresh_for`
    LEVEL = "level"  # the field is not about areas of this level
    UNKNOWN_SUBJECT = "unknown_subject"
    UNKNOWN_AREA = "unknown_area"
    DUPLICATE = "duplicate"  # the source gives the cell twice, differently
    CONFLICT = "conflict"  # something of more authority is held, and differs


@dataclass(frozen=True, slots=True)
class Refusal:
    code: RefusalCode
    detail: str


_MAX_REMEMBERED = 5_000
_NUMBER = re.compile(
    r"[+-]?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?"
)
_DAY = re.compile(r"([0-9]{4})([-/.年])([0-9]{1,2})[-/.月]([0-9]{1,2})日?(?:[ T][0-9:.+Z-]*)?")
_COMPACT_DAY = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_MONTH = re.compile(r"([0-9]{4})(?:[-/.年]([0-9]{1,2})月?|([0-9]{2}))")
_YEAR = re.compile(r"([0-9]{4})年")
_BOOLEANS = {
    **dict.fromkeys(("true", "t", "yes", "y", "1", "是"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0", "否"), False),
}


class FieldConverter:
    """Raw values of one field to JSON texts. Remembers what it has seen: values repeat."""

    def __init__(
        self,
        schema: Mapping[str, Any],
        codes: Mapping[str, Any] | None = None,
        validator: CompiledSchema | None = None,
    ) -> None:
        """`schema` has code lists resolved; `validator` is the same, compiled, if at hand."""
        self._schema = validator or compile_schema(schema)
        types = schema.get("type")
        named = [types] if isinstance(types, str) else list(types or ())
        self._type = next((name for name in named if name != "null"), None)
        if self._type == "string" and schema.get("format") == "date":
            self._read: Callable[[object], Any] = _date
        else:
            self._read = _READERS.get(self._type or "", _anything)
        self._codes = codes or {}
        self._seen: dict[tuple[type, object], str | Refusal | None] = {}

    def __call__(self, raw: object) -> str | Refusal | None:
        """JSON text; None where there is no value; or why it is refused."""
        key = raw.__class__, raw
        try:
            return self._seen[key]
        except KeyError:
            found = self._convert(raw)
        except (TypeError, ValueError):  # a list, an object, a view of bytes: cannot be remembered
            return self._convert(raw)
        if len(self._seen) >= _MAX_REMEMBERED:
            self._seen.clear()
        self._seen[key] = found
        return found

    def _convert(self, raw: object) -> str | Refusal | None:
        if self._codes and raw is not None and not isinstance(raw, list | dict):
            raw = self._codes.get(text_of(raw), raw)
        if raw is None or (isinstance(raw, str) and not raw.strip()):
            return None
        try:
            value = self._read(raw)
        except ValueError as error:
            return Refusal(RefusalCode.SCHEMA, str(error))
        if not self._schema.is_valid(value):
            words = "; ".join(mistake.detail for mistake in self._schema.errors(value))
            return Refusal(RefusalCode.SCHEMA, words[:500])
        return str(value) if value.__class__ is int else orjson.dumps(value).decode()


def _number(raw: object) -> int | float:
    """A number as JSON has it, integral ones as integers."""
    if raw.__class__ is int:
        return raw
    if isinstance(raw, bool):
        raise ValueError("must be a number, not a boolean")
    if isinstance(raw, str):
        text = unicodedata.normalize("NFKC", raw).strip()
        if not _NUMBER.fullmatch(text):
            raise ValueError("is no number")
        raw = Decimal(text.replace(",", ""))
    if not isinstance(raw, float | Decimal):
        raise ValueError("is no number")
    if isinstance(raw, Decimal) and raw.is_finite() and not is_moderate(raw):
        raise ValueError("is a number out of all bounds")
    try:
        integral = raw == int(raw)
    except (InvalidOperation, OverflowError, ValueError):
        raise ValueError("is not a finite number") from None
    return int(raw) if integral else float(raw)


def _boolean(raw: object) -> bool:
    found = _BOOLEANS.get(text_of(raw).lower())
    if found is None:
        raise ValueError("is neither yes nor no")
    return found


def _text(raw: object) -> str:
    if isinstance(raw, bytes | memoryview):
        raise ValueError("is no text")
    return text_of(raw)


def _date(raw: object) -> str:
    return read_day(raw).isoformat()


def _structure(raw: object) -> Any:
    # JSONDecodeError is a ValueError.
    return orjson.loads(raw) if isinstance(raw, str) else raw


def _anything(raw: object) -> Any:
    """For schemas that name no type."""
    if isinstance(raw, Decimal):
        return _number(raw)
    return raw if isinstance(raw, int | float | list | dict) else _text(raw)


_READERS: dict[str, Callable[[object], Any]] = {
    "integer": _number,
    "number": _number,
    "boolean": _boolean,
    "string": _text,
    "array": _structure,
    "object": _structure,
}


def read_day(raw: object) -> dt.date:
    """A date, however it is written with the year first; ValueError in words."""
    if isinstance(raw, dt.datetime):
        return raw.date()
    if isinstance(raw, dt.date):
        return raw
    text = text_of(raw)
    if match := _DAY.fullmatch(text):
        parts = match[1], match[3], match[4]
    elif match := _COMPACT_DAY.fullmatch(text):
        parts = match[1], match[2], match[3]
    else:
        raise ValueError("is no date")
    try:
        return dt.date(*map(int, parts))
    except ValueError:
        raise ValueError("is no date of the calendar") from None


def read_period(raw: object, wanted: PeriodType) -> Period:
    """The period of a type that a raw value names; a date stands for the period that holds it.

    ValueError in words.
    """
    if isinstance(raw, dt.date):
        return Period.for_day(wanted, raw)
    text = text_of(raw)
    try:
        found = parse_period(text)
    except PeriodError:
        found = _loose_period(text, wanted)
    if found.type is wanted:
        return found
    if found.type is PeriodType.DAY:
        return Period.for_day(wanted, found.first_day)
    raise ValueError(f"{text[:40]!r} is not a period of the type {wanted.value}")


def last_day_named(raw: object) -> dt.date:
    """The day that a raw value names, or the last day of the period that it names; ValueError."""
    try:
        return read_day(raw)
    except ValueError:
        for type_ in (PeriodType.YEAR, PeriodType.MONTH):
            try:
                return _loose_period(text_of(raw), type_).last_day
            except ValueError:
                continue
        try:
            return parse_period(text_of(raw)).last_day
        except PeriodError:
            raise ValueError(f"{text_of(raw)[:40]!r} is no period") from None


def _loose_period(text: str, wanted: PeriodType) -> Period:
    """Ways of writing that are no canonical period, but leave no doubt."""
    if wanted is PeriodType.MONTH and (match := _MONTH.fullmatch(text)):
        return parse_period(f"{match[1]}-{int(match[2] or match[3]):02d}")
    if wanted is PeriodType.YEAR and (match := _YEAR.fullmatch(text)):
        return parse_period(match[1])
    try:
        return Period.for_day(PeriodType.DAY, read_day(text))
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no period") from None
