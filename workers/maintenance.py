"""Sweeps: what time makes necessary. Each finds its work, and hands it out piece by piece."""

from __future__ import annotations

from oneform.identity.sessions import forget_expired
from oneform.kernel.idempotency import forget_old_answers
from oneform.kernel.outbox import JobName
from oneform.requests import sweeps
from oneform.requests.expiring import requests_with_grants_run_out
from oneform.requests.jobs import RequestJob
from oneform.requests.withdrawal import expire_asks
from oneform.sources.runs import tidy_runs
from oneform.values.imports.ending import tidy_imports
from workers.queues import QueueName
from workers.registry import JobRun, job


class MaintenanceJob(JobName):
    SWEEP_REQUESTS = "sweep_requests"
    SWEEP_ASKS = "sweep_asks"
    RETRY_SHARES = "retry_shares"
    CLEAN_UP = "clean_up"


@job(MaintenanceJob.SWEEP_REQUESTS, QueueName.MAINTAIN)
def sweep_requests(run: JobRun) -> None:
    """Requests whose due date has passed, or a grant of theirs has run out."""
    with run.last() as ctx:
        for request_id in requests_with_grants_run_out(ctx):
            ctx.outbox.enqueue(
                RequestJob.EXPIRE_GRANTS, key=f"expire:{request_id}", request_id=request_id
            )
        for request_id in sweeps.requests_past_due(ctx):
            ctx.outbox.enqueue(
                RequestJob.CLOSE_DUE_REQUEST, key=f"close:{request_id}", request_id=request_id
            )


@job(MaintenanceJob.SWEEP_ASKS, QueueName.MAINTAIN)
def sweep_asks(run: JobRun) -> None:
    """Asks that are past late days, or whose field is on the list no more; region by region."""
    with run.context() as ctx:
        late = sweeps.regions_with_late_asks(ctx)
        unlisted = sweeps.regions_with_unlisted_asks(ctx)
    for region_id in late:
        with run.context() as ctx:
            expire_asks(ctx, region_id)
    for region_id in unlisted:
        with run.context() as ctx:
            sweeps.withdraw_unlisted_asks(ctx, region_id)
    with run.last():
        pass


@job(MaintenanceJob.RETRY_SHARES, QueueName.MAINTAIN)
def retry_shares(run: JobRun) -> None:
    """Requests that still wait for a source."""
    with run.last() as ctx:
        for request_id in sweeps.requests_that_retry(ctx):
            ctx.outbox.enqueue(
                RequestJob.RETRY_SOURCES, key=f"retry:{request_id}", request_id=request_id
            )


@job(MaintenanceJob.CLEAN_UP, QueueName.MAINTAIN)
def clean_up(run: JobRun) -> None:
    """Kept answers, sessions and access tokens past their time; reports of runs and imports."""
    with run.last() as ctx:
        forget_old_answers(ctx)
        forget_expired(ctx)
        tidy_runs(ctx)
        tidy_imports(ctx)
