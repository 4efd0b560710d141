"""Drafts: kept as typed, and never overwritten unseen."""

from __future__ import annotations

from typing import Any

import pytest
from collection_fixtures import World
from factories import FAR_VILLAGE, asks_of, make_request

from oneform.collection import drafts as drafts_module
from oneform.collection.commands import GivenAnswer, SaveDraft, SubmitAnswers
from oneform.collection.service import read_form, save_drafts, submit_answers
from oneform.collection.views import Draft, SavedDraft
from oneform.identity.policy import Principal
from oneform.kernel.context import Context
from oneform.kernel.errors import Forbidden, Invalid


@pytest.fixture
def ask(ctx: Context, world: World) -> str:
    make_request(ctx, world.health, ["test.people"])
    return asks_of(ctx)["test.people"]


def save(ctx: Context, who: Principal, ask: str, value: Any, base: str | None = None) -> SavedDraft:
    (outcome,) = save_drafts(ctx.acting_as(who), [SaveDraft(ask=ask, value=value, base=base)])
    return outcome


def stored(ctx: Context, who: Principal) -> Draft | None:
    (section,) = read_form(ctx.acting_as(who)).sections
    return section.rows[0].asks[0].draft


@pytest.mark.parametrize(
    "value", ["12a", 12, 0, False, "", [1, {"a": None}], {"missing": "unknown"}]
)
def test_draft_is_kept_as_it_was_typed(ctx: Context, world: World, ask: str, value: Any) -> None:
    saved = save(ctx, world.village, ask, value)
    draft = stored(ctx, world.village)
    assert draft is not None
    assert (draft.value, draft.etag, saved.outcome) == (value, saved.etag, "saved")


def test_next_draft_names_the_one_it_changes(ctx: Context, world: World, ask: str) -> None:
    first = save(ctx, world.village, ask, "1")
    second = save(ctx, world.village, ask, "12", first.etag)
    assert second.outcome == "saved"
    assert second.etag != first.etag
    draft = stored(ctx, world.village)
    assert draft is not None
    assert draft.value == "12"


def test_newer_draft_of_somebody_else_is_answered_with_both(
    ctx: Context, world: World, ask: str
) -> None:
    save(ctx, world.colleague, ask, "theirs")
    outcome = save(ctx, world.village, ask, "mine", None)
    assert (outcome.outcome, outcome.mine) == ("conflict", "mine")
    assert outcome.theirs is not None
    assert (outcome.theirs.value, outcome.theirs.by) == ("theirs", "zhao同志")
    draft = stored(ctx, world.village)
    assert draft is not None
    assert draft.value == "theirs"
    assert save(ctx, world.village, ask, "mine", outcome.theirs.etag).outcome == "saved"


def test_base_that_is_gone_is_a_conflict_with_nothing(ctx: Context, world: World, ask: str) -> None:
    outcome = save(ctx, world.village, ask, "mine", "0" * 32)
    assert (outcome.outcome, outcome.theirs) == ("conflict", None)


def test_own_draft_of_another_window_gives_way_where_that_is_wanted(
    ctx: Context, world: World, ask: str
) -> None:
    def over_own(who: Principal, value: str) -> SavedDraft:
        draft = SaveDraft(ask=ask, value=value, base="0" * 32, over_own=True)
        return save_drafts(ctx.acting_as(who), [draft])[0]

    assert over_own(world.village, "first").outcome == "saved"
    assert over_own(world.village, "second").outcome == "saved"
    assert over_own(world.colleague, "theirs").outcome == "conflict"
    draft = stored(ctx, world.village)
    assert draft is not None
    assert draft.value == "second"


def test_repeating_a_draft_whose_answer_was_lost_is_no_conflict(
    ctx: Context, world: World, ask: str
) -> None:
    saved = save(ctx, world.village, ask, "12")
    again = save(ctx, world.village, ask, "12", None)
    assert (again.outcome, again.etag) == ("saved", saved.etag)


def test_nothing_takes_the_draft_away(ctx: Context, world: World, ask: str) -> None:
    saved = save(ctx, world.village, ask, "12")
    assert save(ctx, world.village, ask, None, saved.etag).outcome == "removed"
    assert stored(ctx, world.village) is None


def test_drafts_are_judged_one_by_one(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.people", "test.old"])
    mine = asks_of(ctx)
    far = asks_of(ctx, unit=FAR_VILLAGE)
    answered = GivenAnswer(ask=mine["test.old"], value=1)
    submit_answers(ctx.acting_as(world.village), SubmitAnswers(answers=[answered]))
    outcomes = save_drafts(
        ctx.acting_as(world.village),
        [
            SaveDraft(ask="nonsense", value=1),
            SaveDraft(ask=mine["test.people"], value=1),
            SaveDraft(ask=far["test.people"], value=1),
            SaveDraft(ask=mine["test.old"], value=1),
        ],
    )
    assert [outcome.code for outcome in outcomes] == [
        "unknown_ask",
        None,
        "outside_reach",
        "not_open",
    ]
    assert ctx.sql("SELECT count(*) FROM answer_draft").scalar_one() == 1


def test_two_drafts_for_one_ask_follow_each_other(ctx: Context, world: World, ask: str) -> None:
    outcomes = save_drafts(
        ctx.acting_as(world.village),
        [SaveDraft(ask=ask, value="1"), SaveDraft(ask=ask, value="2")],
    )
    assert [outcome.outcome for outcome in outcomes] == ["saved", "conflict"]


@pytest.mark.parametrize("value", ["x" * 20_001, "\0", float("inf"), 2**70, "\ud800"])
def test_draft_that_cannot_be_kept_is_refused(
    ctx: Context, world: World, ask: str, value: Any
) -> None:
    outcome = save(ctx, world.village, ask, value)
    assert (outcome.outcome, outcome.code) == ("refused", "schema")


def test_number_of_drafts_is_bounded(
    ctx: Context, world: World, ask: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts_module, "MAX_DRAFTS", 1)
    for drafts in ([], [SaveDraft(ask=ask, value=1)] * 2):
        with pytest.raises(Invalid):
            save_drafts(ctx.acting_as(world.village), drafts)


@pytest.mark.parametrize("who", ["reviewer", "health"])
def test_only_staff_draft(ctx: Context, world: World, ask: str, who: str) -> None:
    with pytest.raises(Forbidden):
        save(ctx, getattr(world, who), ask, 1)


def test_drafts_disappear_with_their_ask(ctx: Context, world: World, ask: str) -> None:
    save(ctx, world.colleague, ask, "9")
    answer = GivenAnswer(ask=ask, value=9)
    submit_answers(ctx.acting_as(world.village), SubmitAnswers(answers=[answer]))
    assert ctx.sql("SELECT count(*) FROM answer_draft").scalar_one() == 0
