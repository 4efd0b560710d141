"""Names of the jobs of sources; their bodies are in `workers/`."""

from __future__ import annotations

from oneform.kernel.outbox import JobName


class SourceJob(JobName):
    RUN_SOURCE = "run_source"  # run_id
