"""Amendment: staff correct what their unit sent; the old value is kept."""

from __future__ import annotations

from typing import Any

import pytest
from collection_fixtures import World
from factories import VILLAGE, asks_of, counts_of, hold_values, make_request

from oneform.collection.commands import AmendAnswer, GivenAnswer, SubmitAnswers
from oneform.collection.errors import InvalidAnswers, NotAmendable
from oneform.collection.service import (
    amend_answer,
    get_submission,
    list_submissions,
    submit_answers,
)
from oneform.collection.views import AnswerView
from oneform.identity.policy import Principal
from oneform.kernel.context import Context
from oneform.kernel.errors import Forbidden, NotFound


@pytest.fixture
def answer(ctx: Context, world: World) -> str:
    """The recorded answer 7 of the village."""
    make_request(ctx, world.health, ["test.people"])
    given = GivenAnswer(ask=asks_of(ctx)["test.people"], value=7)
    receipt = submit_answers(ctx.acting_as(world.village), SubmitAnswers(answers=[given]))
    (seen,) = get_submission(ctx.acting_as(world.village), receipt.id).answers
    return seen.id


def amend(
    ctx: Context, who: Principal, answer: str, value: Any, note: str | None = None
) -> AnswerView:
    return amend_answer(ctx.acting_as(who), AmendAnswer(answer=answer, value=value, note=note))


def values(ctx: Context) -> tuple[list[Any], list[Any]]:
    """What is held, and what was."""
    now = ctx.sql("SELECT value FROM cell_value").scalars().all()
    before = ctx.sql("SELECT value FROM cell_value_history ORDER BY superseded_at").scalars().all()
    return list(now), list(before)


def test_amended_value_takes_the_place_of_the_old_one(
    ctx: Context, world: World, answer: str
) -> None:
    view = amend(ctx, world.colleague, answer, 8, "漏了一户")
    assert (view.kind, view.value, view.state, view.note) == (
        "amendment",
        8,
        "recorded",
        "漏了一户",
    )
    assert values(ctx) == ([8], [7])
    by = ctx.sql(
        "SELECT p.actor_label FROM cell_value AS v JOIN provenance AS p ON p.id = v.provenance_id"
    ).scalar_one()
    assert by == "zhao"
    states = ctx.sql("SELECT state FROM answer ORDER BY id").scalars().all()
    assert states == ["superseded", "recorded"]


def test_amendment_has_a_receipt_of_its_own(ctx: Context, world: World, answer: str) -> None:
    amend(ctx, world.colleague, answer, 8)
    latest, first = list_submissions(ctx.acting_as(world.village)).items
    assert (latest.mode, latest.accepted, latest.by) == ("amendment", 1, "zhao同志")
    assert first.mode == "all"


def test_amendment_can_be_amended(ctx: Context, world: World, answer: str) -> None:
    amendment = amend(ctx, world.village, answer, 8)
    amend(ctx, world.village, amendment.id, 9)
    assert values(ctx) == ([9], [7, 8])


def test_amendment_that_changes_nothing_can_be_amended(
    ctx: Context, world: World, answer: str
) -> None:
    same = amend(ctx, world.village, answer, 7, "核对过")
    amend(ctx, world.village, same.id, 9)
    assert values(ctx) == ([9], [7])


def test_only_the_last_answer_can_be_amended(ctx: Context, world: World, answer: str) -> None:
    amend(ctx, world.village, answer, 8)
    with pytest.raises(NotAmendable):
        amend(ctx, world.village, answer, 9)


def test_request_keeps_its_count(ctx: Context, world: World) -> None:
    request = make_request(ctx, world.health, ["test.people"], areas=[VILLAGE])
    given = GivenAnswer(ask=asks_of(ctx)["test.people"], value=7)
    receipt = submit_answers(ctx.acting_as(world.village), SubmitAnswers(answers=[given]))
    (seen,) = get_submission(ctx.acting_as(world.village), receipt.id).answers
    amend(ctx, world.village, seen.id, 8)
    assert counts_of(ctx, request) == {"answered": 1}


def test_unknown_can_be_amended_to_a_value(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.people"])
    unknown = GivenAnswer(ask=asks_of(ctx)["test.people"], missing="unknown", note="待查")
    receipt = submit_answers(ctx.acting_as(world.village), SubmitAnswers(answers=[unknown]))
    (seen,) = get_submission(ctx.acting_as(world.village), receipt.id).answers
    amend(ctx, world.village, seen.id, 8)
    assert values(ctx) == ([8], [None])


@pytest.mark.parametrize("value", [-1, "8", None])
def test_amendment_fits_the_schema(ctx: Context, world: World, answer: str, value: Any) -> None:
    with pytest.raises(InvalidAnswers) as refused:
        amend(ctx, world.village, answer, value)
    assert [(m.pointer, m.code) for m in refused.value.mistakes] == [("/value", "schema")]
    assert values(ctx) == ([7], [])


def test_unusual_amendment_needs_a_note(ctx: Context, world: World, answer: str) -> None:
    hold_values(ctx, "test.people", {VILLAGE: 10}, period="2025")
    with pytest.raises(InvalidAnswers) as refused:
        amend(ctx, world.village, answer, 100)
    assert [mistake.code for mistake in refused.value.mistakes] == ["warning_unconfirmed"]
    assert amend(ctx, world.village, answer, 100, "并村").state == "recorded"


def test_value_that_the_owner_replaced_is_not_amended(
    ctx: Context, world: World, answer: str
) -> None:
    hold_values(ctx, "test.people", {VILLAGE: 9}, period="2026", observed_on=ctx.today())
    with pytest.raises(NotAmendable):
        amend(ctx, world.village, answer, 8)


@pytest.mark.parametrize("who", ["far_village", "foreign_village"])
def test_answers_of_other_units_do_not_exist(
    ctx: Context, world: World, answer: str, who: str
) -> None:
    with pytest.raises(NotFound):
        amend(ctx, getattr(world, who), answer, 8)


@pytest.mark.parametrize("answer", ["", "x", "3-99999", "999-1"])
def test_answer_that_does_not_exist(ctx: Context, world: World, answer: str) -> None:
    with pytest.raises(NotFound):
        amend(ctx, world.village, answer, 8)


def test_only_staff_amend(ctx: Context, world: World, answer: str) -> None:
    with pytest.raises(Forbidden):
        amend(ctx, world.reviewer, answer, 8)


def test_answer_in_review_is_not_amended(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.reviewed"])
    given = GivenAnswer(ask=asks_of(ctx)["test.reviewed"], value=7)
    receipt = submit_answers(ctx.acting_as(world.village), SubmitAnswers(answers=[given]))
    (seen,) = get_submission(ctx.acting_as(world.village), receipt.id).answers
    with pytest.raises(NotAmendable):
        amend(ctx, world.village, seen.id, 8)


def test_what_an_amendment_replaces_is_locked_once(
    ctx: Context, world: World, count_statements
) -> None:
    make_request(ctx, world.health, ["road.paved"])
    given = GivenAnswer(ask=asks_of(ctx)["road.paved"], value=True)
    receipt = submit_answers(ctx.acting_as(world.village), SubmitAnswers(answers=[given]))
    (answer,) = get_submission(ctx.acting_as(world.village), receipt.id).answers
    with count_statements() as sent:
        amend(ctx, world.village, answer.id, False)
    for lock in ("locked AS MATERIALIZED", "FOR UPDATE OF v"):
        assert sum(lock in statement for statement in sent) == 1
