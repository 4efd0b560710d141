"""`oneform demo` as it is started by hand and by scripts: interrupted, twice, in the way of others."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner

from oneform.cli import main
from oneform.cli.demo import _has_display
from oneform.demo.folder import MARK
from oneform.interrupting import INTERRUPTED

PATIENCE_S = 300


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Begin a demo in a process of its own."""
    command = [sys.executable, "-m", "oneform"]
    return subprocess.Popen(
        [*command, "demo", "--data-dir", str(folder), "--port", str(free_port()), *arguments],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """What it prints, up to the line with these words."""
    assert process.stdout is not None
    read = ""
    for line in process.stdout:
        read += line
        if words in line:
            return read
    pytest.fail(f"{words!r} was not printed, but\n{read}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for the runs of this module, as somebody has one."""
    return tmp_path_factory.mktemp("home") / "demo"


def test_interrupted_while_it_starts(folder: Path) -> None:
    process = start(folder)
    read_until(process, "Loading")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == INTERRUPTED
    assert out.endswith("Stopped.\n")
    assert err == ""
    assert "Traceback" not in (folder / "demo.log").read_text(encoding="utf-8")


def test_interrupted_together_with_its_reader_it_stops_in_order(folder: Path) -> None:
    """As in `oneform demo | tee log`, where Ctrl-C ends both."""
    process = start(folder)
    read_until(process, "Starting web")
    assert process.stdout is not None
    process.stdout.close()
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_S) == INTERRUPTED
    assert process.stderr is not None
    with process.stderr:
        assert process.stderr.read() == "Stopped.\n"
    # Whatever was started has ended: it writes into the log, and wrote nothing after this line.
    assert "interrupted" in (folder / "demo.log").read_text(encoding="utf-8").splitlines()[-1]
    assert (folder / "run" / "up.lock").read_text() == ""
    assert "Traceback" not in (folder / "demo.log").read_text(encoding="utf-8")


@pytest.mark.soak
@pytest.mark.parametrize("module", ["click.types", "oneform.demo.county"])
def test_interrupted_while_python_still_reads_the_program(module: str) -> None:
    """Python itself may swallow the signal once in a while, and the demo then runs on."""
    process = subprocess.Popen(
        # It tells each module that is read; these are among the first and among the last.
        [sys.executable, "-X", "importtime", "-m", "oneform", "demo"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    assert any(module in line for line in process.stderr)
    process.send_signal(signal.SIGINT)
    try:
        _, err = process.communicate(timeout=PATIENCE_S)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
    assert process.returncode == INTERRUPTED
    assert "Traceback" not in err
    assert err.endswith("\nStopped.\n")


def test_once_with_json_prints_one_document(folder: Path) -> None:
    """In the folder of an interrupted run, on a terminal that knows neither colours nor Chinese."""
    hostile = {
        "TERM": "dumb",
        "COLUMNS": "40",
        "PYTHONIOENCODING": "ascii",
        "HTTP_PROXY": "http://192.0.2.1:1",
        "ONEFORM_DATABASE_URL": "postgresql://somebody@192.0.2.1/real",
        "ONEFORM_RATE_LIMIT": "1",
    }
    process = start(folder, "--once", "--json", **hostile)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    assert err == ""
    request = json.loads(out)
    cells = request["cells"]
    assert cells.pop("total") == sum(cells.values()) == 11 * 179
    assert cells["held"] == 179
    assert cells["answered"] == 3
    assert min(cells["shared"], cells["asked"]) > 0
    assert request["state"] == "collecting"


def test_told_on_a_narrow_terminal_and_stopped(folder: Path) -> None:
    """After a kill, in the same folder: what was left of it is in nobody's way."""
    killed = start(folder)
    read_until(killed, "Starting web")
    second = start(folder)
    out, err = second.communicate(timeout=PATIENCE_S)
    assert second.returncode == 1
    assert f"process {killed.pid}); it serves http://127.0.0.1:" in err
    assert "Starting PostgreSQL" not in out
    killed.kill()
    killed.communicate()
    process = start(folder, COLUMNS="40", PYTHONIOENCODING="ascii")
    told = read_until(process, "Ctrl-C stops it")
    assert re.search(r"\bOF-\d{8}-\w{12}-\w\b", told)
    password = json.loads((folder / MARK).read_text())["password"]
    for words in (password, "township", "supervisor", "ofk_", "/form"):
        assert words in told, words
    # Somebody who does not want to wait: also while the engines stop, which is not interrupted.
    engines = folder / "run" / "engines.json"
    while engines.exists() and process.poll() is None:
        process.send_signal(signal.SIGTERM)
        time.sleep(0.02)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, err) == (0, "")
    assert out.endswith("Stopping ? (again: at once)\nStopped.\n")
    assert not engines.exists()


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        process = start(tmp_path / "demo", "--port", port, "--once")
        out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert "Starting PostgreSQL" not in out
    assert err.count("\n") == 1
    assert f"127.0.0.1:{port}" in err
    assert "--port" in err
    assert not (tmp_path / "demo" / "postgres").exists()


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("18")
    result = CliRunner().invoke(main, ["demo", "--once", "--data-dir", str(tmp_path)])
    assert result.exit_code == 1
    assert "--data-dir" in result.stderr
    assert (tmp_path / "postgres" / "PG_VERSION").exists()


@pytest.mark.parametrize("command", ["demo", "up"])
def test_what_is_no_port_is_called_that(command: str) -> None:
    result = CliRunner().invoke(main, [command, "--port", "abc"])
    assert result.exit_code == 2
    assert "'abc' is not a valid port." in result.stderr


@pytest.mark.parametrize("command", ["demo", "up"])
def test_folder_that_cannot_be_made_is_told_with_the_way_out(command: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    environment = {"ONEFORM_HOME": str(tmp_path / "file" / "home")}
    handler = signal.getsignal(signal.SIGINT)
    result = CliRunner().invoke(main, [command], env=environment)
    assert result.exit_code == 1
    assert signal.getsignal(signal.SIGINT) is handler, "Ctrl-C is again whose it was"
    assert "Not a directory; name another data folder with --data-dir or ONEFORM_HOME" in (
        result.stderr
    )


def test_help_names_the_folder_that_is_its_own() -> None:
    assert "~/.oneform/demo" in CliRunner().invoke(main, ["demo", "--help"]).stdout
    assert "/demo" not in CliRunner().invoke(main, ["up", "--help"]).stdout


@pytest.mark.skipif(sys.platform != "linux", reason="asks for the displays of Linux")
def test_a_browser_is_opened_only_where_it_can_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not _has_display()
    monkeypatch.setenv("DISPLAY", ":0")
    assert _has_display()
