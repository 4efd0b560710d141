"""An installed package carries what the checkout has: code, templates, data."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest

import catalog
import oneform
import workers

PACKAGES = [Path(package.__file__ or "").parent for package in (oneform, catalog, workers)]
MANIFEST = PACKAGES[0].parent / "MANIFEST.in"


def patterns_of(package: str) -> list[str]:
    """What the manifest takes along of a package, besides its modules."""
    found = []
    for line in MANIFEST.read_text(encoding="utf-8").splitlines():
        words = line.split()
        if words[:2] == ["recursive-include", package]:
            found += words[2:]
    return found


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_every_folder_of_modules_is_a_package(package: Path) -> None:
    folders = {path.parent for path in package.rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_every_folder_with_files_is_declared() -> None:
    """Of one that is not, the file goes along with a page of warnings."""
    setuptools = pytest.importorskip("setuptools")
    setup = configparser.ConfigParser()
    setup.read(MANIFEST.with_name("setup.cfg"), encoding="utf-8")
    finders = {"find:": "find_packages", "find_namespace:": "find_namespace_packages"}
    find = getattr(setuptools, finders[setup["options"]["packages"]])
    words = {name: text.split() for name, text in setup["options.packages.find"].items()}
    folders = {
        ".".join(path.parent.relative_to(MANIFEST.parent).parts)
        for package in PACKAGES
        for path in package.rglob("*.*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert set(find(str(MANIFEST.parent), **words)) >= folders
    assert not any("__pycache__" in name for name in find(str(MANIFEST.parent), **words))


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_every_other_file_is_taken_along(package: Path) -> None:
    patterns = patterns_of(package.name)
    left_out = [
        str(path.relative_to(package))
        for path in package.rglob("*")
        if path.is_file()
        and path.suffix not in (".py", ".pyc")
        and not path.name.startswith(".")
        and not any(path.match(pattern) for pattern in patterns)
    ]
    assert left_out == []
