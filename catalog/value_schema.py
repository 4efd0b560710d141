"""The JSON Schema of a field's values, and what the catalogue adds to it: code lists. Pure.

`{type: string, code_list: poverty_status}` means one of the codes of that list. It may
stand for the value itself, for the items of an array and for the properties of an object.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from oneform.kernel.jsonvalues import json_pointer

TYPES = ("string", "integer", "number", "boolean", "array", "object")
NUMERIC = ("integer", "number")
_TEMPORAL = ("date", "date-time", "time")


def value_type(schema: Mapping[str, Any]) -> tuple[str, str | None]:
    """What kind of value a schema describes: its JSON type, and the code list or the kind of
    date that gives a text its meaning. Another type needs another field (DESIGN.md §4, 10)."""
    inner = schema.get("items") if schema.get("type") == "array" else schema
    inner = inner if isinstance(inner, Mapping) else {}
    meaning = inner.get("code_list")
    if meaning is None and inner.get("format") in _TEMPORAL:
        meaning = inner["format"]
    return str(schema.get("type")), meaning


def code_lists_in(schema: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The parts of a schema that name a code list, each with its pointer."""
    if not isinstance(schema, Mapping):
        return
    if "code_list" in schema:
        yield "", schema
    for path, inner in _inside(schema):
        for pointer, part in code_lists_in(inner):
            yield json_pointer(path) + pointer, part


def _inside(schema: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if "items" in schema:
        yield ("items",), schema["items"]
    if isinstance(properties := schema.get("properties"), Mapping):
        for name, inner in properties.items():
            yield ("properties", name), inner


def resolve_code_lists(
    schema: Mapping[str, Any], codes: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """The schema with `enum` in place of every `code_list`: what a value is judged by.

    `codes` has the codes of the lists; KeyError for a list that is not among them.
    """
    resolved = dict(schema)
    if "code_list" in resolved:
        resolved["enum"] = list(codes[resolved.pop("code_list")])
    if isinstance(resolved.get("items"), Mapping):
        resolved["items"] = resolve_code_lists(resolved["items"], codes)
    if isinstance(resolved.get("properties"), Mapping):
        resolved["properties"] = {
            name: resolve_code_lists(inner, codes) if isinstance(inner, Mapping) else inner
            for name, inner in resolved["properties"].items()
        }
    return resolved
