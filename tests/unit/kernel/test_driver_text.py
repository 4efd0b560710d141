"""Statements in the driver's words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneform.kernel.db import driver_text

NAMES = ("a", "b", "c_region_id")


def filled_in(statement: str) -> str:
    """With the name of each parameter in its place, as `%` would put values there."""
    return driver_text(statement) % {name: f"${name}" for name in NAMES}


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT :a", "SELECT $a"),
        ("SELECT :a, :b, :a", "SELECT $a, $b, $a"),
        ("SELECT x::text FROM t WHERE y = :a", "SELECT x::text FROM t WHERE y = $a"),
        ("SELECT path LIKE :a || '%'", "SELECT path LIKE $a || '%'"),
        ("SELECT 7 % 2, '100%'", "SELECT 7 % 2, '100%'"),
        (r"SELECT '12\:30' = :a", "SELECT '12:30' = $a"),
    ],
)
def test_parameters_are_the_drivers_and_the_rest_stays(statement: str, expected: str) -> None:
    assert filled_in(statement) == expected


@given(
    st.lists(
        st.one_of(
            st.sampled_from(NAMES).map(lambda name: f":{name} "),
            st.text("abc %()'*/-", max_size=8).map(lambda text: text + " "),
        )
    )
)
def test_nothing_but_parameters_changes(parts: list[str]) -> None:
    assert filled_in("".join(parts)) == "".join(parts).replace(":", "$")
