"""Data folders and starters for the engines' tests. Every server here is a real one."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import psycopg
import pytest

from oneform.engines import PostgresServer, ValkeyServer, erase_engines, layout

PROJECT = Path(__file__).parents[3]
STARTER = Path(__file__).with_name("starter.py")


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Root's place for what cannot lie in the data folder, for this test alone."""
    place = Path(tempfile.mkdtemp(prefix="oneform-elsewhere-", dir="/tmp"))
    place.chmod(0o711)
    monkeypatch.setattr(layout, "ELSEWHERE", place)
    yield place
    shutil.rmtree(place)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may cross, unlike pytest's, which are closed to root's servers."""
    folder = Path(tempfile.mkdtemp(prefix="oneform-test-", dir="/tmp")).resolve()
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def home(open_folder: Path) -> Iterator[Path]:
    """A data folder yet to be made; whatever still runs in it at the end is stopped."""
    home = open_folder / "home"
    yield home
    if home.is_dir():
        erase_engines(home)


@pytest.fixture(scope="module")
def module_home() -> Iterator[Path]:
    """A data folder that has served before, of the tests of one module."""
    folder = Path(tempfile.mkdtemp(prefix="oneform-test-", dir="/tmp")).resolve()
    with PostgresServer(folder, durable=False):
        pass
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def kept_home(module_home: Path) -> Iterator[Path]:
    """A data folder that has served before; whatever runs in it at the end is stopped.

    Cheaper than `home`, and not empty: tests of the same module share it one after the other.
    """
    yield module_home
    for server in (PostgresServer(module_home), ValkeyServer(module_home)):
        server.stop_leftover()


@pytest.fixture(scope="module")
def durable() -> Iterator[PostgresServer]:
    """A server as `oneform up` starts it, for tests that only look."""
    folder = Path(tempfile.mkdtemp(prefix="oneform-test-", dir="/tmp"))
    with PostgresServer(folder) as server:
        yield server
    shutil.rmtree(folder)


class Starter:
    """Another process that starts engines, as `oneform up` does, and waits to be told to stop."""

    def __init__(self, home: Path, *options: str, user: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(STARTER), str(home), str(user), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([str(PROJECT), *sys.path]),
                "PYTHONDONTWRITEBYTECODE": "1",
            },
        )

    def says(self) -> str:
        """Return the next line that it prints: `ready`, or the one line of an error."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def finish(self) -> str:
        """Let it stop its engines, and return what it still has to say."""
        said, complaints = self.process.communicate()
        assert self.process.returncode == 0, complaints
        return said

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


@pytest.fixture
def starter() -> Iterator[Callable[..., Starter]]:
    """Return what makes starters for a data folder; none outlives the test."""
    made: list[Starter] = []

    def start(home: Path, *options: str, user: int = os.geteuid()) -> Starter:
        made.append(Starter(home, *options, user=user))
        return made[-1]

    yield start
    for one in made:
        one.kill()


Connect = Callable[[PostgresServer], psycopg.Connection[tuple[object, ...]]]


@pytest.fixture(scope="session")
def connect() -> Connect:
    """Return what connects as the application does, each statement committed."""
    return lambda server: psycopg.connect(server.url.replace("+psycopg", ""), autocommit=True)
