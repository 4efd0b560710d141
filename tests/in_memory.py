"""Where the servers of a run keep their files: in memory, where there is room.

A database of its own for each test is a thousand small files. To make them takes longer on a disk
than most tests do.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM = 4 << 30
"""Bytes that have to be free. A run takes a tenth of it."""

_PREFIX = "oneform-tests-"


@contextmanager
def server_folder(otherwise: Path) -> Iterator[Path]:
    """A folder for this process, removed at its end; `otherwise` where memory is short."""
    if not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < ROOM:
        yield otherwise
        return
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=MEMORY))
    folder.chmod(0o711)  # root's servers run under another account
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep() -> None:
    """Remove what runs that were killed have left."""
    for folder in MEMORY.glob(f"{_PREFIX}[0-9]*-*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except (PermissionError, ValueError):
            pass  # another user's, or none of ours
