"""`oneform areas …` and `oneform subjects …`: what they print, and how they refuse."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from oneform.cli import main
from oneform.identity.policy import OPERATOR
from oneform.runtime import Runtime

AREAS = (
    "code,parent_code,level,name\r\n"
    "420000000000,,1,湖北省\r\n"
    "420100000000,420000000000,2,武汉市\r\n"
    "420102000000,420100000000,3,江岸区\r\n"
)
CHANGES = "change,old_code,new_code,parent_code,level,name,on_date\n"

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, database_url: str) -> Run:
    for name in [name for name in os.environ if name.startswith("ONEFORM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ONEFORM_DATABASE_URL", database_url)
    monkeypatch.setenv("ONEFORM_REDIS_URL", "redis://unused")
    monkeypatch.setenv("ONEFORM_TODAY", "2026-03-16")
    return lambda *args: CliRunner().invoke(main, [str(arg) for arg in args])


def write(folder: Path, text: str) -> Path:
    path = folder / "file.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_import_changes_and_export_make_a_round(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path, AREAS)
    assert run("areas", "import", path).stdout == "created: 3\nupdated: 0\nunchanged: 0\n"
    again = run("areas", "import", path, "--json")
    assert json.loads(again.stdout) == {"created": 0, "updated": 0, "unchanged": 3}
    out = tmp_path / "out.csv"
    exported = run("areas", "export", out, "--json")
    assert json.loads(exported.stdout) == {"file": str(out), "bytes": len(AREAS.encode())}
    assert out.read_bytes() == AREAS.encode()
    changes = write(tmp_path, CHANGES + "rename,420102000000,,,,新江岸区,2025-01-01\n")
    assert json.loads(run("areas", "changes", changes, "--json").stdout) == {
        "applied": 1,
        "rename": 1,
    }
    renamed = AREAS.replace("江岸区", "新江岸区").encode()
    assert run("areas", "export", "-").stdout_bytes == renamed


def test_refused_file_exits_1_with_every_line_on_standard_error(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path, AREAS + "420103000000,420199000000,3,江汉区\n420102000000,,9,\n")
    result = run("areas", "import", path)
    assert result.exit_code == 1
    assert result.stdout == ""
    first, *lines = result.stderr.splitlines()
    assert first == "The file has 3 mistakes; nothing was changed."
    assert [line.split(":")[0] for line in lines] == ["line 5", "line 6", "line 6"]
    changes = write(tmp_path, CHANGES + "close,420102000000,,,,,2025-01-01\n")
    result = run("areas", "changes", changes, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["errors"][0]["pointer"] == "line 2"


def test_refused_import_leaves_the_database_empty(
    run: Run, runtime: Runtime, tmp_path: Path
) -> None:
    run("areas", "import", write(tmp_path, AREAS + "x,,1,x\n"))
    with runtime.context(OPERATOR) as ctx:
        assert ctx.sql("SELECT count(*) FROM area").scalar_one() == 0


def test_subjects_are_imported(run: Run, runtime: Runtime, tmp_path: Path) -> None:
    run("areas", "import", write(tmp_path, AREAS))
    with runtime.context(OPERATOR) as ctx:
        ctx.sql("INSERT INTO subject_kind (code, name) VALUES ('household', '{}')")
    path = write(tmp_path, "kind,key,name,area\nhousehold,H1,张家,420102000000\n")
    assert json.loads(run("subjects", "import", path, "--json").stdout) == {
        "created": 1,
        "updated": 0,
        "unchanged": 0,
    }
    broken = write(tmp_path, "kind,key,name,area\nghost,H1,张家,420102000000\n")
    result = run("subjects", "import", broken)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[1] == "line 2: there is no kind of subject 'ghost'"


@pytest.mark.parametrize(
    "args",
    [
        ["areas"],
        ["areas", "import"],
        ["areas", "import", "/nowhere/at/all.csv"],
        ["areas", "export"],
        ["areas", "vanish", "x"],
        ["subjects", "import", "/"],
    ],
)
def test_wrong_usage_exits_2(args: list[str]) -> None:
    assert CliRunner().invoke(main, args).exit_code == 2
