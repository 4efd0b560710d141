"""The course of resolving: held, then sources, then asks; region by region.

Sources are called between two transactions, never in one. A source that is down
is tried again within its limit (`FETCH_DELAYS_S`) before people are asked.
"""

from __future__ import annotations

import uuid
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from oneform.kernel.context import Context
from oneform.requests import resolver
from oneform.requests.jobs import RequestJob
from oneform.requests.planner import FETCH_DELAYS_S
from oneform.requests.settlement import hold_requests, settle_held
from oneform.sources.errors import SourceBusy, SourceUnavailable
from oneform.sources.fetching import fetch_region
from oneform.sources.house import House
from oneform.sources.plans import SourcePlan, sources_for


class Run(Protocol):
    """A run of a job: units of work on the way, and the last one, which ends the job."""

    @property
    def runtime(self) -> House: ...

    def context(self) -> AbstractContextManager[Context]: ...

    def last(self) -> AbstractContextManager[Context]: ...

    def free_key(self, ctx: Context, /) -> None:
        """Let the job be enqueued anew under its key, in the last unit of work."""


def resolve_regions(run: Run, request_id: uuid.UUID, region_ids: list[int]) -> None:
    """Resolve these regions of a request, as far as the database alone can say.

    A region for which sources may have what is missing goes to a job of its own,
    on the queue for slow calls.
    """
    for region_id in region_ids:
        with run.context() as ctx:
            if not resolver.decide(ctx, request_id, region_id):
                continue
            resolver.judge(ctx, request_id, region_id)
            if sources_for(ctx, resolver.missing_fields(ctx, request_id), region_id):
                _fetch_later(ctx, request_id, region_id)
            else:
                resolver.resolve(ctx, request_id, region_id)
    with run.last():
        pass


def fetch_and_resolve(run: Run, request_id: uuid.UUID, region_id: int) -> None:
    """Call the sources for a region of a request, in order of authority; then ask for the gap.

    A source that is down is tried again within its limit; one that is merely
    busy, until it has answered. What came to be missing meanwhile (a grant was
    decided) is looked for in its sources before anybody is asked for it.
    """
    plans = _plans(run, request_id, region_id)
    outcome = _fetch(run, request_id, region_id, plans)
    with run.last() as ctx:
        if not resolver.decide(ctx, request_id, region_id):
            return
        pause_s = _pause(ctx, request_id, region_id, outcome)
        if pause_s is None:
            resolver.judge(ctx, request_id, region_id)
            left = sources_for(ctx, resolver.missing_fields(ctx, request_id), region_id)
            if _pairs(left) <= _pairs(plans):
                resolver.resolve(ctx, request_id, region_id)
                return
        run.free_key(ctx)
        _fetch_later(ctx, request_id, region_id, delay_s=pause_s or 0)


def _plans(run: Run, request_id: uuid.UUID, region_id: int) -> list[SourcePlan]:
    """The sources that may have what is missing; none where nothing is to be resolved any more."""
    with run.context() as ctx:
        if not resolver.decide(ctx, request_id, region_id):
            return []
        resolver.judge(ctx, request_id, region_id)
        return sources_for(ctx, resolver.missing_fields(ctx, request_id), region_id)


def _pairs(plans: list[SourcePlan]) -> set[tuple[int, int]]:
    """Sources with each of the fields that they may answer."""
    return {(plan.source_id, field_id) for plan in plans for field_id in plan.field_ids}


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of calls to sources: whether one was down, and for how long one was busy (0: none)."""

    down: bool = False
    busy_s: float = 0


def _fetch(run: Run, request_id: uuid.UUID, region_id: int, plans: list[SourcePlan]) -> Outcome:
    if not plans:
        return Outcome()
    with run.context() as ctx:
        period = ctx.sql("SELECT period FROM request WHERE id = :id", id=request_id).scalar_one()
    down, busy_s = False, 0.0
    for plan in plans:
        try:
            fetch_region(run.runtime, plan, region_id, period=period, request_id=request_id)
        except SourceBusy as error:
            busy_s = max(busy_s, error.retry_after, 1.0)
        except SourceUnavailable:
            down = True
    return Outcome(down, busy_s)


def _pause(ctx: Context, request_id: uuid.UUID, region_id: int, outcome: Outcome) -> float | None:
    """Seconds until the sources are called again, where that may help and the limit allows it."""
    if outcome.busy_s:
        return outcome.busy_s
    if not outcome.down:
        return None
    attempts = ctx.sql(
        "UPDATE request_region SET fetch_attempts = fetch_attempts + 1 "
        "WHERE request_id = :request AND region_id = :region RETURNING fetch_attempts",
        request=request_id,
        region=region_id,
    ).scalar_one()
    return FETCH_DELAYS_S[attempts - 1] if attempts <= len(FETCH_DELAYS_S) else None


def _fetch_later(
    ctx: Context, request_id: uuid.UUID, region_id: int, *, delay_s: float = 0
) -> None:
    """Have the sources called: by one job for each region, however often it is resolved.

    Under the region's lock. A job that is there already looks afresh under the same lock before it
    ends, so it does not miss what this is called for. It keeps its time: where it pauses for a
    source (`FETCH_DELAYS_S`, or as long as a busy one says), the sources of a field that has just
    been granted wait as long. To hasten it would use up the tries of the source that is down.
    """
    agency_id = ctx.sql("SELECT agency_id FROM request WHERE id = :id", id=request_id).scalar_one()
    ctx.outbox.enqueue(
        RequestJob.FETCH_AND_RESOLVE,
        agency_id=agency_id,
        delay_s=delay_s,
        key=f"fetch:{request_id}:{region_id}",
        request_id=request_id,
        region_id=region_id,
    )


_STILL_MISSING = """
SELECT DISTINCT ru.region_id FROM request_unit AS ru
WHERE ru.request_id = :request AND ru.unavailable > 0 ORDER BY 1
"""

# What was found out is not known of regions that were resolved anew since, or are to be: for these
# the resolver says whether to go on.
_GO_ON = """
UPDATE request SET retrying = (:waits OR EXISTS (
    SELECT FROM request_region
    WHERE request_id = :id AND (resolved_at IS NULL OR resolved_at > :begun)))
  AND EXISTS (SELECT FROM request_unit WHERE request_id = :id AND unavailable > 0)
WHERE id = :id
"""


def retry_sources(run: Run, request_id: uuid.UUID) -> None:
    """Call the sources again for cells that nobody may be asked for.

    What they bring is booked when it is recorded. The request goes on waiting
    while a source is left that may have what is missing.
    """
    with run.context() as ctx:
        begun = ctx.sql("SELECT clock_timestamp()").scalar_one()
        regions = list(ctx.sql(_STILL_MISSING, request=request_id).scalars())
    waits = False
    for region_id in regions:
        with run.context() as ctx:
            if not resolver.decide(ctx, request_id, region_id, again=True):
                continue
            resolver.judge(ctx, request_id, region_id)
            plans = sources_for(ctx, resolver.unaskable_fields(ctx, request_id), region_id)
        waits = waits or bool(plans)
        _fetch(run, request_id, region_id, plans)
    with run.last() as ctx:
        # In a statement before, so that the next one sees what the resolver wrote meanwhile.
        hold_requests(ctx, [request_id])
        ctx.sql(_GO_ON, id=request_id, waits=waits, begun=begun)
        settle_held(ctx, [request_id])


_HELD_UP = """
INSERT INTO request_event (request_id, kind, data)
SELECT r.id, 'held_up', '{}' FROM request AS r
WHERE r.id = :id AND (SELECT e.kind FROM request_event AS e WHERE e.request_id = r.id
                      ORDER BY e.id DESC LIMIT 1) <> 'held_up'
"""


def tell_held_up(ctx: Context, request_id: uuid.UUID) -> None:
    """Note among a request's events that the work on it fails again and again, once in a row."""
    ctx.sql(_HELD_UP, id=request_id)
