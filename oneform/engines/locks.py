"""Locks on a data folder.

Two for each engine, both `flock`, so that they end with their holders and never go stale:

- the *claim* is held by the process that starts and stops the engine: a second one is refused;
- the *life lock* is inherited by the server and all of its children. Who gets it knows that no
  process of the engine is left, whatever its pid file says, be it after a `kill -9`, after a
  restart of the machine or in another container on the same volume.
"""

import contextlib
import fcntl
import os
import time
import weakref
from pathlib import Path

from oneform.engines.account import ROOT
from oneform.engines.errors import EngineError

_POLL_SECONDS = 0.02


def _lock(path: Path) -> int | None:
    """Return a descriptor that holds the lock, or None if somebody else holds it."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError as error:
            os.close(descriptor)
            raise EngineError(f"{path.parent} allows no file locks: {error.strerror}") from error
        _give_to_owner(descriptor, path.parent)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return descriptor
        os.close(descriptor)  # removed and made anew between the two calls


def _give_to_owner(descriptor: int, folder: Path) -> None:
    """Give what root makes in a user's data folder to the user, who may start the next time."""
    if os.geteuid() == ROOT:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


class Claim:
    """The right to start and stop one engine of a data folder."""

    def __init__(self, path: Path, home: Path, note: str = "") -> None:
        """Take the claim. Raises EngineError, naming the process that has it, with its `note`."""
        descriptor = _lock(path)
        if descriptor is None:
            holder, _, told = path.read_text(encoding="utf-8").strip().partition("\n")
            words = f"another oneform (process {holder or 'unknown'})"
            raise EngineError(
                f"the data folder {home} is already in use by {'; '.join(filter(None, [words, told]))}"
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n{note}".encode(), 0)
        self._descriptor: int | None = descriptor
        _claims.add(self)

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


# A forked child shares its parent's locks: it would hold the claim after the parent's death.
_claims: weakref.WeakSet[Claim] = weakref.WeakSet()


def _release_in_child() -> None:
    for claim in _claims:
        claim.release()


os.register_at_fork(after_in_child=_release_in_child)


class LifeLock:
    """Held as long as any process of an engine lives."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take(self, seconds: float = 0.0) -> bool:
        """Take the lock, waiting up to `seconds`; tell whether we have it."""
        deadline = time.monotonic() + seconds
        while self._descriptor is None:
            self._descriptor = _lock(self._path)
            if self._descriptor is None:
                if time.monotonic() >= deadline:
                    return False
                time.sleep(_POLL_SECONDS)
        return True

    def free(self) -> bool:
        """Tell whether no process of the engine is left. For a lock that we do not hold."""
        if not self.take():
            return False
        self.leave()
        return True

    @property
    def descriptor(self) -> int:
        """The descriptor to pass on to a server. The lock must have been taken."""
        assert self._descriptor is not None
        return self._descriptor

    def leave(self) -> None:
        """Let go of our part; servers that inherited the lock keep it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
