"""Model: the whitelist. Which version of a field is in force, and why a field is rejected."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Version:
    """One version. It speaks from `since` to `until`, both included, or to the day before `ended`."""

    number: int
    since: dt.date
    until: dt.date
    most: int | None = None
    """The greatest value that its schema takes."""
    mode: str = "collect"
    collected_at: int = 5
    reviewed: bool = False
    ended: dt.date | None = None

    def is_in_force(self, day: dt.date) -> bool:
        return self.since <= day <= self.until and (self.ended is None or day < self.ended)

    def takes(self, value: object) -> bool:
        return (
            isinstance(value, int)
            and not isinstance(value, bool)
            and value >= 0
            and (self.most is None or value <= self.most)
        )


@dataclass
class Field:
    code: str
    versions: list[Version]
    kind: str = "area"
    standing: bool = False
    sharing: str = "unconditional"
    retired: bool = False

    def in_force(self, day: dt.date) -> Version | None:
        return next((v for v in self.versions if v.is_in_force(day)), None)

    def asked_by(self, day: dt.date) -> Version | None:
        """The version that the grassroots are asked under; None where only sources may answer."""
        version = self.in_force(day)
        return version if version is not None and version.mode == "collect" else None

    def version(self, number: int) -> Version:
        return next(v for v in self.versions if v.number == number)

    def why_not_in_force(self, day: dt.date) -> str | None:
        if self.in_force(day) is not None:
            return None
        if all(day < v.since for v in self.versions):
            return "not_in_force"
        return "retired" if self.retired else "expired"


@dataclass(frozen=True)
class Demand:
    """What the whitelist looks at in a request."""

    kind: str
    level: int | None
    period: str
    is_owner: bool
    is_within_reach: bool


@dataclass
class Catalog:
    fields: dict[str, Field] = field(default_factory=dict)

    def reason(self, code: str, demand: Demand, day: dt.date) -> str | None:
        """Why a field is rejected; None where it is accepted. The first of several reasons."""
        found = self.fields.get(code)
        if found is None:
            return "unknown"
        if (gone := found.why_not_in_force(day)) is not None:
            return gone
        if found.kind != demand.kind:
            return "wrong_kind"
        if demand.kind == "area" and demand.level != 5:
            return "wrong_level"
        if not found.standing and len(demand.period) != 4:
            return "wrong_period"
        if found.sharing == "restricted" and not demand.is_owner:
            return "restricted"
        return None if demand.is_within_reach else "outside_agency_area"

    def on_the_list(self, codes: Mapping[str, object], day: dt.date) -> list[str]:
        return [code for code in codes if self.fields[code].in_force(day) is not None]
