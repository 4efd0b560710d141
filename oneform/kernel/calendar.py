"""Working days: the protocol, the rule of counting and a plain Monday-to-Friday calendar.

No country is known here. A calendar of a country is a module of
`oneform.kernel.calendars` that names its classes in `CALENDARS`, or an entry
point of the group `oneform.calendars`; `get_calendar` finds both by name.

The rule of counting, everywhere: the day of the event is not counted; counting
begins with the day after it and takes working days only (Civil Code of the
PRC, article 201, for the day not counted). One working day after a Friday is
the Monday. Zero working days is the day itself, also when it is no working day.
"""

from __future__ import annotations

import datetime as dt
import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cache
from importlib.metadata import entry_points
from typing import ClassVar, NamedTuple, Protocol

from oneform.kernel import calendars

ONE_DAY = dt.timedelta(days=1)
SATURDAY = 5


class Deadline(NamedTuple):
    """The last day of a term. `provisional`: to be computed again when the days are published."""

    day: dt.date
    provisional: bool


class WorkingCalendar(Protocol):
    """What the rest of the house may ask a calendar."""

    @property
    def name(self) -> str: ...

    def is_working(self, day: dt.date) -> bool:
        """Whether offices are open on this day, as far as is known."""

    def is_provisional(self, day: dt.date) -> bool:
        """Whether the holidays that could touch this day are not published yet."""

    def add_working_days(self, day: dt.date, n: int) -> Deadline:
        """The n-th working day after `day`; ValueError if n is negative."""

    def working_days_between(self, a: dt.date, b: dt.date) -> int:
        """The working days after `a` up to and with `b`; negative if `b` is before `a`."""


class CountingCalendar(ABC):
    """The rule of counting, for calendars that only know which days are working days."""

    name: ClassVar[str]

    @abstractmethod
    def is_working(self, day: dt.date) -> bool: ...

    @abstractmethod
    def is_provisional(self, day: dt.date) -> bool: ...

    def add_working_days(self, day: dt.date, n: int) -> Deadline:
        """The n-th working day after `day`, provisional if any day on the way is."""
        if n < 0:
            raise ValueError("a term cannot be a negative number of working days")
        provisional = False
        while n:
            day += ONE_DAY
            provisional = provisional or self.is_provisional(day)
            n -= self.is_working(day)
        return Deadline(day, provisional)

    def working_days_between(self, a: dt.date, b: dt.date) -> int:
        """The inverse of `add_working_days`; with `a` and `b` exchanged, the sign changes."""
        if b < a:
            return -self.working_days_between(b, a)
        return sum(self.is_working(a + dt.timedelta(days=i)) for i in range(1, (b - a).days + 1))


class WeekdayCalendar(CountingCalendar):
    """Monday to Friday, without holidays; never provisional, since nothing will be published."""

    name = "weekdays"

    def is_working(self, day: dt.date) -> bool:
        return day.weekday() < SATURDAY

    def is_provisional(self, day: dt.date) -> bool:  # noqa: ARG002 - the protocol's shape
        return False


CALENDARS: tuple[type[WeekdayCalendar], ...] = (WeekdayCalendar,)


class UnknownCalendar(ValueError):
    """No calendar has this name."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"no calendar {name!r}; known are: {', '.join(known)}")


@cache
def find_calendars() -> dict[str, Callable[[], WorkingCalendar]]:
    """Every calendar by name: built in, in the folder `calendars`, and from entry points."""
    found: dict[str, Callable[[], WorkingCalendar]] = {c.name: c for c in CALENDARS}
    for module in pkgutil.iter_modules(calendars.__path__):
        loaded = importlib.import_module(f"{calendars.__name__}.{module.name}")
        found.update({c.name: c for c in loaded.CALENDARS})
    for entry in entry_points(group="oneform.calendars"):
        found[entry.name] = entry.load()
    return found


@cache
def get_calendar(name: str) -> WorkingCalendar:
    """The calendar of this name, such as `cn` or `weekdays`; UnknownCalendar if there is none."""
    found = find_calendars()
    if name not in found:
        raise UnknownCalendar(name, sorted(found))
    return found[name]()
