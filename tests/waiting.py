"""Waiting for somebody who waits for a lock."""

from __future__ import annotations

from concurrent.futures import Future
from time import monotonic, sleep
from typing import Any

import sqlalchemy as sa

LONGEST_S = 60

_BLOCKED = sa.text(
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def wait_until_blocked(
    engine: sa.Engine, work: Future[Any] | None = None, *, others: int = 0
) -> None:
    """Until one more than `others` wait for a lock in this database, or the work is over."""
    end = monotonic() + LONGEST_S
    with engine.connect() as connection:
        while work is None or not work.done():
            if connection.execute(_BLOCKED).scalar_one() > others:
                return
            # What is told of activity stays as it is within a transaction.
            connection.rollback()
            assert monotonic() < end, "nobody waits"
            sleep(0.01)
