"""`oneform sources …` on a real database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from catalog.bundle import bundle_of
from catalog.importing import import_bundle
from oneform.areas.service import import_areas
from oneform.cli import main
from oneform.cli.sources import MOST_REFUSED
from oneform.config import Settings
from oneform.identity.agencies import AddAgency, add_agency
from oneform.identity.policy import OPERATOR
from oneform.runtime import Runtime

AREAS = """code,parent_code,level,name
420000000000,,1,湖北省
420100000000,420000000000,2,武汉市
420102000000,420100000000,3,江岸区
420102001000,420102000000,4,大智街道
420102001001,420102001000,5,一村
"""
FIELD = {
    "code": "pop.total",
    "name": {"zh": "人数"},
    "definition": {"zh": "测试用的人数"},
    "topic": "test",
    "subject_kind": "area",
    "levels": ["village"],
    "schema": {"type": "integer", "minimum": 0},
    "unit": "人",
    "period_type": "year",
    "mode": "collect",
    "owner": "stats",
    "sharing": {"category": "unconditional"},
    "legal_basis": "《中华人民共和国统计法》",
    "seconds": 15,
    "effective_from": "2026-01-01",
    "expires_on": "2028-12-31",
}
SOURCE = {
    "code": "stats.villages",
    "agency": "stats",
    "kind": "file",
    "settings": {"path": "villages.csv"},
    "keys": {"subject": "code", "period": 2025},
    "fields": {"pop.total": "total"},
    "areas": ["420102000000"],
}


@pytest.fixture
def home(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with one source file to read; the environment points at it."""
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "villages.csv").write_text(
        "code,total\n420102001001,1203\n999999999999,5\n", encoding="utf-8"
    )
    monkeypatch.setenv("ONEFORM_HOME", str(tmp_path))
    monkeypatch.setenv("ONEFORM_DATABASE_URL", database_url)
    monkeypatch.setenv("ONEFORM_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("ONEFORM_TODAY", "2026-03-16")
    settings = Settings(home=tmp_path, database_url=database_url, secret_key="k" * 40)
    runtime = Runtime(settings)
    with runtime.context(OPERATOR) as ctx:
        import_areas(ctx, AREAS.encode())
        add_agency(ctx, AddAgency(code="stats", name="统计局", area="420102000000"))
        import_bundle(
            ctx,
            bundle_of(
                {
                    "bundle": "oneform-catalog/1",
                    "agencies": [],
                    "subject_kinds": [],
                    "code_lists": [],
                    "fields": [FIELD],
                }
            ),
        )
    runtime.close()
    return tmp_path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["sources", *arguments])


def written(home: Path, **other: Any) -> str:
    file = home / "source.yaml"
    file.write_text(yaml.safe_dump({**SOURCE, **other}, allow_unicode=True, sort_keys=False))
    return str(file)


def test_source_is_added_probed_and_run(home: Path) -> None:
    added = call("add", written(home), "--json")
    assert added.exit_code == 0, added.stderr
    assert json.loads(added.stdout) == {
        "source": "stats.villages",
        "result": "added",
        "fields": ["pop.total"],
    }
    probed = json.loads(call("probe", "stats.villages", "--json").stdout)
    assert (probed["ok"], probed["columns"]) == (True, ["code", "total"])
    run = json.loads(call("run", "stats.villages", "--json").stdout)
    assert (run["state"], run["created"], run["refused"]) == ("done", 1, 1)
    again = json.loads(call("run", "stats.villages", "--json").stdout)
    assert (again["created"], again["unchanged"]) == (0, 1)


def test_what_a_run_puts_aside_is_told(home: Path) -> None:
    call("add", written(home))
    run = call("run", "stats.villages")
    assert run.exit_code == 0
    assert run.stderr == ("999999999999: unknown_area: is no area that is known\n")


def test_of_many_the_first_are_told(home: Path) -> None:
    rows = [f"{999999990000 + n},5\n" for n in range(MOST_REFUSED + 7)]
    (home / "files" / "villages.csv").write_text("code,total\n" + "".join(rows))
    call("add", written(home))
    *told, rest = call("run", "stats.villages").stderr.splitlines()
    assert len(told) == MOST_REFUSED
    assert rest.startswith("… and 7 more; GET /api/v1/sources/stats.villages/runs/")


def test_same_file_again_changes_nothing(home: Path) -> None:
    call("add", written(home))
    assert json.loads(call("add", written(home), "--json").stdout)["result"] == "unchanged"
    changed = call("add", written(home, areas=["420102001001"]), "--json")
    assert json.loads(changed.stdout)["result"] == "changed"


def test_every_mistake_is_told_with_its_line(home: Path) -> None:
    file = written(home, fields={"pop.nothing": "total"}, areas=["1"], settings={"path": "no.csv"})
    result = call("add", file)
    assert result.exit_code == 1
    assert f"Files of sources are read below {home}/files (ONEFORM_ALLOW_FILES)." in result.stderr
    assert "source.yaml, line 5, /settings/path: There is no file 'no.csv'" in result.stderr
    assert "source.yaml, line 10, /fields/pop.nothing: there is no field" in result.stderr
    assert "source.yaml, line 12, /areas/0: there is no area 1" in result.stderr


@pytest.mark.parametrize("text", ["{", "a: &a [*a]", "- x", "", "\x00"])
def test_what_is_no_definition_is_refused(home: Path, text: str) -> None:
    file = home / "source.yaml"
    file.write_text(text)
    result = call("add", str(file))
    assert result.exit_code == 1
    assert "Traceback" not in result.stderr
    assert result.stderr


def test_json_file_is_taken_too(home: Path) -> None:
    file = home / "source.json"
    file.write_text(json.dumps(SOURCE))
    assert call("add", str(file)).exit_code == 0


def test_unknown_source_is_told(home: Path) -> None:
    for command in ("probe", "run"):
        result = call(command, "nobody")
        assert result.exit_code == 1
        assert result.stderr == "There is no source nobody.\n"


def test_probe_of_a_missing_file_fails(home: Path) -> None:
    call("add", written(home))
    (home / "files" / "villages.csv").unlink()
    for command in ("probe", "run"):
        result = call(command, "stats.villages")
        assert result.exit_code == 1
        assert "There is no file 'villages.csv'" in result.stderr
        assert f"below {home}/files" in result.stderr


def test_wrong_usage_ends_with_two(home: Path) -> None:
    assert call("add", "no-such-file.yaml").exit_code == 2
    assert call("run").exit_code == 2
