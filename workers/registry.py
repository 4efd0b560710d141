"""From a job's name to its body and queue.

A body is a few lines: it opens contexts and calls services. It gets a `JobRun`,
may run twice, and does its last work in `run.last()`, whose transaction also
takes the job off the outbox.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from oneform.kernel.actor import SYSTEM
from oneform.kernel.context import Context
from oneform.kernel.outbox import CHANNEL, JobName
from oneform.runtime import Runtime
from workers.queues import QueueName

STOPPING = threading.Event()
"""Set when this process is to end: runs stop before their next unit of work."""


class RunEnded(BaseException):
    """This run stops here. No `Exception`, so that no body takes it for trouble of its own."""


class LeaseLost(RunEnded):
    """The job was handed to another worker in the meantime; what is not committed is rolled back."""


class HandedBack(RunEnded):
    """The process is to end; another one goes on from what is committed."""


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run of one job: what it was given, and how it writes."""

    runtime: Runtime
    row_id: int
    lease: int
    args: dict[str, Any]
    agency_id: int = 0
    lost: threading.Event = field(default_factory=threading.Event)

    def context(self) -> AbstractContextManager[Context]:
        """A unit of work on the way; the job stays on the outbox. RunEnded, before it is opened."""
        if self.lost.is_set():
            raise LeaseLost(f"outbox row {self.row_id} was handed to another run")
        if STOPPING.is_set():
            raise HandedBack
        return self.runtime.context(SYSTEM)

    @contextmanager
    def last(self) -> Iterator[Context]:
        """The unit of work that ends the job. LeaseLost, and nothing done, if it is not ours any more."""
        with self.runtime.context(SYSTEM) as ctx:
            yield ctx
            gone = ctx.sql(_FINISH, id=self.row_id, lease=self.lease, channel=CHANNEL)
            if gone.one_or_none() is None:
                raise LeaseLost(f"outbox row {self.row_id} was handed to another run")

    def free_key(self, ctx: Context) -> None:
        """Let the job be enqueued anew under its key, in the unit of work that ends this run."""
        ctx.sql("UPDATE outbox SET key = NULL WHERE id = :id", id=self.row_id)


# The relay is told, since there is room for another job now.
_FINISH = sa.text(
    "WITH gone AS (DELETE FROM outbox WHERE id = :id AND lease = :lease RETURNING id) "
    "SELECT pg_notify(:channel, '') FROM gone"
)

Body = Callable[[JobRun], None]
TellStuck = Callable[[Context, dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Job:
    name: str
    queue: QueueName
    body: Body
    tell_stuck: TellStuck | None = None
    """Puts on record, where others look, that the work on something does not get on."""


JOBS: dict[str, Job] = {}


def job(
    name: JobName, queue: QueueName, *, tell_stuck: TellStuck | None = None
) -> Callable[[Body], Body]:
    """Register the body of a job."""

    def register(body: Body) -> Body:
        if name.value in JOBS:
            raise ValueError(f"two bodies for the job {name.value}")
        JOBS[name.value] = Job(name.value, queue, body, tell_stuck)
        return body

    return register
