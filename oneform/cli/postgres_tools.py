"""PostgreSQL's own programs, `pg_dump`, `pg_restore` and `psql`, pointed at a database of ours."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import sqlalchemy as sa
from psycopg.conninfo import make_conninfo

from oneform.engines import EngineError, postgres_program

ELSEWHERE = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin")
"""Where packages put them that are not on the PATH."""

_LAST_WORDS_S = 2.0


class ToolFailed(EngineError):
    """A program did not do what it was asked to; the message is one line for the operator."""


@dataclass(frozen=True, slots=True)
class Tools:
    """The programs of one version, and the database that they are to work on."""

    folder: Path
    major: int
    conninfo: str
    password: str | None

    def command(self, program: str, *options: str) -> list[str]:
        """The command, connected to the database unless it needs none."""
        place = () if program == "pg_restore" else ("--dbname", self.conninfo)
        return [str(self.folder / program), *place, *options]

    def environment(self) -> dict[str, str]:
        """Passwords are told here, where other accounts cannot read them."""
        told = {"PGPASSWORD": self.password} if self.password else {}
        return {**os.environ, **told, "LC_MESSAGES": "C", "PGAPPNAME": "oneform backup"}


def tools_for(url: str, server_major: int) -> Tools:
    """Programs that understand a server of this version: the newest that came with oneform, or
    others of this machine where the server is newer still. ToolFailed where there are none.
    """
    found = dict(_installed())
    fitting = [major for major in found if major >= server_major]
    if not fitting:
        raise ToolFailed(
            f"the server is PostgreSQL {server_major}; there are no client programs of that "
            "version on this machine: install them (postgresql-client), or put them on the PATH"
        )
    major = max(fitting)
    conninfo, password = _conninfo(url)
    return Tools(found[major], major, conninfo, password)


def _installed() -> Iterator[tuple[int, Path]]:
    """Major version and folder of every installation; those that came with oneform last."""
    folders = [path for pattern in ELSEWHERE for path in Path("/").glob(pattern.lstrip("/"))]
    on_path = shutil.which("pg_dump")
    if on_path:
        folders.append(Path(on_path).parent)
    with suppress(EngineError):  # where none came with oneform
        folders.append(postgres_program("pg_dump").parent)
    for folder in folders:
        if all((folder / name).is_file() for name in ("pg_dump", "pg_restore", "psql")):
            major = _major(folder / "pg_dump")
            if major is not None:
                yield major, folder


def _major(program: Path) -> int | None:
    try:
        words = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return None
    found = re.search(r"\) (\d+)", words.stdout)
    return int(found[1]) if found else None


def _conninfo(url: str) -> tuple[str, str | None]:
    """What libpq is told of a database, and the password apart."""
    made = sa.make_url(url)
    _, arguments = made.get_dialect()().create_connect_args(made)
    password = arguments.pop("password", None)
    return make_conninfo(**{**arguments, "dbname": arguments.get("dbname", "")}), password


@contextmanager
def running(
    command: Sequence[str], tools: Tools, *, stdin: int | None = None, stdout: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A program at work. ToolFailed, with its own words, when it fails; ended when we fail."""
    with tempfile.TemporaryFile() as complaints, ExitStack() as stack:
        process = subprocess.Popen(
            command,
            env=tools.environment(),
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=subprocess.DEVNULL if stdout is None else stdout,
            stderr=complaints,
        )
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stack.callback(_close, stream)
        stack.callback(_end, process)
        try:
            yield process
            if process.stdin is not None:
                process.stdin.close()
            process.wait()
        except BrokenPipeError:
            # Somebody does not listen any more. If it was this program, it says why.
            with suppress(subprocess.TimeoutExpired):
                process.wait(_LAST_WORDS_S)
            if not process.returncode:
                raise
        if process.returncode != 0:
            raise ToolFailed(f"{Path(command[0]).name}: {_words(complaints)}")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
        process.wait()


def _close(stream: IO[bytes]) -> None:
    with suppress(BrokenPipeError):  # what it had not taken in yet is not wanted any more
        stream.close()


def _words(complaints: IO[bytes]) -> str:
    """What a program complains of: the first line that says error, else the last."""
    complaints.seek(0)
    lines = complaints.read().decode("utf-8", "replace").splitlines()
    errors = [line for line in lines if "error:" in line.lower() or "fatal:" in line.lower()]
    return (errors or lines[-1:] or ["failed without a word"])[0]
