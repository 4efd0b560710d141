"""Which account of the operating system the servers run as.

An ordinary user runs them as themselves. PostgreSQL refuses to run as root, so root gives both
servers to an unprivileged account, in this order:

1. whoever owns the data already (a data folder never changes hands by itself);
2. whoever owns the data folder, if that is not root (`sudo oneform up` on a user's folder);
3. an account of our own, `oneform`, where a package or an operator has made one;
4. `_postgres` (every macOS) or `nobody` (everywhere). `nobody` may be shared with other services;
   who does not like that makes the account `oneform`.

Where files lie is layout.py's business.
"""

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from oneform.engines.errors import EngineError

ROOT = 0
UNPRIVILEGED = ("oneform", "_postgres", "nobody")


class RunAs(TypedDict, total=False):
    """The arguments of `subprocess` that change the account; empty when none is needed."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """An account that has a name (PostgreSQL insists on one)."""

    name: str
    uid: int
    gid: int

    def run_as(self) -> RunAs:
        """Return what makes `subprocess` run a command as this account."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can(self, command: Sequence[str | Path]) -> bool:
        """Tell whether this account can run a (harmless) command to its successful end.

        Asked of the system instead of computed from mode bits: access lists, mount options and
        security modules have their say too.
        """
        try:
            done = subprocess.run(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                check=False,
                **self.run_as(),
            )
        except OSError:
            return False
        return done.returncode == 0

    def can_enter(self, folder: Path) -> bool:
        """Tell whether this account can reach a folder through all of its parents."""
        return self.can(["/bin/sh", "-c", 'cd "$0"', folder])


def _by_uid(uid: int) -> Account | None:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def current_account() -> Account:
    """Return the account of this process. Raises EngineError if it has no name."""
    account = _by_uid(os.geteuid())
    if account is None:
        raise EngineError(
            f"user id {os.geteuid()} has no name on this machine, and PostgreSQL needs one: "
            "add it to /etc/passwd or run as another user"
        )
    return account


def server_account(owned: Sequence[Path]) -> Account:
    """Choose who runs the servers; `owned` are the paths whose owner decides, the first wins."""
    if os.geteuid() != ROOT:
        return current_account()
    for path in owned:
        if path.exists() and (uid := path.stat().st_uid) != ROOT and (owner := _by_uid(uid)):
            return owner
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != ROOT:
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise EngineError("root may not run PostgreSQL, and there is no account `nobody` to run it as")
