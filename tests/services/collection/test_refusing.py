"""Refusals: a way to say no, decided by somebody else, for one unit or for all."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from collection_fixtures import World
from factories import (
    FAR_VILLAGE,
    NEXT_VILLAGE,
    VILLAGE,
    ask_state,
    asks_of,
    counts_of,
    hold_values,
    make_request,
    pass_days,
)

from oneform.collection.commands import (
    DecideRefusal,
    Decision,
    GivenAnswer,
    RefusalReason,
    RefusalScope,
    RefusalState,
    RefuseAsks,
    SaveDraft,
    SubmitAnswers,
)
from oneform.collection.errors import AlreadyDecided, OwnDeed
from oneform.collection.service import (
    decide_refusal,
    get_refusal,
    list_refusals,
    read_form,
    refuse_asks,
    save_drafts,
    submit_answers,
)
from oneform.collection.views import RefusalView
from oneform.identity.policy import Principal
from oneform.kernel.context import Context
from oneform.kernel.errors import Forbidden, Invalid, NotFound
from oneform.requests.withdrawal import expire_asks


@pytest.fixture
def request_id(ctx: Context, world: World) -> uuid.UUID:
    return make_request(ctx, world.health, ["test.people"])


@pytest.fixture
def ask(ctx: Context, request_id: uuid.UUID) -> str:
    return asks_of(ctx)["test.people"]


def refuse(
    ctx: Context,
    who: Principal,
    *asks: str,
    reason: RefusalReason = RefusalReason.NOT_OURS,
    comment: str | None = None,
) -> RefusalView:
    return refuse_asks(ctx.acting_as(who), RefuseAsks(asks=asks, reason=reason, comment=comment))


def decide(
    ctx: Context,
    who: Principal,
    refusal: RefusalView,
    decision: Decision = Decision.UPHOLD,
    scope: RefusalScope = RefusalScope.UNIT,
    reason: str = "确实不归村里",
) -> RefusalView:
    return decide_refusal(
        ctx.acting_as(who),
        DecideRefusal(id=refusal.id, decision=decision, scope=scope, reason=reason),
    )


def mistakes_of(ctx: Context, who: Principal, *asks: str, **more: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        refuse(ctx, who, *asks, **more)
    return [(mistake.pointer, mistake.code) for mistake in refused.value.mistakes]


# ---- refusing ------------------------------------------------------------------


def test_refused_ask_counts_as_refused(
    ctx: Context, world: World, request_id: uuid.UUID, ask: str
) -> None:
    refusal = refuse(ctx, world.village, ask, comment="由民政掌握")
    assert (refusal.unit, refusal.reason, refusal.state) == (VILLAGE, "not_ours", "undecided")
    assert [(a.id, a.field, a.state) for a in refusal.asks] == [(ask, "test.people", "refused")]
    assert counts_of(ctx, request_id) == {"refused": 1, "asked": 2}


def test_refusals_clock_stands_still(ctx: Context, world: World, ask: str) -> None:
    refuse(ctx, world.village, ask)
    pass_days(ctx, 300)
    assert expire_asks(ctx, int(ask.split("-", maxsplit=1)[0])) == 2
    assert ask_state(ctx, ask) == "refused"


def test_refusing_is_all_or_nothing_with_every_mistake(
    ctx: Context, world: World, ask: str
) -> None:
    far = asks_of(ctx, unit=FAR_VILLAGE)["test.people"]
    found = mistakes_of(ctx, world.village, ask, "nonsense", far, reason=RefusalReason.OTHER)
    assert found == [
        ("/comment", "required"),
        ("/asks/1", "unknown_ask"),
        ("/asks/2", "outside_reach"),
    ]
    assert ask_state(ctx, ask) == "open"
    assert ctx.sql("SELECT count(*) FROM refusal").scalar_one() == 0


def test_ask_is_refused_once(ctx: Context, world: World, ask: str) -> None:
    assert mistakes_of(ctx, world.village, ask, ask) == [
        ("/asks/0", "double"),
        ("/asks/1", "double"),
    ]
    refuse(ctx, world.village, ask)
    assert mistakes_of(ctx, world.colleague, ask) == [("/asks/0", "not_open")]


def test_nothing_is_no_refusal(ctx: Context, world: World) -> None:
    assert mistakes_of(ctx, world.village) == [("/asks", "length")]


def test_one_unit_at_a_time(ctx: Context, world: World, ask: str) -> None:
    other = asks_of(ctx, unit=NEXT_VILLAGE)["test.people"]
    assert mistakes_of(ctx, world.township, ask, other) == [("/asks", "several_units")]


@pytest.mark.parametrize("who", ["reviewer", "catalog_admin", "health"])
def test_only_staff_refuse(ctx: Context, world: World, ask: str, who: str) -> None:
    with pytest.raises(Forbidden):
        refuse(ctx, getattr(world, who), ask)


# ---- reading -------------------------------------------------------------------


def test_refusals_are_read_within_reach(ctx: Context, world: World, ask: str) -> None:
    refusal = refuse(ctx, world.village, ask)
    for who in (world.village, world.township, world.reviewer, world.catalog_admin):
        assert [item.id for item in list_refusals(ctx.acting_as(who)).items] == [refusal.id]
        assert get_refusal(ctx.acting_as(who), refusal.id).id == refusal.id
    for who in (world.far_village, world.foreign_village):
        assert list_refusals(ctx.acting_as(who)).items == []
        with pytest.raises(NotFound):
            get_refusal(ctx.acting_as(who), refusal.id)
    with pytest.raises(Forbidden):
        list_refusals(ctx.acting_as(world.health))


def test_refusals_are_listed_by_state_and_page(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.people", "test.old", "test.women"])
    made = [refuse(ctx, world.village, ask) for ask in asks_of(ctx).values()]
    decide(ctx, world.reviewer, made[0])
    reader = ctx.acting_as(world.reviewer)
    undecided = list_refusals(reader, state=RefusalState.UNDECIDED).items
    assert [item.id for item in undecided] == [made[2].id, made[1].id]
    first = list_refusals(reader, limit=2)
    rest = list_refusals(reader, limit=2, cursor=first.next)
    assert [i.id for i in [*first.items, *rest.items]] == [each.id for each in made[::-1]]


# ---- deciding ------------------------------------------------------------------


def test_upheld_refusal_holds_for_later_requests_too(
    ctx: Context, world: World, request_id: uuid.UUID, ask: str
) -> None:
    refusal = refuse(ctx, world.village, ask)
    decided = decide(ctx, world.reviewer, refusal)
    assert (decided.state, decided.scope, decided.decision_reason) == (
        "upheld",
        "unit",
        "确实不归村里",
    )
    assert ask_state(ctx, ask) == "upheld"
    later = make_request(ctx, world.civil, ["test.people"])
    assert counts_of(ctx, later) == {"refused": 1, "asked": 2}
    assert "test.people" not in asks_of(ctx)


def test_overturned_refusal_opens_the_ask_with_its_draft(
    ctx: Context, world: World, request_id: uuid.UUID, ask: str
) -> None:
    save_drafts(ctx.acting_as(world.village), [SaveDraft(ask=ask, value="12")])
    refusal = refuse(ctx, world.village, ask)
    assert decide(ctx, world.reviewer, refusal, Decision.OVERTURN).state == "overturned"
    assert counts_of(ctx, request_id) == {"asked": 3}
    (shown,) = read_form(ctx.acting_as(world.village)).sections[0].rows[0].asks
    assert shown.state == "open"
    assert shown.draft is not None


def test_clock_goes_on_where_it_stood(ctx: Context, world: World, ask: str) -> None:
    last_day = ctx.sql("SELECT max(live_until) FROM ask").scalar_one()
    refusal = refuse(ctx, world.village, ask)
    pass_days(ctx, 40)
    decide(ctx, world.reviewer, refusal, Decision.OVERTURN)
    moved = ctx.sql("SELECT max(live_until) FROM ask").scalar_one()
    assert moved == last_day + dt.timedelta(days=40)


def test_overturned_refusal_can_be_refused_again(ctx: Context, world: World, ask: str) -> None:
    decide(ctx, world.reviewer, refuse(ctx, world.village, ask), Decision.OVERTURN)
    again = refuse(ctx, world.village, ask)
    decide(ctx, world.reviewer, again)
    assert ask_state(ctx, ask) == "upheld"


@pytest.mark.parametrize("decision", list(Decision))
def test_ask_that_a_source_filled_meanwhile_stays_answered(
    ctx: Context, world: World, request_id: uuid.UUID, ask: str, decision: Decision
) -> None:
    refusal = refuse(ctx, world.village, ask)
    hold_values(ctx, "test.people", {VILLAGE: 4}, period="2026")
    decide(ctx, world.reviewer, refusal, decision)
    assert ask_state(ctx, ask) == "answered"
    assert counts_of(ctx, request_id) == {"shared": 1, "asked": 2}


def test_refusal_is_decided_once(ctx: Context, world: World, ask: str) -> None:
    refusal = refuse(ctx, world.village, ask)
    decide(ctx, world.reviewer, refusal)
    with pytest.raises(AlreadyDecided):
        decide(ctx, world.county_reviewer, refusal, Decision.OVERTURN)


def test_decision_needs_a_reason(ctx: Context, world: World, ask: str) -> None:
    with pytest.raises(Invalid):
        decide(ctx, world.reviewer, refuse(ctx, world.village, ask), reason="  ")


def test_nobody_decides_on_their_own_refusal(ctx: Context, world: World, ask: str) -> None:
    refusal = refuse(ctx, world.village, ask)
    both = Principal(
        kind=world.village.kind,
        id=world.village.id,
        label="wang",
        area_path=world.reviewer.area_path,
        permissions=world.reviewer.permissions,
    )
    with pytest.raises(OwnDeed):
        decide(ctx, both, refusal)


def test_refusals_of_other_townships_do_not_exist(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.people"])
    far = refuse(ctx, world.far_village, asks_of(ctx, unit=FAR_VILLAGE)["test.people"])
    with pytest.raises(NotFound):
        decide(ctx, world.reviewer, far)


@pytest.mark.parametrize("who", ["village", "township", "health"])
def test_only_reviewers_and_administrators_decide(
    ctx: Context, world: World, ask: str, who: str
) -> None:
    refusal = refuse(ctx, world.village, ask)
    with pytest.raises(Forbidden):
        decide(ctx, getattr(world, who), refusal)


# ---- for all -------------------------------------------------------------------


def test_upheld_for_all_ends_the_question_everywhere(ctx: Context, world: World) -> None:
    request = make_request(ctx, world.health, ["test.people"], areas=["420100000000"])
    other_year = make_request(ctx, world.health, ["test.people"], period="2025")
    refusal = refuse(ctx, world.village, asks_of(ctx)["test.people"])
    assert refusal.asks[0].period is not None
    decide(ctx, world.catalog_admin, refusal, scope=RefusalScope.ALL)
    years = {"2026": request, "2025": other_year}
    kept = years.pop({"2026": "2025", "2025": "2026"}[refusal.asks[0].period])
    (ended,) = years.values()
    assert set(counts_of(ctx, ended)) == {"refused"}
    assert set(counts_of(ctx, kept)) == {"asked"}
    assert "refused" not in ctx.sql("SELECT state FROM ask").scalars().all()


def test_exemption_holds_for_later_requests_too(
    ctx: Context, world: World, request_id: uuid.UUID, ask: str
) -> None:
    decide(ctx, world.catalog_admin, refuse(ctx, world.village, ask), scope=RefusalScope.ALL)
    later = make_request(ctx, world.civil, ["test.people"], areas=["420100000000"])
    assert counts_of(ctx, later) == {"refused": 4}


def test_exemption_does_not_take_away_what_is_there(ctx: Context, world: World) -> None:
    request = make_request(ctx, world.health, ["test.people"])
    far = GivenAnswer(ask=asks_of(ctx, unit=FAR_VILLAGE)["test.people"], value=3)
    submit_answers(ctx.acting_as(world.far_village), SubmitAnswers(answers=[far]))
    refusal = refuse(ctx, world.village, asks_of(ctx)["test.people"])
    decide(ctx, world.catalog_admin, refusal, scope=RefusalScope.ALL)
    assert counts_of(ctx, request) == {"answered": 1, "refused": 2}


def test_exemption_reaches_cells_whose_ask_had_expired(ctx: Context, world: World) -> None:
    request = make_request(ctx, world.health, ["test.people"])
    refusal = refuse(ctx, world.village, asks_of(ctx)["test.people"])
    pass_days(ctx, 200)
    region = ctx.sql("SELECT DISTINCT region_id FROM ask").scalar_one()
    expire_asks(ctx, region)
    assert counts_of(ctx, request) == {"refused": 1, "unavailable": 2}
    decide(ctx, world.catalog_admin, refusal, scope=RefusalScope.ALL)
    assert counts_of(ctx, request) == {"refused": 3}


def test_answer_in_review_is_over_with_the_question(ctx: Context, world: World) -> None:
    request = make_request(ctx, world.health, ["test.reviewed"])
    given = GivenAnswer(ask=asks_of(ctx, unit=FAR_VILLAGE)["test.reviewed"], value=3)
    submit_answers(ctx.acting_as(world.far_village), SubmitAnswers(answers=[given]))
    refusal = refuse(ctx, world.village, asks_of(ctx)["test.reviewed"])
    decide(ctx, world.catalog_admin, refusal, scope=RefusalScope.ALL)
    assert ctx.sql("SELECT state FROM answer").scalar_one() == "withdrawn"
    assert counts_of(ctx, request) == {"refused": 3}


def test_only_catalogue_administrators_decide_for_all(ctx: Context, world: World, ask: str) -> None:
    refusal = refuse(ctx, world.village, ask)
    with pytest.raises(Forbidden):
        decide(ctx, world.reviewer, refusal, scope=RefusalScope.ALL)


def test_nothing_is_overturned_for_all(ctx: Context, world: World, ask: str) -> None:
    refusal = refuse(ctx, world.village, ask)
    with pytest.raises(Invalid):
        decide(ctx, world.catalog_admin, refusal, Decision.OVERTURN, RefusalScope.ALL)
