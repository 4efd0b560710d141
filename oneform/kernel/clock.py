"""The clock: the only place that asks what time it is.

Instants are aware and in UTC. The day is another thing: it depends on the
configured time zone, and a rehearsal may set it (`ONEFORM_TODAY`) without
moving any instant, lease or log line. Working days are in `calendar`.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

DEFAULT_TIMEZONE = "Asia/Shanghai"


def load_timezone(name: str) -> ZoneInfo:
    """The zone of an IANA name such as `Asia/Shanghai`; ValueError when there is none."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:
        # LookupError: no such zone; ValueError: a path; OSError: the name of a folder of zones.
        raise ValueError(f"no such time zone: {name!r}") from error


class Clock:
    """The real clock. `today` fixes the day and nothing else."""

    def __init__(self, timezone: str = DEFAULT_TIMEZONE, today: dt.date | None = None) -> None:
        self.zone = load_timezone(timezone)
        self._today = today

    def now(self) -> dt.datetime:
        """This instant, aware, in UTC."""
        return dt.datetime.now(dt.UTC)

    def today(self) -> dt.date:
        """The day it is in the configured zone, or the day that was set."""
        return self._today if self._today is not None else self.day_of(self.now())

    @property
    def is_rehearsal(self) -> bool:
        """Whether the day is not the database's own; then each transaction is told."""
        return self._today is not None

    def day_of(self, instant: dt.datetime) -> dt.date:
        """The day that an aware instant falls on in the configured zone."""
        if instant.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return instant.astimezone(self.zone).date()


class FixedClock(Clock):
    """A clock for tests: it stands at `instant` until it is moved."""

    def __init__(
        self,
        instant: dt.datetime,
        timezone: str = DEFAULT_TIMEZONE,
        today: dt.date | None = None,
    ) -> None:
        super().__init__(timezone, today)
        if instant.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        self._instant = instant.astimezone(dt.UTC)

    @property
    def is_rehearsal(self) -> bool:
        return True

    def now(self) -> dt.datetime:
        return self._instant

    def advance(self, by: dt.timedelta) -> None:
        """Move the instant (and the day with it, unless the day was set)."""
        self._instant += by
