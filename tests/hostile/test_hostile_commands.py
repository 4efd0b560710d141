"""Hostile files to every command that reads one: exit 1, every mistake with its line, nothing half-done."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from everybody import Everybody
from hostile_files import HEADERS, JSON_LINES, YAML_FILES, Refused, csv_files

from oneform.cli import main
from oneform.identity.policy import OPERATOR

Run = Callable[..., Result]

TABLES = (
    *("area", "area_change", "agency", "staff", "subject", "field", "field_version", "code_list"),
    *("source", "cell_value", "cell_value_history", "value_import_block", "outbox"),
)


@pytest.fixture
def run(
    world: Everybody, module_database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Run:
    for name in [name for name in os.environ if name.startswith("ONEFORM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ONEFORM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ONEFORM_DATABASE_URL", module_database_url)
    monkeypatch.setenv("ONEFORM_TODAY", "2026-03-16")

    def run(command: str, data: bytes, name: str) -> Result:
        file = tmp_path / name
        file.write_bytes(data)
        return CliRunner().invoke(main, [*command.split(), str(file)])

    return run


def contents(world: Everybody) -> dict[str, int]:
    with world.runtime.context(OPERATOR) as ctx:
        return {table: ctx.sql(f'SELECT count(*) FROM "{table}"').scalar_one() for table in TABLES}


def assert_refused(
    world: Everybody,
    before: dict[str, int],
    result: Result,
    case: Refused,
    *,
    lined: bool = True,
) -> None:
    told = result.stderr
    assert result.exit_code == 1, (result.exit_code, told[:500], result.stdout[:500])
    assert isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in told
    assert "Error(" not in told
    assert case.word in told, told[:500]
    assert not lined or re.search(rf"\bline {case.line}\b", told), told[:500]
    assert len(told) < 20_000, "nobody reads that much"
    assert contents(world) == before


@pytest.mark.parametrize("command", HEADERS)
def test_csv_file_is_refused(run: Run, world: Everybody, command: str) -> None:
    before = contents(world)
    for case in csv_files(HEADERS[command]).values():
        assert_refused(world, before, run(command, case.data, "file.csv"), case)


@pytest.mark.parametrize("command", ["catalog check", "catalog import", "sources add"])
@pytest.mark.parametrize("name", YAML_FILES)
def test_yaml_file_is_refused(run: Run, world: Everybody, command: str, name: str) -> None:
    before = contents(world)
    case = YAML_FILES[name]
    assert_refused(world, before, run(command, case.data, "file.yaml"), case, lined=bool(case.word))


@pytest.mark.parametrize("name", JSON_LINES)
def test_row_of_values_is_refused(run: Run, world: Everybody, name: str) -> None:
    before = contents(world)
    case = JSON_LINES[name]
    result = run("values import", case.data, "file.jsonl")
    assert_refused(world, before, result, case)
