"""Scenes of jobs. Each job has one at least; a test holds them to each other."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace

from factories import VILLAGE, hold_values, make_request, resolve_request
from fault_world import (
    CONDITIONAL,
    COUNTY,
    EVERYWHERE,
    FOREIGN_VILLAGE,
    MEN,
    NEXT_VILLAGE,
    OLD,
    PEOPLE,
    REVIEWED,
    ROAD,
    SHARED,
    SOURCED,
    World,
    rows_of_people,
)
from scenes import scene

from oneform.identity.policy import OPERATOR
from oneform.requests.jobs import RequestJob
from oneform.sources.jobs import SourceJob
from oneform.values.imports.jobs import ValueJob
from workers.maintenance import MaintenanceJob

OF_RUNS = frozenset({"source_run", "source_refused", "provenance"})
"""A source that was called twice has two runs, or one that says so."""


@scene(job=RequestJob.RESOLVE_REQUEST)
def resolving(world: World) -> None:
    """Two regions: something held, something asked already, something to be asked."""
    world.ask(PEOPLE)
    with world.runtime.context(OPERATOR) as ctx:
        hold_values(ctx, MEN, {NEXT_VILLAGE: 5, FOREIGN_VILLAGE: 6}, period="2026")
    world.done(world.demand([PEOPLE, OLD, MEN, ROAD]))


@scene(job=RequestJob.RESOLVE_REQUEST, is_long=True)
def resolving_where_sources_may_help(world: World) -> None:
    world.offer()
    world.done(world.demand([PEOPLE, SOURCED]))


@scene(job=RequestJob.FETCH_AND_RESOLVE, leaves=OF_RUNS)
def fetching(world: World) -> None:
    """Something comes, something does not fit, the rest is asked."""
    world.offer()
    _fetch_later(world)


@scene(
    job=RequestJob.FETCH_AND_RESOLVE, leaves=OF_RUNS | {"source", "request_region"}, is_long=True
)
def fetching_from_a_source_that_is_down(world: World) -> None:
    settings = {"url": "postgresql://nobody@127.0.0.1:1/none", "table": "dept.villages"}
    world.offer(settings=settings)
    _fetch_later(world)


def _fetch_later(world: World) -> None:
    request = world.done(world.demand([SOURCED, SHARED], scope=_scope(COUNTY)))["id"]
    world.sql("DELETE FROM outbox")
    [region] = world.sql("SELECT id FROM area WHERE code = :code", code=COUNTY)
    world.enqueue(RequestJob.FETCH_AND_RESOLVE, request_id=request, region_id=region.id)


def _scope(*areas: str) -> dict[str, object]:
    return {"areas": list(areas), "kind": "area", "level": "village"}


def _kept_trying(world: World) -> uuid.UUID:
    """A request whose cells only a source may answer, and it was not called yet."""
    world.offer()
    request = world.request(SHARED, areas=EVERYWHERE)
    [waiting] = world.sql("SELECT retrying, state FROM request")
    assert waiting == (True, "collecting")
    return request


@scene(job=RequestJob.RETRY_SOURCES, leaves=OF_RUNS)
def trying_sources_again(world: World) -> None:
    world.enqueue(RequestJob.RETRY_SOURCES, request_id=_kept_trying(world))


@scene(job=RequestJob.CLOSE_DUE_REQUEST, days=120)
def closing(world: World) -> None:
    request = world.request(PEOPLE, OLD)
    world.enqueue(RequestJob.CLOSE_DUE_REQUEST, request_id=request)


@scene(job=RequestJob.EXPIRE_GRANTS, days=20)
def expiring_grants(world: World) -> None:
    """In two regions: a value that is held, and asks of which another agency waits for one."""
    with world.runtime.context(OPERATOR) as ctx:
        hold_values(ctx, CONDITIONAL, {NEXT_VILLAGE: 5}, period="2026")
    request = world.request(CONDITIONAL, PEOPLE, areas=EVERYWHERE)
    [grant] = world.sql('SELECT id FROM "grant"')
    until = world.runtime.clock.today() + dt.timedelta(days=19)
    body = {"decision": "grant", "valid_until": until.isoformat()}
    world.done(world.call("wu", "POST", f"/grants/{grant.id}/decide", body))
    with world.runtime.context(OPERATOR) as ctx:
        resolve_request(ctx, request)
        owner = ctx.sql("SELECT id FROM agency WHERE code = 'stats'").scalar_one()
        make_request(ctx, replace(world.health, agency_id=owner), [CONDITIONAL], areas=[VILLAGE])
        ctx.sql("DELETE FROM outbox")
    world.enqueue(RequestJob.EXPIRE_GRANTS, request_id=request)


@scene(job=SourceJob.RUN_SOURCE, leaves=OF_RUNS)
def running_a_whole_source(world: World) -> None:
    """Two regions, and a request that waits for what comes."""
    world.request(SOURCED, areas=EVERYWHERE)
    world.done(world.call("wu", "POST", f"/sources/{world.offer()}/runs"))


@scene(job=ValueJob.IMPORT_VALUES)
def importing(world: World) -> None:
    """Two regions, asks that are answered by it, and a row that is refused."""
    world.ask(PEOPLE, areas=EVERYWHERE)
    world.done(world.imported(rows_of_people()))


@scene(job=MaintenanceJob.SWEEP_REQUESTS, days=120)
def sweeping_requests(world: World) -> None:
    world.request(PEOPLE, OLD)
    world.request(PEOPLE, areas=EVERYWHERE)
    world.enqueue(MaintenanceJob.SWEEP_REQUESTS, key="sweep:sweep_requests")


@scene(job=MaintenanceJob.SWEEP_ASKS, days=140)
def sweeping_asks_that_expired(world: World) -> None:
    """In two regions, one of them with a draft."""
    asks = world.ask(PEOPLE, REVIEWED, areas=EVERYWHERE)
    body = {"drafts": [{"ask": asks[PEOPLE], "value": 5, "base": None}]}
    world.done(world.call("wang", "PUT", "/form/drafts", body))
    world.enqueue(MaintenanceJob.SWEEP_ASKS)


@scene(job=MaintenanceJob.SWEEP_ASKS, is_long=True)
def sweeping_asks_off_the_list(world: World) -> None:
    world.ask(PEOPLE, OLD, areas=EVERYWHERE)
    world.sql(
        "UPDATE field_version SET ends_on = :today, ended_as = 'retired' "
        "WHERE field_id = (SELECT id FROM field WHERE code = :code)",
        today=world.runtime.clock.today(),
        code=OLD,
    )
    world.enqueue(MaintenanceJob.SWEEP_ASKS)


@scene(job=MaintenanceJob.RETRY_SHARES, leaves=OF_RUNS)
def retrying_shares(world: World) -> None:
    _kept_trying(world)
    world.enqueue(MaintenanceJob.RETRY_SHARES)


@scene(job=MaintenanceJob.CLEAN_UP, days=120)
def cleaning_up(world: World) -> None:
    """Old answers, sessions, runs and imports, beside new ones."""
    asks = world.ask(PEOPLE, OLD)
    world.done(world.submission({"ask": asks[PEOPLE], "value": 1}, key="old"))
    world.done(world.submission({"ask": asks[OLD], "value": 1}, key="new"))
    world.sql("UPDATE idempotency_key SET created_at = now() - interval '9 d' WHERE key = 'old'")
    world.done(world.call("wu", "POST", f"/sources/{world.offer()}/runs"))
    world.sql("UPDATE source_run SET state = 'running'")
    world.sql("DELETE FROM outbox")
    world.enqueue(MaintenanceJob.CLEAN_UP)
