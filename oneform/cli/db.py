"""`oneform db …`: the database's schema, backup and restore (API.md, section 8).

They work on the configured server, on the one that `oneform up` runs in the data
folder, or, while nothing runs there, on one that is started for the command.
"""

from __future__ import annotations

import datetime as dt
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import click
import sqlalchemy as sa

from oneform import __version__, migrations
from oneform.cli.backup_file import (
    BadBackup,
    Note,
    fingerprint,
    open_backup,
    write_backup,
)
from oneform.cli.base import CliSession, command_group, pass_runtime
from oneform.cli.files import is_special, whole_file
from oneform.cli.postgres_tools import Tools, running, tools_for
from oneform.cli.restoring import fill
from oneform.cli.servers import running_engines
from oneform.config import Settings, SettingsError
from oneform.engines import find_engines
from oneform.kernel.db import create_engine

db = command_group("db", "The database: schema, backup, restore.")

NEW = click.Path(dir_okay=False, path_type=Path, resolve_path=True)
EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path, resolve_path=True)

LOCKS = 512
"""`max_locks_per_transaction` that is enough for many submissions at once; the embedded server's."""


def _no_stream(_context: click.Context, _parameter: click.Parameter, file: Path) -> Path:
    """A backup is read and written back and forth, and would take a device's own place."""
    if file.name == "-" or is_special(file):
        raise click.BadParameter(f"{click.format_filename(file)} is no ordinary file.")
    return file


@dataclass(frozen=True, slots=True)
class Database:
    """The database that a command works on."""

    url: str
    schema: str | None
    """Its newest migration; None where it is empty."""
    server_major: int
    locks: int
    """The server's `max_locks_per_transaction`."""

    @property
    def tools(self) -> Tools:
        return tools_for(self.url, self.server_major)


@contextmanager
def database(settings: Settings, *, make: bool) -> Iterator[Database]:
    """The database of these settings, its server started where none runs.

    Without `make`, SettingsError where the data folder holds none yet.
    """
    if settings.database_url is None:
        found = find_engines(settings.home)
        if found is not None and found.database_url is not None:
            settings = replace(settings, database_url=found.database_url)
        elif not make and not settings.home.is_dir():
            raise SettingsError(
                f"there is no data folder {settings.home}: name it with --data-dir, or set "
                "ONEFORM_DATABASE_URL"
            )
    with running_engines(settings, redis=False) as (ready, _):
        assert ready.database_url is not None
        yield _look(ready.database_url, settings.timezone)


def _look(url: str, timezone: str) -> Database:
    engine = create_engine(url, application="oneform db", timezone=timezone)
    try:
        with engine.connect() as connection:
            migrations.check_timezone(connection, timezone)
            version, locks = (
                int(connection.scalar(sa.text(f"SHOW {name}")))
                for name in ("server_version_num", "max_locks_per_transaction")
            )
            return Database(url, migrations.current(connection), version // 10000, locks)
    finally:
        engine.dispose()


@db.command("upgrade")
@pass_runtime
def upgrade(session: CliSession) -> None:
    """Bring the schema to the newest version; an empty database gets its tables."""
    with database(session.settings, make=True) as found:
        if found.schema is not None and not migrations.is_known(found.schema):
            raise SettingsError(
                f"the database has the schema {found.schema} of a newer oneform than this "
                f"({__version__})"
            )
        migrations.upgrade(found.url, session.settings.timezone)
    to = migrations.head()
    words = f"is at {to} already" if found.schema == to else f"upgraded to {to}"
    advice = _advice(found)
    session.result(
        {"from": found.schema, "to": to, "advice": advice},
        text="\n".join([f"the schema {words}", *advice]),
    )


def _advice(found: Database) -> list[str]:
    """What the server should be told otherwise."""
    if found.locks >= LOCKS:
        return []
    return [
        f"the server has max_locks_per_transaction = {found.locks}: set it to {LOCKS} and restart "
        "the server; a submission locks every part of the tables that it names"
    ]


@db.command("backup")
@click.argument("file", type=NEW, callback=_no_stream)
@pass_runtime
def backup(session: CliSession, file: Path) -> None:
    """Write everything to FILE, as it is at one instant; what runs goes on.

    The file (mode 0600) appears when it is complete, in the place of one that is there. It does not hold the secret key, under which
    the secrets of sources are sealed: keep that apart.
    """
    with database(session.settings, make=False) as found:
        if found.schema is None:
            raise SettingsError("the database is empty: there is nothing to back up")
        session.note(f"writing {file} …")
        note = save(found, session.settings, file)
    name, size = click.format_filename(file), file.stat().st_size
    session.result(
        {"file": name, "bytes": size, "secret_key": note.secret_key},
        text=f"{name}: {size:,} bytes; keep the secret key apart (fingerprint "
        f"{note.secret_key or 'unknown'})",
    )


def save(found: Database, settings: Settings, file: Path) -> Note:
    """Write a backup of a database that is not empty."""
    assert found.schema is not None
    note = Note(
        created_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        oneform=__version__,
        schema=found.schema,
        postgresql=found.server_major,
        secret_key=fingerprint(settings),
    )
    tools = found.tools
    command = tools.command(
        "pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--schema=public"
    )
    with (
        whole_file(file, mode=0o600) as target,
        running(command, tools, stdout=subprocess.PIPE) as dump,
    ):
        assert dump.stdout is not None
        return write_backup(target, dump.stdout, note)


@db.command("restore")
@click.argument("file", type=EXISTING, callback=_no_stream)
@click.option("--discard", is_flag=True, help="Keep no backup of what is replaced.")
@pass_runtime
def restore(session: CliSession, file: Path, discard: bool) -> None:
    """Put what FILE holds in the place of what is there: all of it, or nothing.

    What is there is backed up first, into the data folder's `backups`, unless told otherwise. The
    schema is brought to the newest version afterwards. What runs may go on, or be stopped.
    """
    settings = session.settings
    session.note(f"checking {file} …")
    with open_backup(file) as (note, dump):
        if not migrations.is_known(note.schema):
            raise BadBackup(
                f"The backup was made by a newer oneform ({note.oneform}, schema {note.schema})."
            )
        with database(settings, make=True) as found:
            kept = None if discard or found.schema is None else _keep(found, settings)
            session.note("restoring …")
            fill(found.tools, dump, found.server_major)
            migrations.upgrade(found.url, settings.timezone)
    for words in _warnings(settings, note):
        click.echo(words, err=True)
    session.result(
        {
            "restored": note.created_at,
            "schema": migrations.head(),
            "kept": str(kept) if kept else None,
        },
        text=f"restored what there was at {note.created_at}"
        + (f"; what was replaced is in {kept}" if kept else ""),
    )


def _keep(found: Database, settings: Settings) -> Path:
    """Back up what is about to be replaced."""
    folder = settings.home / "backups"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    now = dt.datetime.now(dt.UTC)
    file = folder / f"before-restore-{now:%Y%m%dT%H%M%S.%f}.backup"
    save(found, settings, file)
    return file


def _warnings(settings: Settings, note: Note) -> Iterator[str]:
    own = fingerprint(settings)
    if note.secret_key is not None and own != note.secret_key:
        yield (
            f"the backup was made under the secret key {note.secret_key}, here it is "
            f"{own or 'not there yet'}: put that key in place (ONEFORM_SECRET_KEY or "
            f"{settings.home / 'secret_key'}), or enter the secrets of sources again"
        )
