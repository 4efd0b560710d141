"""The direction of imports (DESIGN.md, the house) is kept by import-linter's contracts in setup.cfg."""

from __future__ import annotations

import configparser
import pkgutil
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

import oneform

SETUP = Path(oneform.__file__).parents[1] / "setup.cfg"


def test_imports_go_downwards_only(capsys: pytest.CaptureFixture[str]) -> None:
    status = lint_imports(config_filename=str(SETUP), no_cache=True)
    assert status == EXIT_STATUS_SUCCESS, capsys.readouterr().out


def test_every_part_has_its_layer() -> None:
    config = configparser.ConfigParser()
    config.read(SETUP)
    layers = config["importlinter:contract:layers"]["layers"]
    named = {name.strip("() ") for line in layers.splitlines() for name in line.split("|")}
    parts = {f"oneform.{module.name}" for module in pkgutil.iter_modules(oneform.__path__)}
    assert parts - named == set()
