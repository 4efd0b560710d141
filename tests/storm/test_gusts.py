"""Gusts: everybody at the same few cells, for a moment, again and again (DESIGN.md §4, point 7).

A storm has many cells, and seldom two who meet at one in an instant that matters. Here two villages
are asked twelve facts for a month, one month after the other, while two people answer and amend, a
reviewer decides, owners bring values and agencies send more requests for the same. After each gust
the cells are counted one by one.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from factories import (
    CITY,
    TOWNSHIP,
    assert_balanced,
    field,
    make_agency,
    make_county,
    make_fields,
    make_person,
    make_request,
)

from oneform.collection.commands import (
    AmendAnswer,
    DecideReviews,
    GivenAnswer,
    Mode,
    ReturnAnswer,
    SubmitAnswers,
)
from oneform.collection.service import amend_answer, decide_reviews, submit_answers
from oneform.config import Settings
from oneform.identity.policy import OPERATOR, Principal
from oneform.kernel import locks
from oneform.kernel.clock import FixedClock
from oneform.kernel.context import Context
from oneform.kernel.errors import DomainError
from oneform.kernel.ids import pack_id
from oneform.runtime import Runtime
from oneform.values.cells import staged
from oneform.values.errors import TryAgain
from oneform.values.models import ProvenanceKind
from oneform.values.recording import open_provenance, prepare_stage, record

FIELDS = [f"calm.f{n}" for n in range(9)] + [f"seen.f{n}" for n in range(3)]
BREATH_S = 0.01
GUST_S = 0.5


@dataclass(frozen=True)
class World:
    agencies: list[Principal]
    people: list[Principal]
    reviewer: Principal


@pytest.fixture
def world(runtime: Runtime) -> World:
    with runtime.context(OPERATOR) as ctx:
        make_county(ctx)
        make_fields(ctx, *(
            field(code, period_type="month", review="township" if "seen" in code else None)
            for code in FIELDS))  # fmt: skip
        return World(
            agencies=[make_agency(ctx, f"agency{n}") for n in range(4)],
            people=[make_person(ctx, name, "staff", TOWNSHIP) for name in ("first", "second")],
            reviewer=make_person(ctx, "reviewer", "township_reviewer", CITY),
        )


_OPEN = """
SELECT a.region_id, a.id, a.field_id, a.subject_id FROM ask AS a
WHERE a.period = :month AND a.state IN ('open', 'returned')
"""

_ANSWERS = """
SELECT w.region_id, w.id FROM answer AS w
JOIN ask AS a ON a.region_id = w.region_id AND a.id = w.ask_id
WHERE a.period = :month AND w.state = :state
"""

_KINDS = """
SELECT DISTINCT p.kind FROM cell_value AS v JOIN provenance AS p ON p.id = v.provenance_id
"""

_BRING = """
INSERT INTO staged_value (region_id, field_id, period, subject_id, value, observed_on)
SELECT :region, c.field_id, :month, c.subject_id, '9', :today
FROM json_to_recordset(CAST(:cells AS json)) AS c(field_id int, subject_id bigint)
"""


class Gust:
    """One month, and what each of them does about it; each with a connection of its own."""

    def __init__(self, world: World, month: str, seed: int) -> None:
        self.world = world
        self.month = month
        self.until = 0.0
        self.chance = random.Random(seed)

    def blow(self, runtimes: list[Runtime]) -> None:
        first, second = self.world.people
        doing: list[Callable[[Runtime], None]] = [
            lambda runtime: self.answer(runtime, first),
            lambda runtime: self.answer(runtime, second),
            self.bring, self.bring, self.review, self.ask, self.amend,
        ]  # fmt: skip
        failed = threading.Event()
        ready = threading.Barrier(len(doing))

        def run(runtime: Runtime, deed: Callable[[Runtime], None]) -> None:
            with runtime.context(OPERATOR) as ctx:
                ctx.sql("SELECT 1")
            ready.wait()
            self.until = time.monotonic() + GUST_S
            while time.monotonic() < self.until and not failed.is_set():
                try:
                    deed(runtime)
                except BaseException:
                    failed.set()
                    raise
                time.sleep(BREATH_S)

        with ThreadPoolExecutor(len(doing)) as pool:
            for one in [pool.submit(run, *each) for each in zip(runtimes, doing, strict=True)]:
                one.result()

    def find(self, runtime: Runtime, query: str, **given: Any) -> list[Any]:
        with runtime.context(OPERATOR) as ctx:
            return list(ctx.sql(query, month=self.month, **given))

    def answer(self, runtime: Runtime, who: Principal) -> None:
        asks = self.find(runtime, _OPEN)
        chosen = self.chance.sample(asks, min(len(asks), self.chance.randint(1, 4)))
        answers = [GivenAnswer(ask=pack_id(a.region_id, a.id), value=3) for a in chosen]
        if answers:
            command = SubmitAnswers(answers=answers, mode=Mode.PARTIAL)
            attempt(runtime, who, lambda ctx: submit_answers(ctx, command))

    def bring(self, runtime: Runtime) -> None:
        """Values of up to three cells of a village, that may have been answered since."""
        asks = self.find(runtime, _OPEN)
        if not asks:
            return
        one = self.chance.choice(asks)
        mine = [ask for ask in asks if ask.subject_id == one.subject_id][:3]
        time.sleep(BREATH_S * self.chance.random())

        def deed(ctx: Context) -> None:
            locks.share_regions(ctx, [one.region_id])
            prepare_stage(ctx)
            cells = [{"field_id": ask.field_id, "subject_id": ask.subject_id} for ask in mine]
            ctx.sql(_BRING, region=one.region_id, month=self.month, today=ctx.today(),
                    cells=orjson.dumps(cells).decode())  # fmt: skip
            origin = open_provenance(ctx, ProvenanceKind.IMPORT)
            record(ctx, staged(one.region_id), origin, authoritative=True)

        attempt(runtime, OPERATOR, deed)

    def review(self, runtime: Runtime) -> None:
        for answer in self.find(runtime, _ANSWERS, state="in_review"):
            key = pack_id(answer.region_id, answer.id)
            command = DecideReviews(accept=[key], give_back=[])
            if self.chance.random() < 0.3:
                given_back = ReturnAnswer(answer=key, comment="请核对")
                command = DecideReviews(accept=[], give_back=[given_back])
            self.decide(runtime, command)

    def decide(self, runtime: Runtime, command: DecideReviews) -> None:
        attempt(runtime, self.world.reviewer, lambda ctx: decide_reviews(ctx, command))

    def ask(self, runtime: Runtime) -> None:
        with runtime.context(OPERATOR) as ctx:
            fields = self.chance.sample(FIELDS, self.chance.randint(1, 8))
            make_request(ctx, self.chance.choice(self.world.agencies), fields, period=self.month)
        time.sleep(5 * BREATH_S)

    def amend(self, runtime: Runtime) -> None:
        answers = self.find(runtime, _ANSWERS, state="recorded")
        if answers:
            answer = self.chance.choice(answers)
            command = AmendAnswer(
                answer=pack_id(answer.region_id, answer.id),
                value=self.chance.randint(0, 9),
                note="查过",
            )
            attempt(runtime, self.world.people[1], lambda ctx: amend_answer(ctx, command))


def attempt(runtime: Runtime, who: Principal, deed: Callable[[Context], Any]) -> None:
    """As a call does it: a unit that had to give way is done again, a refusal is taken. Nobody may
    meet a deadlock here: these few cells are locked in one order."""
    while True:
        try:
            with runtime.context(who) as ctx:
                deed(ctx)
            return
        except TryAgain:
            continue
        except DomainError:
            return


@pytest.fixture
def runtimes(settings: Settings, clock: FixedClock) -> Iterator[list[Runtime]]:
    """As many processes, as far as the database can tell."""
    made = [Runtime(settings, clock=clock) for _ in range(7)]
    yield made
    for runtime in made:
        runtime.close()


@pytest.mark.parametrize(
    "gusts", [pytest.param(5, id="some"), pytest.param(300, id="many", marks=pytest.mark.soak)]
)
def test_books_balance_after_each_gust(
    runtime: Runtime, runtimes: list[Runtime], world: World, gusts: int
) -> None:
    for number in range(gusts):
        month = f"{1990 + number // 12}-{number % 12 + 1:02d}"
        with runtime.context(OPERATOR) as ctx:
            for agency in world.agencies:
                make_request(ctx, agency, FIELDS[number % 5 :: 2], period=month)
        print(f"gust {number}")  # noqa: T201
        Gust(world, month, seed=number).blow(runtimes)
        with runtime.context(OPERATOR) as ctx:
            assert_balanced(ctx)
    with runtime.context(OPERATOR) as ctx:
        kinds = set(ctx.sql(_KINDS).scalars())
    assert kinds == {"submission", "import"}, "both got to some cells"


def test_books_that_do_not_balance_are_told(runtime: Runtime, world: World) -> None:
    with runtime.context(OPERATOR) as ctx:
        request = make_request(ctx, world.agencies[0], FIELDS[:2], period="2026-01")
        ctx.sql("UPDATE request_unit SET asked = asked + 1 WHERE request_id = :id", id=request)
        with pytest.raises(AssertionError, match=str(request)):
            assert_balanced(ctx)
