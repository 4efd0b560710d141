"""Two validators with one meaning: `jsonschema` for words, `jsonschema_rs` for speed.

They differ in regular expressions, decimal arithmetic and formats; here the slow
one is given the fast one's rules. What both would have to agree on and do not is
refused as unsupported in `jsonschema_checks`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import lru_cache, partial
from typing import Any

import jsonschema_rs
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]
from jsonschema.exceptions import ValidationError  # type: ignore[import-untyped]
from jsonschema.validators import extend  # type: ignore[import-untyped]
from referencing import Registry

FormatCheck = Callable[[object], bool]

# This engine has neither look-around nor back-references, and takes linear time
# whatever the pattern and the text are.
PATTERN_OPTIONS = jsonschema_rs.RegexOptions(size_limit=2_000_000)


@lru_cache(maxsize=2048)
def _pattern_validator(pattern: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(
        {"pattern": pattern}, pattern_options=PATTERN_OPTIONS, offline=True
    )


def pattern_matches(pattern: str, text: str) -> bool:
    """Whether an ECMA-262 pattern is found in the text; ValueError if it cannot be compiled."""
    return _pattern_validator(pattern).is_valid(text)


@lru_cache(maxsize=64)
def _format_validator(name: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(
        {"format": name}, validate_formats=True, ignore_unknown_formats=False, offline=True
    )


def _conforms(name: str, value: object) -> bool:
    return _format_validator(name).is_valid(value)


_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


def is_date(value: object) -> bool:
    """RFC 3339 full-date that Python and PostgreSQL know too (no year 0000)."""
    if not isinstance(value, str):
        return True
    if not _DATE.fullmatch(value):
        return False
    try:
        dt.date.fromisoformat(value)
    except ValueError:
        return False
    return True


def is_date_time(value: object) -> bool:
    """RFC 3339 date-time, its date as for `date`."""
    return not isinstance(value, str) or (is_date(value[:10]) and _conforms("date-time", value))


# What the fast engine checks by itself; the slow one asks it.
ENGINE_FORMATS: dict[str, FormatCheck] = {
    name: partial(_conforms, name)
    for name in (
        *("time", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uri-reference"),
        *("uuid", "json-pointer", "regex"),
    )
}
STANDARD_FORMATS: dict[str, FormatCheck] = {
    **ENGINE_FORMATS,
    "date": is_date,
    "date-time": is_date_time,
}


def is_multiple(value: float, of: float) -> bool:
    """Whether a number as written (0.07, not its binary neighbour) is a multiple as written."""
    return (Fraction(str(value)) / Fraction(str(of))).denominator == 1


def _descend(validator: Any, value: Any, schema: Any, at: str | int) -> Iterator[ValidationError]:
    for error in validator.descend(value, schema, path=at):
        if schema is False:
            # `jsonschema` forgets the place of what is forbidden altogether.
            error.path.appendleft(at)
        yield error


def _properties(
    validator: Any, properties: dict[str, Any], value: Any, _: Any
) -> Iterator[ValidationError]:
    if validator.is_type(value, "object"):
        for name, schema in properties.items():
            if name in value:
                yield from _descend(validator, value[name], schema, name)


def _prefix_items(
    validator: Any, schemas: list[Any], value: Any, _: Any
) -> Iterator[ValidationError]:
    if validator.is_type(value, "array"):
        for i, (item, schema) in enumerate(zip(value, schemas, strict=False)):
            yield from _descend(validator, item, schema, i)


def _property_names(validator: Any, schema: Any, value: Any, _: Any) -> Iterator[ValidationError]:
    if validator.is_type(value, "object"):
        for name in value:
            for error in validator.descend(name, schema):
                # Its place is the object's, so the words must tell name and value apart.
                error.is_about_a_name = True
                yield error


def _pattern(validator: Any, pattern: str, value: Any, _: Any) -> Iterator[ValidationError]:
    if validator.is_type(value, "string") and not pattern_matches(pattern, value):
        yield ValidationError(f"must match the pattern {pattern}")


def _pattern_properties(
    validator: Any, patterns: dict[str, Any], value: Any, _: Any
) -> Iterator[ValidationError]:
    if not validator.is_type(value, "object"):
        return
    for pattern, schema in patterns.items():
        for name, inner in value.items():
            if pattern_matches(pattern, name):
                yield from _descend(validator, inner, schema, name)


def _additional_properties(
    validator: Any, additional: Any, value: Any, schema: dict[str, Any]
) -> Iterator[ValidationError]:
    if not validator.is_type(value, "object"):
        return
    named, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    extras = [
        name
        for name in value
        if name not in named and not any(pattern_matches(each, name) for each in patterns)
    ]
    if additional is False and extras:
        yield ValidationError("has members that are not allowed: " + ", ".join(extras)[:200])
    elif additional is not False:
        for name in extras:
            yield from _descend(validator, value[name], additional, name)


def _multiple_of(validator: Any, of: Any, value: Any, _: Any) -> Iterator[ValidationError]:
    if validator.is_type(value, "number") and not is_multiple(value, of):
        yield ValidationError(f"must be a multiple of {of}")


def _required(validator: Any, names: Any, value: Any, _: Any) -> Iterator[ValidationError]:
    if validator.is_type(value, "object"):
        for name in names:
            if name not in value:
                yield ValidationError(f"lacks the member {name}")


def _dependent_required(
    validator: Any, dependents: Any, value: Any, _: Any
) -> Iterator[ValidationError]:
    if not validator.is_type(value, "object"):
        return
    for name, others in dependents.items():
        for other in others:
            if name in value and other not in value:
                yield ValidationError(f"has the member {name} and therefore needs {other}")


# The keywords whose messages are fit for people; `jsonschema_words` has the words of the others.
OWN_WORDS = {
    "additionalProperties": _additional_properties,
    "dependentRequired": _dependent_required,
    "multipleOf": _multiple_of,
    "pattern": _pattern,
    "required": _required,
}
_PARTS = {
    "patternProperties": _pattern_properties,
    "prefixItems": _prefix_items,
    "properties": _properties,
    "propertyNames": _property_names,
}
_SlowValidator = extend(Draft202012Validator, validators={**OWN_WORDS, **_PARTS})
META_VALIDATOR = _SlowValidator(Draft202012Validator.META_SCHEMA)


def _of_strings(check: FormatCheck) -> FormatCheck:
    return lambda value: not isinstance(value, str) or check(value)


def slow_validator(schema: Any, formats: Mapping[str, FormatCheck]) -> Any:
    """A `jsonschema` validator that finds every mistake. An empty registry: nothing is fetched."""
    checker = FormatChecker(formats=())
    checker.checkers = {name: (_of_strings(check), ()) for name, check in formats.items()}
    return _SlowValidator(schema, registry=Registry(), format_checker=checker)


def fast_validator(
    schema: Any, formats: Mapping[str, FormatCheck]
) -> jsonschema_rs.Draft202012Validator:
    """A `jsonschema_rs` validator of the same meaning, that only says yes or no."""
    own = {name: check for name, check in formats.items() if name not in ENGINE_FORMATS}
    return jsonschema_rs.Draft202012Validator(
        schema,
        formats=own,
        validate_formats=True,
        ignore_unknown_formats=False,
        pattern_options=PATTERN_OPTIONS,
        offline=True,
    )
