"""Many at once on the same asks: one wins, the others are told, the books balance."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Barrier
from typing import Any

import pytest
from collection_fixtures import World, make_world
from factories import (
    AREAS,
    CITY,
    COUNTY,
    FAR_VILLAGE,
    FOREIGN_VILLAGE,
    VILLAGE,
    asks_of,
    assert_balanced,
    counts_of,
    hold_values,
    make_request,
    resolve_request,
)
from waiting import wait_until_blocked

from oneform.areas.service import import_areas
from oneform.collection.commands import (
    AmendAnswer,
    DecideRefusal,
    DecideReviews,
    Decision,
    GivenAnswer,
    Mode,
    RefusalReason,
    RefusalScope,
    RefuseAsks,
    ReturnAnswer,
    SaveDraft,
    SubmitAnswers,
)
from oneform.collection.errors import AlreadyDecided, InvalidAnswers, NotAmendable
from oneform.collection.service import (
    amend_answer,
    decide_refusal,
    decide_reviews,
    get_submission,
    refuse_asks,
    save_drafts,
    submit_answers,
)
from oneform.config import Settings
from oneform.identity.policy import OPERATOR, Principal
from oneform.kernel.clock import FixedClock
from oneform.kernel.context import Context
from oneform.kernel.errors import DomainError, Invalid
from oneform.requests.withdrawal import cancel_request
from oneform.runtime import Runtime
from oneform.values.errors import TryAgain

Work = Callable[[Context], Any]


@pytest.fixture
def county(runtime: Runtime) -> World:
    with runtime.context(OPERATOR) as ctx:
        return make_world(ctx)


@pytest.fixture
def second(settings: Settings, clock: FixedClock) -> Iterator[Runtime]:
    """Another process, as far as the database can tell."""
    runtime = Runtime(settings, clock=clock)
    yield runtime
    runtime.close()


def at_once(*works: tuple[Runtime, Principal, Work]) -> list[Any]:
    """Do all in threads that start together; results, or the domain errors instead."""
    barrier = Barrier(len(works))

    def run(work: tuple[Runtime, Principal, Work]) -> Any:
        runtime, who, deed = work
        barrier.wait()
        return attempt(runtime, who, deed)

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def attempt(runtime: Runtime, who: Principal, deed: Work) -> Any:
    """As a request does it: a unit that had to give way is done again."""
    while True:
        try:
            with runtime.context(who) as ctx:
                return deed(ctx)
        except TryAgain:
            continue
        except DomainError as error:
            return error


def submitting(*answers: GivenAnswer, mode: Mode = Mode.ALL) -> Work:
    return lambda ctx: submit_answers(ctx, SubmitAnswers(answers=answers, mode=mode))


def test_one_of_two_who_answer_the_same_ask_wins(
    runtime: Runtime, second: Runtime, county: World
) -> None:
    with runtime.context(OPERATOR) as ctx:
        request = make_request(ctx, county.health, ["test.people"], areas=[VILLAGE])
        ask = asks_of(ctx)["test.people"]
    results = at_once(
        (runtime, county.village, submitting(GivenAnswer(ask=ask, value=1))),
        (second, county.colleague, submitting(GivenAnswer(ask=ask, value=2))),
    )
    (lost,) = [result for result in results if isinstance(result, DomainError)]
    assert isinstance(lost, InvalidAnswers)
    assert [mistake.code for mistake in lost.mistakes] == ["not_open"]
    with runtime.context(OPERATOR) as ctx:
        winner = results.index(lost) ^ 1
        assert ctx.sql("SELECT value FROM cell_value").scalars().all() == [winner + 1]
        assert ctx.sql("SELECT count(*) FROM answer").scalar_one() == 1
        assert counts_of(ctx, request) == {"answered": 1}
        assert_balanced(ctx)


def test_same_asks_in_any_order_do_not_deadlock(
    runtime: Runtime, second: Runtime, county: World
) -> None:
    order = Random(7)
    codes = ["test.people", "test.old", "test.women", "test.men", "test.care", "test.reviewed"]
    for year in range(2018, 2026):
        with runtime.context(OPERATOR) as ctx:
            request = make_request(ctx, county.health, codes, areas=[VILLAGE], period=str(year))
            asks = asks_of(ctx)
        answers = [
            GivenAnswer(ask=ask, value="1" if field == "test.care" else 0)
            for field, ask in asks.items()
        ]
        works = [
            (each, who, submitting(*order.sample(answers, 4), mode=Mode.PARTIAL))
            for each in (runtime, second)
            for who in (county.village, county.colleague)
        ]
        results = at_once(*works)
        with runtime.context(OPERATOR) as ctx:
            accepted = sum(result.accepted for result in results)
            assert counts_of(ctx, request).get("answered", 0) == accepted
            assert (
                ctx.sql(
                    "SELECT count(*) FROM (SELECT FROM answer GROUP BY ask_id HAVING count(*) > 1) AS x"
                ).scalar_one()
                == 0
            )
            assert_balanced(ctx)


def test_answer_and_import_of_the_same_cell(
    runtime: Runtime, second: Runtime, county: World
) -> None:
    # The two values are alike: no answer is to be refused for its change since the last year.
    for year in range(2018, 2026):
        with runtime.context(OPERATOR) as ctx:
            request = make_request(
                ctx, county.health, ["test.people"], areas=[VILLAGE], period=str(year)
            )
            ask = asks_of(ctx)["test.people"]
        answered, came = at_once(
            (runtime, county.village, submitting(GivenAnswer(ask=ask, value=100))),
            (second, OPERATOR, lambda ctx, p=str(year): imported(ctx, p)),
        )
        assert not isinstance(came, DomainError)
        if isinstance(answered, DomainError):
            assert isinstance(answered, InvalidAnswers)
            assert [mistake.code for mistake in answered.mistakes] == ["not_open"]
        with runtime.context(OPERATOR) as ctx:
            assert sum(counts_of(ctx, request).values()) == 1
            assert asks_of(ctx) == {}
            assert_balanced(ctx)


def imported(ctx: Context, period: str) -> None:
    hold_values(ctx, "test.people", {VILLAGE: 101}, period=period, observed_on=ctx.today())


def test_answer_or_cancellation(runtime: Runtime, second: Runtime, county: World) -> None:
    for year in range(2018, 2024):
        with runtime.context(OPERATOR) as ctx:
            request = make_request(
                ctx, county.health, ["test.people"], areas=[VILLAGE], period=str(year)
            )
            ask = asks_of(ctx)["test.people"]
        answered, _ = at_once(
            (runtime, county.village, submitting(GivenAnswer(ask=ask, value=1))),
            (second, county.health, lambda ctx, r=request: cancel_request(ctx, r)),
        )
        with runtime.context(OPERATOR) as ctx:
            if isinstance(answered, DomainError):
                assert isinstance(answered, InvalidAnswers)
                assert counts_of(ctx, request) == {"unavailable": 1}
            else:
                assert (
                    ctx.sql(
                        "SELECT count(*) FROM cell_value WHERE period = :p", p=str(year)
                    ).scalar_one()
                    == 1
                )
            assert_balanced(ctx)


def test_refusal_is_decided_by_one_of_two(runtime: Runtime, second: Runtime, county: World) -> None:
    with runtime.context(OPERATOR) as ctx:
        request = make_request(ctx, county.health, ["test.people"])
        ask = asks_of(ctx)["test.people"]
        refusal = refuse_asks(
            ctx.acting_as(county.village), RefuseAsks(asks=[ask], reason=RefusalReason.CANNOT)
        )

    def deciding(decision: Decision, scope: RefusalScope = RefusalScope.UNIT) -> Work:
        command = DecideRefusal(id=refusal.id, decision=decision, scope=scope, reason="核实")
        return lambda ctx: decide_refusal(ctx, command)

    results = at_once(
        (runtime, county.reviewer, deciding(Decision.OVERTURN)),
        (second, county.county_reviewer, deciding(Decision.UPHOLD)),
        (runtime, county.catalog_admin, deciding(Decision.UPHOLD, RefusalScope.ALL)),
    )
    assert [type(r) for r in results if isinstance(r, DomainError)] == [AlreadyDecided] * 2
    with runtime.context(OPERATOR) as ctx:
        assert sum(counts_of(ctx, request).values()) == 3
        assert_balanced(ctx)


def test_nobody_locks_asks_outside_their_reach(
    runtime: Runtime, second: Runtime, county: World
) -> None:
    with runtime.context(OPERATOR) as ctx:
        make_request(ctx, county.health, ["test.people"])
        mine, theirs = (asks_of(ctx, unit=unit)["test.people"] for unit in (VILLAGE, FAR_VILLAGE))

    def can_be_locked(ask: str) -> bool:
        region, number = ask.split("-")
        with second.context(OPERATOR) as ctx:
            found = ctx.sql(
                "SELECT FROM ask WHERE region_id = :region AND id = :id FOR UPDATE SKIP LOCKED",
                region=region,
                id=number,
            ).one_or_none()
        return found is not None

    with runtime.context(county.village) as ctx:
        drafts = [SaveDraft(ask=ask, value=7) for ask in (mine, theirs, "1-999999999")]
        outcomes = [(draft.outcome, draft.code) for draft in save_drafts(ctx, drafts)]
        assert outcomes == [
            ("saved", None),
            ("refused", "outside_reach"),
            ("refused", "unknown_ask"),
        ]
        assert (can_be_locked(mine), can_be_locked(theirs)) == (False, True)
        (alone,) = save_drafts(ctx, [SaveDraft(ask=theirs, value=7)])
        assert (alone.code, can_be_locked(theirs)) == ("outside_reach", True)


def test_exemption_waits_for_a_county_that_is_coming_in(
    runtime: Runtime, second: Runtime, county: World
) -> None:
    with runtime.context(OPERATOR) as ctx:
        make_request(ctx, county.health, ["test.people"])
        ask = asks_of(ctx)["test.people"]
        refusal = refuse_asks(
            ctx.acting_as(county.village), RefuseAsks(asks=[ask], reason=RefusalReason.CANNOT)
        )
    command = DecideRefusal(
        id=refusal.id, decision=Decision.UPHOLD, scope=RefusalScope.ALL, reason="核实"
    )
    with ThreadPoolExecutor(1) as pool:
        with runtime.context(OPERATOR) as ctx:
            import_areas(ctx, f"{AREAS}420104000000,{CITY},3,硚口区\n".encode())
            decided = pool.submit(
                attempt, second, county.catalog_admin, lambda ctx: decide_refusal(ctx, command)
            )
            wait_until_blocked(runtime.engine, decided)
            assert not decided.done()
        assert decided.result().state == "upheld"


def test_exemption_and_new_requests_at_once(
    runtime: Runtime, second: Runtime, county: World
) -> None:
    with runtime.context(OPERATOR) as ctx:
        make_request(ctx, county.health, ["test.people"])
        ask = asks_of(ctx)["test.people"]
        refusal = refuse_asks(
            ctx.acting_as(county.village), RefuseAsks(asks=[ask], reason=RefusalReason.CANNOT)
        )
    command = DecideRefusal(
        id=refusal.id, decision=Decision.UPHOLD, scope=RefusalScope.ALL, reason="核实"
    )

    def requesting(ctx: Context) -> Any:
        return make_request(ctx, county.civil, ["test.people"], areas=[COUNTY])

    results = at_once(
        (runtime, county.catalog_admin, lambda ctx: decide_refusal(ctx, command)),
        (second, OPERATOR, requesting),
        (second, OPERATOR, requesting),
    )
    assert [result for result in results if isinstance(result, DomainError)] == []
    with runtime.context(OPERATOR) as ctx:
        assert asks_of(ctx) == {}
        assert ctx.sql("SELECT count(*) FROM ask WHERE state = 'open'").scalar_one() == 0
        assert_balanced(ctx)


def test_review_is_decided_by_one_of_two(runtime: Runtime, second: Runtime, county: World) -> None:
    with runtime.context(OPERATOR) as ctx:
        make_request(ctx, county.health, ["test.reviewed"])
        given = GivenAnswer(ask=asks_of(ctx)["test.reviewed"], value=3)
        staff = ctx.acting_as(county.village)
        receipt = submit_answers(staff, SubmitAnswers(answers=[given]))
        (answer,) = get_submission(staff, receipt.id).answers
    accept = DecideReviews(accept=[answer.id])
    give_back = DecideReviews(give_back=[ReturnAnswer(answer=answer.id, comment="核对")])
    results = at_once(
        (runtime, county.reviewer, lambda ctx: decide_reviews(ctx, accept)),
        (second, county.county_reviewer, lambda ctx: decide_reviews(ctx, give_back)),
    )
    (lost,) = [result for result in results if isinstance(result, DomainError)]
    assert isinstance(lost, Invalid)
    assert [mistake.code for mistake in lost.mistakes] == ["not_in_review"]
    with runtime.context(OPERATOR) as ctx:
        assert_balanced(ctx)


def test_answer_is_amended_by_one_of_two(runtime: Runtime, second: Runtime, county: World) -> None:
    with runtime.context(OPERATOR) as ctx:
        make_request(ctx, county.health, ["test.people"])
        given = GivenAnswer(ask=asks_of(ctx)["test.people"], value=3)
        staff = ctx.acting_as(county.village)
        receipt = submit_answers(staff, SubmitAnswers(answers=[given]))
        (answer,) = get_submission(staff, receipt.id).answers

    def amending(value: int) -> Work:
        return lambda ctx: amend_answer(ctx, AmendAnswer(answer=answer.id, value=value))

    results = at_once(
        (runtime, county.village, amending(4)), (second, county.colleague, amending(5))
    )
    assert [type(r) for r in results if isinstance(r, DomainError)] == [NotAmendable]


def test_newer_draft_is_seen_by_the_second_of_two(
    runtime: Runtime, second: Runtime, county: World
) -> None:
    with runtime.context(OPERATOR) as ctx:
        make_request(ctx, county.health, ["test.people"])
        ask = asks_of(ctx)["test.people"]

    def saving(value: str) -> Work:
        return lambda ctx: save_drafts(ctx, [SaveDraft(ask=ask, value=value)])[0].outcome

    results = at_once(
        (runtime, county.village, saving("a")), (second, county.colleague, saving("b"))
    )
    assert sorted(results) == ["conflict", "saved"]


def test_resolving_waits_for_answers_and_asks_nothing_twice(
    runtime: Runtime, second: Runtime, county: World
) -> None:
    with runtime.context(OPERATOR) as ctx:
        make_request(ctx, county.health, ["test.people"], areas=[VILLAGE])
        ask = asks_of(ctx)["test.people"]
    _, request = at_once(
        (runtime, county.village, submitting(GivenAnswer(ask=ask, value=1))),
        (
            second,
            OPERATOR,
            lambda ctx: make_request(ctx, county.civil, ["test.people"], areas=[VILLAGE]),
        ),
    )
    with runtime.context(OPERATOR) as ctx:
        resolve_request(ctx, request)
        assert ctx.sql("SELECT count(*) FROM ask").scalar_one() == 1
        assert_balanced(ctx)


def test_units_of_one_request_close_beside_each_other(
    runtime: Runtime, second: Runtime, county: World
) -> None:
    people = {
        VILLAGE: county.village,
        FOREIGN_VILLAGE: county.foreign_village,
        FAR_VILLAGE: county.far_village,
    }
    with runtime.context(OPERATOR) as ctx:
        request = make_request(ctx, county.health, ["test.people"], areas=list(people))
        answers = {
            who: submitting(GivenAnswer(ask=asks_of(ctx, unit=unit)["test.people"], value=1))
            for unit, who in people.items()
        }
    first, other, last = answers
    with runtime.context(first) as one:
        answers[first](one)
        # While the first is not committed; only the unit next to it, the last here, would wait.
        with second.context(other) as two:
            two.sql("SET LOCAL lock_timeout = '1s'")
            answers[other](two)
    with ThreadPoolExecutor(1) as pool, runtime.context(OPERATOR) as ctx:
        assert ctx.sql("SELECT state FROM request").scalar_one() == "collecting"
        assert counts_of(ctx, request) == {"answered": 2, "asked": 1}
        pool.submit(attempt, second, last, answers[last]).result(30)
    with runtime.context(OPERATOR) as ctx:
        assert ctx.sql("SELECT state FROM request").scalar_one() == "fulfilled"
        assert_balanced(ctx)


def test_last_units_that_close_at_once_end_their_request(
    runtime: Runtime, second: Runtime, county: World
) -> None:
    people = {VILLAGE: county.village, FAR_VILLAGE: county.far_village}
    for year in range(2018, 2026):
        with runtime.context(OPERATOR) as ctx:
            make_request(ctx, county.health, ["test.people"], areas=list(people), period=str(year))
            works = [
                submitting(GivenAnswer(ask=asks_of(ctx, unit=unit)["test.people"], value=1))
                for unit in people
            ]
        at_once(*zip((runtime, second), people.values(), works, strict=True))
        with runtime.context(OPERATOR) as ctx:
            assert ctx.sql("SELECT DISTINCT state FROM request").scalars().all() == ["fulfilled"]
            assert_balanced(ctx)
