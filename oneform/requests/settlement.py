"""When a request is at its end, as far as it can be known today.

`collecting` lasts while anything is asked, awaits a grant, or is retried, and
the due date has not passed; afterwards a request is `fulfilled` when no cell is
left open, else `partial`. A late answer can still turn `partial` into
`fulfilled`, and a refusal that is overturned before the due date lets the
request collect again.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from oneform.kernel.context import Context
from oneform.requests.events import RequestSettled
from oneform.requests.models import RequestState

_LOCK = sa.text("SELECT id FROM request WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE")

# Another open unit that nobody is just closing, of each request; held against closing until we end.
_FOLLOWED = sa.text(
    """
    SELECT c.id FROM unnest(CAST(:ids AS uuid[]), CAST(:places AS bigint[])) AS c(id, place_id)
    LEFT JOIN LATERAL (
      SELECT ru.unit_id FROM request_unit AS ru
      WHERE ru.request_id = c.id AND ru.asked + ru.pending_grant > 0 AND ru.place_id > c.place_id
      ORDER BY ru.place_id LIMIT 1 FOR SHARE SKIP LOCKED) AS later ON true
    LEFT JOIN LATERAL (
      SELECT ru.unit_id FROM request_unit AS ru
      WHERE ru.request_id = c.id AND ru.asked + ru.pending_grant > 0 AND later.unit_id IS NULL
      ORDER BY ru.place_id LIMIT 1 FOR SHARE SKIP LOCKED) AS sooner ON true
    WHERE later.unit_id IS NOT NULL OR sooner.unit_id IS NOT NULL
    """
)

_SETTLE = sa.text(
    """
    WITH facts AS (
      SELECT r.id, r.state AS old_state,
        CASE
          WHEN EXISTS (SELECT FROM request_region AS rr
                       WHERE rr.request_id = r.id AND rr.resolved_at IS NULL) THEN 'resolving'
          WHEN r.due_on >= oneform_today()
            AND (r.retrying OR EXISTS (SELECT FROM request_unit AS ru
                 WHERE ru.request_id = r.id AND ru.asked + ru.pending_grant > 0)) THEN 'collecting'
          WHEN EXISTS (SELECT FROM request_unit AS ru WHERE ru.request_id = r.id
                 AND ru.asked + ru.refused + ru.unavailable + ru.pending_grant > 0) THEN 'partial'
          ELSE 'fulfilled'
        END AS state
      FROM request AS r WHERE r.id = ANY(:ids) AND r.state <> 'cancelled')
    UPDATE request AS r SET state = f.state,
      resolved_at = CASE WHEN f.state = 'resolving' THEN NULL
                         ELSE coalesce(r.resolved_at, clock_timestamp()) END,
      completed_at = CASE WHEN f.state IN ('fulfilled', 'partial') THEN clock_timestamp() END
    FROM facts AS f WHERE r.id = f.id AND f.state <> f.old_state
    RETURNING r.id, r.agency_id, f.old_state, r.state
    """
)

_EVENT = sa.text(
    """
    INSERT INTO request_event (request_id, kind, data)
    VALUES (:id, :kind, jsonb_build_object('from', CAST(:old AS text)))
    """
)


def settle_closed(
    ctx: Context, closed: Mapping[uuid.UUID, int], also: Iterable[uuid.UUID] = ()
) -> None:
    """Settle requests of which a unit has just been closed; its place for each. And `also` others,
    together with them, since rows of requests are locked in one order.

    As long as another unit is open nothing comes of it, and rows of requests stay unlocked: else all
    submissions to one request would wait for each other. That other unit is held against closing
    until this transaction ends, so whoever closes it sees what was closed here.
    """
    ids = sorted(closed)
    if ids:
        rows = ctx.sql(_FOLLOWED, ids=ids, places=[closed[id] for id in ids])
        followed = set(rows.scalars())
        ids = [id for id in ids if id not in followed]
    settle(ctx, [*ids, *also])


def hold_requests(ctx: Context, request_ids: Iterable[uuid.UUID]) -> None:
    """Lock the rows of all requests that this transaction is going to change, in their order.

    Whoever books has locked all the rows of `request_unit` that it needs (all but cancelling and
    ending grants, which hold the regions alone). Not against those who only point to a request: the
    resolver has pointed to its own before it booked for others.
    """
    ctx.sql(_LOCK, ids=list(request_ids))


def settle(ctx: Context, request_ids: Iterable[uuid.UUID]) -> None:
    """Bring the states of these requests in line with their books.

    Locks their rows first, so that of two who close the last two units the
    second sees what the first has done.
    """
    ids = sorted(set(request_ids))
    if ids:
        hold_requests(ctx, ids)
        settle_held(ctx, ids)


def settle_held(ctx: Context, ids: list[uuid.UUID]) -> None:
    """The same for requests whose rows the caller has locked (`hold_requests`)."""
    for row in ctx.sql(_SETTLE, ids=ids).all():
        ctx.sql(_EVENT, id=row.id, kind=row.state, old=row.old_state)
        ctx.emit(
            RequestSettled(
                request_id=row.id,
                agency_id=row.agency_id,
                old=RequestState(row.old_state),
                new=RequestState(row.state),
            )
        )
