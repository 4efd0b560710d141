"""Soft checks: what is odd about a value that is valid."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneform.collection.checks import as_number, schema_mistake, warnings
from oneform.collection.questions import Question, named_fields
from oneform.kernel.jsonschemas import compile_schema


def question(*checks: dict[str, Any]) -> Question:
    return Question(
        version_id=1,
        field_id=1,
        code="men",
        is_integer=True,
        needs_review=False,
        soft_checks=checks,
    )


def odd(check: dict[str, Any], value: Any, previous: Any = None, **known: float) -> bool:
    return bool(warnings(question(check), value, previous, known.get))


@pytest.mark.parametrize(
    ("value", "previous", "is_odd"),
    [
        (130, 100, False),
        (131, 100, True),
        (70, 100, False),
        (69, 100, True),
        (100, None, False),
        (5, 0, False),
        (-131, -100, True),
        (-100, -130, False),
        (0, 1, True),
        (131, "100", False),
        (131, True, False),
    ],
)
def test_change_over_previous(value: int, previous: Any, is_odd: bool) -> None:
    assert odd({"change_over_previous": 0.3}, value, previous) is is_odd


@pytest.mark.parametrize(
    ("check", "value", "people", "is_odd"),
    [
        ("at_most", 10, 10, False),
        ("at_most", 11, 10, True),
        ("at_most", 11, None, False),
        ("at_least", 10, 10, False),
        ("at_least", 9, 10, True),
    ],
)
def test_bound_by_another_field(check: str, value: int, people: int | None, is_odd: bool) -> None:
    known = {} if people is None else {"people": people}
    assert odd({check: "people"}, value, **known) is is_odd


PARTS = {"parts_sum_to": {"total": "people", "parts": ["men", "women"]}}


@pytest.mark.parametrize(
    ("known", "is_odd"),
    [
        ({"people": 30, "women": 20}, False),
        ({"people": 30, "women": 21}, True),
        ({"people": 30}, False),
        ({"women": 20}, False),
    ],
)
def test_parts_sum_to_total(known: dict[str, float], is_odd: bool) -> None:
    assert odd(PARTS, 10, **known) is is_odd


def test_parts_may_be_fractions() -> None:
    assert not odd(PARTS, 0.1, women=0.2, people=0.3)


def test_total_is_checked_against_its_parts_too() -> None:
    total = {"parts_sum_to": {"total": "men", "parts": ["old", "young"]}}
    assert odd(total, 10, old=4, young=5)
    assert not odd(total, 9, old=4, young=5)


@pytest.mark.parametrize("value", ["many", None, True, [], {"men": 1}])
def test_only_numbers_are_checked(value: Any) -> None:
    assert (
        warnings(question({"change_over_previous": 0.1}, {"at_most": "people"}), value, 1, {}.get)
        == []
    )


def test_every_oddity_is_told() -> None:
    both = question({"change_over_previous": 0.1}, {"at_most": "people"})
    first, second = warnings(both, 200, 100, {"people": 150}.get)
    assert "+100%" in first
    assert second == "is more than people, which is 150"


def test_fields_that_checks_name() -> None:
    checks = [{"change_over_previous": 0.3}, {"at_most": "a"}, {"at_least": "b"}, PARTS]
    assert named_fields(checks) == {"a", "b", "people", "men", "women"}


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False), st.floats(0.01, 10))
def test_no_change_is_never_odd(value: float, share: float) -> None:
    assert not odd({"change_over_previous": share}, value, value)


def test_numbers_are_not_truths() -> None:
    assert as_number(True) is None
    assert as_number(0) == 0


def test_schema_mistake_never_repeats_the_value() -> None:
    judge = compile_schema({"type": "string", "maxLength": 3})
    told = schema_mistake(judge, "420102199001011234")
    assert told == "must have at most 3 characters"
    assert schema_mistake(judge, "420") is None


def test_long_lists_of_mistakes_are_cut() -> None:
    judge = compile_schema({"type": "array", "items": {"type": "integer"}})
    told = schema_mistake(judge, ["x"] * 50)
    assert told is not None
    assert told.count(";") == 4
