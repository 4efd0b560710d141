"""Where the files of the servers lie, and who owns the folders.

    home/                 the data folder (ONEFORM_HOME)
        run/              0700, ours: locks and engines.json, what other commands look into
        postgres/         0700, the servers' account: the cluster
        valkey/           0700, the servers' account: the append-only file
        log/              0700, the servers' account

Decision: root does not open anybody's folders. PostgreSQL may not run as root, so under root the
cluster belongs to another account (account.py), which must be able to reach it:

- the data folder itself, if it is closed, gets mode 0710 and that account's group: it may be
  crossed, not listed, and by nobody else; files in it keep their own modes;
- a folder above that is closed (`/root`, a 0700 home) stays closed. Then `postgres`, `valkey` and
  `log` lie in a folder of their own under /var/lib/oneform-engines, whose path is kept in
  `home/engines-at`; it holds the path of its data folder in return, so that a copied data folder
  never shares servers with the original.

Rejected: opening the parents to everybody (what the wheel does), access lists on folders of
others (not on every file system), and running PostgreSQL with a capability to ignore modes.
"""

import logging
import os
import secrets
import shutil
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from oneform.engines.account import ROOT, Account, server_account
from oneform.engines.errors import EngineError
from oneform.engines.locks import LifeLock

logger = logging.getLogger(__name__)

# Root's place for what cannot lie in the data folder. macOS has no /var/lib.
ELSEWHERE = Path("/var/db" if sys.platform == "darwin" else "/var/lib") / "oneform-engines"
_POINTER = "engines-at"
_OWNER_FILE = "home"
_THROWAWAY = "throwaway"
_LOG_LIMIT = 8 * 1024 * 1024


@dataclass(frozen=True)
class Layout:
    """The folders of one data folder; all exist once `open_layout` has returned."""

    home: Path
    place: Path
    account: Account

    @property
    def run(self) -> Path:
        return self.home / "run"

    @property
    def log(self) -> Path:
        return self.place / "log"

    @property
    def postgres(self) -> Path:
        return self.place / "postgres"

    @property
    def postgres_unfinished(self) -> Path:
        """Where a cluster is made, to be moved to its place whole."""
        return self.place / "postgres.new"

    @property
    def valkey(self) -> Path:
        return self.place / "valkey"

    @property
    def programs(self) -> Path:
        """Where root keeps copies of programs that the account could not reach."""
        return ELSEWHERE / "programs"

    def own(self, folder: Path) -> None:
        """Make a folder that only the servers' account may enter."""
        _own(folder, self.account.uid, self.account.gid)

    def open_log(self, name: str) -> BinaryIO:
        """Open a log file of a server, which inherits it, at its end; a long one begins anew."""
        path = self.log / name
        if path.exists() and path.stat().st_size > _LOG_LIMIT:
            path.replace(path.with_suffix(".old"))
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
        if os.geteuid() == ROOT:
            os.fchown(descriptor, self.account.uid, self.account.gid)
        return os.fdopen(descriptor, "ab")

    def write_for_server(self, path: Path, text: str) -> None:
        """Write a file of mode 0600 for the servers, whole or not at all.

        One that says so already is left: a server may have to start again on a disk that is full.
        """
        with suppress(OSError, UnicodeDecodeError):
            if not path.is_symlink() and path.read_text(encoding="utf-8") == text:
                return
        # A name that nobody can foresee: the folder is not root's, and a link may lie in wait.
        descriptor, made = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                if os.geteuid() == ROOT:
                    os.fchown(descriptor, self.account.uid, self.account.gid)
                file.write(text)
                file.flush()
                os.fsync(descriptor)
            Path(made).replace(path)
        except BaseException:
            Path(made).unlink(missing_ok=True)
            raise


def open_layout(home: Path, *, durable: bool = True) -> Layout:
    """Make the folders of a data folder as far as they are missing, and return where they are.

    With `durable=False` what lies elsewhere is marked as throwaway and removed, some day after
    its data folder is gone, by another such call. Real data never is: its data folder may only
    be on a disk that is not mounted.

    Raises EngineError where the folder is another user's, is no folder, or cannot be written.
    """
    home = Path(home).expanduser().resolve()
    try:
        if not home.exists():
            home.mkdir(parents=True, mode=0o700)
        owner = home.stat()
        if os.geteuid() not in (ROOT, owner.st_uid):
            raise EngineError(f"the data folder {home} belongs to another user")
        moved_to = _read(home / _POINTER)
        account = server_account([Path(moved_to or home) / "postgres", home])
        layout = Layout(home, _place(home, account, moved_to), account)
        _own(layout.run, owner.st_uid, owner.st_gid)
        layout.own(layout.log)
        if layout.place != home:
            _mark(layout.place, throwaway=not durable)
    except OSError as error:
        raise EngineError(f"the data folder {home} cannot be used: {error}") from error
    return layout


def _place(home: Path, account: Account, moved_to: str | None) -> Path:
    if moved_to is not None:
        return _existing_place(home, Path(moved_to))
    if account.uid == os.geteuid():
        return home
    if account.can_enter(home):
        return home
    found = home.stat()
    if not found.st_mode & 0o070:
        # Let the account cross the data folder, and nobody else; its group had no rights to lose.
        os.chown(home, -1, account.gid)
        home.chmod(found.st_mode & 0o707 | 0o010)
        if account.can_enter(home):
            return home
    ELSEWHERE.mkdir(parents=True, exist_ok=True)
    ELSEWHERE.chmod(0o711)
    _sweep()
    place = ELSEWHERE / secrets.token_hex(6)
    place.mkdir(mode=0o700)
    os.chown(place, -1, account.gid)
    place.chmod(0o710)
    _write(place / _OWNER_FILE, str(home))
    _write(home / _POINTER, str(place))
    logger.warning(
        "%s lies in a folder that is closed to %s: its databases are in %s",
        *(home, account.name, place),
    )
    return place


def _existing_place(home: Path, place: Path) -> Path:
    """Return the place that a data folder points at, if it belongs to it."""
    owner = _read(place / _OWNER_FILE)
    if owner is None:
        raise EngineError(
            f"the databases of {home} should be in {place} (says {home / _POINTER}), but are not"
        )
    if owner != str(home):
        if Path(owner).exists():
            raise EngineError(
                f"{home} is a copy of {owner}, whose databases it may not share: "
                f"remove {home / _POINTER} to begin with empty ones"
            )
        _write(place / _OWNER_FILE, str(home))  # the data folder was moved
    return place


def forget_place(layout: Layout) -> None:
    """Remove what is left of a place when the data of both engines has been erased."""
    shutil.rmtree(layout.log, ignore_errors=True)
    if layout.place != layout.home:
        shutil.rmtree(layout.place)
        (layout.home / _POINTER).unlink()


def _mark(place: Path, *, throwaway: bool) -> None:
    if throwaway:
        (place / _THROWAWAY).touch()
    else:
        (place / _THROWAWAY).unlink(missing_ok=True)


def _sweep() -> None:
    """Remove throwaway places whose data folders are gone and whose servers have ended."""
    for mark in ELSEWHERE.glob(f"*/{_THROWAWAY}"):
        owner = _read(mark.parent / _OWNER_FILE)
        lives = [LifeLock(path) for path in mark.parent.glob("*.alive")]
        if owner and not Path(owner).exists() and all(life.free() for life in lives):
            shutil.rmtree(mark.parent, ignore_errors=True)


def give_tree(folder: Path, account: Account) -> None:
    """As root, give a folder with all in it to the account (one that root has copied, say)."""
    for path in [*folder.rglob("*"), folder]:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def _own(folder: Path, uid: int, gid: int) -> None:
    """Make a folder of mode 0700, or an old one so; root gives it to its owner."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.stat()
    if os.geteuid() == ROOT and found.st_uid != uid:
        os.chown(folder, uid, gid)
    if found.st_mode & 0o777 != 0o700:
        folder.chmod(0o700)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None


def _write(path: Path, text: str) -> None:
    path.write_text(text + "\n", encoding="utf-8")
    path.chmod(0o600)
