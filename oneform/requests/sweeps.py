"""What time does to requests: due dates pass, asks expire, fields go out of force.

Each sweep finds its work with one query and hands it out by region or request,
so that no transaction holds more than one region.
"""

from __future__ import annotations

import uuid

from oneform.collection.asks import end_asks, in_states
from oneform.collection.lifecycle import LATE_DAYS, LIVE
from oneform.kernel import locks
from oneform.kernel.context import Context
from oneform.kernel.plans import plan_afresh
from oneform.requests.settlement import settle
from oneform.requests.withdrawal import PAST_LATE_DAYS


def requests_past_due(ctx: Context) -> list[uuid.UUID]:
    """Requests that collect although their due date has passed."""
    return list(
        ctx.sql(
            "SELECT id FROM request WHERE state = 'collecting' AND due_on < :today ORDER BY id",
            today=ctx.today(),
        ).scalars()
    )


def close_due_request(ctx: Context, request_id: uuid.UUID) -> None:
    """Let the due date of a request do its work. Its asks stay live for late answers."""
    ctx.sql(
        "UPDATE request SET retrying = false WHERE id = :id AND due_on < :today",
        id=request_id,
        today=ctx.today(),
    )
    settle(ctx, [request_id])


def regions_with_late_asks(ctx: Context) -> list[int]:
    """Regions in which somebody does not wait for an ask any more, since their late days are over."""
    return list(
        ctx.sql(
            f"SELECT DISTINCT a.region_id FROM ask AS a WHERE {PAST_LATE_DAYS} ORDER BY 1",
            late_days=LATE_DAYS,
            today=ctx.today(),
        ).scalars()
    )


# A superseded version is no reason: the question stands under the version it was asked under.
_UNLISTED_FIELDS = """
SELECT f.id FROM field AS f
WHERE NOT EXISTS (SELECT FROM field_version AS v WHERE v.field_id = f.id AND v.mode = 'collect'
  AND v.effective_from <= :today AND v.expires_on >= :today
  AND (v.ends_on IS NULL OR v.ends_on > :today))
"""


def regions_with_unlisted_asks(ctx: Context) -> list[int]:
    """Regions with live asks for fields that are on the list no more: retired or expired."""
    fields = list(ctx.sql(_UNLISTED_FIELDS, today=ctx.today()).scalars())
    if not fields:
        return []
    return list(
        ctx.sql(
            "SELECT g.region_id FROM (SELECT DISTINCT region_id FROM area) AS g "
            "WHERE EXISTS (SELECT FROM ask AS a WHERE a.region_id = g.region_id "
            f"AND a.field_id = ANY(:fields) AND a.state IN {in_states(LIVE)}) ORDER BY 1",
            fields=fields,
        ).scalars()
    )


def withdraw_unlisted_asks(ctx: Context, region_id: int) -> int:
    """Withdraw the asks of a region whose field is on the list no more; how many there were."""
    plan_afresh(ctx)
    locks.take_regions(ctx, [region_id])
    ids = list(
        ctx.sql(
            f"SELECT id FROM ask WHERE region_id = :region AND state IN {in_states(LIVE)} "
            f"AND field_id IN ({_UNLISTED_FIELDS}) ORDER BY id",
            today=ctx.today(),
            region=region_id,
        ).scalars()
    )
    return end_asks(ctx, region_id, ids)


def requests_that_retry(ctx: Context) -> list[uuid.UUID]:
    """Requests for which sources are still to be tried."""
    return list(
        ctx.sql(
            "SELECT id FROM request WHERE state = 'collecting' AND retrying ORDER BY id"
        ).scalars()
    )
