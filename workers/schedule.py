"""The schedule: which sweeps run how often. RQ's cron puts them on their queue.

A tick only writes an outbox row, keyed by its job, so that a sweep that is late
is not run twice, and one that fails is tried again.
"""

from __future__ import annotations

import sqlalchemy as sa
import structlog
from rq.cron import CronScheduler

from oneform.kernel.outbox import JobName
from workers.lease import first_line
from workers.maintenance import MaintenanceJob
from workers.perform import open_runtime
from workers.queues import QueueName

SCHEDULE: dict[JobName, int] = {
    MaintenanceJob.SWEEP_REQUESTS: 20,
    MaintenanceJob.SWEEP_ASKS: 20,
    MaintenanceJob.RETRY_SHARES: 300,
    MaintenanceJob.CLEAN_UP: 3600,
}
"""Seconds between two runs of each sweep."""

log = structlog.get_logger(__name__)


def tick(job: str) -> None:
    """Make a sweep necessary. While the database is away there is nothing to sweep."""
    try:
        with open_runtime().context() as ctx:
            ctx.outbox.enqueue(MaintenanceJob(job), key=f"sweep:{job}")
    except sa.exc.SQLAlchemyError as error:
        log.warning("sweep left out", job=job, error=first_line(error))


def register(cron: CronScheduler) -> None:
    """Tell RQ's cron the schedule."""
    for name, seconds in SCHEDULE.items():
        cron.register(
            tick,
            queue_name=QueueName.MAINTAIN.value,
            args=(name.value,),
            interval=seconds,
            ttl=seconds,
            result_ttl=0,
            failure_ttl=60,
            job_timeout=60,
            name=name.value,
        )
