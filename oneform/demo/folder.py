"""The demo's data folder: told apart from every other by a mark, so that nothing else is ever erased."""

from __future__ import annotations

import os
import secrets
import tempfile
from dataclasses import replace
from pathlib import Path

import orjson

from oneform.config import Settings, SettingsError, make_home

MARK = "demo.json"
_PASSWORD = "password"

# Words that are read aloud without spelling them; with a number, about 10 million passwords, for
# accounts that only this machine can reach and that are made anew in each folder.
_WORDS = ("orange", "river", "tea", "bamboo", "gorge", "boat", "mist", "temple", "plum", "crane",
          "jade", "lotus", "willow", "pine", "dragon", "rain", "moon", "cliff", "silk", "cloud")  # fmt: skip


def open_folder(folder: Path) -> str:
    """Make the folder, or recognise it; the password of its accounts.

    SettingsError for a folder that holds something else or cannot be made. OSError where it cannot
    be written.
    """
    mark = folder / MARK
    make_home(folder)
    if mark.exists():
        return _password(mark)
    strange = sorted(name for name in os.listdir(folder) if not name.startswith(f".{MARK}"))
    if strange:
        raise SettingsError(
            f"{folder} holds something else ({strange[0]}): the demo erases its folder at every "
            "start, and wants an empty one; name it with --data-dir"
        )
    return _make(mark)


def _password(mark: Path) -> str:
    try:
        found = orjson.loads(mark.read_bytes())[_PASSWORD]
    except (ValueError, KeyError, TypeError):
        return _make(mark)
    return found if isinstance(found, str) and len(found) >= 8 else _make(mark)


def _make(mark: Path) -> str:
    password = "-".join((*(secrets.choice(_WORDS) for _ in range(3)), str(secrets.randbelow(9000) + 1000)))  # fmt: skip
    note = "The folder of a demo: everything in it is invented, and erased at every start."
    descriptor, made = tempfile.mkstemp(dir=mark.parent, prefix=f".{MARK}")
    with os.fdopen(descriptor, "wb") as file:
        file.write(orjson.dumps({"note": note, _PASSWORD: password}) + b"\n")
    Path(made).replace(mark)
    return password


def demo_settings(settings: Settings, folder: Path) -> Settings:
    """Settings that keep the demo to itself: its own servers, and files below its own folder only."""
    return replace(
        Settings(home=folder),
        timezone=settings.timezone,
        calendar=settings.calendar,
        today=settings.today,
        log_level=settings.log_level,
        log_format=settings.log_format,
    )
