"""Holding a job: one worker at a time, for as long as it lives and renews.

The row's `lease` number says who it was handed to last; a session lock on its
id keeps an older run and its replacement from working side by side. Both live
and die with a database connection of their own, never with Redis.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import structlog

LEASE_S = 30
"""What has not renewed its lease for so long is handed over again (DESIGN.md §6)."""

RENEW_S = 10

_LOCK_SPACE = 9 << 56
"""Advisory keys of outbox rows, apart from the spaces of `oneform.kernel.locks`."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LeasedRow:
    job: str
    args: dict[str, Any]
    agency_id: int


@contextmanager
def hold(engine: sa.Engine, row_id: int, lease: int) -> Iterator[LeasedRow | None]:
    """The outbox row while it is leased to us under this number; None if it is not, or is done."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        key = _LOCK_SPACE | row_id
        if not connection.scalar(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": key}):
            yield None
            return
        try:
            row = connection.execute(_RENEW, {"id": row_id, "lease": lease}).one_or_none()
            if row is None:
                yield None
                return
            with _renewing(connection, row_id, lease):
                yield LeasedRow(row.job, row.args, row.agency_id)
        finally:
            connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": key})


_RENEW = sa.text(
    f"UPDATE outbox SET leased_until = clock_timestamp() + interval '{LEASE_S} seconds' "
    "WHERE id = :id AND lease = :lease RETURNING job, args, agency_id"
)


@contextmanager
def _renewing(connection: sa.Connection, row_id: int, lease: int) -> Iterator[None]:
    """Renew the lease from a thread while the job works."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(RENEW_S):
            try:
                connection.execute(_RENEW, {"id": row_id, "lease": lease})
            except sa.exc.DBAPIError as error:
                # The job's own transactions will meet the same trouble and tell of it.
                log.warning("lease not renewed", row=row_id, error=str(error.orig))
                return

    thread = threading.Thread(target=renew, name=f"lease-{row_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


_FAILED = sa.text(
    "UPDATE outbox SET attempts = attempts + 1, last_error = :error, leased_until = NULL, "
    "run_after = clock_timestamp() + make_interval(secs => least(600, power(2, attempts) * 2)) "
    "WHERE id = :id AND lease = :lease"
)


def put_back(engine: sa.Engine, row_id: int, lease: int, error: str) -> None:
    """Leave a failed job for later: after 2 s, 4 s, … 10 min. It is never dropped."""
    with engine.begin() as connection:
        connection.execute(_FAILED, {"id": row_id, "lease": lease, "error": error[:2000]})
