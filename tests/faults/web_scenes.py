"""Scenes of calls over HTTP that write something down."""

from __future__ import annotations

from doings import Call
from factories import hold_values
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
    VILLAGE,
    World,
    rows_of_people,
)
from scenes import scene

from oneform.identity.policy import OPERATOR


@scene(everywhere=True)
def submission_that_serves_two_requests(world: World) -> Call:
    world.ask(PEOPLE, OLD)
    asks = world.ask(PEOPLE, MEN)
    return world.submission(
        {"ask": asks[PEOPLE], "value": 12},
        {"ask": asks[OLD], "value": 3},
        {"ask": asks[MEN], "value": 6},
    )


@scene(is_long=True)
def submission_that_ends_a_request(world: World) -> Call:
    asks = world.ask(PEOPLE, areas=[VILLAGE])
    return world.submission({"ask": asks[PEOPLE], "value": 12})


@scene()
def partial_submission_with_a_review(world: World) -> Call:
    asks = world.ask(PEOPLE, OLD, REVIEWED)
    return world.submission(
        {"ask": asks[PEOPLE], "value": 12},
        {"ask": asks[OLD], "value": "many"},
        {"ask": asks[REVIEWED], "value": 3},
        mode="partial",
    )


@scene()
def submission_that_confirms_and_misses(world: World) -> Call:
    with world.runtime.context(OPERATOR) as ctx:
        hold_values(ctx, ROAD, {VILLAGE: True}, observed_on=ctx.today().replace(year=2025))
    asks = world.ask(PEOPLE, ROAD)
    drafts = {"drafts": [{"ask": asks[PEOPLE], "value": 1, "base": None}]}
    world.done(world.call("wang", "PUT", "/form/drafts", drafts))
    return world.submission(
        {"ask": asks[ROAD], "confirm": True},
        {"ask": asks[PEOPLE], "missing": "unknown", "note": "待查"},
    )


@scene()
def submission_that_is_refused(world: World) -> Call:
    asks = world.ask(PEOPLE, OLD)
    return world.submission({"ask": asks[PEOPLE], "value": 1}, {"ask": asks[OLD], "value": -1})


@scene()
def amendment(world: World) -> Call:
    asks = world.ask(PEOPLE)
    world.done(world.submission({"ask": asks[PEOPLE], "value": 12}, key="before"))
    [answer] = world.sql("SELECT region_id || '-' || id AS id FROM answer")
    body = {"value": 13, "note": "漏了一人"}
    return world.call("wang", "POST", f"/answers/{answer.id}/amend", body)


@scene()
def drafts(world: World) -> Call:
    asks = world.ask(PEOPLE, OLD)
    body = {"drafts": [{"ask": ask, "value": 5, "base": None} for ask in asks.values()]}
    return world.call("wang", "PUT", "/form/drafts", body)


@scene()
def refusal(world: World) -> Call:
    asks = world.ask(PEOPLE, OLD)
    return world.call(
        "wang", "POST", "/refusals", {"asks": list(asks.values()), "reason": "not_ours"}
    )


def _decision(world: World, who: str, **decision: str) -> Call:
    asks = world.ask(PEOPLE, OLD)
    refused = world.call(
        "wang", "POST", "/refusals", {"asks": [asks[PEOPLE]], "reason": "deadline"}
    )
    number = world.done(refused)["id"]
    return world.call(who, "POST", f"/refusals/{number}/decide", {**decision, "reason": "已核"})


@scene(is_long=True)
def refusal_upheld(world: World) -> Call:
    return _decision(world, "li", decision="uphold")


@scene()
def refusal_upheld_for_all(world: World) -> Call:
    return _decision(world, "qian", decision="uphold", scope="all")


@scene(is_long=True)
def refusal_overturned(world: World) -> Call:
    return _decision(world, "li", decision="overturn")


@scene()
def review(world: World) -> Call:
    """One answer accepted, one sent back."""
    asks = world.ask(REVIEWED, areas=[VILLAGE])
    world.done(world.submission({"ask": asks[REVIEWED], "value": 3}, key="first"))
    asks = world.ask(REVIEWED, areas=[VILLAGE], period="2025")
    world.done(world.submission({"ask": asks[REVIEWED], "value": 4}, key="second"))
    first, second = world.sql("SELECT region_id || '-' || id AS id FROM answer ORDER BY answer.id")
    body = {"accept": [first.id], "return": [{"answer": second.id, "comment": "请核对"}]}
    return world.call("li", "POST", "/reviews/decide", body)


@scene()
def demand(world: World) -> Call:
    world.ask(PEOPLE, OLD)
    with world.runtime.context(OPERATOR) as ctx:
        hold_values(ctx, MEN, {NEXT_VILLAGE: 5, FOREIGN_VILLAGE: 6}, period="2026")
    return world.demand([PEOPLE, MEN, CONDITIONAL])


@scene()
def demand_off_the_list(world: World) -> Call:
    return world.demand([PEOPLE, "test.unknown"])


@scene(is_long=True)
def demand_with_dropped_fields(world: World) -> Call:
    return world.demand([PEOPLE, "test.unknown"], on_off_list="drop")


@scene()
def cancellation(world: World) -> Call:
    world.ask(PEOPLE)
    request = world.request(PEOPLE, OLD, SHARED, areas=EVERYWHERE)
    return world.call("health", "POST", f"/requests/{request}/cancel")


def _grant(world: World, decision: str) -> Call:
    world.request(CONDITIONAL, PEOPLE, areas=EVERYWHERE)
    [grant] = world.sql('SELECT id FROM "grant"')
    return world.call("wu", "POST", f"/grants/{grant.id}/decide", {"decision": decision})


@scene()
def grant_given(world: World) -> Call:
    return _grant(world, "grant")


@scene(is_long=True)
def grant_refused(world: World) -> Call:
    return _grant(world, "refuse")


@scene()
def values_handed_in(world: World) -> Call:
    world.ask(PEOPLE, areas=[COUNTY])
    return world.imported(rows_of_people())


@scene(is_long=True)
def run_of_a_source(world: World) -> Call:
    code = world.offer()
    return world.call("wu", "POST", f"/sources/{code}/runs")
