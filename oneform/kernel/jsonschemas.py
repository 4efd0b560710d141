"""JSON Schema (2020-12) of values: checked, compiled, cached. The one entrance to it.

What numbers mean: booleans are no integers; 1.0 is an integer, as the standard says;
NaN and infinities are no JSON. A multiple is judged on the number as written (0.07 is
a multiple of 0.01). Patterns are ECMA-262, unanchored, without look-around and
back-references. `format` is asserted, not only annotated. What counts as a JSON value
at all, with its limits, is in `jsonvalues`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from oneform.kernel.errors import Mistake
from oneform.kernel.jsonschema_checks import (
    MAX_SCHEMA_DEPTH,
    MAX_SCHEMA_NODES,
    find_schema_mistakes,
)
from oneform.kernel.jsonschema_engine import (
    STANDARD_FORMATS,
    FormatCheck,
    fast_validator,
    slow_validator,
)
from oneform.kernel.jsonschema_words import mistake_of
from oneform.kernel.jsonvalues import is_json, json_mistakes

__all__ = ["BadSchema", "CompiledSchema", "SchemaMistake", "check_schema", "compile_schema"]
__all__ += ["known_formats", "register_formats"]

SchemaMistake = Mistake
"""`pointer` into the value (or, from `check_schema`, into the schema), `code`: the keyword
that failed, or `json`, `depth`, `size`, `false`, `schema`; `detail`: words, without the value."""

_registered: dict[str, FormatCheck] = dict(STANDARD_FORMATS)


def register_formats(formats: Mapping[str, FormatCheck]) -> None:
    """Make formats known to every schema compiled from now on. At start, once for each part.

    A check is called with strings only, and must answer True or False for each of them.
    ValueError if a name is taken by another check.
    """
    global _registered
    _registered = _merged(formats)


def known_formats() -> list[str]:
    """The names that `format` may have."""
    return sorted(_registered)


def _merged(formats: Mapping[str, FormatCheck] | None) -> dict[str, FormatCheck]:
    if not formats:
        return _registered
    for name, check in formats.items():
        if _registered.get(name, check) is not check:
            raise ValueError(f"another format is called {name}")
    return {**_registered, **formats}


class BadSchema(ValueError):
    """A schema that cannot be used; `mistakes` are those of `check_schema`."""

    def __init__(self, mistakes: Sequence[SchemaMistake]) -> None:
        super().__init__("; ".join(f"{m.pointer or 'schema'}: {m.detail}" for m in mistakes))
        self.mistakes = list(mistakes)


class CompiledSchema:
    """A schema that is ready to judge values. Made by `compile_schema`; safe between threads."""

    def __init__(self, schema: Any, formats: Mapping[str, FormatCheck]) -> None:
        self._fast = fast_validator(schema, formats)
        self._slow = slow_validator(schema, formats)

    def is_valid(self, value: object) -> bool:
        """Whether `errors` would find nothing, some hundred times as fast."""
        return is_json(value) and self._fast.is_valid(value)

    def errors(self, value: object) -> list[SchemaMistake]:
        """Every mistake of the value, in the order of their pointers; empty if it is valid."""
        if mistakes := json_mistakes(value):
            return mistakes
        found = dict.fromkeys(mistake_of(error) for error in self._slow.iter_errors(value))
        return sorted(found, key=lambda mistake: (mistake.pointer, mistake.code))


def check_schema(
    schema: object, formats: Mapping[str, FormatCheck] | None = None
) -> list[SchemaMistake]:
    """Everything that is wrong with a schema, as pointers into it; empty if it compiles.

    Wrong are what is no JSON Schema 2020-12, unknown formats, patterns that cannot be
    compiled, references that lead outside, nowhere or in a circle, and schemas so deep
    or large that a value could keep a process busy.
    """
    try:
        compile_schema(schema, formats)
    except BadSchema as error:
        return error.mistakes
    return []


def compile_schema(
    schema: object, formats: Mapping[str, FormatCheck] | None = None
) -> CompiledSchema:
    """The compiled schema, from a cache if an equal one was compiled before.

    Looking it up costs as much as writing the schema as text: for bulk, hold it.
    `formats` are known to this schema besides the registered ones. BadSchema if
    `check_schema` finds a mistake.
    """
    known = _merged(formats)
    # Looked at before it is written as text: it may be endless, or hold what is no JSON.
    _refuse(json_mistakes(schema, max_depth=MAX_SCHEMA_DEPTH, max_nodes=MAX_SCHEMA_NODES))
    text = json.dumps(schema, sort_keys=True)
    return _compile(text, tuple(known.items()))


@lru_cache(maxsize=4096)
def _compile(text: str, formats: tuple[tuple[str, FormatCheck], ...]) -> CompiledSchema:
    schema, known = json.loads(text), dict(formats)
    _refuse(find_schema_mistakes(schema, known))
    try:
        return CompiledSchema(schema, known)
    except ValueError as error:
        # What the fast engine alone objects to, such as an $id that is no URI.
        raise BadSchema([Mistake("", "schema", str(error).split("\n")[0][:200])]) from None


def _refuse(mistakes: list[SchemaMistake]) -> None:
    if mistakes:
        raise BadSchema(mistakes)
