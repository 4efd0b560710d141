"""`oneform catalog`: what it prints, writes and refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from oneform.cli import main

Run = Callable[..., Result]

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "tests" / "unit" / "catalog" / "sample_bundle.yaml"
STARTER = ROOT / "catalog" / "data"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.setenv("ONEFORM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ONEFORM_TODAY", "2026-03-16")

    def run(*args: str | Path) -> Result:
        return CliRunner().invoke(main, ["catalog", *map(str, args)])

    return run


@pytest.fixture
def served(run: Run, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The same with a database."""
    monkeypatch.setenv("ONEFORM_DATABASE_URL", database_url)
    return run


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    file = tmp_path / "broken.yaml"
    text = SAMPLE.read_text().replace("owner: stats", "owner: nobody").replace(": 15\n", ": 0\n")
    file.write_text(text)
    return file


def test_check_is_content_with_the_sample_without_any_server(run: Run) -> None:
    result = run("check", SAMPLE)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "6 fields: no mistakes, 0 warnings\n"


def test_check_passes_the_starter_catalogue_without_a_warning(run: Run) -> None:
    result = run("check", STARTER, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout)["warnings"] == []


def test_check_tells_every_mistake_with_its_line(run: Run, broken: Path) -> None:
    result = run("check", broken)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "warning: line 35, /fields/0/owner: agency nobody is not in this bundle; it must be there "
        "where it is imported",
        "The bundle has a mistake.",
        "line 43, /fields/0/seconds: an answer that people give takes more than 0 seconds",
    ]


def test_check_of_a_folder_names_the_files(run: Run, broken: Path) -> None:
    result = run("check", broken.parent)
    assert result.exit_code == 1
    assert (
        "broken.yaml, line 35, /fields/0/owner: agency nobody is not in this bundle"
        in result.stderr
    )


def test_check_accepts_what_import_accepts(run: Run, tmp_path: Path) -> None:
    """An owner that the bundle does not bring along may be there already."""
    bundle = yaml.safe_load(SAMPLE.read_text())
    field = next(
        each for each in bundle["fields"] if "derivation" not in each or not each["derivation"]
    )
    alone = {"bundle": bundle["bundle"], "fields": [{**field, "owner": "agriculture"}]}
    file = tmp_path / "alone.yaml"
    file.write_text(yaml.safe_dump(alone, allow_unicode=True))
    result = run("check", file)
    assert result.exit_code == 0
    assert result.stdout == "1 field: no mistakes, 1 warning\n"
    assert "agency agriculture is not in this bundle; it must be there where" in result.stderr
    [warning] = json.loads(run("check", file, "--json").stdout)["warnings"]
    assert (warning["pointer"], warning["code"]) == ("/fields/0/owner", "absent_agency")


def test_warnings_are_shown_and_do_no_harm(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "b.yaml"
    file.write_text(SAMPLE.read_text().replace(", en: sex in the household register", ""))
    result = run("check", file)
    assert result.exit_code == 0
    assert result.stderr == "warning: line 116, /fields/5/definition: has no English\n"


def test_file_that_is_no_bundle_is_refused_in_words(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "b.yaml"
    file.write_bytes(b"a: &x [1]\nb: *x\nc: \xff")
    result = run("check", file)
    assert (result.exit_code, result.exception.__class__) == (1, SystemExit)
    assert "line 3: is not UTF-8 here" in result.stderr
    assert run("check", tmp_path / "absent.yaml").exit_code == 2


def test_import_tells_what_it_did_and_twice_changes_nothing(served: Run) -> None:
    result = served("import", SAMPLE)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "fields added: 6\n" in result.stdout
    again = json.loads(served("import", SAMPLE, "--json").stdout)
    assert again == {
        "agencies": 0,
        "kinds": 0,
        "code_lists": 0,
        "items": 0,
        "fields_added": 0,
        "versions_added": 0,
        "unchanged": 6,
        "skipped": [],
    }


def test_import_refuses_with_every_mistake_and_takes_nothing(served: Run, broken: Path) -> None:
    result = served("import", broken)
    assert result.exit_code == 1
    assert "line 35, /fields/0/owner: there is no agency nobody" in result.stderr
    assert json.loads(served("export", "-", "--json").stdout)["fields"] == []


@pytest.mark.parametrize("name", ["out.yaml", "out.json"])
def test_export_can_be_imported_into_another_database(
    served: Run,
    tmp_path: Path,
    name: str,
) -> None:
    served("import", STARTER)
    file = tmp_path / name
    assert served("export", file).exit_code == 0
    assert served("check", file).exit_code == 0
    again = json.loads(served("import", file, "--json").stdout)
    counts = {name for name, count in again.items() if count}
    assert counts == {"unchanged"}
    document = yaml.safe_load(file.read_text())
    assert len(document["fields"]) == again["unchanged"]


def test_export_to_standard_output_is_the_bundle_alone(served: Run) -> None:
    served("import", SAMPLE)
    document = yaml.safe_load(served("export", "-").stdout)
    assert document["bundle"] == "oneform-catalog/1"
    assert document["fields"][0]["code"] == "elderly.aged_60_plus"


def test_without_a_server_import_says_how_to_start_one(run: Run) -> None:
    result = run("import", SAMPLE)
    assert result.exit_code == 1
    assert "oneform up" in result.stderr
