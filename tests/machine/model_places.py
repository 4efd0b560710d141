"""Model: areas, whoever lives in them, and who answers for them. Plain Python, no oneform.

An area keeps its number through renaming, recoding and moving. A subject belongs
to the region (county) in which it began, wherever it is now; an area is the
subject of its own figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

COUNTY, TOWNSHIP, VILLAGE = 3, 4, 5


@dataclass(eq=False)
class Place:
    """An area."""

    id: int
    code: str
    name: str
    level: int
    parent: Place | None
    region: int
    ended: bool = False

    def lineage(self) -> Iterator[Place]:
        """Itself, and all above it."""
        place: Place | None = self
        while place is not None:
            yield place
            place = place.parent

    def is_within(self, top: Place) -> bool:
        return any(place is top for place in self.lineage())

    def who_answers(self, level: int) -> Place:
        """The area of this level above it, or itself where there is none."""
        return next((place for place in self.lineage() if place.level == level), self)


@dataclass(eq=False)
class Subject:
    """What a value is about: an area itself, or somebody who lives there."""

    id: int
    kind: str
    region: int
    place: Place
    ended: bool = False

    @property
    def public_id(self) -> str:
        return f"{self.region}-{self.id}"


class Map:
    """All places and subjects, by number."""

    def __init__(self) -> None:
        self.places: dict[int, Place] = {}
        self.subjects: dict[int, Subject] = {}

    def add_area(
        self, id: int, code: str, name: str, level: int, parent: Place | None, region: int
    ) -> Place:
        place = Place(id, code, name, level, parent, region)
        self.places[id] = place
        self.subjects[id] = Subject(id, "area", region, place)
        return place

    def add_resident(self, id: int, region: int, place: Place) -> Subject:
        self.subjects[id] = Subject(id, "resident", region, place)
        return self.subjects[id]

    def living(self, level: int) -> list[Place]:
        """Areas of a level that are there today, in the order of their numbers."""
        return [p for p in self.places.values() if p.level == level and not p.ended]

    def children(self, place: Place) -> list[Place]:
        return [p for p in self.places.values() if p.parent is place and not p.ended]

    def residents(self) -> list[Subject]:
        return [s for s in self.subjects.values() if s.kind == "resident" and not s.ended]

    def in_scope(self, kind: str, level: int | None, tops: list[Place]) -> list[Subject]:
        """Active subjects of a kind at or below some areas; areas of one level only."""
        return [
            s
            for s in self.subjects.values()
            if s.kind == kind
            and not s.ended
            and (level is None or s.place.level == level)
            and any(s.place.is_within(top) for top in tops)
        ]
