"""Jobs of sources."""

from __future__ import annotations

import uuid

from oneform.sources.errors import SourceUnavailable
from oneform.sources.fetching import run_source
from oneform.sources.jobs import SourceJob
from oneform.sources.runs import put_off_run
from workers.queues import QueueName
from workers.registry import JobRun, job


@job(SourceJob.RUN_SOURCE, QueueName.FETCH)
def run_whole_source(run: JobRun) -> None:
    """Read a whole source; a source that is away is tried again later."""
    run_id = uuid.UUID(run.args["run_id"])
    try:
        run_source(run.runtime, run_id)
    except SourceUnavailable as error:
        with run.last() as ctx:
            put_off_run(ctx, run_id, error.retry_after)
        return
    with run.last():
        pass
