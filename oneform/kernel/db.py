"""Database base: metadata, column types, engine. No table of the domain lives here."""

from __future__ import annotations

import datetime as dt
import select
import time
import uuid
from functools import lru_cache
from typing import Annotated, Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects.postgresql import psycopg as psycopg_dialect
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry

from oneform.kernel.clock import DEFAULT_TIMEZONE
from oneform.kernel.ids import new_id

PARTITIONS = 16
"""Hash partitions of each big table (DESIGN.md, model)."""

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

DISK_FULL = "53100"
"""SQLSTATE of a server that has no room to write."""

Instant = Annotated[dt.datetime, mapped_column(sa.DateTime(timezone=True))]
Json = Annotated[Any, mapped_column(pg.JSONB(none_as_null=True))]
Code = Annotated[str, mapped_column(sa.Text(collation="C"))]
"""Text that identifies: compared and sorted by bytes, the same on every machine."""
BigId = Annotated[int, mapped_column(sa.BigInteger)]
Uuid = Annotated[uuid.UUID, mapped_column(pg.UUID(as_uuid=True), default=new_id)]


class Base(DeclarativeBase):
    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map = {
        str: sa.Text(),
        dt.datetime: sa.DateTime(timezone=True),
        int: sa.Integer(),
        list[str]: pg.ARRAY(sa.Text),
        dict[str, Any]: pg.JSONB(none_as_null=True),
        uuid.UUID: pg.UUID(as_uuid=True),
    }


BY_REGION = {"postgresql_partition_by": "HASH (region_id)"}
"""`__table_args__` of a big table; `create_partitions` makes its parts."""


def partition_statements(table: str) -> list[str]:
    """DDL of the parts of one hash-partitioned table."""
    return [
        f"CREATE TABLE {table}_p{part:02d} PARTITION OF {table} "
        f"FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {part})"
        for part in range(PARTITIONS)
    ]


CHECKED_AFTER_S = 0.5
"""How long a connection may have been idle before the server is asked whether it is still there.
Before, it is enough that nothing has come from it: a server that ends a connection says so, and a
round trip each time would be for nothing under load."""


def day_option(timezone: str) -> str:
    """What a connection is opened with, so that the database's day (`oneform_today()`) is that of
    the configured zone. It costs no round trip."""
    return f"-c oneform.timezone={timezone}"


def create_engine(
    url: str,
    *,
    pool_size: int = 8,
    application: str = "oneform",
    timezone: str = DEFAULT_TIMEZONE,
) -> sa.Engine:
    """An engine whose connections are checked before use and never sit idle in transaction.

    `timezone` says which day it is for them; their instants are in UTC.
    """
    engine = sa.create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_recycle=1800,
        connect_args={
            "application_name": application,
            "options": "-c timezone=UTC -c idle_in_transaction_session_timeout=120000 -c jit=off "
            + day_option(timezone),
        },
    )

    def note_use(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["used_at"] = time.monotonic()

    def check_idle(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
        used_at = record.info.get("used_at")
        if used_at is None:
            return
        if time.monotonic() - used_at < CHECKED_AFTER_S and not _has_news(connection):
            return
        try:
            engine.dialect.do_ping(connection)
        except psycopg.Error as error:
            # The pool makes new connections, and gives one of those.
            raise sa.exc.InvalidatePoolError from error

    sa.event.listen(engine, "checkin", note_use)
    sa.event.listen(engine, "checkout", check_idle)
    return engine


_DIALECT = psycopg_dialect.dialect()  # type: ignore[no-untyped-call]


@lru_cache(maxsize=4096)
def driver_text(statement: str) -> str:
    """A statement with `:name` parameters as the driver wants it: `%(name)s`, other percent signs
    doubled."""
    return str(sa.text(statement).compile(dialect=_DIALECT))


def _has_news(connection: psycopg.Connection[Any]) -> bool:
    """Whether something has come from the server, or the connection is at its end."""
    poll = select.poll()
    try:
        poll.register(connection.fileno(), select.POLLIN)
    except psycopg.Error:
        return True
    return bool(poll.poll(0))
