"""`python -m benchmarks`: its words, its table, its file; the rows themselves under `soak`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks.province import Province
from benchmarks.rounds import in_turn
from benchmarks.rows import Row, table, write
from oneform.interrupting import INTERRUPTED

ROOT = Path(__file__).parents[2]
MEMBERS = ["name", "cells", "seconds", "bare_seconds", "ratio", "bar", "holds"]

HELD = Row("quick", 1_000_000, 3.0, 2.0, 2.0, rate=12.0)
MISSED = Row("slow", 10, 0.0045, 0.001, 4.0)


@pytest.fixture
def small_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The command with rows of the tests' own; where it writes."""
    rows = {"quick": HELD, "slow": MISSED}

    def measured(row: Row):
        return lambda _province: [row]

    monkeypatch.setattr(command, "BENCHMARKS", {name: measured(row) for name, row in rows.items()})
    monkeypatch.setattr(command, "open_province", _NoProvince)
    monkeypatch.setattr(command, "RESULTS", tmp_path / "results" / "latest.json")
    monkeypatch.setenv("BENCH_SIZE", "small")
    return tmp_path / "results" / "latest.json"


class _NoProvince:
    def __init__(self, size: str) -> None:
        assert size == "small"

    def __enter__(self) -> Province | None:
        return None

    def __exit__(self, *_: object) -> None:
        pass


def test_words_are_answered_with_how_it_is_used() -> None:
    asked = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert asked.returncode == 2
    assert "BENCH=resolve,export" in asked.stderr


def test_row_holds_up_to_its_bar() -> None:
    assert Row("even", 1, 4.0, 2.0, 2.0).holds
    assert not MISSED.holds


def test_file_is_a_list_of_rows_with_just_these_members(tmp_path: Path) -> None:
    write([HELD, MISSED], tmp_path / "new" / "latest.json")
    first, second = json.loads((tmp_path / "new" / "latest.json").read_text())
    assert list(first) == list(second) == MEMBERS
    assert second == {
        "name": "slow",
        "cells": 10,
        "seconds": 0.0045,
        "bare_seconds": 0.001,
        "ratio": 4.5,
        "bar": 4.0,
        "holds": False,
    }


def test_table_has_a_line_for_each_row() -> None:
    heads, quick, slow = table([HELD, MISSED]).splitlines()
    assert heads.split()[:6] == ["row", "cells", "time", "bare", "ratio", "bar"]
    assert quick.split() == [
        "quick",
        "1,000,000",
        "3.00",
        "s",
        "2.00",
        "s",
        "1.50",
        "2.00",
        "yes",
        "12",
    ]
    assert slow.split()[-1] == "NO"
    assert "4.50 ms" in slow


def test_sides_are_measured_in_turn() -> None:
    taken = []

    def side(name: str, times: list[float]):
        def measure() -> float:
            taken.append(name)
            return times.pop(0)

        return measure

    found = in_turn(side("bare", [1, 9, 2]), side("ours", [5, 4, 30]), rounds=3)
    assert taken == ["bare", "ours"] * 3
    assert found == [2, 5]


@pytest.mark.parametrize(("chosen", "status"), [("quick", 0), ("quick,slow", 1), ("", 1)])
def test_missed_bar_ends_with_1(
    small_words: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    chosen: str,
    status: int,
) -> None:
    monkeypatch.setenv("BENCH", chosen)
    assert command.main() == status
    names = [row["name"] for row in json.loads(small_words.read_text())]
    assert names == (chosen.split(",") if chosen else ["quick", "slow"])
    told = capsys.readouterr()
    assert told.out.startswith("row ")
    assert "quick …" in told.err


@pytest.mark.parametrize("words", [{"BENCH": "quick,nonsense"}, {"BENCH_SIZE": "huge"}])
def test_unknown_words_end_with_2_and_change_nothing(
    small_words: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: dict[str, str],
) -> None:
    for name, value in words.items():
        monkeypatch.setenv(name, value)
    assert command.main() == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "BENCH takes quick, slow; BENCH_SIZE takes full, small" in told.err
    assert not small_words.exists()


def test_what_was_measured_is_told_when_it_is_stopped(
    small_words: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(_province: Province) -> list[Row]:
        signal.raise_signal(signal.SIGTERM)
        raise AssertionError("it went on")

    monkeypatch.setattr(command, "BENCHMARKS", {"quick": lambda _: [HELD], "slow": stopped})
    assert command.main() == INTERRUPTED
    told = capsys.readouterr()
    assert "quick" in told.out
    assert told.err.endswith("Stopped.\n")
    assert [row["name"] for row in json.loads(small_words.read_text())] == ["quick"]


@pytest.mark.soak
@pytest.mark.parametrize("name", list(command.BENCHMARKS))
def test_row_is_measured_in_small(name: str, tmp_path: Path) -> None:
    """Whether its bar holds depends on what else the machine does."""
    results = tmp_path / "latest.json"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks"],
        env={**os.environ, "BENCH": name, "BENCH_SIZE": "small", "BENCH_RESULTS": str(results)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr[-2000:]
    rows = json.loads(results.read_text())
    assert rows
    for row in rows:
        assert list(row) == MEMBERS
        assert row["name"].split()[0] == name
        assert row["cells"] > 0
        assert row["bare_seconds"] > 0
        assert row["holds"] == (row["ratio"] <= row["bar"])
