"""Leave to call a source: its circuit breaker, its calls per minute, its calls at once.

The first two are judged in a transaction over before the call; the third is an
advisory lock of a connection of its own, so that it ends with the process that
holds it, whatever ends that.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from oneform.kernel.context import Context
from oneform.kernel.locks import Space
from oneform.sources.definition import Limits
from oneform.sources.errors import SourceBusy, SourceUnavailable

FAILURES_BEFORE_BREAK = 5
FIRST_BREAK_S = 30
LONGEST_BREAK_S = 3600
WINDOW = dt.timedelta(minutes=1)
BUSY_RETRY_S = 2

# Keys of two numbers are a space of their own in PostgreSQL, apart from `oneform.kernel.locks`.
_SLOTS_PER_SOURCE = 64
_RUNS = int(Space.SOURCE) + 1_000


def claim(ctx: Context, source_id: int, limits: Limits, run_id: uuid.UUID) -> None:
    """Count one more call of the run; SourceUnavailable or SourceBusy where none may be made now."""
    now = ctx.clock.now()
    closed_until = ctx.sql(
        "SELECT closed_until FROM source WHERE id = :id FOR NO KEY UPDATE", id=source_id
    ).scalar_one()
    if closed_until is not None and closed_until > now:
        raise SourceUnavailable(
            "The source failed several times in a row and is left alone for a while.",
            retry_after=(closed_until - now).total_seconds(),
        )
    recent = ctx.sql(
        "SELECT coalesce(sum(CAST(counts ->> 'calls' AS int)), 0) AS calls, "
        "min(created_at) AS since FROM source_run "
        "WHERE source_id = :id AND created_at > :since AND counts ? 'calls'",
        id=source_id,
        since=now - WINDOW,
    ).one()
    if recent.calls >= limits.calls_per_minute:
        raise SourceBusy(
            f"The source takes {limits.calls_per_minute} calls a minute.",
            retry_after=max(0.1, (recent.since + WINDOW - now).total_seconds()),
        )
    ctx.sql(
        "UPDATE source_run SET state = 'running', error = NULL, counts = counts || "
        "jsonb_build_object('calls', coalesce(CAST(counts ->> 'calls' AS int), 0) + 1) "
        "WHERE id = :run",
        run=run_id,
    )


def note_success(ctx: Context, source_id: int) -> None:
    ctx.sql(
        "UPDATE source SET failures = 0, closed_until = NULL "
        "WHERE id = :id AND (failures > 0 OR closed_until IS NOT NULL)",
        id=source_id,
    )


def note_failure(ctx: Context, source_id: int) -> float:
    """Count a failed call; the seconds before another is worth while.

    After five in a row the source is left alone, twice as long each time, up to an hour.
    """
    failures = ctx.sql(
        "UPDATE source SET failures = failures + 1 WHERE id = :id RETURNING failures", id=source_id
    ).scalar_one_or_none()
    if failures is None or failures < FAILURES_BEFORE_BREAK:
        return float(2 ** (failures or 1))
    pause = min(LONGEST_BREAK_S, FIRST_BREAK_S * 2 ** min(failures - FAILURES_BEFORE_BREAK, 20))
    ctx.sql(
        "UPDATE source SET closed_until = :until WHERE id = :id",
        id=source_id,
        until=ctx.clock.now() + dt.timedelta(seconds=pause),
    )
    return float(pause)


@contextmanager
def slot(engine: sa.Engine, source_id: int, limits: Limits, run_id: uuid.UUID) -> Iterator[None]:
    """One of the source's calls at once; SourceBusy when all are taken, or the run is at work.

    Never waits, and holds no transaction open.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        keys = [
            (int(Space.SOURCE), source_id * _SLOTS_PER_SOURCE + number)
            for number in range(limits.concurrency)
        ]
        run = (_RUNS, _number(run_id))
        if not _try(connection, run):
            raise SourceBusy("This run is at work already.", retry_after=BUSY_RETRY_S)
        try:
            taken = next((key for key in keys if _try(connection, key)), None)
            if taken is None:
                raise SourceBusy(
                    f"The source takes {limits.concurrency} calls at once.",
                    retry_after=BUSY_RETRY_S,
                )
            try:
                yield
            finally:
                _release(connection, taken)
        finally:
            _release(connection, run)


def is_at_work(ctx: Context, run_id: uuid.UUID) -> bool:
    """Whether some process holds the run at this moment."""
    space, number = _RUNS, _number(run_id)
    return not ctx.sql(
        "SELECT pg_try_advisory_xact_lock(:space, :number)", space=space, number=number
    ).scalar_one()


def _number(run_id: uuid.UUID) -> int:
    """A run's id as 32 signed bits, from its random end."""
    return int.from_bytes(run_id.bytes[-4:], "big", signed=True)


def _try(connection: sa.Connection, key: tuple[int, int]) -> bool:
    return bool(connection.scalar(sa.text("SELECT pg_try_advisory_lock(:a, :b)"), _pair(key)))


def _release(connection: sa.Connection, key: tuple[int, int]) -> None:
    # A broken connection has released it already.
    if not connection.closed and not connection.invalidated:
        connection.execute(sa.text("SELECT pg_advisory_unlock(:a, :b)"), _pair(key))


def _pair(key: tuple[int, int]) -> dict[str, int]:
    return {"a": key[0], "b": key[1]}
