"""Processes that `oneform up` starts: where they run, and what becomes of those that cannot start."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from oneform.cli.output import tell
from oneform.cli.supervisor import MOST_DEATHS, CannotStart, Signals, Supervisor
from oneform.cli.up import Readiness, child_environment
from oneform.config import Settings

ENDS_AT_ONCE = "import sys; print('Traceback', file=sys.stderr); sys.exit('KeyError: \\'it\\'')"


@pytest.fixture
def supervise() -> Iterator[Callable[[str], Supervisor]]:
    """A supervisor of one process that runs a piece of Python, started."""
    made: list[Supervisor] = []

    def supervise(code: str) -> Supervisor:
        supervisor = Supervisor(dict(os.environ), Signals())
        made.append(supervisor)
        supervisor.add("relay", [sys.executable, "-c", code])
        supervisor.start_all()
        return supervisor

    yield supervise
    for supervisor in made:
        supervisor.stop_all()


def let_it_die(supervisor: Supervisor, times: int) -> None:
    """Have it started and end so often, without the pauses in between."""
    [child] = supervisor.children
    for _ in range(times):
        if child.process is None:
            child.start_at = 0.0
            supervisor.look_after_all()
        assert child.process is not None
        child.process.wait()
        supervisor.look_after_all()


def test_file_of_the_current_folder_is_not_taken_for_a_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, supervise: Callable[[str], Supervisor]
) -> None:
    ran = tmp_path / "it-ran"
    (tmp_path / "redis.py").write_text(f"open({str(ran)!r}, 'w').close()\n")
    monkeypatch.chdir(tmp_path)
    [child] = supervise("import redis; redis.Redis").children
    assert child.process is not None
    assert child.process.wait() == 0
    assert not ran.exists()


def test_what_ends_again_and_again_before_all_is_ready_cannot_start(
    supervise: Callable[[str], Supervisor],
) -> None:
    with pytest.raises(CannotStart, match=r"^relay cannot start: KeyError: 'it'$"):
        let_it_die(supervise(ENDS_AT_ONCE), MOST_DEATHS)


def test_what_ends_without_a_word_is_told_by_its_status(
    supervise: Callable[[str], Supervisor],
) -> None:
    with pytest.raises(CannotStart, match=r"^relay cannot start: it ended with 7$"):
        let_it_die(supervise("raise SystemExit(7)"), MOST_DEATHS)


def test_what_ran_once_is_started_again_for_ever(supervise: Callable[[str], Supervisor]) -> None:
    supervisor = supervise(ENDS_AT_ONCE)
    supervisor.has_been_ready = True
    let_it_die(supervisor, MOST_DEATHS + 1)


def test_who_waits_is_told_what_is_wanting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oneform.cli.up.TELL_AFTER_S", 0.0)
    monkeypatch.setattr("oneform.cli.up.TELL_EVERY_S", 0.0)
    told: list[str] = []
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        readiness = Readiness("127.0.0.1", nobody.getsockname()[1], told.append)
        assert not readiness.is_news()
    assert told == ["web does not answer (Connection refused)"]


def test_processes_are_told_absolute_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"lib{os.pathsep}{os.pathsep}/srv/lib")
    monkeypatch.setenv("ONEFORM_ALLOW_FILES", "files")
    settings = Settings(home=tmp_path, secret_key="s" * 32, allow_files=(f"{tmp_path}/files",))
    told = child_environment(settings, web_workers=1)
    assert told["PYTHONPATH"] == f"{tmp_path}/lib{os.pathsep}/srv/lib"
    assert told["ONEFORM_ALLOW_FILES"] == f"{tmp_path}/files"


def test_command_ends_with_one_line_then(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        tell(CannotStart("web cannot start: ImportError: no x"), as_json=False)
    assert ended.value.code == 1
    assert capsys.readouterr().err == "web cannot start: ImportError: no x; the log says more\n"
