"""Period arithmetic: periods, windows of collection and durations of validity. Pure.

What a field's period type means for a request is decided in the whitelist check;
working days are in `oneform.kernel.calendar`.

Durations follow articles 201 and 202 of the Civil Code of the PRC: the day of the
event is not counted; a term in months or years ends on the corresponding day of
its last month, or on that month's last day where there is none. PostgreSQL's
`date + interval` does the same.
"""

from __future__ import annotations

import datetime as dt
import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache, total_ordering
from typing import Self

FIRST_YEAR, LAST_YEAR = 1900, 2999
ONE_DAY = dt.timedelta(days=1)


class PeriodError(ValueError):
    """A text that is no period, window or duration; or an operation that it does not have."""


class PeriodType(StrEnum):
    NONE = "none"
    YEAR = "year"
    HALF = "half"
    QUARTER = "quarter"
    MONTH = "month"
    WEEK = "week"
    DAY = "day"


MONTHS = {PeriodType.YEAR: 12, PeriodType.HALF: 6, PeriodType.QUARTER: 3, PeriodType.MONTH: 1}

_FORMS = {
    PeriodType.YEAR: re.compile(r"([0-9]{4})"),
    PeriodType.HALF: re.compile(r"([0-9]{4})-S([12])"),
    PeriodType.QUARTER: re.compile(r"([0-9]{4})-Q([1-4])"),
    PeriodType.MONTH: re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])"),
    PeriodType.WEEK: re.compile(r"([0-9]{4})-W([0-9]{2})"),
    PeriodType.DAY: re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})"),
}


@total_ordering
@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of days of a type, or `STANDING`, which has no days.

    Made by `parse_period` and `Period.for_day`. Years 1900 to 2999 (for weeks:
    ISO years). Periods of different types have no order (TypeError).
    """

    type: PeriodType
    _first: dt.date = dt.date.min

    @classmethod
    def for_day(cls, type: PeriodType, day: dt.date) -> Self:
        """The period of this type that contains the day."""
        if type is PeriodType.NONE:
            return cls(type)
        if type in MONTHS:
            span = MONTHS[type]
            first = dt.date(day.year, (day.month - 1) // span * span + 1, 1)
        elif type is PeriodType.WEEK:
            first = day - day.weekday() * ONE_DAY
        else:
            first = day
        # A week belongs to the year of its Thursday (ISO 8601).
        year = first.isocalendar().year if type is PeriodType.WEEK else first.year
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise PeriodError(f"periods lie in the years {FIRST_YEAR} to {LAST_YEAR}")
        return cls(type, first)

    @property
    def first_day(self) -> dt.date:
        """PeriodError for a standing value's period, which has no days."""
        if self.type is PeriodType.NONE:
            raise PeriodError("without a period there is no first or last day")
        return self._first

    @property
    def last_day(self) -> dt.date:
        first = self.first_day
        if self.type in MONTHS:
            return _add_months(first, MONTHS[self.type]) - ONE_DAY
        return first + 6 * ONE_DAY if self.type is PeriodType.WEEK else first

    def next(self) -> Period:
        """The period after this one; PeriodError at the end of 2999."""
        return Period.for_day(self.type, self.last_day + ONE_DAY)

    def previous(self) -> Period:
        """The period before this one; PeriodError at the start of 1900."""
        return Period.for_day(self.type, self.first_day - ONE_DAY)

    def contains(self, day: dt.date) -> bool:
        """Whether the day lies in the period; every day does where there is none."""
        return self.type is PeriodType.NONE or self.first_day <= day <= self.last_day

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Period) or other.type is not self.type:
            return NotImplemented
        return self._first < other._first

    def __str__(self) -> str:
        """The canonical text, the only one that `parse_period` takes."""
        first = self._first
        match self.type:
            case PeriodType.NONE:
                return ""
            case PeriodType.YEAR:
                return f"{first.year}"
            case PeriodType.HALF:
                return f"{first.year}-S{(first.month + 5) // 6}"
            case PeriodType.QUARTER:
                return f"{first.year}-Q{(first.month + 2) // 3}"
            case PeriodType.MONTH:
                return f"{first.year}-{first.month:02}"
            case PeriodType.WEEK:
                year, week, _ = first.isocalendar()
                return f"{year}-W{week:02}"
            case PeriodType.DAY:
                return first.isoformat()


STANDING = Period(PeriodType.NONE)


@lru_cache(maxsize=4096)
def parse_period(text: str) -> Period:
    """The period that a canonical text names; PeriodError otherwise.

    `""` (none), `2025`, `2025-S1`, `2025-Q3`, `2025-11`, `2025-W47`, `2025-11-22`.
    """
    if text == "":
        return STANDING
    for type, form in _FORMS.items():
        if match := form.fullmatch(text):
            try:
                first = _first_day(type, [int(part) for part in match.groups()])
            except ValueError:
                raise PeriodError(f"{text} does not exist in the calendar") from None
            return Period.for_day(type, first)
    raise PeriodError(
        f"{text[:40]!r} is no period; write 2025, 2025-S1, 2025-Q3, 2025-11, 2025-W47 or 2025-11-22"
    )


def _first_day(type: PeriodType, parts: list[int]) -> dt.date:
    """ValueError for a week or day that does not exist."""
    if type is PeriodType.DAY:
        return dt.date(*parts)
    if type is PeriodType.WEEK:
        return dt.date.fromisocalendar(parts[0], parts[1], 1)
    number = parts[1] if len(parts) > 1 else 1
    return dt.date(parts[0], (number - 1) * MONTHS[type] + 1, 1)


def _add_months(day: dt.date, months: int) -> dt.date:
    """The corresponding day, or the last one of a shorter month; ValueError past year 9999."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > dt.MAXYEAR:
        raise PeriodError("the term ends beyond the calendar")
    return dt.date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


_MONTH_DAY = re.compile(r"(0[1-9]|1[0-2])-([0-9]{2})")


@dataclass(frozen=True, slots=True)
class Window:
    """The days of every year on which a field may be collected, both ends included.

    `opens` after `closes` means over New Year. In common years a window that opens
    on 29 February opens on 1 March, one that closes on it closes on the 28th.
    """

    opens: tuple[int, int]
    closes: tuple[int, int]

    @classmethod
    def parse(cls, window: Mapping[str, object]) -> Self:
        """From `{"from": "11-01", "to": "12-31"}`; PeriodError otherwise."""
        if not isinstance(window, Mapping) or set(window) != {"from", "to"}:
            raise PeriodError('a window has "from" and "to", as in {from: "11-01", to: "12-31"}')
        return cls(_month_and_day(window["from"]), _month_and_day(window["to"]))

    def is_open(self, day: dt.date) -> bool:
        now = (day.month, day.day)
        if self.opens <= self.closes:
            return self.opens <= now <= self.closes
        return now >= self.opens or now <= self.closes

    def as_dict(self) -> dict[str, str]:
        (m1, d1), (m2, d2) = self.opens, self.closes
        return {"from": f"{m1:02}-{d1:02}", "to": f"{m2:02}-{d2:02}"}


def _month_and_day(text: object) -> tuple[int, int]:
    match = _MONTH_DAY.fullmatch(text) if isinstance(text, str) else None
    # 2000 is a leap year, so that 29 February is a day.
    if match is None or not 1 <= int(match[2]) <= monthrange(2000, int(match[1]))[1]:
        raise PeriodError('the ends of a window are a month and a day, as in "11-01"')
    return int(match[1]), int(match[2])


MAX_DURATION_DAYS = 36_525  # a hundred years
_DURATION = re.compile(
    r"P(?=[0-9])(?:([0-9]{1,5})Y)?(?:([0-9]{1,5})M)?(?:([0-9]{1,5})D)?|P([0-9]{1,5})W"
)


@dataclass(frozen=True, slots=True)
class Duration:
    """A calendar duration: months, then days."""

    months: int
    days: int

    def add_to(self, day: dt.date) -> dt.date:
        """The last day of a term that begins the day after `day`; PeriodError past year 9999."""
        try:
            return _add_months(day, self.months) + self.days * ONE_DAY
        except OverflowError:
            raise PeriodError("the term ends beyond the calendar") from None

    def __str__(self) -> str:
        years, months = divmod(self.months, 12)
        parts = ((years, "Y"), (months, "M"), (self.days, "D"))
        return "P" + "".join(f"{number}{unit}" for number, unit in parts if number)


def parse_duration(text: str) -> Duration:
    """An ISO 8601 duration of dates: `P1Y`, `P6M`, `P90D`, `P1Y6M`, `P2W`.

    PeriodError for times, fractions, nothing at all, and more than a hundred years.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise PeriodError(f"{text[:40]!r} is no duration; write P1Y, P6M, P90D, P2W or P1Y6M")
    years, months, days, weeks = (int(number or 0) for number in match.groups())
    duration = Duration(years * 12 + months, days + 7 * weeks)
    if duration.months * 30.4375 + duration.days > MAX_DURATION_DAYS:
        raise PeriodError("a duration is a hundred years at the most")
    if not duration.months and not duration.days:
        raise PeriodError("a duration is at least one day")
    return duration


def fresh_until(observed_on: dt.date, valid_for: Duration | None) -> dt.date | None:
    """The last day on which a standing value is fresh; None: it never goes stale."""
    return None if valid_for is None else valid_for.add_to(observed_on)
