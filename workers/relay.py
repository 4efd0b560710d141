"""The relay: hands outbox rows to Redis, a few at a time, fairly.

Woken by NOTIFY (work has come, or a job has ended), and by a poll for what
became due or lost its lease. It keeps only a few times the workers' number in
flight, so that a large request of one agency never stands before a small one of
another, and so that losing Redis loses nothing: rows stay in PostgreSQL until
their job's own transaction deletes them. Any number of relays may run.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
import redis
import sqlalchemy as sa
import structlog
from rq import Queue

from oneform.kernel.outbox import CHANNEL
from oneform.runtime import Runtime
from oneform.runtime.presence import workers_by_queue
from workers.jobs import JOBS
from workers.lease import LEASE_S, first_line
from workers.leasing import Leased, lease_rows, release_rows
from workers.queues import ALL

IN_FLIGHT = 2
"""Rows in flight for each worker of a queue: one that is worked on, one that waits in Redis."""

POLL_S = 1.0
REDIS_TIMEOUT_S = 5.0
LONGEST_PAUSE_S = 5.0

JOB_LIMIT_S = 3600
"""RQ's own limit for a job; a job that is alive renews its lease and is left alone."""

MESSAGE_TTL_S = 86_400
"""Redis forgets a message whose worker died with it; the row has long been handed over again."""

PERFORM = "workers.perform.perform"

log = structlog.get_logger(__name__)


def hand_over(client: redis.Redis, rows: list[Leased]) -> None:
    """Put leased rows on their queues, in one round trip."""
    if not rows:
        return
    with client.pipeline() as pipe:
        for row in rows:
            Queue(row.queue, connection=client).enqueue_call(
                PERFORM,
                args=(row.id, row.lease),
                job_id=f"{row.id}-{row.lease}",
                timeout=JOB_LIMIT_S,
                ttl=MESSAGE_TTL_S,
                result_ttl=0,
                failure_ttl=60,
                description=row.job,
                pipeline=pipe,
            )
        pipe.execute()


@dataclass
class Relay:
    """The relay's loop, until it is told to stop."""

    runtime: Runtime
    lease_s: float = LEASE_S
    stopping: bool = False

    def __post_init__(self) -> None:
        self.client = self.runtime.redis(timeout=REDIS_TIMEOUT_S)
        self._workers: Mapping[str, int] = {}
        self._counted_at = 0.0
        self._in_trouble = False

    def stop(self, *_: object) -> None:
        self.stopping = True

    def relay_once(self) -> int:
        """One round: lease what there is room for and hand it over; how many rows.

        Without workers nothing is handed over. If Redis fails half-way, the rows are given back at
        once: what did arrive carries a number that is no longer claimed.
        """
        room = {queue: count * IN_FLIGHT for queue, count in self._count_workers().items()}
        rows = lease_rows(
            self.runtime.engine,
            queue_of={name: job.queue.value for name, job in JOBS.items()},
            room=room,
            seconds=self.lease_s,
        )
        try:
            hand_over(self.client, rows)
        except redis.RedisError:
            release_rows(self.runtime.engine, rows)
            raise
        return len(rows)

    def _count_workers(self) -> Mapping[str, int]:
        """Workers of each queue; looked up at most once in `POLL_S`, or while there are none."""
        if time.monotonic() - self._counted_at >= POLL_S or not any(self._workers.values()):
            self._workers = workers_by_queue(self.client, [queue.value for queue in ALL])
            self._counted_at = time.monotonic()
        return self._workers

    def run(self) -> None:
        """Work until stopped; trouble with a server is waited out, with one line in the log."""
        pause = 0.25
        while not self.stopping:
            try:
                self._listen()
            except (redis.RedisError, psycopg.Error, sa.exc.SQLAlchemyError) as error:
                if not self._in_trouble:
                    pause = 0.25
                    log.warning("relay waits for a server", error=first_line(error))
                self._in_trouble = True
                time.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)

    def _listen(self) -> None:
        url = sa.make_url(str(self.runtime.settings.database_url))
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(
            plain, autocommit=True, application_name="oneform relay", connect_timeout=5
        ) as listener:
            listener.execute(f"LISTEN {CHANNEL}")
            while not self.stopping:
                while self.relay_once() and not self.stopping:
                    pass
                if self._in_trouble:
                    self._in_trouble = False
                    log.info("relay works again")
                for _ in listener.notifies(timeout=POLL_S, stop_after=1):
                    pass
