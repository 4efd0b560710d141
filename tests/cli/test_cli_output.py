"""What commands write: files whole or not at all, documents and nothing beside them."""

from __future__ import annotations

import json
import os
import pwd
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import pytest
from cli_refusals import COUNTY, FILES, VILLAGE
from click.testing import CliRunner, Result
from factories import field, make_county, make_fields

from oneform.cli import main
from oneform.cli.files import whole_file
from oneform.cli.listening import claimed
from oneform.cli.output import tell
from oneform.config import Settings
from oneform.demo.stores import write_stores
from oneform.identity.agencies import AddAgency, add_agency
from oneform.identity.policy import OPERATOR
from oneform.runtime import Runtime


@pytest.fixture(scope="module")
def world(module_database_url: str) -> Iterator[Runtime]:
    runtime = Runtime(Settings(database_url=module_database_url, secret_key="k" * 40))
    with runtime.context(OPERATOR) as ctx:
        make_county(ctx)
        add_agency(ctx, AddAgency(code="stats", name="统计局", area=COUNTY))
        make_fields(ctx, field("pop.total"))
    yield runtime
    runtime.close()


@pytest.fixture
def place(world: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    files = tmp_path / "home" / "files"
    files.mkdir(parents=True)
    (files / "villages.csv").write_text(f"code,total\n{VILLAGE},12\n", encoding="utf-8")
    monkeypatch.setenv("ONEFORM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ONEFORM_DATABASE_URL", str(world.settings.database_url))
    monkeypatch.setenv("ONEFORM_TODAY", "2026-03-16")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(words: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, words.split(), input=typed)


LIFE = [
    "db upgrade",
    "areas import areas.csv",
    "areas changes changes.csv",
    "areas export new.csv",
    "subjects import subjects.csv",
    "catalog check bundle.yaml",
    "catalog import bundle.yaml",
    "catalog export new.yaml",
    "catalog export -",
    "agencies import agencies.csv",
    f"agencies add schools 教育局 --area {COUNTY}",
    "agencies key stats",
    "people import people.csv",
    f"people add zhang --role staff --area {VILLAGE} --password-stdin",
    "people password zhang --password-stdin",
    "people disable zhang",
    "sources add source.yaml",
    "sources probe stats.villages",
    "sources run stats.villages",
    "values import values.csv",
    "settings",
    "db backup new.backup",
    "db restore new.backup",
]


def test_every_command_prints_one_json_document_and_nothing_else(place: Path) -> None:
    for words in LIFE:
        result = run(f"{words} --json", "correct horse\n")
        assert result.exit_code == 0, (words, result.stderr)
        assert isinstance(json.loads(result.stdout), dict), words
        assert result.stdout.count("\n") == 1 or words == "catalog export -"
        assert result.stderr == "", words
    issued = json.loads(run("agencies key stats --json").stdout)
    revoked = run(f"agencies revoke {issued['key_id']} --json")
    assert json.loads(revoked.stdout) == {"revoked": issued["key_id"]}


def test_documents_are_utf8_on_a_terminal_that_speaks_gbk(place: Path) -> None:
    for words in ("catalog export - --json", "catalog export -", "areas export -"):
        done = CliRunner(charset="gbk").invoke(main, words.split())
        assert done.exit_code == 0
        assert "统计局" in done.stdout_bytes.decode() or words.startswith("areas")
        assert "社区" in done.stdout_bytes.decode() or words.startswith("catalog")


@pytest.mark.parametrize("name", ["new.csv", "new.yaml"])
def test_export_is_written_whole_or_not_at_all(place: Path, name: str) -> None:
    command = "areas" if name.endswith("csv") else "catalog"
    file = place / name
    file.write_text("what was there")
    with limited_files(20):
        told = run(f"{command} export {name}")
    assert told.exit_code == 1
    assert told.stderr == f"{file}: File too large\n"
    assert file.read_text() == "what was there"
    assert [path.name for path in place.glob(".*")] == []
    assert run(f"{command} export {name}").exit_code == 0
    assert "what was there" not in file.read_text()


@contextmanager
def limited_files(size: int) -> Iterator[None]:
    """No file may be longer than so many bytes: like a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_disk_that_is_full_while_the_demos_database_is_written_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stores = write_stores(tmp_path, 2026)
    size = stores.civil_affairs.stat().st_size
    assert size > max(path.stat().st_size for path in tmp_path.glob("*/*.csv"))
    with limited_files(size - 4096), pytest.raises(sqlite3.OperationalError) as full:
        write_stores(tmp_path, 2026)
    with pytest.raises(SystemExit) as ended:
        tell(full.value, as_json=False)
    assert ended.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("a SQLite file in the data folder cannot be used: ")
    write_stores(tmp_path, 2026)


def test_export_has_the_mode_of_any_new_file_and_follows_a_link(place: Path) -> None:
    (place / "link.csv").symlink_to(place / "target.csv")
    assert run("areas export link.csv").exit_code == 0
    assert (place / "link.csv").is_symlink()
    (place / "plain").touch()
    assert (place / "target.csv").stat().st_mode == (place / "plain").stat().st_mode


def test_interrupted_file_is_none(tmp_path: Path) -> None:
    with suppress(KeyboardInterrupt), whole_file(tmp_path / "x") as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    with whole_file(tmp_path / "x", mode=0o600) as file:
        file.write(b"whole")
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o600


@contextmanager
def pipe() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """The ends to read from and to write to; what is written is little enough to fit in."""
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as reading, os.fdopen(writer, "wb") as writing:
        yield reading, writing


def test_export_to_a_pipe_goes_through_it(place: Path) -> None:
    with pipe() as (reading, writing):
        done = run(f"areas export /dev/fd/{writing.fileno()}")
        writing.close()
        assert reading.read().startswith(b"code,parent_code,level,name\r\n42")
    assert done.exit_code == 0


def test_values_come_through_a_pipe(place: Path) -> None:
    with pipe() as (reading, writing):
        writing.write(FILES["values.csv"].replace("2026,12", "2024,11").encode())
        writing.close()
        done = run(f"values import /dev/fd/{reading.fileno()}")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == "1 created, 0 updated, 0 unchanged, 0 refused\n"


def test_output_that_cannot_be_written_is_told_in_one_line(place: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "oneform", "settings"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, b"No space left on device\n")


def test_password_without_a_standard_input_is_told(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(SystemExit) as ended:
        main(["people", "password", "wang", "--password-stdin"])
    assert ended.value.code == 1
    assert capsys.readouterr().err.splitlines() == [
        "The password cannot be read.",
        "/password: there is no standard input to read it from",
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another account")
def test_data_folder_of_another_user_is_told(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "run").mkdir(parents=True)
    for folder in (home, home / "run"):
        folder.chmod(0o700)
    os.seteuid(pwd.getpwnam("daemon").pw_uid)
    try:
        told = run(f"areas export - --data-dir {home}")
    finally:
        os.seteuid(0)
    assert told.exit_code == 1
    assert told.stderr.startswith(f"{home} is closed to this user")
    assert len(told.stderr.splitlines()) == 1


def start_refused(home: Path) -> None:
    with claimed(home) as left:
        raise RuntimeError("left behind" if left else "nothing left")


def test_start_that_is_refused_leaves_the_next_nothing_to_wait_for(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(RuntimeError, match="nothing left"):
            start_refused(tmp_path)


def test_what_a_killed_one_left_is_remembered_until_a_start_succeeds(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "up.lock").write_text("4242\n")
    for _ in range(2):
        with pytest.raises(RuntimeError, match="left behind"):
            start_refused(tmp_path)
    with claimed(tmp_path):
        pass
    with pytest.raises(RuntimeError, match="nothing left"):
        start_refused(tmp_path)
