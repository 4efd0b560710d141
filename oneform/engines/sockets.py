"""Short private folders for the servers' sockets.

The path of a Unix socket may have 104 bytes (macOS; 108 on Linux), less than many a data folder.
So sockets lie in a folder of mode 0700 under /tmp, whose name is derived from the data folder.
Somebody else may have made that name before us, as a trap or by chance: only a real folder
(no link) of the right owner and mode counts, otherwise the next name is taken. Clients look again
before they connect (`is_private`), since /tmp is emptied when a machine restarts.

Not $XDG_RUNTIME_DIR: it is removed when its user logs out, while the servers run on.
"""

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from oneform.engines.account import Account
from oneform.engines.errors import EngineError

MAX_SOCKET_PATH = 103  # bytes without the final NUL, on the strictest system
_LONGEST_NAME = ".s.PGSQL.5432"
_TRIES = 10


def is_private(folder: Path, uid: int) -> bool:
    """Tell whether this is a folder, not a link to one, that only `uid` (and root) can enter."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return (
        stat.S_ISDIR(found.st_mode) and found.st_uid == uid and stat.S_IMODE(found.st_mode) == 0o700
    )


def socket_folder(place: Path, engine: str, account: Account) -> Path:
    """Make the socket folder of one engine (`pg`, `kv`) of one place, or find it again.

    Raises EngineError if none can be made.
    """
    for folder in _candidates(place, engine):
        try:
            folder.mkdir(mode=0o700)
            if account.uid != os.geteuid():
                os.chown(folder, account.uid, account.gid, follow_symlinks=False)
        except FileExistsError:
            pass
        except OSError:
            continue
        if is_private(folder, account.uid) and account.can_enter(folder):
            return folder
    raise EngineError("no private folder with a short path can be made for the servers' sockets")


def remove_socket_folder(place: Path, engine: str, account: Account) -> None:
    """Remove the socket folder of an engine that has ended, with what it left there."""
    for folder in _candidates(place, engine):
        if is_private(folder, account.uid):
            shutil.rmtree(folder, ignore_errors=True)


def _candidates(place: Path, engine: str) -> Iterator[Path]:
    name = hashlib.sha256(os.fsencode(place)).hexdigest()[:12]
    for base in dict.fromkeys((Path("/tmp"), Path(tempfile.gettempdir()))):
        if not _is_safe_base(base):
            continue
        for number in range(_TRIES):
            suffix = f"-{number}" if number else ""
            folder = base / f"oneform-{name}-{engine}{suffix}"
            if len(os.fsencode(folder / _LONGEST_NAME)) <= MAX_SOCKET_PATH:
                yield folder


def _is_safe_base(base: Path) -> bool:
    """Tell whether others cannot rename what we make here (only we write, or it is sticky)."""
    try:
        mode = base.stat().st_mode
    except OSError:
        return False
    return not mode & (stat.S_IWGRP | stat.S_IWOTH) or bool(mode & stat.S_ISVTX)
