"""The relay: hands outbox rows to Redis, a few at a time, fairly.

Woken by NOTIFY, and by a poll for what became due or lost its lease. It keeps
only a few times the workers' number in flight, so that a large request of one
agency never stands before a small one of another, and so that losing Redis
loses nothing: rows stay in PostgreSQL until their job's own transaction deletes
them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import psycopg
import redis
import sqlalchemy as sa
import structlog
from rq import Queue, Worker

from oneform.kernel.outbox import CHANNEL
from oneform.runtime import Runtime
from workers.jobs import JOBS
from workers.lease import LEASE_S

IN_FLIGHT_PER_WORKER = 3
POLL_S = 1.0
JOB_LIMIT_S = 3600
"""RQ's own limit for a job; a job that is alive renews its lease and is left alone."""

PERFORM = "workers.perform.perform"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Leased:
    id: int
    job: str
    lease: int


# Round-robin over agencies: first everybody's first job, counting those in flight already.
_LEASE = sa.text(
    f"""
    WITH in_flight AS (
      SELECT agency_id, count(*) AS n FROM outbox
      WHERE leased_until > clock_timestamp() GROUP BY agency_id),
    room AS (SELECT greatest(0, :most - coalesce(sum(n), 0)) AS n FROM in_flight),
    turn AS (
      SELECT o.id, coalesce(f.n, 0) + row_number() OVER (
        PARTITION BY o.agency_id ORDER BY o.run_after, o.id) AS turn
      FROM outbox AS o LEFT JOIN in_flight AS f USING (agency_id)
      WHERE o.run_after <= clock_timestamp()
        AND (o.leased_until IS NULL OR o.leased_until <= clock_timestamp())),
    chosen AS (
      SELECT id FROM turn ORDER BY turn, id LIMIT (SELECT n FROM room))
    UPDATE outbox AS o SET lease = o.lease + 1,
      leased_until = clock_timestamp() + interval '{LEASE_S} seconds'
    FROM chosen WHERE o.id = chosen.id
      AND (o.leased_until IS NULL OR o.leased_until <= clock_timestamp())
    RETURNING o.id, o.job, o.lease
    """
)

_RELEASE = sa.text("UPDATE outbox SET leased_until = NULL WHERE id = ANY(:ids)")


def lease_rows(engine: sa.Engine, most: int) -> list[Leased]:
    """Lease due rows so that `most` are in flight at the most; each under a new number."""
    with engine.begin() as connection:
        rows = connection.execute(_LEASE, {"most": most}).all()
    return [Leased(row.id, row.job, row.lease) for row in sorted(rows)]


def hand_over(client: redis.Redis, rows: list[Leased]) -> None:
    """Put leased rows on their queues."""
    for row in rows:
        Queue(JOBS[row.job].queue.value, connection=client).enqueue_call(
            PERFORM,
            args=(row.id, row.lease),
            job_id=f"{row.id}-{row.lease}",
            timeout=JOB_LIMIT_S,
            result_ttl=0,
            failure_ttl=60,
            description=row.job,
        )


def relay_once(runtime: Runtime, client: redis.Redis) -> int:
    """One round: lease what there is room for and hand it over; how many rows.

    If Redis fails half-way, the rows are given back at once.
    """
    workers = max(1, Worker.count(connection=client))
    rows = lease_rows(runtime.engine, workers * IN_FLIGHT_PER_WORKER)
    try:
        hand_over(client, rows)
    except redis.RedisError:
        with runtime.engine.begin() as connection:
            connection.execute(_RELEASE, {"ids": [row.id for row in rows]})
        raise
    return len(rows)


class Relay:
    """The relay's loop, until it is told to stop."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.client = runtime.redis()
        self.stopping = False

    def stop(self, *_: object) -> None:
        self.stopping = True

    def run(self) -> None:
        """Work until stopped; trouble with a server is waited out, with one line in the log."""
        pause = 0.5
        while not self.stopping:
            try:
                self._listen()
                pause = 0.5
            except (redis.RedisError, psycopg.Error, sa.exc.DBAPIError) as error:
                log.warning("relay waits for a server", error=str(error).splitlines()[0])
                time.sleep(pause)
                pause = min(pause * 2, 5)

    def _listen(self) -> None:
        url = sa.make_url(str(self.runtime.settings.database_url))
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True, application_name="oneform relay") as listener:
            listener.execute(f"LISTEN {CHANNEL}")
            while not self.stopping:
                while relay_once(self.runtime, self.client) and not self.stopping:
                    pass
                for _ in listener.notifies(timeout=POLL_S, stop_after=1):
                    pass
