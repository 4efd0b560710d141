"""How the database plans what touches many rows."""

from __future__ import annotations

from typing import Any

import psycopg
import sqlalchemy as sa

from oneform.kernel.context import Context

PREPARED_AFTER = 5
"""How often a statement is sent whole before the driver has the database keep it."""


def plan_afresh(ctx: Context) -> None:
    """Have each statement of this transaction planned for what it is given.

    A statement that the database keeps, and that has run ten times on a connection, gets a plan
    for any parameters, made from what was known then. For one row that saves the planning; for
    ten thousand in a temporary table it has been a loop over them that took forty times as long.

    Not by `plan_cache_mode`: that would also plan the checks of foreign keys anew for each row.
    """
    _driver(ctx.session.connection().connection.driver_connection).prepare_threshold = None


def plan_as_usual(engine: sa.Engine) -> None:
    """Have connections that go back to the pool of `engine` keep statements again."""

    @sa.event.listens_for(engine, "checkin")
    def restore(connection: Any, _record: object) -> None:
        if connection is not None:  # it may have been lost
            _driver(connection).prepare_threshold = PREPARED_AFTER


def _driver(connection: Any) -> psycopg.Connection:
    assert isinstance(connection, psycopg.Connection)
    return connection
