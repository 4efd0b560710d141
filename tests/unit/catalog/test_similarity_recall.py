"""The bars of the benchmark of suggestions, on real questions; not timed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    """The benchmark's own document, run as a user runs it."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.suggestions", "--json", "--no-timing"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def recall_row(report: dict[str, Any], setting: str, part: str) -> dict[str, Any]:
    row: dict[str, Any]
    (row,) = (r for r in report["recall"] if (r["setting"], r["part"]) == (setting, part))
    return row


def test_recall_at_three_holds_on_the_part_not_tuned_on(report: dict[str, Any]) -> None:
    row = recall_row(report, "plain", "test")
    assert row["same"]["cases"] >= 50
    assert row["same"]["at_3"] >= 0.85
    assert row["all"]["at_3"] >= 0.85


def test_recall_holds_on_the_starter_catalogue_without_its_synonyms(
    report: dict[str, Any],
) -> None:
    rows = {part: recall_row(report, "starter", part)["all"] for part in ("tune", "test")}
    assert sum(row["cases"] for row in rows.values()) >= 250
    assert rows["test"]["at_3"] >= 0.85


def test_years_numbers_and_units_around_a_name_cost_nothing(report: dict[str, Any]) -> None:
    for part in ("tune", "test"):
        plain, dressed = (recall_row(report, s, part)["all"]["at_3"] for s in ("plain", "dressed"))
        assert dressed >= plain


def test_meaning_is_worth_more_than_spelling(report: dict[str, Any]) -> None:
    ours = recall_row(report, "crowded", "test")["all"]
    spelling = recall_row(report, "spelling_crowded", "test")["all"]
    assert ours["at_1"] > spelling["at_1"]
    assert ours["at_3"] > spelling["at_3"]


def test_what_is_off_the_list_seldom_gets_a_strong_suggestion(report: dict[str, Any]) -> None:
    rates = {row["part"]: row["rate"] for row in report["off_list"] if row["bureaus"] == "compared"}
    assert min(rates.values()) >= 0.9


def test_what_is_off_the_starter_catalogue_gets_no_strong_suggestion(
    report: dict[str, Any],
) -> None:
    found = {row["what"]: row for row in report["off_starter"]}
    for kind in ("heading", "nonsense"):
        assert found[kind]["questions"] >= 90
        assert found[kind]["rate"] >= 0.95


def test_what_is_on_the_list_gets_a_strong_suggestion_often_enough(report: dict[str, Any]) -> None:
    """A threshold out of reach would keep quiet about everything."""
    assert recall_row(report, "plain", "test")["same"]["strong_at_1"] >= 0.5
    assert recall_row(report, "dressed", "test")["same"]["strong_at_1"] >= 0.5
    assert recall_row(report, "starter", "test")["all"]["strong_at_1"] >= 0.45


def test_every_query_is_counted_in_exactly_one_part_and_relation(report: dict[str, Any]) -> None:
    counted = sum(row["cases"] for row in report["relations"])
    assert counted == sum(
        recall_row(report, "plain", part)["all"]["cases"] for part in ("tune", "test")
    )
    assert counted == 153
