"""Names of the jobs of requests; their bodies are in `workers/`."""

from __future__ import annotations

from oneform.kernel.outbox import JobName


class RequestJob(JobName):
    RESOLVE_REQUEST = "resolve_request"
    FETCH_AND_RESOLVE = "fetch_and_resolve"
    RETRY_SOURCES = "retry_sources"
    CLOSE_DUE_REQUEST = "close_due_request"
    EXPIRE_GRANTS = "expire_grants"
