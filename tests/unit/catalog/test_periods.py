"""Periods, windows and durations."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.periods import (
    STANDING,
    Duration,
    Period,
    PeriodError,
    PeriodType,
    Window,
    fresh_until,
    parse_duration,
    parse_period,
)

TIMED = [type for type in PeriodType if type is not PeriodType.NONE]


def day(text):
    return dt.date.fromisoformat(text)


types = st.sampled_from(TIMED)
# Not at the very ends of the calendar, where a neighbour would be outside it.
days = st.dates(dt.date(1902, 1, 1), dt.date(2997, 12, 31))
periods = st.builds(Period.for_day, types, days)
durations = st.builds(Duration, st.integers(0, 600), st.integers(0, 18_000)).filter(
    lambda d: d.months or d.days
)


@pytest.mark.parametrize(
    ("text", "type", "first", "last"),
    [
        ("2025", "year", "2025-01-01", "2025-12-31"),
        ("2025-S1", "half", "2025-01-01", "2025-06-30"),
        ("2025-S2", "half", "2025-07-01", "2025-12-31"),
        ("2025-Q3", "quarter", "2025-07-01", "2025-09-30"),
        ("2025-Q4", "quarter", "2025-10-01", "2025-12-31"),
        ("2025-11", "month", "2025-11-01", "2025-11-30"),
        ("2024-02", "month", "2024-02-01", "2024-02-29"),
        ("2025-W47", "week", "2025-11-17", "2025-11-23"),
        ("2026-W01", "week", "2025-12-29", "2026-01-04"),  # begins in the year before
        ("2020-W53", "week", "2020-12-28", "2021-01-03"),  # ends in the year after
        ("2025-11-22", "day", "2025-11-22", "2025-11-22"),
        ("2024-02-29", "day", "2024-02-29", "2024-02-29"),
        ("1900", "year", "1900-01-01", "1900-12-31"),
        ("2999-12-31", "day", "2999-12-31", "2999-12-31"),
    ],
)
def test_period_covers_its_days(text, type, first, last):
    period = parse_period(text)
    assert period.type == type
    assert (period.first_day, period.last_day) == (day(first), day(last))
    assert str(period) == text


@pytest.mark.parametrize(
    "text",
    [
        *("2025-1", "2025-00", "2025-13", "2025-S0", "2025-S3", "2025-Q0", "2025-Q5", "2025-s1"),
        *("2025-W00", "2025-W53", "2025-W54", "2025-W1", "2025-02-29", "2025-02-30", "2025-1-01"),
        *("20251122", "25", "02025", "2025-", " 2025", "2025 ", "2025\n", "２０２５", "2025/11"),
        *("1899", "3000", "1899-12-31", "3000-W01", "2025-H1", "2025-11-22T00:00", "none", "P1Y"),
        "9" * 5000,
    ],
)
def test_other_text_is_no_period(text):
    with pytest.raises(PeriodError):
        parse_period(text)


def test_refusal_says_how_to_write_a_period():
    with pytest.raises(PeriodError, match="write 2025, 2025-S1"):
        parse_period("2025-1")
    with pytest.raises(PeriodError, match="2025-02-30 does not exist"):
        parse_period("2025-02-30")
    with pytest.raises(PeriodError, match="1900 to 2999"):
        parse_period("1899")


@given(st.text("0123456789-SQWX", max_size=11))
def test_only_canonical_text_is_taken(text):
    try:
        period = parse_period(text)
    except PeriodError:
        return
    assert str(period) == text


def test_standing_period_has_no_days():
    assert parse_period("") == STANDING == Period.for_day(PeriodType.NONE, day("2026-11-22"))
    assert str(STANDING) == ""
    assert STANDING.contains(day("2026-11-22"))
    for ask in (Period.next, Period.previous):
        with pytest.raises(PeriodError, match="without a period"):
            ask(STANDING)


@given(periods)
def test_text_round_trip(period):
    assert parse_period(str(period)) == period


@given(periods)
def test_next_and_previous_are_inverse(period):
    assert period.next().previous() == period == period.previous().next()


@given(periods)
def test_neighbours_touch_without_a_gap(period):
    assert period.first_day <= period.last_day
    assert period.next().first_day - period.last_day == dt.timedelta(days=1)


@given(types, days)
def test_every_day_lies_in_exactly_one_period_of_a_type(type, this):
    period = Period.for_day(type, this)
    assert period.contains(this)
    assert not period.next().contains(this)
    assert not period.previous().contains(this)
    assert Period.for_day(type, period.first_day) == period == Period.for_day(type, period.last_day)


@given(types, days, days)
def test_order_is_that_of_the_days(type, a, b):
    first, second = Period.for_day(type, a), Period.for_day(type, b)
    assert (first < second) == (first.first_day < second.first_day)
    assert (first <= second) == (first.last_day <= second.last_day)
    assert first.previous() < first < first.next()


@given(types, days, days)
def test_text_of_a_type_sorts_as_its_periods(type, a, b):
    first, second = Period.for_day(type, a), Period.for_day(type, b)
    assert (str(first) < str(second)) == (first < second)


def test_periods_of_different_types_have_no_order():
    with pytest.raises(TypeError):
        parse_period("2025") < parse_period("2025-11")  # noqa: B015
    assert parse_period("2025-11") != parse_period("2025-11-01")


@pytest.mark.parametrize(
    "text", ["1900", "1900-S1", "1900-Q1", "1900-01", "1900-W01", "1900-01-01"]
)
def test_nothing_lies_before_1900(text):
    with pytest.raises(PeriodError, match="1900 to 2999"):
        parse_period(text).previous()


@pytest.mark.parametrize(
    "text", ["2999", "2999-S2", "2999-Q4", "2999-12", "2999-W52", "2999-12-31"]
)
def test_nothing_lies_after_2999(text):
    with pytest.raises(PeriodError, match="1900 to 2999"):
        parse_period(text).next()


@pytest.mark.parametrize(
    ("opens", "closes", "this", "is_open"),
    [
        ("11-01", "12-31", "2026-10-31", False),
        ("11-01", "12-31", "2026-11-01", True),
        ("11-01", "12-31", "2026-12-31", True),
        ("11-01", "12-31", "2027-01-01", False),
        ("12-01", "01-15", "2026-11-30", False),  # over New Year
        ("12-01", "01-15", "2026-12-01", True),
        ("12-01", "01-15", "2027-01-15", True),
        ("12-01", "01-15", "2027-01-16", False),
        ("06-30", "06-30", "2026-06-30", True),  # a single day
        ("06-30", "06-30", "2026-07-01", False),
        ("02-29", "03-31", "2026-02-28", False),  # 29 February in a common year
        ("02-29", "03-31", "2026-03-01", True),
        ("02-29", "03-31", "2028-02-29", True),
        ("01-01", "02-29", "2026-02-28", True),
        ("01-01", "02-29", "2026-03-01", False),
        ("01-01", "02-29", "2028-02-29", True),
        ("02-29", "02-29", "2026-03-01", False),
    ],
)
def test_window_includes_both_ends(opens, closes, this, is_open):
    window = Window.parse({"from": opens, "to": closes})
    assert window.is_open(day(this)) is is_open
    assert window.as_dict() == {"from": opens, "to": closes}


@pytest.mark.parametrize(
    "window",
    [
        {},
        {"from": "11-01"},
        {"from": "11-01", "to": "12-31", "every": "year"},
        {"from": "11-1", "to": "12-31"},
        {"from": "2026-11-01", "to": "12-31"},
        {"from": "11-31", "to": "12-31"},
        {"from": "02-30", "to": "12-31"},
        {"from": "00-01", "to": "12-31"},
        {"from": "13-01", "to": "12-31"},
        {"from": "11-00", "to": "12-31"},
        {"from": "11-01\n", "to": "12-31"},
        {"from": 11, "to": 12},
        {"from": None, "to": None},
        ["from", "to"],
        "11-01",
        None,
    ],
)
def test_other_windows_are_refused(window):
    with pytest.raises(PeriodError, match="window"):
        Window.parse(window)


@given(st.integers(1900, 2998), st.data())
def test_window_and_its_complement_share_the_year(year, data):
    ends = data.draw(
        st.lists(st.dates(dt.date(2001, 1, 2), dt.date(2001, 12, 30)), min_size=2, max_size=2)
    )
    a, b = ends
    before_a, after_b = a - dt.timedelta(days=1), b + dt.timedelta(days=1)
    if (b - a).days % 365 == 364 or after_b == a:
        return  # the whole year: nothing is left for the complement
    window = Window((a.month, a.day), (b.month, b.day))
    rest = Window((after_b.month, after_b.day), (before_a.month, before_a.day))
    this = data.draw(st.dates(dt.date(year, 1, 1), dt.date(year, 12, 31)))
    if (this.month, this.day) != (2, 29):
        assert window.is_open(this) != rest.is_open(this)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("P1Y", "2026-11-22", "2027-11-22"),
        ("P1Y", "2024-02-29", "2025-02-28"),
        ("P4Y", "2024-02-29", "2028-02-29"),
        ("P6M", "2026-08-31", "2027-02-28"),
        ("P1M", "2026-01-31", "2026-02-28"),
        ("P1M1D", "2026-01-31", "2026-03-01"),  # months first, then days
        ("P90D", "2026-11-22", "2027-02-20"),
        ("P2W", "2026-11-22", "2026-12-06"),
        ("P1Y6M10D", "2026-11-22", "2028-06-01"),
        ("P100Y", "2026-11-22", "2126-11-22"),
    ],
)
def test_duration_ends_on_the_corresponding_day(text, start, end):
    duration = parse_duration(text)
    assert duration.add_to(day(start)) == day(end)
    assert fresh_until(day(start), duration) == day(end)


@pytest.mark.parametrize(
    "text",
    [
        *("", "P", "1Y", "P1", "PT1H", "P1DT1H", "P1.5Y", "P1,5Y", "-P1Y", "P-1Y", "P1y", "p1Y"),
        *("P1D1Y", "P1Y2W", "P2W1D", "P1Y1Y", "P 1Y", "P1Y\n", "P１Y", "P0D", "P0Y0M", "P0W"),
        *("P101Y", "P1201M", "P36526D", "P5219W", "P99999Y", "P" + "9" * 5000 + "D"),
    ],
)
def test_other_durations_are_refused(text):
    with pytest.raises(PeriodError, match="duration"):
        parse_duration(text)


@given(durations)
def test_duration_text_round_trip(duration):
    assert parse_duration(str(duration)) == duration


@given(durations, days, days)
def test_later_start_never_ends_earlier(duration, a, b):
    first, second = sorted((a, b))
    assert first < duration.add_to(first) <= duration.add_to(second)


def test_end_of_the_calendar_is_a_refusal_and_no_crash():
    for text in ("P1D", "P1M", "P100Y"):
        with pytest.raises(PeriodError, match="beyond the calendar"):
            parse_duration(text).add_to(dt.date.max)


def test_value_without_validity_never_goes_stale():
    assert fresh_until(day("2026-11-22"), None) is None
