"""What `make` says to a newcomer: little when all is well, everything when not."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]

MAKES_VENV = """#!/bin/sh
mkdir -p "$3/bin"
printf '#!/bin/sh\\necho noise; echo more noise >&2; exit {status}\\n' > "$3/bin/python"
chmod +x "$3/bin/python"
"""
"""Stands for Python: its environments have a pip that ends with a status."""


def make(*words: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("make")
    if program is None:
        pytest.skip("there is no make")
    command = [program, "--no-print-directory", "-C", str(PROJECT), *words]
    # The tests themselves may be run by `make`, which hands its own options on.
    env = {name: text for name, text in os.environ.items() if "MAKE" not in name}
    return subprocess.run(command, env=env, capture_output=True, encoding="utf-8", check=False)


def install(tmp_path: Path, *, status: int) -> subprocess.CompletedProcess[str]:
    python = tmp_path / "python"
    python.write_text(MAKES_VENV.format(status=status), encoding="utf-8")
    python.chmod(0o755)
    return make("install", f"PYTHON={python}", f"VENV={tmp_path}/venv")


def test_install_says_one_line(tmp_path: Path) -> None:
    done = install(tmp_path, status=0)
    assert done.returncode == 0
    assert done.stdout == f"Installing into {tmp_path}/venv (a minute or two) …\n"
    assert done.stderr == ""


def test_install_that_fails_shows_why(tmp_path: Path) -> None:
    done = install(tmp_path, status=1)
    assert done.returncode != 0
    assert "noise\nmore noise\n" in done.stderr
    assert not (tmp_path / "venv" / ".installed").exists()


def test_demo_takes_a_port() -> None:
    done = make("--dry-run", "demo", "PORT=8099")
    assert "oneform demo --port 8099\n" in done.stdout
