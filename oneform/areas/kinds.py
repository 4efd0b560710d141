"""Kinds of subject: finding one, judging keys by its schema, masking keys of people."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from oneform.kernel.context import Context
from oneform.kernel.errors import Mistake, NotFound
from oneform.kernel.jsonschemas import CompiledSchema, compile_schema

AREA_KIND = "area"


@dataclass(frozen=True)
class Kind:
    id: int
    code: str
    key_schema: Any
    personal: bool

    @cached_property
    def schema(self) -> CompiledSchema | None:
        """What judges its keys; None: any text will do."""
        return None if self.key_schema is None else compile_schema(self.key_schema)


def all_kinds(ctx: Context) -> dict[str, Kind]:
    """Every kind, by its code."""
    rows = ctx.sql("SELECT id, code, key_schema, personal FROM subject_kind")
    return {row.code: Kind(**row._mapping) for row in rows}


def find_kind(ctx: Context, code: str) -> Kind:
    """The kind with this code; NotFound."""
    found = all_kinds(ctx).get(code)
    if found is None:
        raise NotFound(f"There is no kind of subject “{code[:40]}”.")
    return found


def key_mistakes(kind: Kind, key: str, pointer: str) -> list[Mistake]:
    """What the kind's schema objects to in a key; the key itself is not repeated."""
    if kind.schema is None or kind.schema.is_valid(key):
        return []
    return [Mistake(pointer, "key", f"key: {m.detail}") for m in kind.schema.errors(key)]


def mask(key: str) -> str:
    """A key of which only the beginning and the end can be read: `420**********123X`.

    At most three and four characters, and never more than half of it.
    """
    head, tail = min(3, len(key) // 5), min(4, len(key) // 4)
    return key[:head] + "*" * (len(key) - head - tail) + key[len(key) - tail :]
