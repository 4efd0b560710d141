"""Jobs of values."""

from __future__ import annotations

import uuid
from dataclasses import replace

from oneform.values.imports.ending import finish_import, tidy_imports
from oneform.values.imports.jobs import ValueJob
from oneform.values.imports.working import on_one_connection, work_import
from workers.queues import QueueName
from workers.registry import JobRun, job


@job(ValueJob.IMPORT_VALUES, QueueName.MAINTAIN)
def import_values(run: JobRun) -> None:
    """Check and record the rows of an import, region by region."""
    import_id = uuid.UUID(run.args["import_id"])
    with on_one_connection(run.runtime) as runtime:
        work_import(replace(run, runtime=runtime).context, import_id)
    with run.last() as ctx:
        finish_import(ctx, import_id)
        tidy_imports(ctx)
