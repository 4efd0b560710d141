"""Formulas and conditions: what parses, what does not, and that their text says the same."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.expressions import (
    Binary,
    Comparison,
    Condition,
    Expression,
    Joined,
    Name,
    Negative,
    Not,
    Number,
    comparisons,
    names,
)
from catalog.formula import MAX_NESTING, FormulaError, parse_condition, parse_formula


def test_product_binds_closer_than_sum_and_both_from_the_left() -> None:
    assert parse_formula("a - b - c * d / 2") == Binary(
        "-",
        Binary("-", Name("a"), Name("b")),
        Binary("/", Binary("*", Name("c"), Name("d")), Number(Decimal(2))),
    )


def test_share_in_percent_names_both_of_its_fields() -> None:
    tree = parse_formula("elderly.aged_60_plus / population.resident_total * 100")
    assert names(tree) == ["elderly.aged_60_plus", "population.resident_total"]


def test_and_binds_closer_than_or() -> None:
    condition = parse_condition(
        'resident.age >= 60 and resident.sex == "2" or not (a in ["1", "x"])'
    )
    age, sex = (
        Comparison("resident.age", ">=", (Decimal(60),)),
        Comparison("resident.sex", "==", ("2",)),
    )
    assert condition == Joined(
        "or", (Joined("and", (age, sex)), Not(Comparison("a", "in", ("1", "x"))))
    )
    assert [each.code for each in comparisons(condition)] == ["resident.age", "resident.sex", "a"]


def test_literals_may_be_negative_true_false_or_any_text() -> None:
    condition = parse_condition('a > -1.5 and b == true and c != "引号\\" and" and d == false')
    assert [each.operands[0] for each in comparisons(condition)] == [
        Decimal("-1.5"),
        True,
        '引号" and',
        False,
    ]


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("", 1),
        ("   ", 4),
        ("a +", 4),
        ("a b", 3),
        ("(a", 3),
        ("a)", 2),
        ("a ** b", 4),
        ("a / 0", 3),
        ("a / 0.00", 3),
        ("1e5", 1),
        ("a.b.", 1),
        ("A.b", 1),
        ("a + and", 5),
        ("__import__('os')", 1),
        ("a[0]", 2),
        ("a == 1", 3),
        ("人口 + 1", 1),
        ("(" * (MAX_NESTING + 1) + "a" + ")" * (MAX_NESTING + 1), MAX_NESTING + 2),
        ("-" * 300 + "a", MAX_NESTING + 2),
        ("a + " * 600 + "a", 2001),
        ("a+" * 600 + "a", 401),
    ],
)
def test_what_is_no_formula_is_refused_at_its_column(text: str, column: int) -> None:
    with pytest.raises(FormulaError) as caught:
        parse_formula(text)
    assert caught.value.column == column


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a = 1",
        "a == b",
        "1 == a",
        "a == 1 and",
        "a in []",
        "a in [1",
        "a in 1",
        "a == 'x'",
        'a == "\\x"',
        'a == "open',
        "a == -true",
        'a == -"1"',
        "not",
        "a + b > 1",
        "not " * 300 + "a == 1",
    ],
)
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(FormulaError):
        parse_condition(text)


codes = st.from_regex(r"[a-z][a-z0-9_]{0,5}\.[a-z0-9][a-z0-9_]{0,5}", fullmatch=True)
numbers = st.decimals(0, 10**9, places=2, allow_nan=False)
expressions: st.SearchStrategy[Expression] = st.recursive(
    codes.map(Name) | numbers.filter(bool).map(Number),
    lambda inner: (
        st.builds(Negative, inner) | st.builds(Binary, st.sampled_from("+-*/"), inner, inner)
    ),
    max_leaves=12,
)
literals = st.booleans() | numbers | st.text(st.characters(codec="utf-8"), max_size=8)
conditions: st.SearchStrategy[Condition] = st.recursive(
    st.builds(
        Comparison, codes, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), st.tuples(literals)
    )
    | st.builds(
        Comparison, codes, st.just("in"), st.lists(literals, min_size=1, max_size=3).map(tuple)
    ),
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(
            Joined,
            st.sampled_from(["and", "or"]),
            st.lists(inner, min_size=2, max_size=3).map(tuple),
        )
    ),
    max_leaves=8,
)


@given(expressions)
def test_text_of_a_formula_parses_to_the_same_tree(tree: Expression) -> None:
    assert parse_formula(str(tree)) == tree


@given(conditions)
def test_text_of_a_condition_parses_to_the_same_tree(tree: Condition) -> None:
    assert parse_condition(str(tree)) == tree


@given(st.text(max_size=60))
def test_any_text_is_a_tree_or_refused_at_a_column(text: str) -> None:
    columns = []
    for parse in (parse_formula, parse_condition):
        try:
            tree = parse(text)
        except FormulaError as error:
            columns.append(error.column)
        else:
            assert all(code.isascii() for code in names(tree))
    assert all(1 <= column <= len(text) + 1 for column in columns)
