"""What RQ executes: one outbox row, by its id and the number it was handed over under."""

from __future__ import annotations

import random
import time

import sqlalchemy as sa
import structlog

from oneform.kernel.actor import SYSTEM
from oneform.kernel.outbox import STUCK_AFTER
from oneform.runtime import Runtime
from oneform.values.errors import TryAgain, has_met_another
from workers.jobs import JOBS
from workers.lease import LEASE_S, Claimed, claim, first_line, hand_back, keeping, put_back
from workers.queues import QueueName
from workers.registry import HandedBack, JobRun, LeaseLost

ATTEMPTS_AT_ONCE = 3
"""How often a job is begun anew at once after it met another one; then it waits like any failure."""

log = structlog.get_logger(__name__)

_runtime: Runtime | None = None


def open_runtime() -> Runtime:
    """This process's runtime, opened at the first use."""
    global _runtime  # RQ calls a plain function; there is one runtime for each process
    if _runtime is None:
        _runtime = Runtime.from_environment(application="oneform worker")
    return _runtime


def perform(row_id: int, handed: int) -> None:
    """Run the job of an outbox row, if it is still there and still the one that was handed over."""
    perform_with(open_runtime(), row_id, handed, lease_s=LEASE_S)


def perform_with(runtime: Runtime, row_id: int, handed: int, *, lease_s: float = LEASE_S) -> None:
    """As `perform`, with a runtime at hand. Never raises: a failure goes back to the outbox.

    Where even that cannot be written, the lease runs out, and the relay hands the row over again.
    """
    try:
        claimed = claim(runtime.engine, row_id, handed, lease_s)
        if claimed is not None:
            with keeping(runtime.engine, claimed, lease_s):
                _run(runtime, claimed)
    except sa.exc.SQLAlchemyError as error:
        log.warning("job left to its lease", row=row_id, error=first_line(error))


def _run(runtime: Runtime, claimed: Claimed) -> None:
    run = JobRun(runtime, claimed.id, claimed.lease, claimed.args, claimed.agency_id, claimed.lost)
    began = time.monotonic()
    try:
        _body(run, claimed.job)
    except LeaseLost as error:
        log.warning("lease lost", job=claimed.job, row=claimed.id, error=str(error))
    except HandedBack:
        log.info("job handed back", job=claimed.job, row=claimed.id)
        hand_back(runtime.engine, claimed)
    except Exception as error:
        # Whatever it was, the work is still to be done; the row keeps the reason.
        expected = has_met_another(error) or isinstance(error, sa.exc.OperationalError)
        log.warning(
            "job failed, and is tried again later",
            job=claimed.job,
            row=claimed.id,
            error=first_line(error),
            exc_info=not expected,
        )
        attempts = put_back(runtime.engine, claimed, f"{type(error).__name__}: {error}")
        if attempts and attempts % STUCK_AFTER == 0:
            _tell_stuck(runtime, claimed, attempts, error)
    else:
        # Sweeps come every few seconds, and mostly find nothing.
        tell = log.debug if JOBS[claimed.job].queue is QueueName.MAINTAIN else log.info
        tell("job done", job=claimed.job, row=claimed.id, seconds=_since(began))


def _tell_stuck(runtime: Runtime, claimed: Claimed, attempts: int, error: Exception) -> None:
    """Say that a job does not get through: to the operator, and to whoever waits for its work."""
    log.error(
        "job fails again and again",
        job=claimed.job,
        row=claimed.id,
        args=claimed.args,
        attempts=attempts,
        error=first_line(error),
    )
    tell = JOBS[claimed.job].tell_stuck
    if tell is not None:
        with runtime.context(SYSTEM) as ctx:
            tell(ctx, claimed.args)


def _body(run: JobRun, name: str) -> None:
    """Run the body; anew, where two jobs met and this one had to give way."""
    for attempt in range(1, ATTEMPTS_AT_ONCE + 1):
        try:
            JOBS[name].body(run)
            return
        except (TryAgain, sa.exc.OperationalError) as error:
            if attempt == ATTEMPTS_AT_ONCE or not has_met_another(error):
                raise
            time.sleep(random.uniform(0, 0.05 * 2**attempt))


def _since(began: float) -> float:
    return round(time.monotonic() - began, 3)
