"""What readers of the catalogue get: immutable, safe to share between threads. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.definition import FieldDefinition, in_language_order
from catalog.force import VersionState, state_on
from catalog.similarity import Match


@dataclass(frozen=True, slots=True)
class FieldVersionView:
    """One version of a field. `definition` is as in a bundle; ids are those of the tables."""

    version_id: int
    field_id: int
    version: int
    definition: FieldDefinition
    kind_id: int
    owner_id: int
    owner_name: Mapping[str, str]
    ends_on: dt.date | None
    ended_as: str | None
    origin: str
    published_at: dt.datetime

    @property
    def code(self) -> str:
        return self.definition.code

    @property
    def effective_from(self) -> dt.date:
        return self.definition.effective_from

    @property
    def expires_on(self) -> dt.date:
        return self.definition.expires_on

    def state_on(self, day: dt.date) -> VersionState:
        return state_on(self, day)


@dataclass(frozen=True, slots=True)
class ListedField:
    """A field of a list, by one of its versions. `match`: how well it fits what was searched for,
    and why; None where nothing was."""

    version: FieldVersionView
    match: Match | None

    @property
    def code(self) -> str:
        return self.version.code


@dataclass(frozen=True, slots=True)
class CodeListItemView:
    code: str
    name: Mapping[str, str]
    retired_on: dt.date | None
    """Since when no new value may be it; values that are stay readable."""


@dataclass(frozen=True, slots=True)
class CodeListView:
    """`items` in their order, retired ones too."""

    code: str
    name: Mapping[str, str]
    items: tuple[CodeListItemView, ...]

    @property
    def live_codes(self) -> list[str]:
        return [item.code for item in self.items if item.retired_on is None]

    def as_bundle(self) -> dict[str, Any]:
        """The member of a bundle: without retired items."""
        return {
            "code": self.code,
            "name": in_language_order(self.name),
            "items": [
                {"code": item.code, "name": in_language_order(item.name)}
                for item in self.items
                if item.retired_on is None
            ],
        }


@dataclass(frozen=True, slots=True)
class SubjectKindView:
    id: int
    code: str
    name: Mapping[str, str]
    key_schema: Mapping[str, Any] | None
    personal: bool

    def as_bundle(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "name": in_language_order(self.name),
            "key_schema": self.key_schema,
            "personal": self.personal,
        }
