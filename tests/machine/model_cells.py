"""Model: what is held. A cell remembers every value that it had, and its stretches of freshness."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

VALID_FOR = dt.timedelta(days=30)
"""Of the standing fields of the model."""

UNKNOWN_FOR = dt.timedelta(days=90)
"""How long "unknown" counts for a standing field."""

STATUS_OF_SINCE = {"submission": "answered", "import": "shared", "source": "shared"}

Key = tuple[str, str, int]
"""Field, period (`""`: none), number of the subject."""


@dataclass(frozen=True)
class Origin:
    """Where a value came from: how, by whom, and by which submission of the model."""

    kind: str
    who: str
    submission: int | None = None


@dataclass(eq=False)
class Stretch:
    """A time in which a cell was fresh without a gap; `since` is a number of the model's steps."""

    since: int
    kind: str
    fresh_until: dt.date | None

    def is_fresh(self, day: dt.date) -> bool:
        return self.fresh_until is None or self.fresh_until >= day


@dataclass(frozen=True)
class Value:
    value: Any
    missing: str | None
    observed_on: dt.date
    origin: Origin


@dataclass(eq=False)
class Cell:
    values: list[Value] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)

    @property
    def current(self) -> Value | None:
        return self.values[-1] if self.values else None

    def is_fresh(self, day: dt.date) -> bool:
        return bool(self.stretches) and self.stretches[-1].is_fresh(day)

    def covering(self, day: dt.date) -> Stretch | None:
        """The first stretch that is fresh on the day, or comes after it."""
        return next((s for s in self.stretches if s.is_fresh(day)), None)


class Cells(dict[Key, Cell]):
    """All cells that ever had a value."""

    def record(
        self,
        key: Key,
        new: Value,
        *,
        authoritative: bool,
        today: dt.date,
        step: int,
    ) -> str:
        """Take a value in: `created`, `updated` or `unchanged`.

        An older observation changes nothing, unless it is authoritative.
        """
        cell = self.setdefault(key, Cell())
        old, standing = cell.current, key[1] == ""
        if old is not None:
            differs = (new.value, new.missing) != (old.value, old.missing)
            newer = standing and new.observed_on > old.observed_on
            if not (differs or newer) or not (authoritative or new.observed_on >= old.observed_on):
                return "unchanged"
        until = None
        if standing:
            until = new.observed_on + (UNKNOWN_FOR if new.missing == "unknown" else VALID_FOR)
        if old is not None and cell.is_fresh(today):
            last = cell.stretches[-1]
            if last.fresh_until is not None and until is not None:
                last.fresh_until = max(last.fresh_until, until)
        else:
            cell.stretches.append(Stretch(step, STATUS_OF_SINCE[new.origin.kind], until))
        cell.values.append(new)
        return "created" if old is None else "updated"
