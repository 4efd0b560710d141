"""Whether a schema may be used at all: everything that is wrong with it, at once.

Supported is JSON Schema 2020-12 with references inside the same schema (`#/…`), without
recursion: the work that a value can cause is then bounded by the schema's unfolded size.
Unknown keywords are annotations, as the standard says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from oneform.kernel.errors import Mistake
from oneform.kernel.jsonschema_engine import META_VALIDATOR, FormatCheck, pattern_matches
from oneform.kernel.jsonschema_words import mistake_of
from oneform.kernel.jsonvalues import Path, json_mistakes, json_pointer

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MAX_SCHEMA_DEPTH = 32  # of JSON: about half as many schemas inside each other
MAX_SCHEMA_NODES = 20_000  # a code list of some thousand items is part of a schema
MAX_UNFOLDED = 2_000
MAX_UNFOLDED_DEPTH = 40

_ONE_SCHEMA = (
    *("additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then"),
)
_LISTS_OF_SCHEMAS = ("allOf", "anyOf", "oneOf", "prefixItems")
_MAPS_OF_SCHEMAS = ("dependentSchemas", "patternProperties", "properties")
_DEFINITIONS = ("$defs", "definitions")
# Outside references, recursion and keywords on which validators do not agree.
_UNSUPPORTED = (
    *("$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveAnchor", "$recursiveRef"),
    *("$vocabulary", "dependencies", "unevaluatedItems", "unevaluatedProperties"),
)


def find_schema_mistakes(schema: object, formats: Mapping[str, FormatCheck]) -> list[Mistake]:
    """Why `schema` cannot be used, with pointers into it; empty if it can."""
    mistakes = json_mistakes(schema, max_depth=MAX_SCHEMA_DEPTH, max_nodes=MAX_SCHEMA_NODES)
    if not mistakes:
        mistakes = [mistake_of(error) for error in META_VALIDATOR.iter_errors(schema)]
    if not mistakes:
        # The walk relies on every keyword having a value of its type.
        walk = _Walk(schema, formats)
        try:
            walk.measure(())
        except _Stop as stop:
            walk.mistakes.append(stop.mistake)
        mistakes = walk.mistakes
    return sorted(set(mistakes), key=lambda mistake: (mistake.pointer, mistake.code))


class _Stop(Exception):
    """A limit is broken or a reference goes in a circle: walking on could take for ever."""

    def __init__(self, path: Path, code: str, detail: str) -> None:
        self.mistake = Mistake(json_pointer(path), code, detail)


@dataclass
class _Walk:
    """Goes through a schema as a validator would, but through each part once."""

    schema: object
    formats: Mapping[str, FormatCheck]
    mistakes: list[Mistake] = field(default_factory=list)
    _measured: dict[Path, tuple[int, int]] = field(default_factory=dict)
    _open: set[Path] = field(default_factory=set)

    def measure(self, path: Path) -> tuple[int, int]:
        """(schemas, levels) of the schema at `path` with its references unfolded."""
        if path in self._measured:
            return self._measured[path]
        if path in self._open:
            raise _Stop(path, "$ref", "contains itself by reference; recursion is not supported")
        if len(self._open) > MAX_UNFOLDED_DEPTH:
            raise _Stop(path, "depth", f"unfolds into more than {MAX_UNFOLDED_DEPTH} levels")
        self._open.add(path)
        size, levels = 1, 1
        node = _at(self.schema, path)
        if isinstance(node, dict):
            self._check_keywords(node, path)
            for definition in _inside(node, path, maps=_DEFINITIONS):
                self.measure(definition)
            for part in (*_inside(node, path), *self._referenced(node, path)):
                part_size, part_levels = self.measure(part)
                size, levels = size + part_size, max(levels, part_levels + 1)
        if size > MAX_UNFOLDED:
            raise _Stop(path, "size", f"unfolds into more than {MAX_UNFOLDED} schemas")
        if levels > MAX_UNFOLDED_DEPTH:
            raise _Stop(path, "depth", f"unfolds into more than {MAX_UNFOLDED_DEPTH} levels")
        self._open.remove(path)
        self._measured[path] = size, levels
        return size, levels

    def _note(self, path: Path, code: str, detail: str) -> None:
        self.mistakes.append(Mistake(json_pointer(path), code, detail))

    def _check_keywords(self, node: dict[str, Any], path: Path) -> None:
        for keyword in _UNSUPPORTED:
            if keyword in node:
                self._note((*path, keyword), keyword, f"{keyword} is not supported")
        if path and "$id" in node:
            self._note((*path, "$id"), "$id", "only the whole schema may have an $id")
        if "$schema" in node and (path or node["$schema"].rstrip("#") != DIALECT):
            self._note((*path, "$schema"), "$schema", f"the dialect is {DIALECT}, for the whole")
        if "format" in node and node["format"] not in self.formats:
            self._note((*path, "format"), "format", f"unknown format {node['format'][:80]}")
        if "pattern" in node:
            self._check_pattern(node["pattern"], (*path, "pattern"))
        for pattern in node.get("patternProperties", {}):
            self._check_pattern(pattern, (*path, "patternProperties", pattern))

    def _check_pattern(self, pattern: str, path: Path) -> None:
        try:
            pattern_matches(pattern, "")
        except ValueError:
            self._note(
                path,
                "pattern",
                "cannot be compiled as an ECMA-262 pattern without look-around and back-references",
            )

    def _referenced(self, node: dict[str, Any], path: Path) -> Iterator[Path]:
        """The schema that `$ref` leads to, if it is one of this document."""
        reference = node.get("$ref")
        if reference is None:
            return
        here = (*path, "$ref")
        if reference != "#" and not reference.startswith("#/"):
            self._note(here, "$ref", "only references inside the same schema (#/…) are supported")
            return
        target = _resolve(self.schema, reference)
        if target is None:
            self._note(here, "$ref", f"{reference[:80]} leads to no schema")
        else:
            yield target


def _inside(
    node: dict[str, Any], path: Path, maps: tuple[str, ...] = _MAPS_OF_SCHEMAS
) -> Iterator[Path]:
    """The paths of the schemas directly inside one; with `maps`, of its definitions only."""
    for keyword in maps:
        yield from ((*path, keyword, name) for name in node.get(keyword, {}))
    if maps is _DEFINITIONS:
        return
    yield from ((*path, keyword) for keyword in _ONE_SCHEMA if keyword in node)
    for keyword in _LISTS_OF_SCHEMAS:
        yield from ((*path, keyword, i) for i in range(len(node.get(keyword, ()))))


def _resolve(schema: object, reference: str) -> Path | None:
    """The path of a reference `#/…`; None unless it leads to a place where a schema stands.

    `#/properties` exists, but is no schema: a validator would take the names of
    properties for keywords.
    """
    path: Path = ()
    parts = [unquote(part) for part in reference.split("/")[1:]]
    parts = [part.replace("~1", "/").replace("~0", "~") for part in parts]
    while parts:
        node, keyword = _at(schema, path), parts.pop(0)
        if not isinstance(node, dict) or keyword not in node:
            return None
        path = (*path, keyword)
        if keyword in _ONE_SCHEMA:
            continue
        if not parts:
            return None
        name = parts.pop(0)
        if keyword in _LISTS_OF_SCHEMAS:
            places = {str(i): i for i in range(len(node[keyword]))}
            if name not in places:
                return None
            path = (*path, places[name])
        elif keyword in (*_MAPS_OF_SCHEMAS, *_DEFINITIONS) and name in node[keyword]:
            path = (*path, name)
        else:
            return None
    return path


def _at(schema: object, path: Path) -> object:
    node: Any = schema
    for part in path:
        node = node[part]
    return node
