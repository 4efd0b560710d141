"""Which outbox rows are handed over next: due, not leased, within the room of their queue, fairly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

LOCK = (6 << 56) | 1
"""Advisory key, apart from `oneform.kernel.locks`: relays choose one after the other."""


@dataclass(frozen=True, slots=True, order=True)
class Leased:
    """A row that was leased for a worker to claim."""

    id: int
    job: str
    queue: str
    lease: int


# Round-robin over the agencies of a queue: first everybody's first row, then everybody's second,
# counting those in flight already. Rows of jobs that this program does not know are left to others.
# Agencies and jobs are found by one step through the index each, and of each no more rows are
# looked at than there is room for: a backlog of a hundred thousand rows costs what one of ten does.
_LEASE = sa.text(
    """
    WITH RECURSIVE clock AS MATERIALIZED (SELECT clock_timestamp() AS now),
    known AS (SELECT * FROM unnest(CAST(:jobs AS text[]), CAST(:queues AS text[])) AS k (job, queue)),
    in_flight AS (
      SELECT k.queue, o.agency_id, count(*) AS n FROM outbox AS o JOIN known AS k USING (job)
      WHERE o.leased_until > (SELECT now FROM clock) GROUP BY k.queue, o.agency_id),
    room AS (
      SELECT r.queue, r.most - coalesce((SELECT sum(f.n) FROM in_flight AS f
                                         WHERE f.queue = r.queue), 0) AS free
      FROM unnest(CAST(:room_queues AS text[]), CAST(:room_most AS int[])) AS r (queue, most)),
    pair AS (
      (SELECT agency_id, job FROM outbox ORDER BY agency_id, job LIMIT 1)
      UNION ALL
      SELECT n.agency_id, n.job FROM pair AS p CROSS JOIN LATERAL (
        SELECT o.agency_id, o.job FROM outbox AS o
        WHERE (o.agency_id, o.job) > (p.agency_id, p.job)
        ORDER BY o.agency_id, o.job LIMIT 1) AS n),
    due AS (
      SELECT d.id, d.run_after, k.queue, p.agency_id
      FROM pair AS p JOIN known AS k ON k.job COLLATE "C" = p.job
      JOIN room AS r ON r.queue = k.queue AND r.free > 0
      CROSS JOIN LATERAL (
        SELECT o.id, o.run_after FROM outbox AS o
        WHERE o.agency_id = p.agency_id AND o.job = p.job
          AND o.run_after <= (SELECT now FROM clock)
          AND (o.leased_until IS NULL OR o.leased_until <= (SELECT now FROM clock))
        ORDER BY o.run_after, o.id LIMIT r.free) AS d),
    turn AS (
      SELECT d.id, d.queue, coalesce(f.n, 0) + row_number() OVER (
        PARTITION BY d.queue, d.agency_id ORDER BY d.run_after, d.id) AS turn
      FROM due AS d LEFT JOIN in_flight AS f USING (queue, agency_id)),
    placed AS (
      SELECT id, queue, row_number() OVER (PARTITION BY queue ORDER BY turn, id) AS place FROM turn),
    chosen AS (
      SELECT p.id, p.queue, p.place FROM placed AS p JOIN room AS r USING (queue)
      WHERE p.place <= r.free)
    UPDATE outbox AS o SET lease = o.lease + 1,
      leased_until = (SELECT now FROM clock) + make_interval(secs => :seconds)
    FROM chosen AS c WHERE o.id = c.id
      AND (o.leased_until IS NULL OR o.leased_until <= (SELECT now FROM clock))
    RETURNING c.place, o.id, o.job, c.queue, o.lease
    """
)


def lease_rows(
    engine: sa.Engine, *, queue_of: Mapping[str, str], room: Mapping[str, int], seconds: float
) -> list[Leased]:
    """Lease due rows, so that of each queue at most `room[queue]` are in flight; in their order.

    `queue_of` says the queue of each job that is known here.
    """
    with engine.begin() as connection:
        # A number that is lost with the database's memory is given out again, and claimed once.
        connection.execute(sa.text("SET LOCAL synchronous_commit TO off"))
        # In a statement of its own: what the next one sees begins after the lock is ours.
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        rows = connection.execute(
            _LEASE,
            {
                "jobs": list(queue_of),
                "queues": list(queue_of.values()),
                "room_queues": list(room),
                "room_most": list(room.values()),
                "seconds": seconds,
            },
        ).all()
    return [Leased(row.id, row.job, row.queue, row.lease) for row in sorted(rows)]


_RELEASE = sa.text(
    "UPDATE outbox AS o SET leased_until = NULL "
    "FROM unnest(CAST(:ids AS bigint[]), CAST(:leases AS int[])) AS r (id, lease) "
    "WHERE o.id = r.id AND o.lease = r.lease"
)


def release_rows(engine: sa.Engine, rows: Sequence[Leased]) -> None:
    """Give leased rows back, as far as nobody has claimed them."""
    with engine.begin() as connection:
        connection.execute(
            _RELEASE, {"ids": [row.id for row in rows], "leases": [row.lease for row in rows]}
        )
