"""Who still waits for an ask. One that nobody waits for is withdrawn: requests are cancelled, late
days go by, fields are retired."""

from __future__ import annotations

import uuid

from oneform.audit import service as audit
from oneform.audit.tags import Tag
from oneform.collection.asks import end_asks, in_states
from oneform.collection.lifecycle import ANSWERABLE, LATE_DAYS, LIVE, TRANSITIONS, AskEvent
from oneform.identity import policy
from oneform.identity.policy import Permission
from oneform.kernel import locks
from oneform.kernel.context import Context
from oneform.kernel.errors import Stale
from oneform.kernel.plans import plan_afresh
from oneform.requests import resolver
from oneform.requests.errors import RequestEnded
from oneform.requests.grants import withdraw_grants
from oneform.requests.models import Request, RequestEvent, RequestState
from oneform.requests.reading import get_request
from oneform.requests.settlement import hold_requests
from oneform.requests.statuses import PLACED, WAITS, in_place, may_ask
from oneform.requests.views import RequestView
from oneform.values.recording import together

_ASK = "a.id, a.field_id, a.period, a.subject_id, a.stood_days, a.state"

# Live asks for cells of a request, of some :fields or all. From its places to their subjects to their cells, in that order
# (`OFFSET 0`), whatever the statistics say.
_OF_REQUEST = f"""
  SELECT {_ASK}
  FROM request AS r
  JOIN request_region AS rr ON rr.request_id = r.id AND rr.region_id = :region
  JOIN request_unit AS ru ON ru.request_id = r.id AND ru.region_id = :region
  CROSS JOIN LATERAL (SELECT * FROM {PLACED} AS p WHERE p.region_id = :region
    AND p.kind_id = r.kind_id AND p.area_id = ru.place_id AND {in_place()} OFFSET 0) AS p
  CROSS JOIN LATERAL (SELECT rf.field_id, rf.period FROM request_field AS rf
    WHERE rf.request_id = r.id AND rf.collected_at = ANY(ru.collected_at)
      AND (CAST(:fields AS int[]) IS NULL OR rf.field_id = ANY(:fields)) OFFSET 0) AS rf
  CROSS JOIN LATERAL (SELECT * FROM ask AS a
    WHERE a.region_id = :region AND a.field_id = rf.field_id AND a.period = rf.period
      AND a.subject_id = p.subject_id AND a.state IN {in_states(LIVE)} OFFSET 0) AS a
  WHERE r.id = :request"""


def _still_counts(due_on: str, stood_days: str) -> str:
    """Whether an answer would count today, maybe late, for whoever wants it by a due date."""
    return f"{due_on} + :late_days + {stood_days} >= CAST(:today AS date)"


PAST_LATE_DAYS = f"""(a.state IN {in_states(ANSWERABLE)} AND a.due_on < CAST(:today AS date) - :late_days
  AND NOT {_still_counts("a.due_on", "a.stood_days")})"""
"""Condition on asks `a`: the clock runs, and whoever wanted the answer first does not wait any more."""

_ALL_PAST_LATE_DAYS = f"""
  SELECT {_ASK} FROM ask AS a WHERE a.region_id = :region AND {PAST_LATE_DAYS}"""

# Asks with the terms of those who still wait for them, besides :request (which may be nobody); NULL
# where nobody does. A request waits for its cells (`WAITS`) while a late answer would count for it,
# also while it is being resolved anew: from the moment on at which its subjects are fixed.
#
# Asks travel as arrays by subject, so that nothing has to be joined that the planner knows nothing
# of: it would go through all places of a request for each of its cells.
_TERMS = f"""
WITH mine AS MATERIALIZED ({{asks}}),
placed AS MATERIALIZED (
  SELECT p.kind_id, p.area_id, p.recorded_at, p.superseded_at, p.active_from, p.active_to, s.*
  FROM (SELECT subject_id, array_agg(id) AS ids, array_agg(field_id) AS fields,
          array_agg(period) AS periods, array_agg(stood_days) AS stood,
          array_agg(state IN {in_states(ANSWERABLE)}) AS runs
        FROM mine GROUP BY subject_id) AS s
  CROSS JOIN LATERAL (SELECT * FROM {PLACED} AS p
    WHERE p.region_id = :region AND p.subject_id = s.subject_id OFFSET 0) AS p),
other AS MATERIALIZED (
  SELECT r.id, r.kind_id, r.due_on, r.gap, r.state, rr.decided_at, rr.decided_on
  FROM request AS r JOIN request_region AS rr ON rr.request_id = r.id AND rr.region_id = :region
  WHERE r.id = ANY(ARRAY(SELECT rf.request_id
      FROM (SELECT DISTINCT field_id, period FROM mine) AS f
      JOIN request_field AS rf USING (field_id, period)
      JOIN request AS r ON r.id = rf.request_id AND {may_ask()}
      WHERE r.id IS DISTINCT FROM CAST(:request AS uuid)))),
waiting AS (
  SELECT w.id, r.due_on
  FROM placed AS p JOIN other AS r ON r.kind_id = p.kind_id AND {in_place("r")}
  CROSS JOIN LATERAL (SELECT ru.collected_at FROM request_unit AS ru
    WHERE ru.request_id = r.id AND ru.region_id = :region AND ru.place_id = p.area_id
    OFFSET 0) AS ru
  CROSS JOIN LATERAL (
    SELECT cell.id
    FROM (SELECT a.id, CAST(:region AS bigint) AS region_id, rf.field_id, rf.period, p.subject_id,
            r.decided_at, r.decided_on, rf.grant_state, {may_ask()} AS asks
          FROM unnest(p.ids, p.fields, p.periods, p.stood, p.runs)
            AS a(id, field_id, period, stood_days, runs)
          JOIN request_field AS rf ON rf.request_id = r.id AND rf.field_id = a.field_id
            AND rf.period = a.period AND rf.collected_at = ANY(ru.collected_at)
          WHERE {_still_counts("r.due_on", "a.stood_days")} OR NOT a.runs
          OFFSET 0) AS cell
    LEFT JOIN LATERAL (SELECT * FROM cell_value AS v WHERE v.region_id = :region
      AND v.field_id = cell.field_id AND v.period = cell.period
      AND v.subject_id = cell.subject_id OFFSET 0) AS v ON true
    WHERE {WAITS}
    OFFSET 0) AS w)
SELECT id, min(due_on) AS due_on, max(due_on) AS last_due_on
FROM (SELECT id, CAST(NULL AS date) AS due_on FROM mine
      UNION ALL SELECT id, due_on FROM waiting) AS terms
GROUP BY id
"""

_RESCHEDULE = """
UPDATE ask AS a SET due_on = t.due_on, live_until = t.last_due_on + :late_days + a.stood_days
FROM unnest(CAST(:ids AS bigint[]), CAST(:dues AS date[]), CAST(:lasts AS date[]))
  AS t(id, due_on, last_due_on)
WHERE a.region_id = :region AND a.id = t.id
"""

# A cancelled request asks for nothing: what it still waited for is unavailable to it.
_CLOSE_BOOKS = """
UPDATE request_unit SET unavailable = unavailable + asked + refused + pending_grant,
  asked = 0, refused = 0, pending_grant = 0
WHERE request_id = :request AND asked + refused + pending_grant > 0
"""

# Regions that were to be resolved anew: their books were not kept meanwhile.
_LEFT_OPEN = """
SELECT region_id FROM request_region
WHERE request_id = :request AND resolved_at IS NULL AND last_resolved_at IS NOT NULL
ORDER BY region_id
"""


def take_whole(ctx: Context, request_id: uuid.UUID) -> tuple[Request | None, list[int]]:
    """Take all regions of a request, and lock its row; the request as it is now, and its regions.

    Before its books, since its state decides what becomes of them: nobody else books for it while
    its regions are ours.
    """
    regions = list(
        ctx.sql(
            "SELECT region_id FROM request_region WHERE request_id = :id ORDER BY region_id",
            id=request_id,
        ).scalars()
    )
    plan_afresh(ctx)
    locks.take_request(ctx, request_id, regions)
    hold_requests(ctx, [request_id])
    return ctx.session.get(Request, request_id, populate_existing=True), regions


def cancel_request(
    ctx: Context, request_id: uuid.UUID, *, if_match: str | None = None
) -> RequestView:
    """Cancel a request; asks that nobody else waits for are withdrawn.

    Cancelling twice is no mistake. Raises NotFound; Stale if `if_match` is not the
    present etag; RequestEnded for a request that is fulfilled.
    """
    actor = policy.require(ctx, Permission.CANCEL_REQUEST)
    get_request(ctx, request_id)
    request, regions = take_whole(ctx, request_id)
    if if_match is not None and if_match != get_request(ctx, request_id).etag:
        raise Stale
    assert request is not None
    if request.state == RequestState.CANCELLED:
        return get_request(ctx, request_id)
    if request.state == RequestState.FULFILLED:
        raise RequestEnded("The request is fulfilled; there is nothing left to cancel.")
    # First of all, so that what follows does not end it in another way.
    request.state = RequestState.CANCELLED
    request.retrying = False
    request.completed_at = ctx.clock.now()
    ctx.session.add(RequestEvent(request_id=request_id, kind="cancelled", data={"by": actor.label}))
    ctx.session.flush()
    with together(ctx):
        withdrawn = sum(release_asks(ctx, region_id, request_id) for region_id in regions)
    ctx.sql(_CLOSE_BOOKS, request=request_id)
    withdraw_grants(ctx, request_id)
    for region_id in ctx.sql(_LEFT_OPEN, request=request_id).scalars().all():
        resolver.close_books(ctx, request_id, region_id)
    audit.append(ctx, Tag.REQUEST_CANCELLED, "request", request_id, withdrawn=withdrawn)
    return get_request(ctx, request_id)


# Others than a request whose books the end of one of its asks may move.
_CONCERNS_OTHERS = """
SELECT EXISTS (
  SELECT FROM request_field AS mine JOIN request_field AS rf USING (field_id, period)
  JOIN request_region AS rr ON rr.request_id = rf.request_id AND rr.region_id = :region
    AND rr.resolved_at IS NOT NULL
  WHERE mine.request_id = :request AND rf.request_id <> :request)
"""


def release_asks(
    ctx: Context, region_id: int, request_id: uuid.UUID, fields: list[int] | None = None
) -> int:
    """A request does not wait any more for its cells in a region, of some fields or all: withdraw the
    asks that nobody else waits for; how many there were.

    Its own books, in which none of them counts as asked, are the caller's affair, who holds the
    region alone.
    """
    return _release_asks(ctx, _OF_REQUEST, region_id, request_id, fields)


def _release_asks(
    ctx: Context,
    asks: str,
    region_id: int,
    request_id: uuid.UUID | None,
    fields: list[int] | None = None,
) -> int:
    """Withdraw the asks of a region that nobody waits for; the others are due when those say who do.

    How many were withdrawn.
    """
    rows = ctx.sql(
        _TERMS.format(asks=asks),
        request=request_id,
        region=region_id,
        fields=fields,
        late_days=LATE_DAYS,
        today=ctx.today(),
    ).all()
    kept = [row for row in rows if row.due_on is not None]
    if kept:
        ctx.sql(
            _RESCHEDULE,
            region=region_id,
            late_days=LATE_DAYS,
            ids=[row.id for row in kept],
            dues=[row.due_on for row in kept],
            lasts=[row.last_due_on for row in kept],
        )
    unwanted = [row.id for row in rows if row.due_on is None]
    # The books of the request itself are closed by whoever called.
    moves = request_id is None or bool(
        unwanted and ctx.sql(_CONCERNS_OTHERS, request=request_id, region=region_id).scalar_one()
    )
    return end_asks(ctx, region_id, unwanted, moves_books=moves)


def expire_asks(ctx: Context, region_id: int) -> int:
    """End the asks of a region whose last day has passed; how many there were.

    Those that only the first of several does not wait for any more become due when the others say.
    """
    plan_afresh(ctx)
    locks.take_regions(ctx, [region_id])
    allowed, _ = TRANSITIONS[AskEvent.EXPIRE]
    ids = list(
        ctx.sql(
            f"SELECT id FROM ask AS a WHERE region_id = :region AND state IN {in_states(allowed)} "
            f"AND live_until < :today AND {PAST_LATE_DAYS} ORDER BY id",
            region=region_id,
            late_days=LATE_DAYS,
            today=ctx.today(),
        ).scalars()
    )
    with together(ctx):
        expired = end_asks(ctx, region_id, ids, AskEvent.EXPIRE)
        _release_asks(ctx, _ALL_PAST_LATE_DAYS, region_id, None)
    return expired
