"""Leases of outbox rows: one run at a time, for as long as it lives and renews.

A row's number `lease` says whose it is. It grows when the relay hands the row
over, and again when a worker claims it: a message that comes twice, late, or
out of a Redis that forgot what it had given away finds nothing to claim, and a
run that was replaced can neither renew nor finish. All times are the database's.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
import structlog

from oneform.kernel.outbox import CHANNEL

LEASE_S = 30.0
"""What has not renewed its lease for so long is handed over again (DESIGN.md §6)."""

RENEWALS = 3
"""Renewals in the time of one lease."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row that is ours to work on, under the number `lease`."""

    id: int
    lease: int
    job: str
    args: dict[str, Any]
    agency_id: int
    lost: threading.Event = field(default_factory=threading.Event)
    """Set when somebody else has the row, or it is gone."""


# Durable, unlike the relay's numbers: a number that a run holds is never given out again.
_CLAIM = sa.text(
    "UPDATE outbox SET lease = lease + 1, "
    "leased_until = clock_timestamp() + make_interval(secs => :seconds) "
    "WHERE id = :id AND lease = :lease RETURNING lease, job, args, agency_id"
)
_RENEW = sa.text(
    "UPDATE outbox SET leased_until = clock_timestamp() + make_interval(secs => :seconds) "
    "WHERE id = :id AND lease = :lease"
)
_NOT_DURABLE = sa.text("SET LOCAL synchronous_commit TO off")


def claim(engine: sa.Engine, row_id: int, handed: int, seconds: float) -> Claimed | None:
    """Take the row that was handed over under the number `handed`; None if it is done or another's."""
    with engine.begin() as connection:
        row = connection.execute(
            _CLAIM, {"id": row_id, "lease": handed, "seconds": seconds}
        ).one_or_none()
    return None if row is None else Claimed(row_id, row.lease, row.job, row.args, row.agency_id)


@contextmanager
def keeping(engine: sa.Engine, claimed: Claimed, seconds: float) -> Iterator[None]:
    """Renew the lease from a thread while the job works."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(seconds / RENEWALS):
            try:
                ours = _renew(engine, claimed, seconds)
            except sa.exc.SQLAlchemyError as error:
                # The row may still be ours when the database is back.
                log.warning("lease not renewed", row=claimed.id, error=first_line(error))
                continue
            if not ours:
                claimed.lost.set()
                return

    thread = threading.Thread(target=renew, name=f"lease-{claimed.id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _renew(engine: sa.Engine, claimed: Claimed, seconds: float) -> bool:
    with engine.begin() as connection:
        connection.execute(_NOT_DURABLE)
        renewed = connection.execute(
            _RENEW, {"id": claimed.id, "lease": claimed.lease, "seconds": seconds}
        )
        return renewed.rowcount == 1


_PUT_BACK = sa.text(
    "WITH back AS (UPDATE outbox SET attempts = attempts + 1, last_error = :error, "
    "leased_until = NULL, run_after = clock_timestamp() "
    "+ make_interval(secs => least(600, 2 * power(2, least(attempts, 10)))) "
    "WHERE id = :id AND lease = :lease RETURNING attempts) "
    "SELECT attempts, pg_notify(:channel, '') FROM back"
)
_HAND_BACK = sa.text(
    "WITH back AS (UPDATE outbox SET leased_until = NULL "
    "WHERE id = :id AND lease = :lease RETURNING id) "
    "SELECT pg_notify(:channel, '') FROM back"
)


def put_back(engine: sa.Engine, claimed: Claimed, error: str) -> int:
    """Leave a failed job for later: after 2 s, 4 s, … 10 min. It is never dropped.

    How often it has failed now; 0 if it is another's.
    """
    with engine.begin() as connection:
        row = connection.execute(
            _PUT_BACK,
            # NUL cannot be stored, and an error may quote anything.
            {**_place(claimed), "error": error[:2000].replace("\0", "")},
        ).one_or_none()
    return 0 if row is None else int(row.attempts)


def hand_back(engine: sa.Engine, claimed: Claimed) -> None:
    """Let somebody else go on at once: nothing failed."""
    with engine.begin() as connection:
        connection.execute(_HAND_BACK, _place(claimed))


def _place(claimed: Claimed) -> dict[str, Any]:
    return {"id": claimed.id, "lease": claimed.lease, "channel": CHANNEL}


def first_line(error: BaseException) -> str:
    """What went wrong, in one line for the log."""
    return (str(getattr(error, "orig", None) or error).splitlines() or [type(error).__name__])[0]
