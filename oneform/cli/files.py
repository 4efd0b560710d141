"""Files that commands write: whole, or as they were before."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NoReturn

import click

OUTPUT = click.Path(dir_okay=False, allow_dash=True, path_type=Path)
"""A file to write, or `-` for standard output."""


@contextmanager
def whole_file(path: Path, *, mode: int | None = None) -> Iterator[BinaryIO]:
    """A new file that takes its name when it is complete and on disk; else none is left.

    `mode` as for any new file unless given. OSError names the file, never the one that is being
    written.
    """
    path = Path(os.path.realpath(path))  # what a link points at is replaced, not the link
    try:
        descriptor, made = tempfile.mkstemp(prefix=".oneform-", dir=path.parent)
    except OSError as error:
        _tell(error, path)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            os.fchmod(descriptor, _ordinary_mode() if mode is None else mode)
            yield file
            file.flush()
            os.fsync(descriptor)
        Path(made).replace(path)
    except BaseException as error:
        Path(made).unlink()
        if isinstance(error, OSError) and error.errno and error.filename in (None, made):
            _tell(error, path)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def reading(file: Path) -> Iterator[BinaryIO]:
    """A file to be read more than once; a pipe is kept in a copy meanwhile."""
    with file.open("rb") as stream:
        if stream.seekable():
            yield stream
            return
        with tempfile.TemporaryFile() as copy:
            shutil.copyfileobj(stream, copy)
            copy.seek(0)
            yield copy


def write_output(file: Path, content: bytes) -> None:
    """Write what a command puts out to a file, or to standard output for `-`.

    A pipe or a device is written to, not replaced.
    """
    if str(file) == "-":
        click.echo(content, nl=False)
    elif is_special(file):
        with file.open("wb") as stream:
            stream.write(content)
    else:
        with whole_file(file) as target:
            target.write(content)


def is_special(file: Path) -> bool:
    """Whether it is there and is a pipe, a device or the like."""
    return os.path.exists(file) and not os.path.isfile(file)  # unlike Path, not for names too long


def _ordinary_mode() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _tell(error: OSError, path: Path) -> NoReturn:
    """The same error, of the file that the user named."""
    raise OSError(error.errno, error.strerror, str(path)) from None
