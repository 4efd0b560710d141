"""The RQ worker: runs jobs in its own process, one after another.

No fork per job: jobs keep their own locks and leases in PostgreSQL and are made
to be killed, so a fork would only add its time, and prepared connections are
kept.
"""

from __future__ import annotations

from rq import SimpleWorker
from setproctitle import setproctitle

from workers.queues import ALL

TITLE = "oneform: worker"
JOBS_PER_PROCESS = 5000
"""Then the process is replaced, whatever its memory."""


class OneformWorker(SimpleWorker):
    """RQ's worker under oneform's process title."""

    log_job_description = False
    log_result_lifespan = False

    def procline(self, message: str) -> None:  # noqa: ARG002 - the title stays the same
        setproctitle(TITLE)


def queue_names() -> list[str]:
    return [queue.value for queue in ALL]
