"""The rules of an import: whether a row's field, period, day and value fit together.

No SQL. Rows are judged by what they share: a file of a million rows has a few heads
(field, period, day), and many of its values come again and again.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from catalog.force import in_force, speaking
from catalog.periods import PeriodError, PeriodType, parse_period
from catalog.snapshot import Snapshot
from catalog.views import FieldVersionView
from oneform.kernel.errors import Mistake
from oneform.values.imports.conflicts import ConflictCode

_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Head:
    """What rows of one field, period and day have in common. Without a version the rest is 0 or
    empty; with mistakes none of the rows is recorded."""

    version_id: int
    field_id: int
    kind_id: int
    levels: list[int]
    day: dt.date | None
    mistakes: list[Mistake]


class Judge:
    """Judges heads and values by one state of the catalogue.

    `agency_id` is whose fields may be written; None: everybody's.
    """

    def __init__(self, catalog: Snapshot, today: dt.date, agency_id: int | None) -> None:
        self._catalog = catalog
        self._today = today
        self._agency_id = agency_id

    def head(self, field: str, period: str, observed_on: str) -> Head:
        """Judge what a row says about its field, its period and the day of the observation."""
        mistakes: list[Mistake] = []
        day = self._day(observed_on, mistakes)
        version = self._version(field, day, mistakes)
        _check_period(version, period, mistakes)
        if version is None:
            return Head(0, 0, 0, [], day, mistakes)
        levels = [int(level) for level in version.definition.levels]
        return Head(version.version_id, version.field_id, version.kind_id, levels, day, mistakes)

    def _day(self, text: str, mistakes: list[Mistake]) -> dt.date | None:
        try:
            day = dt.date.fromisoformat(text) if _DAY.fullmatch(text) else None
        except ValueError:
            day = None
        if day is None:
            words = f"{text[:40]!r} is no day such as 2026-03-16"
            mistakes.append(Mistake("/observed_on", ConflictCode.OBSERVED_ON, words))
        elif day > self._today:
            words = f"{day.isoformat()} is still to come"
            mistakes.append(Mistake("/observed_on", ConflictCode.OBSERVED_ON, words))
        return day

    def _version(
        self, code: str, day: dt.date | None, mistakes: list[Mistake]
    ) -> FieldVersionView | None:
        """The version in force on the day of the observation, else the one in force today."""
        versions: Sequence[FieldVersionView] = self._catalog.by_code.get(code, ())
        if not versions:
            words = "there is no such field on the whitelist"
            mistakes.append(Mistake("/field", ConflictCode.UNKNOWN_FIELD, words))
            return None
        owner = speaking(versions, self._today)
        if self._agency_id not in (None, owner.owner_id):
            words = f"its values are {owner.definition.owner}'s to give"
            mistakes.append(Mistake("/field", ConflictCode.NOT_OWNER, words))
        found = (in_force(versions, day) if day else None) or in_force(versions, self._today)
        if found is None:
            words = "it is not in force, and was not on the day of the observation"
            mistakes.append(Mistake("/field", ConflictCode.NOT_IN_FORCE, words))
        return found

    def value(self, version_id: int, text: str) -> list[Mistake]:
        """What the schema of a version objects to in the JSON text of a value."""
        validator = self._catalog.validator(version_id)
        value = orjson.loads(text)
        if validator.is_valid(value):
            return []
        words: dict[str, list[str]] = defaultdict(list)
        for mistake in validator.errors(value):
            words[f"/value{mistake.pointer}"].append(mistake.detail)
        return [
            Mistake(pointer, ConflictCode.SCHEMA, "; ".join(details))
            for pointer, details in words.items()
        ]


def _check_period(version: FieldVersionView | None, text: str, mistakes: list[Mistake]) -> None:
    try:
        found = parse_period(text).type
    except PeriodError as error:
        mistakes.append(Mistake("/period", ConflictCode.WRONG_PERIOD, str(error)))
        return
    if version is None or found.value == version.definition.period_type:
        return
    wanted = PeriodType(version.definition.period_type)
    if wanted is PeriodType.NONE:
        words = "its values have no period: leave it empty"
    elif found is PeriodType.NONE:
        words = f"it has a value for each {wanted.value}: say for which"
    else:
        words = f"it has a value for each {wanted.value}, and {text} is a {found.value}"
    mistakes.append(Mistake("/period", ConflictCode.WRONG_PERIOD, words))
