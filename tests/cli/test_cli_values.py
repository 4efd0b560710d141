"""`oneform values import`: what it prints, records and refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from factories import FOREIGN_VILLAGE, VILLAGE, field, make_county, make_fields

from oneform.cli import main
from oneform.identity.policy import OPERATOR
from oneform.runtime import Runtime
from oneform.values.imports import working

Run = Callable[..., Result]

GOOD = (
    f"field,subject,period,value\npop.total,{VILLAGE},2026,12\npop.total,{FOREIGN_VILLAGE},2026,7\n"
)
BAD = f"pop.total,{VILLAGE},2026,-1\npop.other,{VILLAGE},2026-01,5\n"


@pytest.fixture
def run(
    runtime: Runtime, database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Run:
    """The command on a county with one field; today is 16 March 2026."""
    monkeypatch.setenv("ONEFORM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ONEFORM_DATABASE_URL", database_url)
    monkeypatch.setenv("ONEFORM_TODAY", "2026-03-16")
    with runtime.context(OPERATOR) as ctx:
        make_county(ctx)
        make_fields(ctx, field("pop.total"))

    def run(data: str, *options: str, name: str = "values.csv") -> Result:
        file = tmp_path / name
        file.write_text(data)
        return CliRunner().invoke(main, ["values", "import", str(file), *options])

    return run


def held(runtime: Runtime) -> list[int]:
    with runtime.context(OPERATOR) as ctx:
        return list(ctx.sql("SELECT value FROM cell_value ORDER BY value").scalars())


def left(runtime: Runtime) -> dict[str, int]:
    """How much waits to be done."""
    with runtime.context(OPERATOR) as ctx:
        return {
            table: ctx.sql(f"SELECT count(*) FROM {table}").scalar_one()
            for table in ("value_import_block", "outbox")
        }


def test_file_of_values_is_recorded_at_once(run: Run, runtime: Runtime) -> None:
    result = run(GOOD)
    assert (result.exit_code, result.stdout, result.stderr.splitlines()) == (
        0,
        "2 created, 0 updated, 0 unchanged, 0 refused\n",
        [],
    )
    assert held(runtime) == [7, 12]
    assert left(runtime) == {"value_import_block": 0, "outbox": 0}
    assert run(GOOD).stdout == "0 created, 0 updated, 2 unchanged, 0 refused\n"


def test_json_lines_are_told_by_their_name_or_their_looks(run: Run, runtime: Runtime) -> None:
    row = {"field": "pop.total", "subject": VILLAGE, "period": "2026", "value": 12}
    for name in ("values.jsonl", "values.dat"):
        assert run(json.dumps(row), name=name).exit_code == 0
    assert held(runtime) == [12]


def test_rows_refused_are_told_with_their_lines(run: Run, runtime: Runtime) -> None:
    result = run(GOOD + BAD)
    assert result.exit_code == 1
    assert result.stdout == "2 created, 0 updated, 0 unchanged, 2 refused\n"
    assert result.stderr.splitlines() == [
        "line 4, /value: schema: must be at least 0",
        "line 5, /field: unknown_field: there is no such field on the whitelist",
    ]
    assert held(runtime) == [7, 12]


def test_dry_run_records_nothing(run: Run, runtime: Runtime) -> None:
    result = run(GOOD, "--dry-run")
    assert (result.exit_code, result.stdout) == (
        0,
        "would be: 2 created, 0 updated, 0 unchanged, 0 refused\n",
    )
    assert held(runtime) == []


def test_json_output_is_the_view_of_the_import(run: Run) -> None:
    result = run(GOOD + BAD, "--json")
    assert result.exit_code == 1
    view = json.loads(result.stdout)
    assert view["state"] == "done"
    assert view["counts"] == {"created": 2, "updated": 0, "unchanged": 0, "invalid": 2}
    assert [(c["row"], c["code"]) for c in view["conflicts"]] == [
        (4, "schema"),
        (5, "unknown_field"),
    ]
    assert view["next"] is None


def test_all_refused_rows_are_told_however_many(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oneform.cli.values.CONFLICTS_AT_ONCE", 3)
    result = run(GOOD + BAD * 5)
    assert len(result.stderr.splitlines()) == 10


def test_file_that_cannot_be_read_is_refused_with_its_line(run: Run, runtime: Runtime) -> None:
    result = run(GOOD.replace("subject", "village"))
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "The file cannot be read; nothing was taken in.",
        "line 1: there is no column subject",
        "line 1: there is no use for a column 'village'; known are field, subject, value, period, observed_on",
    ]
    assert held(runtime) == []


def test_file_that_is_not_there_is_wrong_usage() -> None:
    result = CliRunner().invoke(main, ["values", "import", "/nowhere/values.csv"])
    assert result.exit_code == 2


def test_interrupted_command_leaves_nothing_waiting(
    run: Run, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(working, "_record_region", interrupt)
    result = run(GOOD)
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (130, "Stopped.")
    assert (held(runtime), left(runtime)) == ([], {"value_import_block": 0, "outbox": 0})
    with runtime.context(OPERATOR) as ctx:
        assert ctx.sql("SELECT state FROM value_import").scalar_one() == "stopped"
