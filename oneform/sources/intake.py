"""Understanding rows: from a connector's batches to lines of values and of refusals.

No database and no network. A row without a subject is refused as a whole, under
the field `""`; anything else that is wrong (period, date, schema, level) with
each of its values.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

import orjson

from catalog.periods import Period, PeriodType, parse_period
from oneform.sources.connectors.base import Batch, FetchQuery, Row, text_of
from oneform.sources.conversion import (
    Refusal,
    RefusalCode,
    last_day_named,
    read_day,
    read_period,
)
from oneform.sources.plans import Call, CallField
from oneform.sources.spool import NOWHERE, Pile, Spool, escaped

_SHOWN = 2000
_REMEMBERED = 10_000

Plain = str | int | dt.date | None


@dataclass(slots=True)
class Taken:
    """What a call brought."""

    rows: int = 0
    values: int = 0
    refused: int = 0
    doubled: bool = False
    """The same subject and period came twice."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A row that has its subject."""

    region_id: int
    key: str
    subject: str
    """As the columns of a line: the id of an area; key and home region of any other subject."""
    level: int
    raw: Row


class Intake:
    """Takes the batches of one call into a spool."""

    def __init__(
        self, call: Call, run_id: uuid.UUID, spool: Spool, only_period: Period | None = None
    ) -> None:
        self.taken = Taken()
        self._call = call
        self._run = str(run_id)
        self._spool = spool
        self._only = only_period
        keys = call.keys
        named = [keys.subject, keys.area, keys.period, keys.observed_on]
        columns = [name for name in named if name] + [field.column for field in call.fields]
        self.columns = tuple(dict.fromkeys(columns))
        at = {name: place for place, name in enumerate(self.columns)}
        self._subject_at = at[keys.subject]
        self._area_at = at[keys.area or keys.subject]
        self._period_at = at[keys.period] if keys.period else None
        self._observed_at = at[keys.observed_on] if keys.observed_on else None
        self._fields: dict[PeriodType, list[tuple[CallField, int]]] = defaultdict(list)
        for field in call.fields:
            self._fields[field.period_type].append((field, at[field.column]))
        self._values: dict[int, list[str]] = defaultdict(list)
        self._refused: dict[int, list[str]] = defaultdict(list)
        self._seen: set[tuple[str, str]] = set()
        # Few rows of a table differ in these; reading them is dear.
        self._period = lru_cache(_REMEMBERED, typed=True)(self._read_period)
        self._day = lru_cache(_REMEMBERED, typed=True)(self._read_day)

    def query(self) -> FetchQuery:
        """What to ask the connector for."""
        keys, only = self._call.keys, self._only
        year = None
        # Standing values come from rows of every period; a week may begin in the year before.
        if only is not None and keys.period and PeriodType.NONE not in self._fields:
            year = only.first_day.year if only.type is not PeriodType.WEEK else None
        return FetchQuery(
            columns=self.columns,
            area_column=keys.area or keys.subject,
            area_codes=None if self._call.region_id is None else frozenset(self._call.places),
            period_column=keys.period,
            year=year,
        )

    def take(self, batch: Batch) -> None:
        """Read the rows of a batch, and hand their lines to the spool."""
        for raw in batch:
            self.taken.rows += 1
            row = self._place(raw)
            if row is not None:
                self._take_row(row)
        for pile, lines in ((Pile.VALUES, self._values), (Pile.REFUSED, self._refused)):
            for region_id, some in lines.items():
                self._spool.add(pile, region_id, some)
            lines.clear()

    def _place(self, raw: Row) -> _Row | None:
        """The row with its subject; None, and perhaps a refusal, where it has none."""
        call = self._call
        code = text_of(raw[self._area_at])
        place = call.places.get(code)
        if place is None:
            if call.region_id is None:
                refusal = Refusal(RefusalCode.UNKNOWN_AREA, "is no area that is known")
                self._refuse(NOWHERE, code, "", "", code, refusal)
            return None
        region_id = call.region_id or place.region_id
        if call.about_areas:
            return _Row(region_id, code, str(place.area_id), place.level, raw)
        key = text_of(raw[self._subject_at])
        if not key or "\0" in key:
            refusal = Refusal(RefusalCode.UNKNOWN_SUBJECT, "the row names no subject")
            self._refuse(region_id, "", "", "", code, refusal)
            return None
        return _Row(region_id, key, f"{escaped(key)}\t{place.region_id}", place.level, raw)

    def _take_row(self, row: _Row) -> None:
        raw_period = None if self._period_at is None else plain(row.raw[self._period_at])
        raw_day = None if self._observed_at is None else plain(row.raw[self._observed_at])
        day = self._day(raw_day, raw_period)
        for type_, fields in self._fields.items():
            period = self._period(raw_period, type_)
            unwanted = isinstance(period, str) and period != str(self._only)
            if self._only is None or type_ is PeriodType.NONE or not unwanted:
                self._take_values(row, period, self._stale(day, type_), fields)

    def _take_values(
        self,
        row: _Row,
        period: str | Refusal,
        day: dt.date | Refusal,
        fields: list[tuple[CallField, int]],
    ) -> None:
        problem = next((each for each in (period, day) if isinstance(each, Refusal)), None)
        written = "" if isinstance(period, Refusal) else period
        if problem is None and self._call.about_areas:
            doubled = (row.subject, written)
            self.taken.doubled |= doubled in self._seen
            self._seen.add(doubled)
        lines = self._values[row.region_id]
        start = f"{row.region_id}\t"
        middle, end = f"\t{written}\t{row.subject}\t", f"\t\\N\t{day}\n"
        for field, at in fields:
            found = field.convert(row.raw[at])
            if found is None:
                continue
            if problem is not None:
                found = problem
            elif field.levels and row.level not in field.levels:
                found = Refusal(RefusalCode.LEVEL, "the field is not about areas of this level")
            if isinstance(found, Refusal):
                self._refuse(row.region_id, row.key, field.code, written, row.raw[at], found)
                continue
            text = escaped(found) if "\\" in found else found
            lines.append(f"{start}{field.id}{middle}{text}{end}")
            self.taken.values += 1

    def _read_period(self, raw: Plain, type_: PeriodType) -> str | Refusal:
        """The period of a row for fields of a type, as text."""
        if type_ is PeriodType.NONE:
            return ""
        constant = self._call.keys.constant_period
        if constant is not None:
            return constant
        try:
            return str(read_period(raw, type_))
        except ValueError as error:
            return Refusal(RefusalCode.PERIOD, str(error))

    def _read_day(self, raw_day: Plain, raw_period: Plain) -> dt.date | Refusal:
        """When a row was observed: see `Keys`."""
        today = self._call.today
        try:
            if self._observed_at is not None and text_of(raw_day):
                day = read_day(raw_day)
                if day > today:
                    raise ValueError("lies in the future")
                return day
            constant = self._call.keys.constant_period
            if constant is not None:
                return min(today, parse_period(constant).last_day)
            return min(today, last_day_named(raw_period)) if text_of(raw_period) else today
        except ValueError as error:
            return Refusal(RefusalCode.OBSERVED_ON, str(error))

    def _stale(self, day: dt.date | Refusal, type_: PeriodType) -> dt.date | Refusal:
        fresh_for = self._call.fresh_for
        if type_ is not PeriodType.NONE or isinstance(day, Refusal) or fresh_for is None:
            return day
        if fresh_for.add_to(day) < self._call.today:
            return Refusal(RefusalCode.STALE, f"was observed on {day}, which is too long ago")
        return day

    def _refuse(
        self, region_id: int, key: str, field: str, period: str, raw: object, refusal: Refusal
    ) -> None:
        self.taken.refused += 1
        columns = (self._run, key, field, period, shown(raw), refusal.code.value, refusal.detail)
        self._refused[region_id].append(
            "\t".join(escaped(column.replace("\0", "")) for column in columns) + "\n"
        )


def plain(raw: object) -> Plain:
    """What can be remembered, as it is; anything else as text."""
    return raw if isinstance(raw, str | int | dt.date | None) else text_of(raw)


def shown(raw: object) -> str:
    """A raw value as JSON text, for the report of a run."""
    if isinstance(raw, str):
        raw = raw.replace("\0", "\ufffd")[:_SHOWN]
    try:
        text = orjson.dumps(raw, default=text_of).decode()
    except (orjson.JSONEncodeError, UnicodeError):
        plain_text = text_of(raw).encode("ascii", "backslashreplace").decode()
        text = orjson.dumps(plain_text[:_SHOWN]).decode()
    # PostgreSQL's JSON holds no U+0000.
    text = text.replace("\\u0000", "\\ufffd")
    return text if len(text) <= 2 * _SHOWN else orjson.dumps(text[:_SHOWN]).decode()
