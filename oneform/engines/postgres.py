"""The embedded PostgreSQL: one cluster in the data folder, one database, one role.

Clients are known by their account (`peer`), so there is no password to keep or to lose: the one
who starts the server, the owner of the data folder, and root. The application's role owns its
database and may make others (tests do), but is no superuser. The encoding is UTF8, the collation
the builtin C.UTF-8, so that nothing depends on the machine's locales or on ICU.
"""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from pwd import getpwuid

import psycopg
from psycopg import sql

from oneform.engines import memory
from oneform.engines import postgres_settings as settings
from oneform.engines.account import ROOT, current_account
from oneform.engines.binaries import postgres_install, runnable
from oneform.engines.errors import EngineError
from oneform.engines.layout import Layout, give_tree
from oneform.engines.locks import LifeLock
from oneform.engines.process import ENVIRONMENT, Process, last_line
from oneform.engines.server import Server

_STATUS_LINE = 7  # of postmaster.pid, counted from 0: starting, ready, stopping
_CONNECT_SECONDS = 10
_WRONG = re.compile("error|FATAL|PANIC")  # in what initdb says


class PostgresServer(Server):
    """PostgreSQL in `home`; see `Server` for its life."""

    title = "PostgreSQL"
    key = "postgres"
    program_name = "postgres"
    short_key = "pg"
    # Fast, then immediate shutdown; a fast one writes a checkpoint, which can take a while.
    stop_signals = (
        (signal.SIGINT, 120.0),
        (signal.SIGQUIT, 20.0),
        (signal.SIGKILL, 20.0),
    )

    _program: Path
    _version: str
    _logged: dict[Path, int]

    @property
    def url(self) -> str:
        """The database of the application, for SQLAlchemy with psycopg."""
        return self.url_of(settings.DATABASE)

    def url_of(self, database: str, role: str = settings.ROLE) -> str:
        """The address of another database of this server (tests make some)."""
        return (
            f"postgresql+psycopg://{role}@/{database}"
            f"?host={self.socket_folder}&port={settings.PORT}"
        )

    @property
    def admin_url(self) -> str:
        """The superuser's maintenance database; the application never needs it."""
        return self.url_of(settings.ADMIN, settings.ADMIN)

    def _data(self) -> Path:
        return self.layout.postgres

    def _all_data(self) -> list[Path]:
        return [self._data(), self.layout.postgres_unfinished]

    def _pid_file(self) -> Path:
        return self._data() / "postmaster.pid"

    def _plan(self, layout: Layout) -> None:
        install = postgres_install(_major_of(layout.postgres))
        self._version = install.version
        self._program = runnable(install.bin / "postgres", layout.account, layout.programs)
        self._logged = {}

    def _command(self) -> list[str]:
        return [str(self._program), "-D", str(self._data())]

    def _files(self) -> dict[Path, str]:
        wanted = settings.server_settings(
            memory=memory.total_memory(),
            cores=os.cpu_count() or 1,
            durable=self.durable,
            socket_folder=str(self.socket_folder),
            log_folder=str(self.layout.log),
            roomy_shm=memory.roomy_shared_memory(),
        )
        return {
            self._data() / "postgresql.conf": settings.configuration(wanted, self._version),
            self._data() / "pg_hba.conf": settings.access_rules(),
            self._data() / "pg_ident.conf": settings.access_map(self._clients()),
        }

    def _clients(self) -> list[str]:
        """Return who may connect: root, who starts it, and the owner of the data folder.

        The servers' account is not among them as such: `nobody` may be many.
        """
        names = {current_account().name, getpwuid(ROOT).pw_name}
        if self.layout.home.stat().st_uid == self.layout.account.uid:
            names.add(self.layout.account.name)
        return sorted(names)

    def _prepare(self, life: LifeLock) -> None:
        if _major_of(self._data()) is None:
            self._make_cluster(life)
        layout = self.layout
        if os.geteuid() == ROOT and self._data().stat().st_uid != layout.account.uid:
            give_tree(self._data(), layout.account)
        local = self._data() / "local.conf"
        if not local.exists():
            layout.write_for_server(local, "# Read after postgresql.conf, and never overwritten.\n")
        # We hold the life lock and no such process runs: the file is a dead server's. Left there,
        # it would stop PostgreSQL from starting if its number belongs to another process by now.
        self._pid_file().unlink(missing_ok=True)
        for name in (f".s.PGSQL.{settings.PORT}", f".s.PGSQL.{settings.PORT}.lock"):
            (self.socket_folder / name).unlink(missing_ok=True)

    def _make_cluster(self, life: LifeLock) -> None:
        """Make the cluster beside its place and move it there whole."""
        if self._data().exists() and any(self._data().iterdir()):
            raise EngineError(f"{self._data()} is not empty, and no PostgreSQL cluster")
        made = self.layout.postgres_unfinished
        shutil.rmtree(made, ignore_errors=True)
        self.layout.own(made)
        command = [
            *(str(self._program.with_name("initdb")), "--pgdata", str(made)),
            *("--username", settings.ADMIN, "--encoding", "UTF8", "--locale", "C"),
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
            *("--auth-local", "peer", "--auth-host", "reject"),
            *("--data-checksums", "--no-instructions"),
        ]
        done = subprocess.run(
            command if self.durable else [*command, "--no-sync"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd="/",
            env=ENVIRONMENT,
            pass_fds=[life.descriptor],
            start_new_session=True,
            umask=0o077,
            check=False,
            **self.layout.account.run_as(),
        )
        if done.returncode != 0:
            lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
            said = (
                [line for line in lines if _WRONG.search(line)] or lines[-1:] or ["no word of why"]
            )
            raise EngineError(f"PostgreSQL cannot make its cluster: {said[0]}")
        made.replace(self._data())
        folder = os.open(self._data().parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _status(self) -> str:
        try:
            lines = self._pid_file().read_text(encoding="utf-8").splitlines()
        except OSError:
            return ""
        return lines[_STATUS_LINE].strip() if len(lines) > _STATUS_LINE else ""

    def _is_as_planned(self, left: Process) -> bool:
        # One that is stopping may wait for its clients for ever; it is made to hurry instead.
        return self._status() != "stopping" and super()._is_as_planned(left)

    def _answers(self) -> bool:
        # Asking by connecting would write a line to the log for each refusal while it recovers.
        if self._status() != "ready":
            return False
        try:
            self._connect().close()
        except psycopg.OperationalError as error:
            if "authentication failed" in str(error) or "pg_hba.conf" in str(error):
                raise EngineError(f"PostgreSQL refuses us: {error}") from error
            return False
        return True

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=str(self.socket_folder),
            port=settings.PORT,
            user=settings.ADMIN,
            dbname=settings.ADMIN,
            connect_timeout=_CONNECT_SECONDS,
            autocommit=True,
        )

    def _on_ready(self) -> None:
        try:
            self._make_role_and_database()
        except psycopg.Error as error:
            raise EngineError(f"PostgreSQL cannot be set up: {error}") from error

    def _make_role_and_database(self) -> None:
        role, database = sql.Identifier(settings.ROLE), sql.Identifier(settings.DATABASE)
        with self._connect() as connection:
            known = "SELECT 1 FROM pg_roles WHERE rolname = %s"
            if connection.execute(known, [settings.ROLE]).fetchone() is None:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(role))
                connection.execute(sql.SQL("GRANT pg_monitor TO {}").format(role))
            known = "SELECT 1 FROM pg_database WHERE datname = %s"
            if connection.execute(known, [settings.DATABASE]).fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))

    def _spawn(self, life: LifeLock) -> None:
        self._logged = {log: log.stat().st_size for log in self._daily_logs()}
        super()._spawn(life)

    def _daily_logs(self) -> list[Path]:
        """Return what the logging collector has written, oldest first."""
        logs = self.layout.log.glob("postgresql-*.log")
        return sorted(logs, key=lambda log: log.stat().st_mtime)

    def _last_words(self) -> str:
        early = super()._last_words()
        if "FATAL" in early:  # before there was a collector
            return early
        for log in self._daily_logs()[-1:]:
            return last_line(log, self._logged.get(log, 0)) or early
        return early


def _major_of(cluster: Path) -> int | None:
    """Return the major version that made a cluster; None where there is none.

    Raises EngineError if its mark cannot be read.
    """
    try:
        mark = (cluster / "PG_VERSION").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        return int(mark.split(".")[0])
    except ValueError:
        raise EngineError(f"{cluster / 'PG_VERSION'} holds no version: {mark!r}") from None
