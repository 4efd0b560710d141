"""The course of resolving: held, then sources, then asks; region by region.

Sources are called between two transactions, never in one. A source that is down
is tried again within its limit (`FETCH_DELAYS_S`) before people are asked.
"""

from __future__ import annotations

import uuid
from contextlib import AbstractContextManager
from typing import Protocol

from oneform.kernel.context import Context
from oneform.requests import resolver
from oneform.requests.jobs import RequestJob
from oneform.requests.planner import FETCH_DELAYS_S
from oneform.requests.settlement import settle
from oneform.sources.errors import SourceUnavailable
from oneform.sources.fetching import fetch_region
from oneform.sources.house import House
from oneform.sources.plans import SourcePlan, sources_for


class Run(Protocol):
    """A run of a job: units of work on the way, and the last one, which ends the job."""

    @property
    def runtime(self) -> House: ...

    def context(self) -> AbstractContextManager[Context]: ...

    def last(self) -> AbstractContextManager[Context]: ...


def resolve_regions(
    run: Run, request_id: uuid.UUID, region_ids: list[int], *, again: bool = False
) -> None:
    """Resolve these regions of a request; those resolved already only with `again`."""
    for region_id in region_ids:
        plans = _resolve_or_plan(run, request_id, region_id, again=again)
        if plans is not None:
            _fetch_and_resolve(run, request_id, region_id, plans)
    with run.last():
        pass


def _resolve_or_plan(
    run: Run, request_id: uuid.UUID, region_id: int, *, again: bool
) -> list[SourcePlan] | None:
    """Resolve a region at once; or, where sources may have what is missing, say which."""
    with run.context() as ctx:
        if not resolver.decide(ctx, request_id, region_id, again=again):
            return None
        resolver.judge(ctx, request_id, region_id)
        plans = sources_for(ctx, resolver.missing_fields(ctx, request_id), region_id)
        if plans:
            return plans
        resolver.resolve(ctx, request_id, region_id)
        return None


def _fetch_and_resolve(
    run: Run, request_id: uuid.UUID, region_id: int, plans: list[SourcePlan]
) -> None:
    if not _fetch(run, request_id, region_id, plans) and _try_later(run, request_id, region_id):
        return
    with run.context() as ctx:
        if resolver.decide(ctx, request_id, region_id, again=True):
            resolver.judge(ctx, request_id, region_id)
            resolver.resolve(ctx, request_id, region_id)


def _fetch(run: Run, request_id: uuid.UUID, region_id: int, plans: list[SourcePlan]) -> bool:
    """Call the sources in order of authority; whether all of them answered."""
    with run.context() as ctx:
        period = ctx.sql("SELECT period FROM request WHERE id = :id", id=request_id).scalar_one()
    answered = True
    for plan in plans:
        try:
            fetch_region(run.runtime, plan, region_id, period=period, request_id=request_id)
        except SourceUnavailable:
            answered = False
    return answered


def _try_later(run: Run, request_id: uuid.UUID, region_id: int) -> bool:
    """Put the region off, while its limit of attempts lasts."""
    with run.context() as ctx:
        attempts = ctx.sql(
            "UPDATE request_region SET fetch_attempts = fetch_attempts + 1 "
            "WHERE request_id = :request AND region_id = :region RETURNING fetch_attempts",
            request=request_id,
            region=region_id,
        ).scalar_one()
        if attempts > len(FETCH_DELAYS_S):
            return False
        agency_id = ctx.sql(
            "SELECT agency_id FROM request WHERE id = :id", id=request_id
        ).scalar_one()
        ctx.outbox.enqueue(
            RequestJob.RESOLVE_REQUEST,
            agency_id=agency_id,
            delay_s=FETCH_DELAYS_S[attempts - 1],
            request_id=request_id,
            region_ids=[region_id],
        )
        return True


_STILL_MISSING = """
SELECT DISTINCT ru.region_id FROM request_unit AS ru
WHERE ru.request_id = :request AND ru.unavailable > 0 ORDER BY 1
"""


def retry_sources(run: Run, request_id: uuid.UUID) -> None:
    """Call the sources again for cells that nobody may be asked for.

    What they bring is booked when it is recorded. The request stops waiting
    when nothing is missing any more.
    """
    with run.context() as ctx:
        regions = list(ctx.sql(_STILL_MISSING, request=request_id).scalars())
    for region_id in regions:
        with run.context() as ctx:
            if not resolver.decide(ctx, request_id, region_id, again=True):
                continue
            resolver.judge(ctx, request_id, region_id)
            plans = sources_for(ctx, resolver.missing_fields(ctx, request_id), region_id)
        _fetch(run, request_id, region_id, plans)
    with run.last() as ctx:
        ctx.sql(
            "UPDATE request SET retrying = EXISTS (SELECT FROM request_unit "
            "WHERE request_id = :id AND unavailable > 0) WHERE id = :id",
            id=request_id,
        )
        settle(ctx, [request_id])
