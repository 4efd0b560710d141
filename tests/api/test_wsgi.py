"""What a WSGI server loads: the application, or one line that says why not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def load(**settings: str) -> subprocess.CompletedProcess[str]:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("ONEFORM_")}
    return subprocess.run(
        [sys.executable, "-c", "import oneform.wsgi; print(oneform.wsgi.app.name)"],
        env={**bare, **settings},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"ONEFORM_DATABASE_URL": "mysql://x"},
        {"ONEFORM_ENV": "production", "ONEFORM_DATABASE_URL": "postgresql://x/y"},
    ],
)
def test_settings_that_cannot_be_right_are_told_in_one_line(settings: dict[str, str]) -> None:
    done = load(**settings)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("ONEFORM_")


def test_application_is_made_without_touching_the_database(tmp_path: Path) -> None:
    done = load(
        ONEFORM_DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing",
        ONEFORM_REDIS_URL="unix:///nonexistent",
        ONEFORM_HOME=str(tmp_path),
    )
    assert (done.stdout, done.stderr) == ("oneform\n", "")
