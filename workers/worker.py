"""The RQ worker: runs jobs in its own process, one after another.

No fork per job: jobs keep their leases in PostgreSQL and are made to be killed,
so a fork would only add its time, and prepared connections are kept. Redis may
go and come back at any moment; the worker waits for it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import suppress

import redis
import structlog
from redis.client import Pipeline
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.timeouts import JobTimeoutException
from rq.worker import WorkerStatus
from setproctitle import setproctitle

from workers.queues import ALL, QueueName
from workers.registry import STOPPING

TITLE = "oneform: worker"
JOBS_PER_PROCESS = 5000
"""Then the process is replaced, whatever its memory."""

HEARTBEAT_S = 10.0
QUIET_S = 60.0

log = structlog.get_logger(__name__)


class OneformWorker(SimpleWorker):
    """RQ's worker under oneform's process title, patient with Redis, and without remote control."""

    log_job_description = False
    log_result_lifespan = False
    max_connection_wait_time = 2.0
    _next_heartbeat = 0.0

    def procline(self, message: str) -> None:  # noqa: ARG002 - the title stays the same
        setproctitle(TITLE)

    def subscribe(self) -> None:
        """Nothing: whoever reaches Redis shall not steer this process."""

    def unsubscribe(self) -> None:
        """Nothing."""

    def check_for_suspension(self, burst: bool) -> None:
        """Nothing: the same."""

    def handle_warm_shutdown_request(self) -> None:
        """Let the run in hand stop before its next unit of work."""
        STOPPING.set()

    def set_shutdown_requested_date(self) -> None:
        """Nothing: this is called within a signal handler, which must not wait for Redis."""

    def set_state(self, state: str, pipeline: Pipeline | None = None) -> None:  # noqa: ARG002
        """For this process alone, which asks it when it is told to stop."""
        self._state = state

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """RQ's own sign of life, now and then. What counts is `oneform.runtime.presence`."""
        if time.monotonic() < self._next_heartbeat:
            return
        self._next_heartbeat = time.monotonic() + HEARTBEAT_S
        with suppress(redis.RedisError):
            super().heartbeat(timeout, pipeline)

    def run_maintenance_tasks(self) -> None:
        with suppress(redis.RedisError):
            super().run_maintenance_tasks()  # type: ignore[no-untyped-call]

    def register_death(self) -> None:
        with suppress(redis.RedisError):
            super().register_death()  # type: ignore[no-untyped-call]

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """As RQ's, but with patience too for a Redis that answers and takes nothing.

        So it does while its disk is full; RQ itself waits only for one that is away.
        """
        told = False
        while True:
            try:
                return super().dequeue_job_and_maintain_ttl(timeout, max_idle_time)
            except redis.ResponseError as error:
                if not told:
                    log.warning("Redis gives out no jobs", error=str(error))
                told = True
                time.sleep(self.max_connection_wait_time)

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run the job, and forget the message.

        RQ would keep an account of each: 63 commands in 27 round trips to Redis instead of 6 in 3,
        which cost more than a small job. The outbox has it already: what fails is put back there, and what dies with
        this process is handed over again.
        """
        self.set_state(WorkerStatus.BUSY)
        try:
            limit = job.timeout or self.queue_class.DEFAULT_TIMEOUT
            with self.death_penalty_class(limit, JobTimeoutException, job_id=job.id):
                job.perform()
        except Exception:
            log.exception("message not understood, or too slow", message=job.description)
        finally:
            self.set_state(WorkerStatus.IDLE)
        self._forget(job, queue)

    def _forget(self, job: Job, queue: Queue) -> None:
        """Redis may be away: then the message goes when its time is over."""
        with suppress(redis.RedisError), self.connection.pipeline() as pipe:
            pipe.delete(job.key)
            if len(self.queues) == 1:  # RQ has moved its id there
                pipe.lrem(queue.intermediate_queue_key, 1, job.id)
            pipe.execute()


class NotAgain(logging.Filter):
    """Lets a message of RQ through once a minute."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        message, now = str(record.msg), time.monotonic()
        if now - self._last.get(message, -QUIET_S) < QUIET_S:
            return False
        self._last[message] = now
        return True


def queue_names(wanted: Sequence[str] = ()) -> list[str]:
    """The queues to work on, in the order in which an idle worker looks at them; none named: all.

    ValueError for a name that is none.
    """
    chosen = {QueueName(name) for name in wanted} or set(ALL)
    return [queue.value for queue in ALL if queue in chosen]
