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


@scene("POST /api/v1/submissions", everywhere=True)
def submission_that_serves_two_requests(world: World) -> Call:
    world.ask(PEOPLE, OLD)
    asks = world.ask(PEOPLE, MEN)
    return world.submission(
        {"ask": asks[PEOPLE], "value": 12},
        {"ask": asks[OLD], "value": 3},
        {"ask": asks[MEN], "value": 6},
    )


@scene("POST /api/v1/submissions", is_long=True)
def submission_that_ends_a_request(world: World) -> Call:
    asks = world.ask(PEOPLE, areas=[VILLAGE])
    return world.submission({"ask": asks[PEOPLE], "value": 12})


@scene("POST /api/v1/submissions")
def partial_submission_with_a_review(world: World) -> Call:
    asks = world.ask(PEOPLE, OLD, REVIEWED)
    return world.submission(
        {"ask": asks[PEOPLE], "value": 12},
        {"ask": asks[OLD], "value": "many"},
        {"ask": asks[REVIEWED], "value": 3},
        mode="partial",
    )


@scene("POST /api/v1/submissions")
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


@scene("POST /api/v1/submissions")
def submission_that_is_refused(world: World) -> Call:
    asks = world.ask(PEOPLE, OLD)
    return world.submission({"ask": asks[PEOPLE], "value": 1}, {"ask": asks[OLD], "value": -1})


@scene("POST /api/v1/answers/<answer_id>/amend")
def amendment(world: World) -> Call:
    asks = world.ask(PEOPLE)
    world.done(world.submission({"ask": asks[PEOPLE], "value": 12}, key="before"))
    [answer] = world.sql("SELECT region_id || '-' || id AS id FROM answer")
    body = {"value": 13, "note": "漏了一人"}
    return world.call("wang", "POST", f"/answers/{answer.id}/amend", body)


@scene(
    "POST /api/v1/answers/<answer_id>/amend",
    leaves=frozenset({"answer", "submission", "audit_event"}),
    is_long=True,
)
def amendment_that_is_reviewed(world: World) -> Call:
    """Whoever repeats one has replaced the first, which is still to be seen."""
    asks = world.ask(REVIEWED, areas=[VILLAGE])
    world.done(world.submission({"ask": asks[REVIEWED], "value": 3}, key="before"))
    [answer] = world.sql("SELECT region_id || '-' || id AS id FROM answer")
    world.done(world.call("li", "POST", "/reviews/decide", {"accept": [answer.id]}))
    return world.call("wang", "POST", f"/answers/{answer.id}/amend", {"value": 4})


@scene("PUT /api/v1/form/drafts")
def drafts(world: World) -> Call:
    asks = world.ask(PEOPLE, OLD)
    body = {"drafts": [{"ask": ask, "value": 5, "base": None} for ask in asks.values()]}
    return world.call("wang", "PUT", "/form/drafts", body)


@scene("POST /api/v1/refusals")
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


@scene("POST /api/v1/refusals/<uuid:refusal_id>/decide", is_long=True)
def refusal_upheld(world: World) -> Call:
    return _decision(world, "li", decision="uphold")


@scene("POST /api/v1/refusals/<uuid:refusal_id>/decide")
def refusal_upheld_for_all(world: World) -> Call:
    return _decision(world, "qian", decision="uphold", scope="all")


@scene("POST /api/v1/refusals/<uuid:refusal_id>/decide", is_long=True)
def refusal_overturned(world: World) -> Call:
    return _decision(world, "li", decision="overturn")


@scene("POST /api/v1/reviews/decide")
def review(world: World) -> Call:
    """One answer accepted, one sent back."""
    asks = world.ask(REVIEWED, areas=[VILLAGE])
    world.done(world.submission({"ask": asks[REVIEWED], "value": 3}, key="first"))
    asks = world.ask(REVIEWED, areas=[VILLAGE], period="2025")
    world.done(world.submission({"ask": asks[REVIEWED], "value": 4}, key="second"))
    first, second = world.sql("SELECT region_id || '-' || id AS id FROM answer ORDER BY answer.id")
    body = {"accept": [first.id], "return": [{"answer": second.id, "comment": "请核对"}]}
    return world.call("li", "POST", "/reviews/decide", body)


@scene("POST /api/v1/requests")
def demand(world: World) -> Call:
    world.ask(PEOPLE, OLD)
    with world.runtime.context(OPERATOR) as ctx:
        hold_values(ctx, MEN, {NEXT_VILLAGE: 5, FOREIGN_VILLAGE: 6}, period="2026")
    return world.demand([PEOPLE, MEN, CONDITIONAL])


@scene("POST /api/v1/requests")
def demand_off_the_list(world: World) -> Call:
    return world.demand([PEOPLE, "test.unknown"])


@scene("POST /api/v1/requests", is_long=True)
def demand_with_dropped_fields(world: World) -> Call:
    return world.demand([PEOPLE, "test.unknown"], on_off_list="drop")


@scene("POST /api/v1/requests/<uuid:request_id>/cancel")
def cancellation(world: World) -> Call:
    world.ask(PEOPLE)
    request = world.request(PEOPLE, OLD, SHARED, areas=EVERYWHERE)
    return world.call("health", "POST", f"/requests/{request}/cancel")


def _grant(world: World, decision: str) -> Call:
    world.request(CONDITIONAL, PEOPLE, areas=EVERYWHERE)
    [grant] = world.sql('SELECT id FROM "grant"')
    return world.call("wu", "POST", f"/grants/{grant.id}/decide", {"decision": decision})


@scene("POST /api/v1/grants/<uuid:grant_id>/decide")
def grant_given(world: World) -> Call:
    return _grant(world, "grant")


@scene("POST /api/v1/grants/<uuid:grant_id>/decide", is_long=True)
def grant_refused(world: World) -> Call:
    return _grant(world, "refuse")


@scene("POST /api/v1/values/imports")
def values_handed_in(world: World) -> Call:
    world.ask(PEOPLE, areas=[COUNTY])
    return world.imported(rows_of_people())


@scene("POST /api/v1/sources/<source_id>/runs", is_long=True)
def run_of_a_source(world: World) -> Call:
    code = world.offer()
    return world.call("wu", "POST", f"/sources/{code}/runs")


@scene("POST /api/v1/grants/<uuid:grant_id>/extend")
def grant_that_takes_longer(world: World) -> Call:
    world.request(CONDITIONAL, PEOPLE)
    [grant] = world.sql('SELECT id FROM "grant"')
    return world.call("wu", "POST", f"/grants/{grant.id}/extend", {"reason": "核实"})


@scene("POST /api/v1/sources")
def source_added(world: World) -> Call:
    return world.call("wu", "POST", "/sources", world.definition())


@scene("PATCH /api/v1/sources/<source_id>", is_long=True)
def source_changed(world: World) -> Call:
    path = f"/sources/{world.offer()}"
    return world.seen("wu", path, world.call("wu", "PATCH", path, {"enabled": False}))


@scene("DELETE /api/v1/sources/<source_id>", is_long=True)
def source_deleted(world: World) -> Call:
    code = world.offer()
    world.done(world.call("wu", "POST", f"/sources/{code}/runs"))
    return world.call("wu", "DELETE", f"/sources/{code}")


SOMEBODY = {"kind": "resident", "key": "11010519491231002X", "name": "张三"}


@scene("POST /api/v1/subjects")
def subject_entered(world: World) -> Call:
    return world.call("wang", "POST", "/subjects", SOMEBODY)


@scene("PATCH /api/v1/subjects/<subject_id>", is_long=True)
def subject_closed(world: World) -> Call:
    entered = world.done(world.call("wang", "POST", "/subjects", SOMEBODY))
    path = f"/subjects/{entered['id']}"
    return world.seen("wang", path, world.call("wang", "PATCH", path, {"active_to": "2026-03-01"}))


@scene("POST /form/send")
def page_that_is_sent(world: World) -> Call:
    asks = world.ask(PEOPLE, OLD)
    return world.page("/form/send", _typed(asks) | {"key": "0" * 32})


@scene("POST /form/save", is_long=True)
def page_that_is_saved(world: World) -> Call:
    return world.page("/form/save", _typed(world.ask(PEOPLE, OLD)))


def _typed(asks: dict[str, str]) -> dict[str, str]:
    """A form that was filled in."""
    texts = {f"value.{ask}": "5" for ask in asks.values()}
    return texts | {f"base.{ask}": "" for ask in asks.values()}
