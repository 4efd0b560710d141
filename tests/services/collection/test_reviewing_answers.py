"""Review: nothing counts before it was accepted, and nothing typed is lost when it is returned."""

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
    AmendAnswer,
    DecideReviews,
    GivenAnswer,
    ReturnAnswer,
    SubmitAnswers,
)
from oneform.collection.errors import NotAmendable
from oneform.collection.service import (
    amend_answer,
    decide_reviews,
    get_submission,
    list_reviews,
    read_form,
    submit_answers,
)
from oneform.identity.policy import Principal
from oneform.kernel.context import Context
from oneform.kernel.errors import Forbidden, Invalid
from oneform.requests.withdrawal import cancel_request


def send(ctx: Context, who: Principal, ask: str, value: Any) -> str:
    """Submit one answer to a reviewed ask; its id."""
    receipt = submit_answers(
        ctx.acting_as(who), SubmitAnswers(answers=[GivenAnswer(ask=ask, value=value)])
    )
    (answer,) = get_submission(ctx.acting_as(who), receipt.id).answers
    return answer.id


@pytest.fixture
def ask(ctx: Context, world: World) -> str:
    make_request(ctx, world.health, ["test.reviewed"])
    return asks_of(ctx)["test.reviewed"]


def accept(ctx: Context, who: Principal, *answers: str) -> None:
    decide_reviews(ctx.acting_as(who), DecideReviews(accept=answers))


def give_back(ctx: Context, who: Principal, answer: str, comment: str = "请核对") -> None:
    back = [ReturnAnswer(answer=answer, comment=comment)]
    decide_reviews(ctx.acting_as(who), DecideReviews(give_back=back))


def codes_of(ctx: Context, who: Principal, command: DecideReviews) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        decide_reviews(ctx.acting_as(who), command)
    return [(mistake.pointer, mistake.code) for mistake in refused.value.mistakes]


def value_of(ctx: Context) -> Any:
    return ctx.sql(
        "SELECT v.value, v.missing, p.kind, p.actor_id, p.actor_label, p.ref FROM cell_value AS v "
        "JOIN provenance AS p ON p.id = v.provenance_id"
    ).one()


def test_reviewer_sees_what_waits_in_the_township(ctx: Context, world: World, ask: str) -> None:
    hold_values(ctx, "test.reviewed", {VILLAGE: 5}, period="2025")
    send(ctx, world.village, ask, 7)
    send(ctx, world.far_village, asks_of(ctx, unit=FAR_VILLAGE)["test.reviewed"], 8)
    (item,) = list_reviews(ctx.acting_as(world.reviewer)).items
    assert (item.unit, item.by, item.field, item.value) == (VILLAGE, "wang同志", "test.reviewed", 7)
    assert item.previous is not None
    assert item.previous.value == 5
    assert len(list_reviews(ctx.acting_as(world.county_reviewer)).items) == 2
    assert list_reviews(ctx.acting_as(world.county_reviewer), unit=NEXT_VILLAGE).items == []


def test_reviews_come_in_pages(ctx: Context, world: World, ask: str) -> None:
    send(ctx, world.village, ask, 7)
    send(ctx, world.far_village, asks_of(ctx, unit=FAR_VILLAGE)["test.reviewed"], 8)
    reader = ctx.acting_as(world.county_reviewer)
    first = list_reviews(reader, limit=1)
    rest = list_reviews(reader, limit=1, cursor=first.next)
    assert [item.value for item in [*first.items, *rest.items]] == [7, 8]
    assert rest.next is None


def test_accepted_answer_is_recorded_as_of_whoever_gave_it(
    ctx: Context, world: World, ask: str
) -> None:
    answer = send(ctx, world.village, ask, 7)
    accept(ctx, world.reviewer, answer)
    value = value_of(ctx)
    assert (value.value, value.kind) == (7, "submission")
    assert (value.actor_id, value.actor_label) == (world.village.id, "wang")
    assert ask_state(ctx, ask) == "answered"
    (seen,) = get_submission(ctx.acting_as(world.village), value.ref).answers
    assert (seen.state, seen.decided_at) == ("recorded", ctx.clock.now())
    assert list_reviews(ctx.acting_as(world.reviewer)).items == []


def test_accepted_answer_advances_the_request(ctx: Context, world: World) -> None:
    request = make_request(ctx, world.health, ["test.reviewed"], areas=[VILLAGE])
    answer = send(ctx, world.village, asks_of(ctx)["test.reviewed"], 7)
    assert counts_of(ctx, request) == {"asked": 1}
    accept(ctx, world.reviewer, answer)
    assert counts_of(ctx, request) == {"answered": 1}
    state = ctx.sql("SELECT state FROM request WHERE id = :id", id=request).scalar_one()
    assert state == "fulfilled"


def test_returned_answer_opens_its_ask_alone_with_comment_and_draft(
    ctx: Context, world: World, ask: str
) -> None:
    answer = send(ctx, world.village, ask, 7)
    give_back(ctx, world.reviewer, answer, " 与去年相差太大 ")
    form = read_form(ctx.acting_as(world.village))
    (shown,) = form.sections[0].rows[0].asks
    assert (shown.state, shown.comment) == ("returned", "与去年相差太大")
    assert shown.draft is not None
    assert (shown.draft.value, shown.draft.by) == (7, "wang同志")
    assert (form.counts.returned, form.counts.in_review) == (1, 0)
    again = send(ctx, world.village, ask, 6)
    accept(ctx, world.reviewer, again)
    assert value_of(ctx).value == 6


def test_answer_without_a_value_is_reviewed_too(ctx: Context, world: World, ask: str) -> None:
    unknown = GivenAnswer(ask=ask, missing="unknown", note="没有台账")
    receipt = submit_answers(ctx.acting_as(world.village), SubmitAnswers(answers=[unknown]))
    (answer,) = get_submission(ctx.acting_as(world.village), receipt.id).answers
    accept(ctx, world.reviewer, answer.id)
    assert (value_of(ctx).value, value_of(ctx).missing) == (None, "unknown")


def test_returned_unknown_leaves_no_draft(ctx: Context, world: World, ask: str) -> None:
    unknown = GivenAnswer(ask=ask, missing="unknown", note="没有台账")
    receipt = submit_answers(ctx.acting_as(world.village), SubmitAnswers(answers=[unknown]))
    (answer,) = get_submission(ctx.acting_as(world.village), receipt.id).answers
    give_back(ctx, world.reviewer, answer.id)
    assert ctx.sql("SELECT count(*) FROM answer_draft").scalar_one() == 0


def test_some_are_accepted_and_some_returned_in_one_go(
    ctx: Context, world: World, ask: str
) -> None:
    first = send(ctx, world.village, ask, 7)
    far = asks_of(ctx, unit=FAR_VILLAGE)["test.reviewed"]
    second = send(ctx, world.far_village, far, 8)
    decided = decide_reviews(
        ctx.acting_as(world.county_reviewer),
        DecideReviews(accept=[first], give_back=[ReturnAnswer(answer=second, comment="请核对")]),
    )
    assert (decided.accepted, decided.returned) == (1, 1)
    assert (ask_state(ctx, ask), ask_state(ctx, far)) == ("answered", "returned")


def test_one_mistake_and_nothing_is_decided(ctx: Context, world: World, ask: str) -> None:
    answer = send(ctx, world.village, ask, 7)
    command = DecideReviews(
        accept=[answer, "nonsense", "3-99999"],
        give_back=[ReturnAnswer(answer=answer, comment=" ")],
    )
    assert codes_of(ctx, world.reviewer, command) == [
        ("/accept/0", "double"),
        ("/accept/1", "unknown_answer"),
        ("/accept/2", "unknown_answer"),
        ("/return/0/answer", "double"),
        ("/return/0/comment", "required"),
    ]
    assert ask_state(ctx, ask) == "in_review"


def test_nothing_to_decide_is_a_mistake(ctx: Context, world: World) -> None:
    assert codes_of(ctx, world.reviewer, DecideReviews()) == [("", "length")]


def test_answer_is_decided_once(ctx: Context, world: World, ask: str) -> None:
    answer = send(ctx, world.village, ask, 7)
    accept(ctx, world.reviewer, answer)
    command = DecideReviews(accept=[answer])
    assert codes_of(ctx, world.county_reviewer, command) == [("/accept/0", "not_in_review")]


def test_answers_of_other_townships_are_unknown(ctx: Context, world: World, ask: str) -> None:
    far = asks_of(ctx, unit=FAR_VILLAGE)["test.reviewed"]
    answer = send(ctx, world.far_village, far, 8)
    command = DecideReviews(accept=[answer])
    assert codes_of(ctx, world.reviewer, command) == [("/accept/0", "unknown_answer")]


def test_nobody_reviews_their_own_answer(ctx: Context, world: World, ask: str) -> None:
    answer = send(ctx, world.village, ask, 7)
    both = Principal(
        kind=world.village.kind,
        id=world.village.id,
        label="wang",
        area_id=world.reviewer.area_id,
        area_path=world.reviewer.area_path,
        permissions=world.reviewer.permissions | world.village.permissions,
    )
    command = DecideReviews(accept=[answer])
    assert codes_of(ctx, both, command) == [("/accept/0", "own_answer")]


@pytest.mark.parametrize("who", ["village", "township", "health", "catalog_admin"])
def test_only_reviewers_review(ctx: Context, world: World, who: str) -> None:
    actor = ctx.acting_as(getattr(world, who))
    with pytest.raises(Forbidden):
        list_reviews(actor)
    with pytest.raises(Forbidden):
        decide_reviews(actor, DecideReviews(accept=["1-1"]))


def test_value_that_came_otherwise_ends_the_review(ctx: Context, world: World, ask: str) -> None:
    answer = send(ctx, world.village, ask, 7)
    hold_values(ctx, "test.reviewed", {VILLAGE: 9}, period="2026")
    assert ask_state(ctx, ask) == "answered"
    command = DecideReviews(accept=[answer])
    assert codes_of(ctx, world.reviewer, command) == [("/accept/0", "not_in_review")]
    assert value_of(ctx).value == 9


def test_withdrawn_ask_ends_the_review(ctx: Context, world: World) -> None:
    request = make_request(ctx, world.health, ["test.reviewed"])
    answer = send(ctx, world.village, asks_of(ctx)["test.reviewed"], 7)
    cancel_request(ctx.acting_as(world.health), request)
    assert list_reviews(ctx.acting_as(world.reviewer)).items == []
    command = DecideReviews(accept=[answer])
    assert codes_of(ctx, world.reviewer, command) == [("/accept/0", "not_in_review")]
    state = ctx.sql("SELECT state FROM answer").scalar_one()
    assert state == "withdrawn"


# ---- reviews that take their time ----------------------------------------------


def observed(ctx: Context) -> tuple[int, dt.date, dt.date | None]:
    row = ctx.sql("SELECT value, observed_on, fresh_until FROM cell_value").one()
    return row.value, row.observed_on, row.fresh_until


def ask_for_road(ctx: Context, who: Principal) -> uuid.UUID:
    return make_request(ctx, who, ["road.checked"], areas=[VILLAGE])


def test_accepted_answer_was_observed_on_the_day_it_was_given(ctx: Context, world: World) -> None:
    given = ctx.today()
    ask_for_road(ctx, world.health)
    answer = send(ctx, world.village, asks_of(ctx)["road.checked"], 7)
    pass_days(ctx, 20)
    accept(ctx, world.reviewer, answer)
    assert observed(ctx) == (7, given, given + dt.timedelta(days=30))


def test_answer_without_its_day_was_given_on_the_day_of_its_instant_in_the_house(
    ctx: Context, world: World, ask: str
) -> None:
    """As answers are that were given before the day was written down."""
    answer = send(ctx, world.village, ask, 7)
    ctx.sql("UPDATE answer SET answered_on = NULL, created_at = '2026-03-14 17:00:00+00'")
    accept(ctx, world.reviewer, answer)
    assert observed(ctx) == (7, dt.date(2026, 3, 15), None)


def test_accepted_amendment_was_observed_on_its_own_day(ctx: Context, world: World) -> None:
    ask_for_road(ctx, world.health)
    answer = send(ctx, world.village, asks_of(ctx)["road.checked"], 7)
    accept(ctx, world.reviewer, answer)
    pass_days(ctx, 5)
    given = ctx.today()
    command = AmendAnswer(answer=answer, value=8, note="数错了")
    amendment = amend_answer(ctx.acting_as(world.village), command)
    pass_days(ctx, 5)
    accept(ctx, world.reviewer, amendment.id)
    assert observed(ctx) == (8, given, given + dt.timedelta(days=30))


def test_answer_too_old_when_accepted_counts_for_those_who_asked_in_time(
    ctx: Context, world: World
) -> None:
    request = ask_for_road(ctx, world.health)
    ask = asks_of(ctx)["road.checked"]
    answer = send(ctx, world.village, ask, 7)
    pass_days(ctx, 45)
    accept(ctx, world.reviewer, answer)
    assert counts_of(ctx, request) == {"answered": 1}
    assert ask_state(ctx, ask) == "answered"
    later = ask_for_road(ctx, world.civil)
    assert counts_of(ctx, later) == {"asked": 1}
    assert asks_of(ctx)["road.checked"] != ask


def test_answer_too_old_when_accepted_is_asked_once_more_of_those_who_came_later(
    ctx: Context, world: World
) -> None:
    first = ask_for_road(ctx, world.health)
    ask = asks_of(ctx)["road.checked"]
    answer = send(ctx, world.village, ask, 7)
    pass_days(ctx, 40)
    second = ask_for_road(ctx, world.civil)
    pass_days(ctx, 5)
    accept(ctx, world.reviewer, answer)
    assert (counts_of(ctx, first), counts_of(ctx, second)) == ({"answered": 1}, {"asked": 1})
    assert ask_state(ctx, ask) == "open"
    assert list_reviews(ctx.acting_as(world.reviewer)).items == []
    accept(ctx, world.reviewer, send(ctx, world.village, ask, 7))
    assert (ask_state(ctx, ask), counts_of(ctx, second)) == ("answered", {"answered": 1})


def test_what_is_asked_once_more_is_answered_and_not_amended(ctx: Context, world: World) -> None:
    """An amendment of the first answer took the second one away, and nobody could answer again."""
    ask_for_road(ctx, world.health)
    ask = asks_of(ctx)["road.checked"]
    first = send(ctx, world.village, ask, 7)
    pass_days(ctx, 40)
    ask_for_road(ctx, world.civil)
    pass_days(ctx, 5)
    accept(ctx, world.reviewer, first)
    amendment = AmendAnswer(answer=first, value=9, note="数错了")
    with pytest.raises(NotAmendable):  # open
        amend_answer(ctx.acting_as(world.colleague), amendment)
    second = send(ctx, world.village, ask, 8)
    with pytest.raises(NotAmendable):  # in review
        amend_answer(ctx.acting_as(world.colleague), amendment)
    assert [item.id for item in list_reviews(ctx.acting_as(world.reviewer)).items] == [second]
    accept(ctx, world.reviewer, second)
    assert (observed(ctx)[0], ask_state(ctx, ask)) == (8, "answered")


def test_answer_older_than_what_is_held_changes_nothing_and_is_over(
    ctx: Context, world: World
) -> None:
    request = ask_for_road(ctx, world.health)
    ask = asks_of(ctx)["road.checked"]
    answer = send(ctx, world.village, ask, 7)
    seen = ctx.today() + dt.timedelta(days=3)
    pass_days(ctx, 45)
    hold_values(ctx, "road.checked", {VILLAGE: 9}, observed_on=seen)
    assert (ask_state(ctx, ask), counts_of(ctx, request)) == ("in_review", {"shared": 1})
    accept(ctx, world.reviewer, answer)
    assert observed(ctx) == (9, seen, seen + dt.timedelta(days=30))
    assert ask_state(ctx, ask) == "answered"


# ---- amendments of reviewed fields ---------------------------------------------


def amended(ctx: Context, world: World, ask: str, who: Principal | None = None) -> str:
    """An accepted 7 that is amended to 8, which waits."""
    answer = send(ctx, who or world.village, ask, 7)
    accept(ctx, world.county_reviewer, answer)
    amendment = AmendAnswer(answer=answer, value=8, note="数错了")
    view = amend_answer(ctx.acting_as(who or world.colleague), amendment)
    assert view.state == "in_review"
    return view.id


def test_amendment_of_a_reviewed_field_waits_again(ctx: Context, world: World, ask: str) -> None:
    amendment = amended(ctx, world, ask)
    assert value_of(ctx).value == 7
    (item,) = list_reviews(ctx.acting_as(world.reviewer)).items
    assert (item.id, item.kind, item.value, item.by) == (amendment, "amendment", 8, "zhao同志")
    accept(ctx, world.reviewer, amendment)
    assert (value_of(ctx).value, value_of(ctx).actor_label) == (8, "zhao")
    states = ctx.sql("SELECT state FROM answer ORDER BY id").scalars().all()
    assert states == ["superseded", "recorded"]
    assert ask_state(ctx, ask) == "answered"


def test_returned_amendment_changes_nothing(ctx: Context, world: World, ask: str) -> None:
    give_back(ctx, world.reviewer, amended(ctx, world, ask))
    assert value_of(ctx).value == 7
    assert ask_state(ctx, ask) == "answered"
    assert ctx.sql("SELECT count(*) FROM answer_draft").scalar_one() == 0


def test_amendment_of_a_value_that_was_replaced_is_not_accepted(
    ctx: Context, world: World, ask: str
) -> None:
    amendment = amended(ctx, world, ask)
    hold_values(ctx, "test.reviewed", {VILLAGE: 9}, period="2026", observed_on=ctx.today())
    command = DecideReviews(accept=[amendment])
    assert codes_of(ctx, world.reviewer, command) == [("/accept/0", "replaced")]
    give_back(ctx, world.reviewer, amendment)
    assert value_of(ctx).value == 9


def test_amendments_are_judged_together(ctx: Context, world: World, count_statements) -> None:
    """One statement for each region says whether they can be accepted, one what they supersede."""
    make_request(ctx, world.health, ["test.reviewed"])
    answers = [
        amended(ctx, world, ask, who)
        for ask, who in (
            (asks_of(ctx)["test.reviewed"], world.village),
            (asks_of(ctx, unit=FAR_VILLAGE)["test.reviewed"], world.far_village),
        )
    ]
    with count_statements() as sent:
        accept(ctx, world.county_reviewer, *answers)
    assert sum("w.submission_id = p.ref" in statement for statement in sent) == 1
    superseding = "UPDATE answer SET state = 'superseded'"
    assert sum(statement.startswith(superseding) for statement in sent) == 1
