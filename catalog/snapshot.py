"""The catalogue in memory: one immutable state of it for each database that a process uses.

A state is kept as long as its stamp is the database's (one cheap query a call), so that
what one process publishes the others see at once. What depends on the day is worked out
for the day that is asked about. Indexes and compiled schemas are made when first needed.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from catalog import store
from catalog.definition import text_of
from catalog.force import VersionState, in_force, speaking
from catalog.formats import FORMATS
from catalog.similarity import FieldIndex, FieldText, Match
from catalog.stamp import Stamp, current_stamp
from catalog.value_schema import code_lists_in, resolve_code_lists
from catalog.views import CodeListView, FieldVersionView, SubjectKindView
from oneform.kernel.context import Context
from oneform.kernel.jsonschemas import CompiledSchema, compile_schema

T = TypeVar("T")

MAX_KEPT = 64
"""Things made for a day or a state that are kept: enough for today and some days looked back."""

MAX_QUERIES = 2_000
MAX_INDEXES = 8
MAX_TEXTS = 4


class Kept:
    """Things that are made once, at the first need, the last so many of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._made: dict[Hashable, Any] = {}
        self._lock = threading.RLock()

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What was made under this key, or is made now while others wait."""
        with self._lock:
            if key not in self._made:
                if len(self._made) >= self._most:
                    del self._made[next(iter(self._made))]
                self._made[key] = make()
            made: T = self._made[key]
            return made


class Snapshot:
    """One state of the catalogue. Threads share it."""

    def __init__(
        self,
        stamp: Stamp,
        versions: Iterable[FieldVersionView],
        code_lists: Mapping[str, CodeListView],
        kinds: Mapping[str, SubjectKindView],
        indexes: Kept,
    ) -> None:
        self.stamp = stamp
        self.code_lists = code_lists
        self.kinds = kinds
        self.by_id = {version.version_id: version for version in versions}
        self.by_code: dict[str, tuple[FieldVersionView, ...]] = {}
        for version in self.by_id.values():
            self.by_code[version.code] = (*self.by_code.get(version.code, ()), version)
        self.code_of = {version.field_id: version.code for version in self.by_id.values()}
        self._schemas: dict[int, CompiledSchema] = {}
        self.kept = Kept(MAX_KEPT)
        # What takes long has locks of its own: of ten thousand fields, an index or a text
        # is seconds of work, and nobody else shall wait for it.
        self.indexes = indexes
        self.texts = Kept(MAX_TEXTS)
        self._near = Kept(MAX_QUERIES)

    def in_force(self, day: dt.date) -> Mapping[str, FieldVersionView]:
        """The versions in force on a day, by code."""
        return self.kept.once(("in force", day), lambda: dict(self._in_force(day)))

    def _in_force(self, day: dt.date) -> Iterable[tuple[str, FieldVersionView]]:
        for code, versions in self.by_code.items():
            if (version := in_force(versions, day)) is not None:
                yield code, version

    def in_state(self, state: VersionState | None, day: dt.date) -> Mapping[str, FieldVersionView]:
        """For each field that has any, the last version in a state; with None, the one that
        speaks for the field. By code."""
        if state is VersionState.EFFECTIVE:
            return self.in_force(day)
        return self.kept.once((state, day), lambda: dict(self._in_state(state, day)))

    def _in_state(
        self, state: VersionState | None, day: dt.date
    ) -> Iterable[tuple[str, FieldVersionView]]:
        for code, versions in self.by_code.items():
            found = [version for version in versions if version.state_on(day) is state]
            if state is None:
                yield code, speaking(versions, day)
            elif found:
                yield code, found[-1]

    def index(
        self, day: dt.date, state: VersionState | None = VersionState.EFFECTIVE
    ) -> FieldIndex:
        """The words of the fields in a state on a day."""
        # Most days are like the day before, and most changes leave most states alone.
        words = self.kept.once(
            ("words", state, day),
            lambda: frozenset(
                (each.version_id, *sorted(each.owner_name.items()))
                for each in self.in_state(state, day).values()
            ),
        )
        return self.indexes.once(
            words,
            lambda: FieldIndex(map(field_text, self.in_state(state, day).values())),
        )

    def near(self, query: str, day: dt.date, limit: int) -> list[Match]:
        """The fields in force on a day that a text may mean, best first."""
        return self._near.once(
            (query, day, limit), lambda: self.index(day).suggest(query, limit=limit)
        )

    def resolved_schema(self, version_id: int) -> dict[str, Any]:
        """What a version's values are judged by: code lists as their live codes. KeyError."""
        schema = self.by_id[version_id].definition.schema
        named = {part["code_list"] for _, part in code_lists_in(schema)}
        return resolve_code_lists(
            schema, {code: self.code_lists[code].live_codes for code in named}
        )

    def validator(self, version_id: int) -> CompiledSchema:
        """The same, compiled. KeyError."""
        if version_id not in self._schemas:
            schema = compile_schema(self.resolved_schema(version_id), FORMATS)
            self._schemas[version_id] = schema
        return self._schemas[version_id]


def field_text(version: FieldVersionView) -> FieldText:
    """The words by which the field of a version is found."""
    return text_of(version.definition, version.owner_name)


_snapshots: WeakKeyDictionary[sa.Engine, Snapshot] = WeakKeyDictionary()


def snapshot(ctx: Context) -> Snapshot:
    """The present state of the catalogue, as this transaction sees it."""
    engine = ctx.session.get_bind().engine
    # The stamp is read first: what is loaded may be newer than it, which the next call
    # notices, but never older.
    stamp = current_stamp(ctx)
    kept = _snapshots.get(engine)
    if kept is None or kept.stamp != stamp:
        kept = Snapshot(
            stamp,
            store.all_versions(ctx),
            store.all_code_lists(ctx),
            store.all_kinds(ctx),
            kept.indexes if kept is not None else Kept(MAX_INDEXES),
        )
        _snapshots[engine] = kept
    return kept
