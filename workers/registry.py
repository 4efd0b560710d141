"""From a job's name to its body and queue.

A body is a few lines: it opens contexts and calls services. It gets a `JobRun`,
may run twice, and does its last work in `run.last()`, whose transaction also
takes the job off the outbox.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from oneform.kernel.actor import SYSTEM
from oneform.kernel.context import Context
from oneform.kernel.outbox import JobName
from oneform.runtime import Runtime
from workers.queues import QueueName


class LeaseLost(RuntimeError):
    """The job was handed to another worker in the meantime; its work is rolled back here."""


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run of one job: what it was given, and how it writes."""

    runtime: Runtime
    row_id: int
    lease: int
    args: dict[str, Any]
    agency_id: int = 0

    def context(self) -> AbstractContextManager[Context]:
        """A unit of work on the way; the job stays on the outbox."""
        return self.runtime.context(SYSTEM)

    @contextmanager
    def last(self) -> Iterator[Context]:
        """The unit of work that ends the job. LeaseLost, and nothing done, if it is not ours any more."""
        with self.runtime.context(SYSTEM) as ctx:
            yield ctx
            ours = ctx.sql(
                "DELETE FROM outbox WHERE id = :id AND lease = :lease",
                id=self.row_id,
                lease=self.lease,
            ).rowcount
            if ours != 1:
                raise LeaseLost(f"outbox row {self.row_id} is not leased to this run any more")


Body = Callable[[JobRun], None]


@dataclass(frozen=True, slots=True)
class Job:
    name: str
    queue: QueueName
    body: Body


JOBS: dict[str, Job] = {}


def job(name: JobName, queue: QueueName) -> Callable[[Body], Body]:
    """Register the body of a job."""

    def register(body: Body) -> Body:
        if name.value in JOBS:
            raise ValueError(f"two bodies for the job {name.value}")
        JOBS[name.value] = Job(name.value, queue, body)
        return body

    return register
