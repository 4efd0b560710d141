"""The direction of imports (DESIGN.md, the house) is kept by import-linter's contracts in setup.cfg."""

from __future__ import annotations

import configparser
import pkgutil
import subprocess
import sys
from pathlib import Path

import oneform

SETUP = Path(oneform.__file__).parents[1] / "setup.cfg"


# In a process of its own: it silences the loggers of whoever calls it.
LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(config_filename=sys.argv[1], no_cache=True))"


def test_imports_go_downwards_only() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LINT, str(SETUP)], cwd=SETUP.parent, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_part_has_its_layer() -> None:
    config = configparser.ConfigParser()
    config.read(SETUP)
    layers = config["importlinter:contract:layers"]["layers"]
    named = {name.strip("() ") for line in layers.splitlines() for name in line.split("|")}
    parts = {f"oneform.{module.name}" for module in pkgutil.iter_modules(oneform.__path__)}
    assert parts - named == set()
