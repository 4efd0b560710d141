"""Jobs of requests."""

from __future__ import annotations

import uuid
from typing import Any

from oneform.kernel.context import Context
from oneform.requests.expiring import expire_grants
from oneform.requests.jobs import RequestJob
from oneform.requests.resolving import (
    fetch_and_resolve,
    resolve_regions,
    retry_sources,
    tell_held_up,
)
from oneform.requests.sweeps import close_due_request
from workers.queues import QueueName
from workers.registry import JobRun, job


def tell_stuck(ctx: Context, args: dict[str, Any]) -> None:
    """The agency sees among the events of its request that it does not get on."""
    tell_held_up(ctx, uuid.UUID(args["request_id"]))


@job(RequestJob.RESOLVE_REQUEST, QueueName.RESOLVE, tell_stuck=tell_stuck)
def resolve_request(run: JobRun) -> None:
    """Decide and ask for some regions of a request, one transaction each."""
    resolve_regions(run, uuid.UUID(run.args["request_id"]), run.args["region_ids"])


@job(RequestJob.FETCH_AND_RESOLVE, QueueName.FETCH, tell_stuck=tell_stuck)
def fetch_for_request(run: JobRun) -> None:
    """Call the sources for one region of a request, then ask for what is still missing."""
    fetch_and_resolve(run, uuid.UUID(run.args["request_id"]), run.args["region_id"])


@job(RequestJob.RETRY_SOURCES, QueueName.FETCH, tell_stuck=tell_stuck)
def retry_request_sources(run: JobRun) -> None:
    """Try the sources of a request again for what nobody may be asked for."""
    retry_sources(run, uuid.UUID(run.args["request_id"]))


@job(RequestJob.CLOSE_DUE_REQUEST, QueueName.MAINTAIN, tell_stuck=tell_stuck)
def close_request(run: JobRun) -> None:
    """Let the due date of a request do its work."""
    with run.last() as ctx:
        close_due_request(ctx, uuid.UUID(run.args["request_id"]))


@job(RequestJob.EXPIRE_GRANTS, QueueName.MAINTAIN, tell_stuck=tell_stuck)
def expire_grants_of_request(run: JobRun) -> None:
    """End the grants of a request whose last day has passed."""
    with run.last() as ctx:
        expire_grants(ctx, uuid.UUID(run.args["request_id"]))
