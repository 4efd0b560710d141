"""What an error of the database means to whoever sent something: for the API and the pages alike."""

from __future__ import annotations

import sqlalchemy as sa

DATA_SQLSTATES = frozenset({"22003", "22007", "22008", "22021", "22P02", "22P05"})
"""What PostgreSQL says of input that no column of the kind can hold."""


def is_away(error: sa.exc.SQLAlchemyError) -> bool:
    """Whether the database does not answer."""
    return isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError | sa.exc.TimeoutError)


def may_be_done(error: sa.exc.SQLAlchemyError) -> bool:
    """Whether nobody knows if the work was done: a connection that is lost may be lost in the commit."""
    return isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated


def sqlstate_of(error: sa.exc.SQLAlchemyError) -> str | None:
    return getattr(getattr(error, "orig", None), "sqlstate", None)


def is_unstorable(error: sa.exc.SQLAlchemyError) -> bool:
    """Whether it is input that no column can hold, such as U+0000."""
    sqlstate = sqlstate_of(error)
    # Without an SQLSTATE it is the driver that could not send it.
    return sqlstate in DATA_SQLSTATES or (isinstance(error, sa.exc.DataError) and sqlstate is None)
