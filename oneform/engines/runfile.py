"""The file that tells other commands where the running servers are: `home/run/engines.json`.

It is written by whoever starts the engines and removed when they stop; after a `kill -9` it may
be out of date, so readers ask the servers before they believe it.
"""

import contextlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg

from oneform.engines.account import ROOT
from oneform.engines.ping import valkey_answers
from oneform.engines.sockets import is_private

_NAME = "engines.json"
_CONNECT_SECONDS = 3


@dataclass(frozen=True)
class EngineUrls:
    """Where the engines of a data folder are; None for one that was not started or is silent."""

    database_url: str | None
    redis_url: str | None


def write_run_file(run: Path, urls: EngineUrls, server_uid: int) -> None:
    """Write the file, mode 0600, whole or not at all."""
    descriptor, made = tempfile.mkstemp(dir=run)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        if os.geteuid() == ROOT:
            owner = run.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        json.dump({**asdict(urls), "server_uid": server_uid}, file, indent=1)
    Path(made).replace(run / _NAME)


def remove_run_file(run: Path) -> None:
    (run / _NAME).unlink(missing_ok=True)


def find_engines(home: Path) -> EngineUrls | None:
    """Return the addresses of the engines that serve a data folder now, or None if none answers.

    Nothing is started, and nothing in the data folder is changed.
    """
    path = Path(home).expanduser().resolve() / "run" / _NAME
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        database, cache, uid = kept["database_url"], kept["redis_url"], kept["server_uid"]
        found = EngineUrls(
            database if database and _postgres_answers(database, uid) else None,
            cache if cache and _valkey_answers(cache, uid) else None,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # no such file, not ours to read, or not written by us
    return found if found.database_url or found.redis_url else None


def _postgres_answers(url: str, uid: int) -> bool:
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    folder = query["host"][0]
    # /tmp is emptied at a restart of the machine; somebody else may have the name since.
    if not is_private(Path(folder), uid):
        return False
    with contextlib.suppress(psycopg.OperationalError):
        psycopg.connect(
            host=folder,
            port=query["port"][0],
            user=parts.username,
            dbname=parts.path.lstrip("/"),
            connect_timeout=_CONNECT_SECONDS,
        ).close()
        return True
    return False


def _valkey_answers(url: str, uid: int) -> bool:
    socket = Path(urlsplit(url).path)
    return is_private(socket.parent, uid) and valkey_answers(socket)
