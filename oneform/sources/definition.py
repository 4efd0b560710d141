"""The definition of a source, as in its YAML file and in the API (API.md, section 7). Pure.

    code: civil.villages
    agency: civil                      # whose store it is
    kind: sql                          # a connector: sql, file
    settings: {url: "postgresql://reader@db.example/civil", table: villages, password: db}
    secrets: {db: "…"}                 # sealed; settings name them
    keys:
      subject: area_code               # column with the key of the subject (kind area: its code)
      area: village                    # kinds other than area: column with the code of its area
      period: year                     # column, or a period such as 2025 for all rows; null: none
      observed_on: surveyed            # column with the day of observation; null: see `Keys`
    fields:
      population.resident_total: total                    # field: column
      poverty.status: {column: grade, codes: {"01": "1"}} # with a code map
    areas: ["420102000000"]            # where it answers; left out: the agency's own area
    fresh_for: P1Y                     # standing values observed longer ago are not taken
    limits: {timeout_s: 30, calls_per_minute: 600, concurrency: 4}
    enabled: true

Fields may also be written from the column's side: `total: population.resident_total`
and `grade: {field: poverty.status, codes: {…}}`. Here is the shape; what has to be
looked up (fields, areas, agency) is checked in `admission`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.formula import FIELD_CODE
from catalog.periods import PeriodError, parse_duration, parse_period
from oneform.kernel.errors import Mistake
from oneform.kernel.jsonschemas import compile_schema
from oneform.kernel.jsonvalues import json_pointer

# Begins with a letter, so that a code is never taken for the number of a source.
_CODE = {"type": "string", "maxLength": 100, "pattern": "^[A-Za-z][A-Za-z0-9._-]*$"}
_NAME = {"type": "string", "minLength": 1, "maxLength": 100}
_COLUMN = {"type": "string", "minLength": 1, "maxLength": 200}
_CODES = {
    "type": "object",
    "maxProperties": 5000,
    "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
}
_PERIOD = {
    "anyOf": [
        {"type": "null"},
        _COLUMN,
        {"type": "integer", "minimum": 1900, "maximum": 2999},
        {
            "type": "object",
            "properties": {"value": {"type": "string"}},
            "required": ["value"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {"column": _COLUMN},
            "required": ["column"],
            "additionalProperties": False,
        },
    ]
}
_MAPPED = {
    "type": "object",
    "properties": {
        "column": _COLUMN,
        "field": {"type": "string", "maxLength": 100, "pattern": f"^{FIELD_CODE}$"},
        "codes": _CODES,
    },
    "additionalProperties": False,
    "minProperties": 1,
}
MEMBERS: Mapping[str, Any] = {
    "code": _CODE,
    "name": {
        "type": ["object", "null"],
        "properties": {"zh": _NAME, "en": _NAME},
        "required": ["zh"],
        "additionalProperties": False,
    },
    "agency": {"type": "string", "minLength": 1, "maxLength": 100},
    "kind": {"type": "string", "minLength": 1, "maxLength": 100},
    "settings": {"type": "object"},
    "secrets": {
        "type": "object",
        "maxProperties": 20,
        "propertyNames": {"pattern": "^[A-Za-z0-9_-]{1,100}$"},
        "additionalProperties": {"type": ["string", "null"], "maxLength": 4000},
    },
    "keys": {
        "type": "object",
        "properties": {
            "subject": _COLUMN,
            "area": {"anyOf": [{"type": "null"}, _COLUMN]},
            "period": _PERIOD,
            "observed_on": {"anyOf": [{"type": "null"}, _COLUMN]},
        },
        "required": ["subject"],
        "additionalProperties": False,
    },
    "fields": {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1000,
        "additionalProperties": {"anyOf": [_COLUMN, _MAPPED]},
    },
    "areas": {
        "type": "array",
        "items": {"type": "string", "maxLength": 20},
        "minItems": 1,
        "maxItems": 1000,
        "uniqueItems": True,
    },
    "fresh_for": {"type": ["string", "null"]},
    "limits": {
        "type": "object",
        "properties": {
            "timeout_s": {"type": "number", "exclusiveMinimum": 0, "maximum": 600},
            "calls_per_minute": {"type": "integer", "minimum": 1, "maximum": 6000},
            "concurrency": {"type": "integer", "minimum": 1, "maximum": 64},
        },
        "additionalProperties": False,
    },
    "enabled": {"type": "boolean"},
}
REQUIRED = ("code", "agency", "kind", "settings", "keys", "fields")
_SHAPE = compile_schema(
    {
        "type": "object",
        "properties": dict(MEMBERS),
        "required": list(REQUIRED),
        "additionalProperties": False,
    }
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How hard a source may be driven."""

    timeout_s: float = 30
    """For a connection, and for each batch of rows."""
    calls_per_minute: int = 600
    concurrency: int = 4
    """Calls at once, by all workers together."""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Limits:
        return cls(**given)


@dataclass(frozen=True, slots=True)
class Keys:
    """How a row maps to a subject, a period and a day of observation.

    Without `observed_on`, a value for a period counts as observed on its last
    day (or today, if that is still to come), a standing value on the day it is fetched.
    """

    subject: str
    area: str | None = None
    """None: the subject's key is an area code itself."""
    period: str | None = None
    constant_period: str | None = None
    observed_on: str | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Keys:
        """From a definition of the right shape, or from what `as_dict` gave."""
        period = given.get("period")
        column: str | None = None
        constant: str | None = None
        match period:
            case {"column": name}:
                column = name
            case {"value": text}:
                constant = text
            case int():
                constant = str(period)
            case str():
                constant, column = (period, None) if _is_period(period) else (None, period)
        return cls(
            subject=given["subject"],
            area=given.get("area"),
            period=column,
            constant_period=constant,
            observed_on=given.get("observed_on"),
        )

    def as_dict(self) -> dict[str, Any]:
        period: Any = None
        if self.period is not None:
            period = {"column": self.period} if _is_period(self.period) else self.period
        elif self.constant_period is not None:
            period = {"value": self.constant_period}
        return {
            "subject": self.subject,
            "area": self.area,
            "period": period,
            "observed_on": self.observed_on,
        }


def _is_period(text: str) -> bool:
    try:
        return bool(parse_period(text).first_day)
    except PeriodError:
        return False


@dataclass(frozen=True, slots=True)
class FieldMap:
    """From a column to a field; `pointer` is where the definition says so."""

    field: str
    column: str
    codes: dict[str, Any] = dataclasses.field(default_factory=dict)
    pointer: str = ""

    def as_member(self) -> Any:
        return {"column": self.column, "codes": self.codes} if self.codes else self.column


def shape_mistakes(definition: object) -> list[Mistake]:
    """What is wrong with a definition before anything is looked up."""
    mistakes = _SHAPE.errors(definition)
    if not isinstance(definition, Mapping):
        return mistakes
    fresh_for = definition.get("fresh_for")
    if isinstance(fresh_for, str):
        try:
            parse_duration(fresh_for)
        except PeriodError as error:
            mistakes.append(Mistake("/fresh_for", "duration", str(error)))
    keys = definition.get("keys")
    if isinstance(keys, Mapping) and isinstance(keys.get("period"), Mapping):
        value = keys["period"].get("value")
        if isinstance(value, str) and not _is_period(value):
            mistakes.append(Mistake("/keys/period/value", "period", "is no period"))
    return mistakes


def read_fields(
    members: Mapping[str, Any], known: Collection[str]
) -> tuple[list[FieldMap], list[Mistake]]:
    """The maps of a definition of the right shape; `known` are the codes that are fields.

    Each entry may be written from the field's side or from the column's: an entry
    without `column` or `field` is read from the side that is known to be a field.
    """
    maps: list[FieldMap] = []
    mistakes: list[Mistake] = []
    for name, entry in members.items():
        pointer = json_pointer(("fields", name))
        given = entry if isinstance(entry, Mapping) else {}
        if "column" in given and "field" in given:
            words = "has both column and field; one of them is its name"
            mistakes.append(Mistake(pointer, "shape", words))
            continue
        if isinstance(entry, str):
            reverse = name not in known and entry in known
            code, column = (entry, name) if reverse else (name, entry)
        else:
            code, column = given.get("field", name), given.get("column", name)
        if code not in known:
            words = f"there is no field {code[:100]} on the whitelist"
            mistakes.append(Mistake(pointer, "unknown_field", words))
        elif any(other.field == code for other in maps):
            mistakes.append(Mistake(pointer, "duplicate", f"the field {code} is mapped twice"))
        else:
            maps.append(FieldMap(code, column, dict(given.get("codes") or {}), pointer))
    return maps, mistakes
