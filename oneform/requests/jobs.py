"""Names of the jobs of requests; their bodies are in `workers/`."""

from __future__ import annotations

from oneform.kernel.outbox import JobName


class RequestJob(JobName):
    RESOLVE_REQUEST = "resolve_request"
    RETRY_SOURCES = "retry_sources"
    CLOSE_DUE_REQUEST = "close_due_request"
