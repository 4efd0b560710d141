"""Working days in China: weekends, holidays and make-up days (调休) as the State Council shifts them.

The days come from the package `chinese-calendar`, which is released anew each
November, when the General Office of the State Council publishes the next year.
For years that it does not know: Monday to Friday, provisional.
"""

from __future__ import annotations

import datetime as dt

from chinese_calendar.constants import holidays, workdays  # type: ignore[import-untyped]

from oneform.kernel.calendar import SATURDAY, CountingCalendar

# The notice for a year also shifts the days around its New Year, back into the
# December before it: the earliest so far was 29 December (2007, 2018), the
# earliest that a make-up weekend before 1 January can fall on is the 25th. Until
# that notice is known, the end of the last known year is provisional too.
NEW_YEAR_SHIFTS_FROM = (12, 25)


class ChinaCalendar(CountingCalendar):
    """The calendar `cn`."""

    name = "cn"

    def __init__(self) -> None:
        self._off = frozenset[dt.date](holidays)
        self._make_up = frozenset[dt.date](workdays)
        self.known_years = frozenset(day.year for day in self._off)

    def is_working(self, day: dt.date) -> bool:
        if day in self._make_up:
            return True
        return day.weekday() < SATURDAY and day not in self._off

    def is_provisional(self, day: dt.date) -> bool:
        if day.year not in self.known_years:
            return True
        late = (day.month, day.day) >= NEW_YEAR_SHIFTS_FROM
        return late and day.year + 1 not in self.known_years


CALENDARS = (ChinaCalendar,)
