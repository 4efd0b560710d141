"""The file of a backup: a tar with PostgreSQL's own dump, and a note of what it is.

`database.dump` can be restored without oneform too (`tar xf`, `pg_restore`). The
note, `oneform-backup.json`, says which schema it has, what the dump's bytes must
sum up to, and under which secret key its secrets are sealed: not the key itself.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, BinaryIO

import click
import orjson

from oneform.config import Settings
from oneform.kernel.errors import Invalid

FORMAT = "oneform-backup/1"
DUMP, NOTE = "database.dump", "oneform-backup.json"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a backup says of itself."""

    backup: str = FORMAT
    created_at: str
    oneform: str
    schema: str
    """Newest migration."""
    postgresql: int
    """Major version of the server."""
    secret_key: str | None
    """Fingerprint; None where the key was not known."""
    dump_bytes: int = 0
    dump_sha256: str = ""


class BadBackup(Invalid):
    """The file is no backup that can be restored."""

    code = "bad-backup"


def fingerprint(settings: Settings) -> str | None:
    """Enough of a secret key to tell it from others, and far too little to find it."""
    key = settings.secret_key
    if key is None:
        try:
            key = (settings.home / "secret_key").read_text(encoding="utf-8").strip()
        except OSError:
            return None
    return hmac.new(key.encode(), b"oneform backup", hashlib.sha256).hexdigest()[:8]


def write_backup(file: BinaryIO, dump: IO[bytes], note: Note) -> Note:
    """Write a dump of unknown length, read to its end, and the note; returns it completed."""
    # Place for the header, which says how long the dump is.
    file.write(bytes(tarfile.BLOCKSIZE))
    digest, size = hashlib.sha256(), 0
    while chunk := dump.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
        file.write(chunk)
    file.write(bytes(-size % tarfile.BLOCKSIZE))
    end = file.tell()
    done = Note(**{**asdict(note), "dump_bytes": size, "dump_sha256": digest.hexdigest()})
    file.seek(0)
    file.write(_header(DUMP, size).tobuf(tarfile.GNU_FORMAT))
    file.seek(end)
    # Opened for appending, `tarfile` would read the whole dump first; here it only adds one more.
    with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as archive:
        text = orjson.dumps(asdict(done), option=orjson.OPT_INDENT_2)
        archive.addfile(_header(NOTE, len(text)), io.BytesIO(text))
    return done


def _header(name: str, size: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.size, header.mode = size, 0o600
    header.mtime = int(dt.datetime.now(dt.UTC).timestamp())
    return header


@contextmanager
def open_backup(path: Path) -> Iterator[tuple[Note, IO[bytes]]]:
    """The note and the dump of a backup whose bytes have been checked. BadBackup."""
    name = click.format_filename(path)
    try:
        with tarfile.open(path, "r:") as archive:
            note = _read_note(archive)
            dump = archive.extractfile(DUMP)
            if dump is None:
                raise BadBackup(f"{name} holds no dump.")
            with dump:
                if _sum(dump) != (note.dump_bytes, note.dump_sha256):
                    raise BadBackup(f"{name} is damaged: its dump is not what was written.")
                dump.seek(0)
                yield note, dump
    except (tarfile.TarError, KeyError, EOFError):
        raise BadBackup(f"{name} is no backup of oneform, or not whole.") from None


def _read_note(archive: tarfile.TarFile) -> Note:
    file = archive.extractfile(NOTE)
    assert file is not None
    try:
        found = orjson.loads(file.read())
        if found["backup"] != FORMAT:
            raise BadBackup(f"The backup is in a format of another oneform: {found['backup']}.")
        return Note(**found)
    except (ValueError, TypeError, KeyError):
        raise BadBackup("The backup's note cannot be read.") from None


def _sum(dump: IO[bytes]) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    while chunk := dump.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return size, digest.hexdigest()
