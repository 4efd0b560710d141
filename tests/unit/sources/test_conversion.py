"""From raw values of stores to JSON of fields."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.periods import PeriodType, parse_period
from oneform.sources.connectors.base import text_of
from oneform.sources.conversion import (
    FieldConverter,
    Refusal,
    last_day_named,
    read_day,
    read_period,
)
from oneform.sources.intake import shown

INTEGER = {"type": "integer", "minimum": 0}
NUMBER = {"type": "number"}
STRING = {"type": "string", "minLength": 1}
DATE = {"type": "string", "format": "date"}
BOOLEAN = {"type": "boolean"}


@pytest.mark.parametrize(
    ("schema", "raw", "text"),
    [
        (INTEGER, 1203, "1203"),
        (INTEGER, "1203", "1203"),
        (INTEGER, " 1,203 ", "1203"),
        (INTEGER, "１２０３", "1203"),
        (INTEGER, "1203.00", "1203"),
        (INTEGER, Decimal("1203.00"), "1203"),
        (INTEGER, 1203.0, "1203"),
        (INTEGER, "1.2E3", "1200"),
        (NUMBER, Decimal("12.50"), "12.5"),
        (NUMBER, "0.070", "0.07"),
        (NUMBER, "-3", "-3"),
        (NUMBER, 3.0, "3"),
        (STRING, "  村委会 ", '"村委会"'),
        (STRING, 12, '"12"'),
        (STRING, Decimal("12.0"), '"12"'),
        (STRING, dt.date(2025, 1, 2), '"2025-01-02"'),
        (DATE, dt.datetime(2025, 1, 2, 3, 4), '"2025-01-02"'),  # noqa: DTZ001 - as drivers give it
        (DATE, "2025/1/2", '"2025-01-02"'),
        (DATE, "20250102", '"2025-01-02"'),
        (DATE, 20250102, '"2025-01-02"'),
        (DATE, "2025年1月2日", '"2025-01-02"'),
        (DATE, "2025-01-02 00:00:00", '"2025-01-02"'),
        (BOOLEAN, True, "true"),
        (BOOLEAN, 0, "false"),
        (BOOLEAN, "是", "true"),
        (BOOLEAN, "N", "false"),
        ({"type": ["null", "integer"]}, "7", "7"),
        ({"type": "array", "items": {"type": "integer"}}, "[1, 2]", "[1,2]"),
        ({"type": "array", "items": {"type": "integer"}}, [1, 2], "[1,2]"),
        ({"enum": ["a", "b"]}, "a ", '"a"'),
        ({"enum": [1, 2]}, Decimal("2.0"), "2"),
    ],
)
def test_value_becomes_what_the_field_holds(schema: dict[str, Any], raw: object, text: str) -> None:
    assert FieldConverter(schema)(raw) == text


@pytest.mark.parametrize(
    ("schema", "raw", "words"),
    [
        (INTEGER, -1, "at least 0"),
        (INTEGER, "12.5", "an integer"),
        (INTEGER, "twelve", "no number"),
        (INTEGER, "1,2", "no number"),
        (INTEGER, True, "boolean"),
        (INTEGER, "1e400", "64 bits"),
        (NUMBER, float("nan"), "finite"),
        (NUMBER, Decimal("Infinity"), "finite"),
        (NUMBER, Decimal("sNaN"), "finite"),
        (INTEGER, Decimal("1E+999999"), "out of all bounds"),
        (STRING, memoryview(bytearray(b"a")), "no text"),
        (STRING, "a\0b", "U+0000"),
        (STRING, b"\xff", "no text"),
        (DATE, "2025-02-30", "calendar"),
        (DATE, "02/01/2025", "no date"),
        (BOOLEAN, "maybe", "yes nor no"),
        ({"type": "array"}, "[1,", ""),
        ({"enum": ["a"]}, "b", "must be one of"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(
    schema: dict[str, Any], raw: object, words: str
) -> None:
    refusal = FieldConverter(schema)(raw)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "schema"
    assert words in refusal.detail


@pytest.mark.parametrize("raw", [None, "", "   "])
def test_nothing_is_no_value(raw: object) -> None:
    assert FieldConverter(STRING)(raw) is None


def test_codes_are_translated_before_the_check() -> None:
    convert = FieldConverter({"enum": ["1", "2"]}, {"01": "1", "7": None})
    assert convert("01") == '"1"'
    assert convert("2") == '"2"'  # what the map does not name passes as it is
    assert convert(7) is None
    assert isinstance(convert("3"), Refusal)


def test_equal_numbers_of_other_types_are_not_mixed_up() -> None:
    convert = FieldConverter(INTEGER)
    assert convert(1) == "1"
    assert isinstance(convert(True), Refusal)
    assert convert(Decimal(1)) == "1"


def test_memory_of_seen_values_is_bounded() -> None:
    convert = FieldConverter(INTEGER)
    for number in range(50_000):
        assert convert(number) == str(number)


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_integers_come_through_every_way_of_writing(number: int) -> None:
    convert = FieldConverter({"type": "integer"})
    ways: list[object] = [number, str(number), Decimal(number), f"{number:,}", f"{number}.0"]
    assert {convert(way) for way in ways} == {str(number)}


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9, places=4))
def test_decimals_are_the_same_as_text_and_as_number(number: Decimal) -> None:
    convert = FieldConverter(NUMBER)
    texts = {convert(number), convert(str(number)), convert(float(number))}
    assert len(texts) == 1
    assert Decimal(json.loads(str(texts.pop()), parse_float=Decimal)) == number


@given(st.dates(min_value=dt.date(1900, 1, 1), max_value=dt.date(2999, 12, 31)))
def test_days_are_read_in_every_way_of_writing(day: dt.date) -> None:
    ways = [day, day.isoformat(), f"{day:%Y%m%d}", f"{day.year}/{day.month}/{day.day}"]
    assert {read_day(way) for way in ways} == {day}


@pytest.mark.parametrize(
    ("raw", "wanted", "period"),
    [
        ("2025", PeriodType.YEAR, "2025"),
        (2025, PeriodType.YEAR, "2025"),
        (Decimal("2025"), PeriodType.YEAR, "2025"),
        ("2025年", PeriodType.YEAR, "2025"),
        (dt.date(2025, 12, 31), PeriodType.YEAR, "2025"),
        ("2025-12-31", PeriodType.YEAR, "2025"),
        (20251231, PeriodType.QUARTER, "2025-Q4"),
        ("2025-Q3", PeriodType.QUARTER, "2025-Q3"),
        (202511, PeriodType.MONTH, "2025-11"),
        ("2025-11", PeriodType.MONTH, "2025-11"),
        ("2025/1", PeriodType.MONTH, "2025-01"),
        ("2025年3月", PeriodType.MONTH, "2025-03"),
        ("2025-W47", PeriodType.WEEK, "2025-W47"),
        ("2025-11-22", PeriodType.DAY, "2025-11-22"),
    ],
)
def test_periods_are_read_in_their_ways_of_writing(
    raw: object, wanted: PeriodType, period: str
) -> None:
    assert read_period(raw, wanted) == parse_period(period)


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("2025-11", PeriodType.YEAR),
        ("2025", PeriodType.MONTH),
        ("2025-13", PeriodType.MONTH),
        (202513, PeriodType.MONTH),
        ("last year", PeriodType.YEAR),
        (None, PeriodType.YEAR),
        ("", PeriodType.YEAR),
        (1203, PeriodType.YEAR),
    ],
)
def test_what_is_no_period_of_the_type_is_refused(raw: object, wanted: PeriodType) -> None:
    with pytest.raises(ValueError, match=r"period|year"):
        read_period(raw, wanted)


class Strange:
    """As a driver may give it."""

    def __str__(self) -> str:
        raise RuntimeError("has no words for itself")


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text(st.characters())
    | st.binary()
    | st.binary().map(memoryview)
    | st.binary().map(bytearray).map(memoryview)
    | st.dates()
    | st.datetimes(timezones=st.none() | st.timezones())
    | st.times()
    | st.timedeltas()
    | st.uuids()
    | st.fractions()
    | st.complex_numbers()
    | st.builds(Strange)
    | st.sampled_from([Decimal("sNaN"), Decimal("1E+999999"), Decimal("0E-999999")]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
    max_leaves=5,
)
SCHEMAS: list[dict[str, Any]] = [
    INTEGER, NUMBER, STRING, DATE, BOOLEAN, {"type": "array"}, {"type": "object"}, {}
]  # fmt: skip


@given(anything)
def test_any_value_has_a_text(raw: object) -> None:
    assert isinstance(text_of(raw), str)
    json.loads(shown(raw))


@given(anything, st.sampled_from(SCHEMAS), st.sampled_from([{}, {"a": "1"}]))
def test_any_value_is_converted_or_refused(
    raw: object, schema: dict[str, Any], codes: dict[str, Any]
) -> None:
    found = FieldConverter(schema, codes)(raw)
    if isinstance(found, str):
        json.loads(found)
        assert "\\u0000" not in found
    else:
        assert found is None or (isinstance(found, Refusal) and isinstance(found.detail, str))


@given(anything, st.sampled_from(PeriodType))
def test_any_value_is_a_day_and_a_period_or_is_told_to_be_none(
    raw: object, wanted: PeriodType
) -> None:
    for read in (read_day, last_day_named, lambda raw: read_period(raw, wanted)):
        with suppress(ValueError):
            read(raw)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (Decimal("1203.00"), "1203"),
        (Decimal("-0.0"), "0"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1234567890123456789012345678901.50"), "1234567890123456789012345678901.5"),
        (Decimal("Infinity"), "Infinity"),
        (Decimal("1E+999999"), "1E+999999"),
        (float("nan"), "nan"),
        (memoryview(b" 42 "), "42"),
        (dt.timedelta(hours=1), "1:00:00"),
    ],
)
def test_numbers_and_bytes_as_keys(raw: object, text: str) -> None:
    assert text_of(raw) == text


def test_number_of_more_digits_than_python_writes() -> None:
    number = 10**5000
    assert text_of(number) == "(int)"
    assert json.loads(shown(number)) == "(int)"
    assert isinstance(FieldConverter(INTEGER)(number), Refusal)
