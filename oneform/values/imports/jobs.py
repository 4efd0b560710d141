"""Names of the jobs of values; their bodies are in `workers/`."""

from __future__ import annotations

from oneform.kernel.outbox import JobName


class ValueJob(JobName):
    IMPORT_VALUES = "import_values"  # import_id
