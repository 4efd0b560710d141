"""Working days: the rule of counting, and the shifted days of China."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneform.kernel.calendar import UnknownCalendar, find_calendars, get_calendar
from oneform.kernel.calendars.china import NEW_YEAR_SHIFTS_FROM

CN = get_calendar("cn")
WEEKDAYS = get_calendar("weekdays")
LAST_KNOWN_YEAR = max(CN.known_years)

calendars = st.sampled_from([CN, WEEKDAYS])
days = st.dates(dt.date(2003, 1, 1), dt.date(2030, 12, 31))
terms = st.integers(0, 60)


def day(text):
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("text", "working"),
    [
        ("2025-01-26", True),  # Sunday, made up for Spring Festival
        ("2025-01-28", False),  # Tuesday, New Year's Eve
        ("2025-10-06", False),  # Monday, National Day and Mid-Autumn
        ("2025-10-11", True),  # Saturday, made up for National Day
        ("2026-01-02", False),  # Friday after New Year
        ("2026-01-04", True),  # Sunday, made up for New Year
        ("2026-11-20", True),  # an ordinary Friday
        ("2026-11-22", False),  # an ordinary Sunday
        ("2018-12-29", True),  # Saturday, made up for New Year of the year after
    ],
)
def test_china_follows_the_state_councils_shifted_days(text, working):
    assert CN.is_working(day(text)) is working
    assert not CN.is_provisional(day(text))


@pytest.mark.parametrize(
    ("start", "n", "end"),
    [
        ("2025-09-30", 1, "2025-10-09"),  # over eight days of National Day and Mid-Autumn
        ("2025-10-09", 2, "2025-10-11"),  # the make-up Saturday counts
        ("2026-11-20", 1, "2026-11-23"),  # from Friday to Monday
        ("2026-11-22", 3, "2026-11-25"),  # an event on a Sunday
        ("2026-11-22", 10, "2026-12-04"),
        ("2026-11-22", 20, "2026-12-18"),
        ("2026-11-22", 0, "2026-11-22"),  # zero is the day itself
    ],
)
def test_day_of_the_event_is_not_counted(start, n, end):
    assert CN.add_working_days(day(start), n) == (day(end), False)


def test_year_not_yet_published_is_monday_to_friday_and_provisional():
    unknown = LAST_KNOWN_YEAR + 1
    national_day = dt.date(unknown, 10, 1)
    for i in range(7):
        this = national_day + dt.timedelta(days=i)
        assert CN.is_provisional(this)
        assert CN.is_working(this) == WEEKDAYS.is_working(this)


def test_year_before_the_first_published_is_provisional():
    assert CN.is_provisional(dt.date(min(CN.known_years) - 1, 6, 2))


def test_term_that_reaches_into_an_unpublished_year_is_provisional():
    start = dt.date(LAST_KNOWN_YEAR, 12, 20)
    assert not CN.add_working_days(start, 2).provisional
    assert CN.add_working_days(start, 20).provisional
    assert CN.add_working_days(start, 20).day.year == LAST_KNOWN_YEAR + 1


def test_end_of_the_last_known_year_waits_for_the_next_notice():
    assert CN.is_provisional(dt.date(LAST_KNOWN_YEAR, *NEW_YEAR_SHIFTS_FROM))
    assert not CN.is_provisional(dt.date(LAST_KNOWN_YEAR, 12, 24))
    assert not CN.is_provisional(dt.date(LAST_KNOWN_YEAR - 1, 12, 31))


def test_every_december_shift_so_far_lies_in_the_provisional_days():
    shifted = [
        this
        for year in CN.known_years
        for i in range(31)
        if CN.is_working(this := dt.date(year, 12, 1) + dt.timedelta(days=i))
        != WEEKDAYS.is_working(this)
    ]
    assert shifted
    assert all((this.month, this.day) >= NEW_YEAR_SHIFTS_FROM for this in shifted)


def test_plain_calendar_knows_no_holiday_and_is_never_provisional():
    assert WEEKDAYS.is_working(day("2026-10-01"))
    assert not WEEKDAYS.is_working(day("2026-10-10"))
    assert WEEKDAYS.add_working_days(day("2999-12-27"), 1) == (day("2999-12-30"), False)


def test_unknown_calendar_names_the_known_ones():
    with pytest.raises(UnknownCalendar, match=r"'atlantis'.*cn, weekdays"):
        get_calendar("atlantis")
    assert {"cn", "weekdays"} <= set(find_calendars())


def test_negative_term_is_refused():
    with pytest.raises(ValueError, match="negative"):
        CN.add_working_days(day("2026-11-22"), -1)


@given(calendars, days, terms)
def test_counting_back_gives_the_term(calendar, start, n):
    end = calendar.add_working_days(start, n).day
    assert calendar.working_days_between(start, end) == n
    assert calendar.working_days_between(end, start) == -n


@given(calendars, days, st.integers(1, 60))
def test_a_term_ends_on_a_working_day(calendar, start, n):
    assert calendar.is_working(calendar.add_working_days(start, n).day)


@given(calendars, days, terms, terms)
def test_terms_add_up(calendar, start, m, n):
    first = calendar.add_working_days(start, m)
    second = calendar.add_working_days(first.day, n)
    whole = calendar.add_working_days(start, m + n)
    assert whole == (second.day, first.provisional or second.provisional)


@given(calendars, days, days, terms, terms)
def test_later_start_or_longer_term_never_ends_earlier(calendar, a, b, m, n):
    (a, b), (m, n) = sorted((a, b)), sorted((m, n))
    # Only from one working day on: zero working days is the day itself, also a Sunday.
    assert calendar.add_working_days(a, m + 1).day <= calendar.add_working_days(b, m + 1).day
    assert calendar.add_working_days(a, m).day <= calendar.add_working_days(a, n).day


@given(calendars, days, days, days)
def test_working_days_between_is_additive(calendar, a, b, c):
    between = calendar.working_days_between
    assert between(a, b) + between(b, c) == between(a, c)
