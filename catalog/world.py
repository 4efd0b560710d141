"""What a definition may refer to: agencies, kinds, code lists and other fields. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from catalog.definition import AREA_KIND, FieldDefinition


@dataclass(frozen=True, slots=True)
class World:
    """All that exists already, or will once a bundle is taken in."""

    agencies: Collection[str] = ()
    other_agencies: bool = False
    """Whether there may be more of them, which cannot be looked up here."""
    kinds: Mapping[str, bool] = field(default_factory=lambda: {AREA_KIND: False})
    """Code → whether its subjects are people."""
    code_lists: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Code → codes of its items."""
    fields: Mapping[str, FieldDefinition] = field(default_factory=dict)
    undefined: Collection[str] = ()
    """Codes of fields that are there, but about which nothing can be said: their
    definitions have mistakes of their own."""


EMPTY_WORLD = World()
"""Before the first bundle: there is nothing but areas."""

UNKNOWN_WORLD = World(other_agencies=True)
"""Of a bundle alone, wherever it will be taken in."""
