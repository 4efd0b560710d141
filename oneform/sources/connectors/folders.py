"""Local files that a source may read: regular files below the allowed folders, and no others."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from oneform.sources.errors import SourceDown, SourceError


def find_path(text: str, folders: Iterable[Path]) -> Path:
    """The real path of a file or folder, given absolutely or from one of the allowed folders.

    SourceError when it does not exist, or when it lies outside of all of them
    once symbolic links are followed. The words are the same for both where the
    path leads outside, so that nobody can feel their way about the machine.
    """
    allowed = [Path(os.path.realpath(folder)) for folder in folders]
    for folder in allowed:
        real = Path(os.path.realpath(folder / text))
        if real.is_relative_to(folder) and real.exists():
            return real
    raise SourceError(f"There is no file {text[:200]!r} in the folders that sources may read.")


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Around reading a file or folder of `find_path`: SourceError where that is not permitted,
    SourceDown where the disk or the network below it gives up half-way."""
    try:
        yield
    except OSError as error:
        kind = SourceError if isinstance(error, PermissionError) else SourceDown
        raise kind(f"{path.name} cannot be read: {error.strerror}.") from None


def open_regular(path: Path) -> BinaryIO:
    """Open a path of `find_path`; SourceError for pipes, devices and what cannot be read."""
    try:
        # Without O_NONBLOCK, opening a pipe would wait for somebody to write into it.
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags)
    except OSError as error:
        raise SourceError(f"{path.name} cannot be opened: {error.strerror}.") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise SourceError(f"{path.name} is no regular file.")
    return os.fdopen(descriptor, "rb", buffering=1 << 18)
