"""Where the web processes of one server add up their counts.

prometheus-client keeps them in files that are mapped into memory. On a disk that
is full such a file kills its process, so they lie in memory where the system has
a place for that (`/dev/shm`), else in the data folder.
"""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path

from oneform.config import Settings

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
SHARED_MEMORY = Path("/dev/shm")

_NAME = re.compile(r"oneform-metrics-(\d+)-(\d+)")
"""User and process that made it."""


def make_metrics_folder(settings: Settings) -> None:
    """Make the folder of this server, and name it to prometheus-client, which is not loaded yet."""
    base = SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else settings.home / "run"
    with suppress(OSError):
        base.mkdir(parents=True, exist_ok=True, mode=0o700)
        _remove_abandoned(base)
        folder = base / f"oneform-metrics-{os.geteuid()}-{os.getpid()}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        os.environ[VARIABLE] = str(folder)


def remove_metrics_folder() -> None:
    """Remove what `make_metrics_folder` has made in this process."""
    folder = os.environ.get(VARIABLE)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(base: Path) -> None:
    """Remove what killed servers of ours have left."""
    for folder in base.glob("oneform-metrics-*"):
        named = _NAME.fullmatch(folder.name)
        if named and int(named[1]) == os.geteuid() and not _is_running(int(named[2])):
            shutil.rmtree(folder, ignore_errors=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
