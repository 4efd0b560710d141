"""Submissions: right answers are recorded once, wrong ones told of, nothing typed is lost."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from collection_fixtures import World
from factories import (
    FAR_VILLAGE,
    VILLAGE,
    ask_state,
    asks_of,
    counts_of,
    hold_values,
    make_request,
    pass_days,
)

from oneform.audit.tags import Tag
from oneform.collection import submission as submission_module
from oneform.collection.commands import (
    GivenAnswer,
    Mode,
    RefusalReason,
    RefuseAsks,
    SaveDraft,
    SubmitAnswers,
)
from oneform.collection.errors import InvalidAnswers
from oneform.collection.service import (
    get_submission,
    list_submissions,
    read_form,
    refuse_asks,
    save_drafts,
    submit_answers,
)
from oneform.collection.views import Receipt
from oneform.identity.policy import OPERATOR, Principal
from oneform.kernel.context import Context
from oneform.kernel.errors import Forbidden, Invalid, NotFound


def give(ask: str, value: Any, **more: Any) -> GivenAnswer:
    return GivenAnswer(ask=ask, value=value, **more)


def submit(ctx: Context, who: Principal, *answers: GivenAnswer, mode: Mode = Mode.ALL) -> Receipt:
    return submit_answers(ctx.acting_as(who), SubmitAnswers(answers=answers, mode=mode))


def codes_in(ctx: Context, who: Principal, *answers: GivenAnswer) -> list[str]:
    """Codes of the mistakes of some answers, of which none is recorded."""
    with pytest.raises(InvalidAnswers) as refused:
        submit(ctx, who, *answers)
    found = [mistake.code for mistake in refused.value.mistakes]
    assert [invalid["code"] for invalid in refused.value.data["invalid"]] == found
    assert ctx.sql("SELECT count(*) FROM submission").scalar_one() == 0
    assert ctx.sql("SELECT count(*) FROM provenance WHERE kind = 'submission'").scalar_one() == 0
    return found


def held(ctx: Context, field: str, period: str = "2026", area: str = VILLAGE) -> Any:
    return ctx.sql(
        "SELECT v.*, p.kind, p.actor_id, p.actor_label, p.ref FROM cell_value AS v "
        "JOIN provenance AS p ON p.id = v.provenance_id JOIN field AS f ON f.id = v.field_id "
        "JOIN subject AS s ON s.region_id = v.region_id AND s.id = v.subject_id "
        "WHERE f.code = :field AND v.period = :period AND s.key = :area",
        field=field,
        period=period,
        area=area,
    ).one()


def test_answer_is_recorded_and_says_where_it_came_from(ctx: Context, world: World) -> None:
    request = make_request(ctx, world.health, ["test.people"], areas=[VILLAGE])
    ask = asks_of(ctx)["test.people"]
    receipt = submit(ctx, world.village, give(ask, 1203))
    assert (receipt.accepted, receipt.in_review, receipt.invalid) == (1, 0, [])
    value = held(ctx, "test.people")
    assert (value.value, value.observed_on, value.since_kind) == (1203, ctx.today(), "answered")
    assert (value.kind, value.actor_id, value.actor_label) == (
        "submission",
        world.village.id,
        "wang",
    )
    assert value.ref == receipt.id
    assert ask_state(ctx, ask) == "answered"
    assert counts_of(ctx, request) == {"answered": 1}


def test_one_answer_serves_all_who_wait(ctx: Context, world: World) -> None:
    first = make_request(ctx, world.health, ["test.people"], areas=[VILLAGE])
    second = make_request(ctx, world.civil, ["test.people"], areas=[VILLAGE])
    submit(ctx, world.village, give(asks_of(ctx)["test.people"], 7))
    assert counts_of(ctx, first) == counts_of(ctx, second) == {"answered": 1}


def test_submission_is_on_record(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.people"])
    receipt = submit(ctx, world.village, give(asks_of(ctx)["test.people"], 7))
    ctx.session.flush()
    event = ctx.sql(
        "SELECT * FROM audit_event WHERE tag = :tag", tag=Tag.ANSWERS_SUBMITTED.value
    ).one()
    assert (event.target_id, event.actor_id) == (str(receipt.id), world.village.id)
    assert event.data == {"accepted": 1, "in_review": 0, "invalid": 0}


def test_draft_of_an_answered_ask_is_gone(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.people", "test.reviewed"])
    asks = asks_of(ctx)
    save_drafts(
        ctx.acting_as(world.village), [SaveDraft(ask=ask, value="1") for ask in asks.values()]
    )
    submit(ctx, world.village, *(give(ask, 1) for ask in asks.values()))
    assert ctx.sql("SELECT count(*) FROM answer_draft").scalar_one() == 0


def test_receipt_can_be_read_again(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.people", "test.reviewed"])
    asks = asks_of(ctx)
    receipt = submit(
        ctx,
        world.village,
        give(asks["test.people"], 7, note="核过册子"),
        give(asks["test.reviewed"], 8),
    )
    seen = get_submission(ctx.acting_as(world.reviewer), receipt.id)
    assert (seen.unit, seen.by, seen.accepted, seen.in_review) == (VILLAGE, "wang同志", 1, 1)
    answers = {answer.field: answer for answer in seen.answers}
    assert (answers["test.people"].value, answers["test.people"].state) == (7, "recorded")
    assert answers["test.people"].note == "核过册子"
    assert answers["test.reviewed"].state == "in_review"
    (listed,) = list_submissions(ctx.acting_as(world.village)).items
    assert listed.id == receipt.id


def test_receipt_is_nobody_elses_business(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.people"])
    receipt = submit(ctx, world.village, give(asks_of(ctx)["test.people"], 7))
    with pytest.raises(NotFound):
        get_submission(ctx.acting_as(world.far_village), receipt.id)
    assert list_submissions(ctx.acting_as(world.far_village)).items == []
    with pytest.raises(Forbidden):
        list_submissions(ctx.acting_as(world.far_village), unit=VILLAGE)


def test_submissions_come_in_pages_newest_first(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.people", "test.old", "test.women"])
    sent = [submit(ctx, world.village, give(ask, 1)).id for ask in asks_of(ctx).values()]
    reader = ctx.acting_as(world.village)
    first = list_submissions(reader, limit=2)
    rest = list_submissions(reader, limit=2, cursor=first.next)
    assert [item.id for item in [*first.items, *rest.items]] == sent[::-1]
    assert rest.next is None


# ---- what can be wrong ---------------------------------------------------------


@pytest.mark.parametrize(
    "value", [-1, "seven", None, 1.5, True, {"a": 1}, float("nan"), 2**70, "\0", [[]]]
)
def test_value_outside_its_schema(ctx: Context, world: World, value: Any) -> None:
    make_request(ctx, world.health, ["test.people"])
    assert codes_in(ctx, world.village, give(asks_of(ctx)["test.people"], value)) == ["schema"]


def test_code_that_is_not_on_the_list(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.care"])
    ask = asks_of(ctx)["test.care"]
    assert codes_in(ctx, world.village, give(ask, "9")) == ["schema"]
    assert submit(ctx, world.village, give(ask, "2")).accepted == 1


@pytest.mark.parametrize("ask", ["", "x", "1", "1-2-3", "-1-5", "9" * 30, "999999-1", "3-999999"])
def test_ask_that_does_not_exist(ctx: Context, world: World, ask: str) -> None:
    assert codes_in(ctx, world.village, give(ask, 1)) == ["unknown_ask"]


def test_ask_of_another_unit(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.people"])
    ask = asks_of(ctx, unit=FAR_VILLAGE)["test.people"]
    assert codes_in(ctx, world.village, give(ask, 1)) == ["outside_reach"]


def test_asks_of_other_counties_are_told_apart_from_none(ctx: Context, world: World) -> None:
    """Several regions in one submission: those out of reach are never locked."""
    make_request(ctx, world.health, ["test.people"], areas=["420100000000"])
    own = asks_of(ctx)["test.people"]
    foreign = asks_of(ctx, unit="420103001001")["test.people"]
    answers = [give(own, 1), give(foreign, 1), give("77-1", 1)]
    assert codes_in(ctx, world.village, *answers) == ["outside_reach", "unknown_ask"]


def test_township_may_answer_for_its_villages(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.people"])
    receipt = submit(ctx, world.township, give(asks_of(ctx)["test.people"], 5))
    assert get_submission(ctx.acting_as(world.village), receipt.id).unit == VILLAGE


def test_ask_that_is_answered(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.people"])
    ask = asks_of(ctx)["test.people"]
    submit(ctx, world.village, give(ask, 1))
    with pytest.raises(InvalidAnswers) as refused:
        submit(ctx, world.colleague, give(ask, 2))
    assert [mistake.code for mistake in refused.value.mistakes] == ["not_open"]
    assert held(ctx, "test.people").value == 1


def test_ask_that_is_refused_or_in_review(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.people", "test.reviewed"])
    asks = asks_of(ctx)
    refusal = RefuseAsks(asks=[asks["test.people"]], reason=RefusalReason.CANNOT)
    refuse_asks(ctx.acting_as(world.village), refusal)
    submit(ctx, world.village, give(asks["test.reviewed"], 1))
    with pytest.raises(InvalidAnswers) as refused:
        submit(ctx, world.village, *(give(ask, 2) for ask in asks.values()))
    assert [mistake.code for mistake in refused.value.mistakes] == ["not_open", "not_open"]


def test_same_ask_twice(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.people"])
    ask = asks_of(ctx)["test.people"]
    assert codes_in(ctx, world.village, give(ask, 1), give(ask, 2)) == ["schema", "schema"]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"value": 1, "confirm": True},
        {"value": 1, "missing": "unknown", "note": "x"},
        {"confirm": True, "missing": "unknown", "note": "x"},
        {"missing": "lost", "note": "x"},
        {"missing": "unknown"},
        {"missing": "not_applicable", "note": "  "},
    ],
)
def test_answer_that_says_nothing_or_too_much(
    ctx: Context, world: World, answer: dict[str, Any]
) -> None:
    hold_values(ctx, "test.people", {VILLAGE: 5}, period="2025")
    make_request(ctx, world.health, ["test.people"])
    ask = asks_of(ctx)["test.people"]
    assert codes_in(ctx, world.village, GivenAnswer(ask=ask, **answer)) == ["schema"]


def test_every_mistake_is_told_with_its_place(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.people", "test.old", "test.women"])
    asks = asks_of(ctx)
    with pytest.raises(InvalidAnswers) as refused:
        submit(
            ctx,
            world.village,
            give(asks["test.people"], 1),
            give(asks["test.old"], -1),
            give("nonsense", 1),
            GivenAnswer(ask=asks["test.women"], confirm=True),
        )
    assert [(m.pointer, m.code) for m in refused.value.mistakes] == [
        ("/answers/1", "schema"),
        ("/answers/2", "unknown_ask"),
        ("/answers/3", "nothing_to_confirm"),
    ]
    assert ask_state(ctx, asks["test.people"]) == "open"


def test_submission_needs_answers_and_not_too_many(
    ctx: Context, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submission_module, "MAX_ANSWERS", 2)
    for answers in ([], [give("1-1", 1)] * 3):
        with pytest.raises(Invalid) as refused:
            submit(ctx, world.village, *answers)
        assert [mistake.pointer for mistake in refused.value.mistakes] == ["/answers"]


@pytest.mark.parametrize("who", ["reviewer", "health", "catalog_admin"])
def test_only_staff_answer(ctx: Context, world: World, who: str) -> None:
    with pytest.raises(Forbidden):
        submit(ctx, getattr(world, who), give("1-1", 1))


def test_operator_is_no_person(ctx: Context, world: World) -> None:
    with pytest.raises(Forbidden):
        submit(ctx, OPERATOR, give("1-1", 1))


@pytest.mark.parametrize("mode", Mode)
def test_who_reaches_nothing_is_told_so(ctx: Context, world: World, mode: Mode) -> None:
    """As somebody is whose agency has gone from their area (`identity.reach`)."""
    make_request(ctx, world.health, ["test.people"])
    lost = replace(world.village, area_id=None, area_path=None)
    with pytest.raises(Forbidden, match="no unit of your own"):
        submit(ctx, lost, give(asks_of(ctx)["test.people"], 7), mode=mode)


# ---- mode partial --------------------------------------------------------------


def test_right_answers_go_in_and_typed_ones_are_kept(ctx: Context, world: World) -> None:
    request = make_request(ctx, world.health, ["test.people", "test.old"], areas=[VILLAGE])
    asks = asks_of(ctx)
    receipt = submit(
        ctx,
        world.village,
        give(asks["test.people"], 10),
        give(asks["test.old"], "many"),
        give("nonsense", 1),
        mode=Mode.PARTIAL,
    )
    assert receipt.accepted == 1
    assert [(i.ask, i.code) for i in receipt.invalid] == [
        (asks["test.old"], "schema"),
        ("nonsense", "unknown_ask"),
    ]
    (row,) = read_form(ctx.acting_as(world.village)).sections[0].rows
    (ask,) = row.asks
    assert ask.draft is not None
    assert (ask.field, ask.draft.value, ask.draft.by) == ("test.old", "many", "wang同志")
    assert counts_of(ctx, request) == {"answered": 1, "asked": 1}
    stored = get_submission(ctx.acting_as(world.village), receipt.id)
    assert [invalid["code"] for invalid in stored.invalid] == ["schema", "unknown_ask"]


def test_draft_of_somebody_else_is_not_overwritten(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.people"])
    ask = asks_of(ctx)["test.people"]
    save_drafts(ctx.acting_as(world.colleague), [SaveDraft(ask=ask, value="9")])
    submit(ctx, world.village, give(ask, "many"), mode=Mode.PARTIAL)
    assert ctx.sql("SELECT value FROM answer_draft").scalars().all() == ["9"]


def test_submission_of_which_nothing_was_right_has_a_receipt(ctx: Context, world: World) -> None:
    receipt = submit(ctx, world.village, give("nonsense", 1), mode=Mode.PARTIAL)
    assert (receipt.accepted, len(receipt.invalid)) == (0, 1)
    assert get_submission(ctx.acting_as(world.village), receipt.id).answers == []


# ---- confirm and missing -------------------------------------------------------


def test_confirming_takes_the_previous_value(ctx: Context, world: World) -> None:
    hold_values(ctx, "test.people", {VILLAGE: 1203}, period="2024")
    make_request(ctx, world.health, ["test.people"])
    confirmed = GivenAnswer(ask=asks_of(ctx)["test.people"], confirm=True)
    receipt = submit(ctx, world.village, confirmed)
    value = held(ctx, "test.people")
    assert (value.value, value.observed_on) == (1203, ctx.today())
    (answer,) = get_submission(ctx.acting_as(world.village), receipt.id).answers
    assert (answer.kind, answer.value) == ("confirm", 1203)


def test_confirming_a_stale_value_makes_it_fresh(ctx: Context, world: World) -> None:
    hold_values(ctx, "road.paved", {VILLAGE: False})
    request = make_request(ctx, world.health, ["road.paved"], period="", areas=[VILLAGE])
    submit(ctx, world.village, GivenAnswer(ask=asks_of(ctx)["road.paved"], confirm=True))
    value = held(ctx, "road.paved", "")
    assert (value.value, value.fresh_until) == (False, ctx.today() + dt.timedelta(days=30))
    assert counts_of(ctx, request) == {"answered": 1}


def test_previous_value_that_fits_no_more_cannot_be_confirmed(ctx: Context, world: World) -> None:
    hold_values(ctx, "test.care", {VILLAGE: "retired code"}, period="2025")
    make_request(ctx, world.health, ["test.care"])
    confirmed = GivenAnswer(ask=asks_of(ctx)["test.care"], confirm=True)
    assert codes_in(ctx, world.village, confirmed) == ["schema"]


def test_unknown_is_final_for_its_period(ctx: Context, world: World) -> None:
    request = make_request(ctx, world.health, ["test.people"], areas=[VILLAGE])
    unknown = GivenAnswer(ask=asks_of(ctx)["test.people"], missing="unknown", note="没有统计")
    submit(ctx, world.village, unknown)
    value = held(ctx, "test.people")
    assert (value.value, value.missing, value.fresh_until) == (None, "unknown", None)
    assert counts_of(ctx, request) == {"answered": 1}
    later = make_request(ctx, world.civil, ["test.people"], areas=[VILLAGE])
    assert counts_of(ctx, later) == {"held": 1}


def test_unknown_counts_for_ninety_days_where_there_is_no_period(
    ctx: Context, world: World
) -> None:
    make_request(ctx, world.health, ["road.paved"], period="", areas=[VILLAGE])
    unknown = GivenAnswer(ask=asks_of(ctx)["road.paved"], missing="unknown", note="待查")
    submit(ctx, world.village, unknown)
    pass_days(ctx, 90)
    later = make_request(ctx, world.civil, ["road.paved"], period="", areas=[VILLAGE], due=FAR)
    assert counts_of(ctx, later) == {"held": 1}
    pass_days(ctx, 1)
    latest = make_request(ctx, world.civil, ["road.paved"], period="", areas=[VILLAGE], due=FAR)
    assert counts_of(ctx, latest) == {"asked": 1}


FAR = dt.date(2026, 12, 31)


def test_does_not_apply_is_an_answer(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.people"])
    ask = asks_of(ctx)["test.people"]
    submit(ctx, world.village, GivenAnswer(ask=ask, missing="not_applicable", note="撤村建居"))
    assert held(ctx, "test.people").missing == "not_applicable"


def test_whole_number_written_as_a_fraction_is_whole(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.people", "road.length"])
    submit(ctx, world.village, give(asks_of(ctx)["test.people"], 1203.0))
    text = ctx.sql("SELECT value::text FROM cell_value").scalar_one()
    assert text == "1203"


# ---- soft checks ---------------------------------------------------------------


def test_unusual_change_has_to_be_confirmed(ctx: Context, world: World) -> None:
    hold_values(ctx, "test.people", {VILLAGE: 100}, period="2025")
    make_request(ctx, world.health, ["test.people"])
    ask = asks_of(ctx)["test.people"]
    for more in ({}, {"accept_warning": True}, {"note": "撤并"}):
        assert codes_in(ctx, world.village, give(ask, 200, **more)) == ["warning_unconfirmed"]
    receipt = submit(ctx, world.village, give(ask, 200, accept_warning=True, note="撤并"))
    assert receipt.accepted == 1


def test_check_against_a_field_of_the_same_submission(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.people", "test.old"])
    asks = asks_of(ctx)
    people, old = asks["test.people"], asks["test.old"]
    assert codes_in(ctx, world.village, give(people, 10), give(old, 11)) == ["warning_unconfirmed"]
    assert submit(ctx, world.village, give(people, 11), give(old, 11)).accepted == 2


def test_check_against_a_field_that_is_held(ctx: Context, world: World) -> None:
    hold_values(ctx, "test.people", {VILLAGE: 10}, period="2026")
    make_request(ctx, world.health, ["test.old"])
    old = asks_of(ctx)["test.old"]
    assert codes_in(ctx, world.village, give(old, 11)) == ["warning_unconfirmed"]
    assert submit(ctx, world.village, give(old, 10)).accepted == 1


def test_value_that_is_being_sent_counts_before_the_one_held(ctx: Context, world: World) -> None:
    hold_values(ctx, "test.people", {VILLAGE: 5}, period="2025")
    make_request(ctx, world.health, ["test.people", "test.old"])
    asks = asks_of(ctx)
    receipt = submit(ctx, world.village, give(asks["test.people"], 6), give(asks["test.old"], 6))
    assert receipt.accepted == 2


def test_parts_have_to_sum_to_the_total(ctx: Context, world: World) -> None:
    hold_values(ctx, "test.people", {VILLAGE: 30}, period="2026")
    make_request(ctx, world.health, ["test.men", "test.women"])
    asks = asks_of(ctx)
    men, women = asks["test.men"], asks["test.women"]
    assert codes_in(ctx, world.village, give(men, 10), give(women, 21)) == ["warning_unconfirmed"]
    assert submit(ctx, world.village, give(men, 10), give(women, 20)).accepted == 2


# ---- review, cost --------------------------------------------------------------


def test_reviewed_field_is_not_recorded_yet(ctx: Context, world: World) -> None:
    request = make_request(ctx, world.health, ["test.reviewed"], areas=[VILLAGE])
    ask = asks_of(ctx)["test.reviewed"]
    receipt = submit(ctx, world.village, give(ask, 4))
    assert (receipt.accepted, receipt.in_review) == (0, 1)
    assert ask_state(ctx, ask) == "in_review"
    assert counts_of(ctx, request) == {"asked": 1}
    assert ctx.sql("SELECT count(*) FROM cell_value").scalar_one() == 0


def test_number_of_statements_does_not_grow(ctx: Context, world: World, count_statements) -> None:
    hold_values(ctx, "test.people", {VILLAGE: 10}, period="2024")
    codes = ["test.people", "test.old", "test.women", "test.men"]
    make_request(ctx, world.health, ["test.people"], period="2025")
    one = [give(ask, 10) for ask in asks_of(ctx).values()]
    with count_statements() as few:
        submit(ctx, world.village, *one)
        ctx.session.flush()
    make_request(ctx, world.health, codes)
    values = {"test.people": 10, "test.old": 3, "test.women": 4, "test.men": 6}
    four = [give(ask, values[field]) for field, ask in asks_of(ctx).items()]
    with count_statements() as many:
        submit(ctx, world.village, *four)
        ctx.session.flush()
    assert len(many) <= len(few)
