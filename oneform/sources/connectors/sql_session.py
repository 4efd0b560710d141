"""A read-only connection to somebody else's database, with every wait bounded.

What drivers and servers offer for that differs; the tables here say it for each.
A driver or database that is not in them works, with the bounds it has by itself.
"""

from __future__ import annotations

import math
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from oneform.kernel import egress
from oneform.sources.connectors.base import Bounds
from oneform.sources.connectors.folders import find_path
from oneform.sources.connectors.sql_url import SqlUrl, resolve
from oneform.sources.errors import SourceDown, SourceError, SourceTimeout

GRACE_S = 2.0
"""How much longer than the server's own time limit we wait before hanging up."""

# SQLSTATEs: query cancelled, lock not available; and the texts of drivers without them.
_TIMEOUT_STATES = frozenset({"57014", "55P03"})
_TIMEOUT_WORDS = ("timeout", "timed out", "database is locked", "interrupted", "max_execution_time")
# Classes of SQLSTATE that may pass: connection, resources, operator's intervention, system.
_PASSING_CLASSES = frozenset({"08", "53", "57", "58"})


@contextmanager
def connect(parsed: SqlUrl, password: str | None, bounds: Bounds) -> Iterator[sa.Connection]:
    """A connection inside a read-only transaction; SourceError and its kinds."""
    with told_in_words():
        engine = _engine(parsed, password, bounds)
        with engine.connect() as connection:
            for statement in _preparation(connection.dialect, bounds.timeout_s):
                connection.exec_driver_sql(statement)
            yield connection


@contextmanager
def told_in_words() -> Iterator[None]:
    """Turn errors of drivers into the errors of sources."""
    try:
        yield
    except egress.HostUnknown as error:
        raise SourceDown(error.detail) from None
    except egress.EgressRefused as error:
        raise SourceError(error.detail) from None
    except (NoSuchModuleError, ImportError) as error:
        raise SourceError(f"There is no driver for this kind of database here: {error}.") from None
    except DBAPIError as error:
        raise _in_words(error) from None
    except SQLAlchemyError as error:
        raise SourceError(f"The database cannot be read: {_first_line(error)}") from None


def _in_words(error: DBAPIError) -> SourceError:
    words = _first_line(error.orig)
    state = str(getattr(error.orig, "sqlstate", None) or "")
    lower = words.lower()
    if state in _TIMEOUT_STATES or any(text in lower for text in _TIMEOUT_WORDS):
        return SourceTimeout(f"The database did not answer in time: {words}")
    passing = isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError) and (
        not state or state[:2] in _PASSING_CLASSES
    )
    kind = SourceDown if passing and not isinstance(error.orig, sqlite3.Error) else SourceError
    return kind(f"The database cannot be read: {words}")


def _first_line(error: object) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__


def _engine(parsed: SqlUrl, password: str | None, bounds: Bounds) -> sa.Engine:
    if parsed.file is not None:
        return _file_engine(parsed.file, bounds)
    arguments = _driver_arguments(parsed, bounds)
    url = parsed.url if password is None else parsed.url.set(password=password)
    return sa.create_engine(url, poolclass=NullPool, connect_args=arguments)


def _file_engine(file: str, bounds: Bounds) -> sa.Engine:
    path = find_path(file, bounds.folders)

    def opened() -> sqlite3.Connection:
        return sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro", uri=True, timeout=bounds.timeout_s
        )

    return sa.create_engine("sqlite://", creator=opened, poolclass=NullPool)


def _driver_arguments(parsed: SqlUrl, bounds: Bounds) -> dict[str, Any]:
    """Time limits of the driver; for libpq also the addresses that were checked."""
    addresses = resolve(parsed, bounds)
    seconds = max(1, math.ceil(bounds.timeout_s))
    match parsed.url.get_driver_name():
        case "psycopg":
            arguments: dict[str, Any] = {
                "connect_timeout": max(2, seconds),  # libpq takes 1 for 2
                "tcp_user_timeout": seconds * 1000,
                "keepalives_idle": 30,
                "keepalives_interval": 10,
                "keepalives_count": 3,
                "application_name": "oneform source",
            }
            if len(parsed.hosts) == 1 and addresses:
                # One entry for each address of the one host; TLS still checks the name.
                arguments["host"] = ",".join(parsed.hosts * len(addresses))
                arguments["hostaddr"] = ",".join(addresses)
            return arguments
        case "pymysql" | "mysqldb":
            return {
                "connect_timeout": seconds,
                "read_timeout": seconds,
                "write_timeout": seconds,
            }
        case "pyodbc":
            return {"timeout": seconds}
        case "oracledb":
            return {"tcp_connect_timeout": seconds}
    return {}


def _preparation(dialect: sa.Dialect, timeout_s: float) -> list[str]:
    """Statements that make a fresh transaction read-only and its statements short-lived."""
    milliseconds = max(1, int(timeout_s * 1000))
    match dialect.name:
        case "postgresql":
            return [
                "SET TRANSACTION READ ONLY",
                f"SET LOCAL statement_timeout = {milliseconds}",
                f"SET LOCAL lock_timeout = {milliseconds}",
            ]
        case "mysql" | "mariadb":
            limit = (
                f"SET SESSION max_statement_time = {timeout_s}"
                if getattr(dialect, "is_mariadb", False)
                else f"SET SESSION max_execution_time = {milliseconds}"
            )
            return [limit, "SET SESSION TRANSACTION READ ONLY"]
        case "oracle":
            return ["SET TRANSACTION READ ONLY"]
        case "sqlite":
            return ["PRAGMA query_only = ON", "PRAGMA trusted_schema = OFF"]
    return []


@contextmanager
def hung_up_after(connection: sa.Connection, timeout_s: float) -> Iterator[None]:
    """Cut a wait short that the other side's own limit does not end: SourceTimeout.

    A server that is frozen, or a proxy that lost it, keeps the connection and
    says nothing. Shutting the socket from another thread is what ends the wait.
    """
    raw = connection.connection.driver_connection
    if isinstance(raw, sqlite3.Connection):
        deadline = time.monotonic() + timeout_s
        raw.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
        yield
        return
    descriptor = getattr(raw, "fileno", None)
    if descriptor is None:
        yield
        return
    fired = threading.Event()

    def hang_up() -> None:
        fired.set()
        # The driver may be closing it at this moment: then there is nothing to do.
        with suppress(Exception), socket.socket(fileno=os.dup(descriptor())) as copy:
            copy.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(timeout_s + GRACE_S, hang_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    except DBAPIError:
        if not fired.is_set():
            raise
        raise SourceTimeout("The database keeps the connection but does not answer.") from None
    finally:
        timer.cancel()
        timer.join()
