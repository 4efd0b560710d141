"""What RQ executes: one outbox row, by its id and lease number."""

from __future__ import annotations

import structlog

from oneform.runtime import Runtime
from oneform.values.errors import TryAgain
from workers.jobs import JOBS
from workers.lease import hold, put_back
from workers.registry import JobRun, LeaseLost

log = structlog.get_logger()

_runtime: Runtime | None = None


def open_runtime() -> Runtime:
    """This process's runtime, opened at the first use (after any fork)."""
    global _runtime  # noqa: PLW0603 - RQ calls a plain function; there is one per process
    if _runtime is None:
        _runtime = Runtime.from_environment(application="oneform worker")
    return _runtime


def perform(row_id: int, lease: int) -> None:
    """Run the job of an outbox row, if it is still there and still ours."""
    perform_with(open_runtime(), row_id, lease)


def perform_with(runtime: Runtime, row_id: int, lease: int) -> None:
    """As `perform`, with a runtime at hand. Never raises: a failure goes back to the outbox."""
    with hold(runtime.engine, row_id, lease) as row:
        if row is None:
            return
        run = JobRun(runtime, row_id, lease, row.args, row.agency_id)
        try:
            JOBS[row.job].body(run)
        except LeaseLost as error:
            log.warning("lease lost", job=row.job, row=row_id, error=str(error))
        except TryAgain as error:
            put_back(runtime.engine, row_id, lease, str(error))
        except Exception as error:
            # Whatever it was, the work is still to be done; the row keeps the reason.
            log.exception("job failed", job=row.job, row=row_id)
            put_back(runtime.engine, row_id, lease, f"{type(error).__name__}: {error}")
