"""What counts as JSON: numbers, text, depth and size."""

import datetime as dt
import math
from decimal import Decimal
from enum import IntEnum, StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneform.kernel.jsonvalues import MAX_DEPTH, MAX_NODES, is_json, json_mistakes, json_pointer


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    ONE = 1


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [None, True, 0, -(2**63), 2**63 - 1, 0.1, 1e308, "", "中文 😀", [], {}, {"a": [{"b": None}]}],
)
def test_json_value(value):
    assert json_mistakes(value) == []
    assert is_json(value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (math.nan, "not a finite number"),
        (math.inf, "not a finite number"),
        (-math.inf, "not a finite number"),
        (float("1e999"), "not a finite number"),
        (2**63, "more than 64 bits"),
        (-(2**63) - 1, "more than 64 bits"),
        pytest.param(10**5000, "more than 64 bits", id="5001 digits"),
        ("a\0b", "U+0000"),
        ("\ud800", "surrogate"),
        ((1,), "a tuple"),
        (b"x", "a bytes"),
        (Decimal(1), "a Decimal"),
        (dt.date(2026, 11, 22), "a date"),
        (Colour.RED, "a Colour"),
        (Level.ONE, "a Level"),
        ({1: 2}, "no text but a int"),
        ({"a\0": 1}, "name contains the character U+0000"),
        ({"\udfff": 1}, "name contains half"),
    ],
)
def test_value_that_is_no_json_says_why(value, words):
    (mistake,) = json_mistakes(value)
    assert mistake.code == "json"
    assert words in mistake.detail
    assert not is_json(value)
    (inner,) = json_mistakes({"a/b": [0, {"~": value}]})
    assert (inner.pointer, inner.detail) == ("/a~1b/1/~0", mistake.detail)


def test_every_flaw_is_listed():
    mistakes = json_mistakes({"a": math.nan, "b": [1, "\0"], "c": {2: 3}})
    assert [mistake.pointer for mistake in mistakes] == ["/a", "/b/1", "/c"]


def test_depth_is_limited():
    assert is_json(nested(MAX_DEPTH))
    (mistake,) = json_mistakes(nested(MAX_DEPTH + 1))
    assert mistake.code == "depth"
    assert not is_json(nested(100_000))


def test_size_is_limited():
    assert is_json([0] * (MAX_NODES - 1))
    (mistake,) = json_mistakes([0] * MAX_NODES)
    assert mistake.code == "size"


def test_value_that_contains_itself_ends_at_a_limit():
    endless = []
    endless.append(endless)
    assert json_mistakes(endless)[-1].code == "depth"


def test_value_that_unfolds_like_a_billion_laughs_ends_at_a_limit():
    laughs = ["ha"]
    for _ in range(20):
        laughs = [laughs] * 10
    assert json_mistakes(laughs)[-1].code == "size"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
        max_leaves=10,
    )
)
def test_quick_answer_is_the_long_one(value):
    assert is_json(value) == (json_mistakes(value) == [])


def test_pointer_escapes():
    assert json_pointer(()) == ""
    assert json_pointer(("a/b", 0, "~1", "")) == "/a~1b/0/~01/"
