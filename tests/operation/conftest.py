"""Data folders for whole installations, and one that runs for the tests of a module."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from installation import Up, free_port, make_folder

from oneform.engines import erase_engines


@pytest.fixture(autouse=True)
def on_linux_only() -> None:
    if sys.platform != "linux":
        pytest.skip("these tests look into /proc")


@pytest.fixture
def home() -> Iterator[Path]:
    """A data folder yet to be made; what still runs in it at the end is stopped."""
    folder = make_folder()
    yield folder / "home"
    if (folder / "home").is_dir():
        erase_engines(folder / "home")
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    """An installation that runs, shared by the tests of a module: each leaves it running."""
    folder = make_folder()
    up = Up(folder / "home", free_port(), "--bare", "--web-workers", "1", "--workers", "2")
    try:
        up.ready_line = up.wait_until_ready()  # type: ignore[attr-defined]
        yield up
    finally:
        up.close()
        erase_engines(folder / "home")
        shutil.rmtree(folder)
