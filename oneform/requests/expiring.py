"""Grants that have run out: from the day after its last one a consent counts as refused.

The values of the field are not let out to the request any more, whatever they
were to it; nor does it wait for others. Who wants them still makes a new
request, which asks for a new grant.
"""

from __future__ import annotations

import uuid

from oneform.audit import service as audit
from oneform.audit.tags import Tag
from oneform.kernel.context import Context
from oneform.requests.grants import RUN_OUT, fields_run_out
from oneform.requests.models import GrantState, RequestEvent, RequestState
from oneform.requests.settlement import settle_held
from oneform.requests.statuses import (
    COUNTS,
    PLACED,
    STATUS,
    STATUSES,
    in_place,
    is_exempt,
    may_ask,
    state_of_cell,
)
from oneform.requests.withdrawal import release_asks, take_whole
from oneform.values.recording import together


def requests_with_grants_run_out(ctx: Context) -> list[uuid.UUID]:
    """Requests with a grant whose last day has passed."""
    return list(
        ctx.sql(
            f'SELECT DISTINCT g.request_id FROM "grant" AS g WHERE {RUN_OUT} ORDER BY 1'
        ).scalars()
    )


_TAKEN = ", ".join(
    f"{status} = ru.{status} - m.{status}" for status in STATUSES if status != "unavailable"
)

# Whatever the cells of the fields are to the request, they are unavailable from now on. Where it
# is to be resolved anew, that is left to the resolver. From its places to their subjects to
# their cells, in that order (`OFFSET 0`), whatever the statistics say.
_GIVE_UP = f"""
WITH cell AS MATERIALIZED (
  SELECT ru.place_id, ru.unit_id, rr.region_id, p.subject_id, rf.field_id, rf.period,
    rr.decided_at, rr.decided_on, rf.grant_state, rf.asks, rf.exempt
  FROM request AS r
  JOIN request_region AS rr ON rr.request_id = r.id AND rr.region_id = :region
    AND rr.resolved_at IS NOT NULL
  JOIN request_unit AS ru ON ru.request_id = r.id AND ru.region_id = :region
  CROSS JOIN LATERAL (SELECT rf.*, {may_ask()} AS asks, {is_exempt()} AS exempt
    FROM request_field AS rf WHERE rf.request_id = r.id
    AND rf.field_id = ANY(:fields) AND rf.collected_at = ANY(ru.collected_at) OFFSET 0) AS rf
  CROSS JOIN LATERAL (SELECT * FROM {PLACED} AS p WHERE p.region_id = :region
    AND p.kind_id = r.kind_id AND p.area_id = ru.place_id AND {in_place()} OFFSET 0) AS p
  WHERE r.id = :request),
moves AS MATERIALIZED (
  SELECT place_id, unit_id, count(*)::int AS n, {COUNTS}
  FROM (SELECT cell.place_id, cell.unit_id, {STATUS} AS status
        FROM cell {state_of_cell(":region")}) AS judged
  GROUP BY place_id, unit_id)
UPDATE request_unit AS ru SET {_TAKEN}, unavailable = ru.unavailable - m.unavailable + m.n
FROM moves AS m
WHERE ru.request_id = :request AND ru.region_id = :region AND ru.place_id = m.place_id
  AND ru.unit_id = m.unit_id
"""

_END = """
UPDATE "grant" AS g SET state = :expired FROM field AS f
WHERE g.request_id = :request AND g.field_id = ANY(:fields) AND f.id = g.field_id
RETURNING g.id, f.code
"""

_REFUSE = """
UPDATE request_field SET grant_state = :refused, grant_decided_at = clock_timestamp()
WHERE request_id = :request AND field_id = ANY(:fields)
"""


def expire_grants(ctx: Context, request_id: uuid.UUID) -> int:
    """End the grants of a request that have run out; how many there were.

    Its cells of these fields are unavailable, and asks that nobody else waits for are withdrawn. A
    second call changes nothing.
    """
    request, regions = take_whole(ctx, request_id)
    fields = fields_run_out(ctx, request_id)
    if request is None or not fields:
        return 0
    terms = {"request": request_id, "fields": fields}
    for region_id in regions:
        ctx.sql(_GIVE_UP, region=region_id, **terms)
    ctx.sql(_REFUSE, refused=GrantState.REFUSED.value, **terms)
    ended = ctx.sql(_END, expired=GrantState.EXPIRED.value, **terms).all()
    if request.state != RequestState.CANCELLED:
        with together(ctx):
            for region_id in regions:
                release_asks(ctx, region_id, request_id, fields)
        settle_held(ctx, [request_id])
    for grant in sorted(ended, key=lambda grant: grant.code):
        event = RequestEvent(
            request_id=request_id, kind="grant_expired", data={"field": grant.code}
        )
        ctx.session.add(event)
        audit.append(ctx, Tag.GRANT_EXPIRED, "grant", grant.id, field=grant.code)
    return len(ended)
