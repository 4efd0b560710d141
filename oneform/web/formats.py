"""Days, instants, numbers and periods as the reader's language writes them."""

from __future__ import annotations

import datetime as dt
from decimal import InvalidOperation

import flask_babel  # type: ignore[import-untyped]
from babel.numbers import format_decimal
from flask_babel import gettext

from catalog.periods import PeriodError, PeriodType, parse_period


def day_words(day: dt.date) -> str:
    """2026年12月31日, 31 December 2026."""
    return str(flask_babel.format_date(day, "long"))


def weekday_words(day: dt.date) -> str:
    return str(flask_babel.format_date(day, "EEEE"))


def time_words(instant: dt.datetime) -> str:
    """Day and minute, in the configured time zone."""
    date = flask_babel.format_datetime(instant, "long" if _is_english() else "yyyy年M月d日 HH:mm")
    return str(date)


def clock_words(instant: dt.datetime) -> str:
    """The minute of the day, for what happened just now."""
    return str(flask_babel.format_datetime(instant, "HH:mm"))


def number_words(number: int | float) -> str:
    """With thousands separators, and with every digit that was given."""
    try:
        return format_decimal(number, locale=flask_babel.get_locale(), decimal_quantization=False)
    except InvalidOperation:
        # More digits than decimals are set to have.
        return str(number)


def period_words(text: str | None) -> str:
    """A period as people say it; empty for none, and as it is when it is not one."""
    if not text:
        return ""
    try:
        period = parse_period(text)
    except PeriodError:
        return text
    year, part = text[:4], text[5:]
    match period.type:
        case PeriodType.YEAR:
            return str(gettext("year %(year)s", year=year))
        case PeriodType.HALF if part == "S1":
            return str(gettext("the first half of %(year)s", year=year))
        case PeriodType.HALF:
            return str(gettext("the second half of %(year)s", year=year))
        case PeriodType.QUARTER:
            return str(gettext("quarter %(number)s of %(year)s", year=year, number=part[1:]))
        case PeriodType.MONTH:
            return str(flask_babel.format_date(period.first_day, _month_pattern()))
        case PeriodType.WEEK:
            return str(gettext("week %(number)d of %(year)s", year=year, number=int(part[1:])))
        case _:
            return day_words(period.first_day)


def _is_english() -> bool:
    return bool(flask_babel.get_locale().language == "en")


def _month_pattern() -> str:
    return "MMMM yyyy" if _is_english() else "yyyy年M月"
