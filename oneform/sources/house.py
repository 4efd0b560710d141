"""What the verbs of this part need besides a context: settings, and units of work of their own.

`oneform.runtime.Runtime` is a `House`; parts above pass theirs.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from oneform.config import Settings, secret_key
from oneform.kernel import crypto
from oneform.kernel.actor import Actor
from oneform.kernel.context import Context
from oneform.sources.connectors.base import Bounds

PURPOSE = "source"
"""For which the secrets of sources are sealed."""


class House(Protocol):
    """Opens units of work, and knows the settings."""

    @property
    def settings(self) -> Settings: ...

    def context(self, actor: Actor = ..., /) -> AbstractContextManager[Context]: ...


def bounds_of(settings: Settings, timeout_s: float = 30) -> Bounds:
    """What connectors may reach under these settings."""
    folders = tuple(Path(folder) for folder in settings.allow_files)
    return Bounds(
        timeout_s=timeout_s,
        allow_hosts=settings.allow_hosts,
        folders=folders or (settings.home / "files",),
    )


def seal(settings: Settings, secrets: dict[str, str]) -> bytes | None:
    return crypto.seal(secret_key(settings), PURPOSE, secrets) if secrets else None


def unseal(settings: Settings, sealed: bytes | None) -> dict[str, str]:
    """SealBroken when the secret key has changed."""
    return crypto.unseal(secret_key(settings), PURPOSE, sealed) if sealed else {}
