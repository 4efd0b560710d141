"""The clock: instants in UTC, the day in the configured zone."""

import datetime as dt

import pytest

from oneform.kernel.clock import Clock, FixedClock

LATE_EVENING_UTC = dt.datetime(2026, 11, 21, 18, 30, tzinfo=dt.UTC)


def test_now_is_aware_and_in_utc():
    before = dt.datetime.now(dt.UTC)
    now = Clock().now()
    assert now.utcoffset() == dt.timedelta(0)
    assert before <= now <= dt.datetime.now(dt.UTC)


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Asia/Shanghai", dt.date(2026, 11, 22)),
        ("UTC", dt.date(2026, 11, 21)),
        ("America/New_York", dt.date(2026, 11, 21)),
    ],
)
def test_day_is_that_of_the_configured_zone(zone, day):
    assert FixedClock(LATE_EVENING_UTC, zone).today() == day


def test_set_day_moves_no_instant():
    clock = Clock(today=dt.date(2031, 5, 4))
    assert clock.today() == dt.date(2031, 5, 4)
    assert abs(clock.now() - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)
    assert clock.day_of(LATE_EVENING_UTC) == dt.date(2026, 11, 22)


def test_fixed_clock_stands_until_it_is_moved():
    clock = FixedClock(LATE_EVENING_UTC)
    assert clock.now() == clock.now() == LATE_EVENING_UTC
    clock.advance(dt.timedelta(hours=24))
    assert clock.today() == dt.date(2026, 11, 23)


def test_fixed_clock_reports_utc_whatever_zone_it_was_given():
    local = dt.datetime(2026, 11, 22, 2, 30, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    clock = FixedClock(local)
    assert clock.now() == LATE_EVENING_UTC
    assert clock.now().tzinfo is dt.UTC


@pytest.mark.parametrize("name", ["Asia/Wuhan", "", "../etc/passwd", "Asia", "/etc/localtime"])
def test_unknown_time_zone_is_named(name):
    with pytest.raises(ValueError, match="no such time zone"):
        Clock(name)


def test_naive_instant_is_refused():
    naive = LATE_EVENING_UTC.replace(tzinfo=None)
    with pytest.raises(ValueError, match="needs a time zone"):
        FixedClock(naive)
    with pytest.raises(ValueError, match="needs a time zone"):
        Clock().day_of(naive)
