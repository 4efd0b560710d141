"""What all rules of the machine share: the house, the model, and the check after every step.

Arguments of rules are small numbers that pick from what is there, so that a failure
shrinks to few and plain steps.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar, TypeVar

import hypothesis.strategies as st
import model_requesting as requesting
from hypothesis.stateful import RuleBasedStateMachine, invariant
from machine_begin import begin
from machine_check import (
    check_agency,
    check_foreign_form,
    check_form,
    check_request,
    check_reviews,
    check_supervisor,
    check_tables,
    learn,
)
from machine_house import House, Template
from model_asking import reaches
from model_places import Place
from model_state import OPEN, Ask, Model, Person
from werkzeug.test import TestResponse

T = TypeVar("T")

N = st.integers(0, 11)
"""Picks one of whatever there is."""
RARELY = st.sampled_from([False, False, False, False, False, True])
VALUES = st.sampled_from([0, 1, 2, 5000])

AREA_CODES = ("town.people", "town.checked", "town.road", "town.shared", "town.length",
              "town.granted", "town.brief", "town.turned", "town.leaving")  # fmt: skip


def pick(items: Sequence[T], n: int) -> T:
    return items[n % len(items)]


class Base(RuleBasedStateMachine):
    template: Template
    steps_done = 0
    met: ClassVar[Counter[str]] = Counter()
    """How often, in all runs, something was done, and something came into a state: it tells whether
    the rules reach far enough."""

    def __init__(self) -> None:
        super().__init__()
        self.keys = itertools.count(1)
        self.sent: list[tuple[str, str, Any, str, TestResponse]] = []
        self.turn = 0
        self.states: dict[object, str] = {}

    def open(self) -> None:
        """Make the house, with nothing that has happened."""
        self.house = House(self.template)
        self.house.write_store([])
        self.m: Model = begin(self.house)

    def teardown(self) -> None:
        if hasattr(self, "house"):
            self.house.close()

    def did(self, what: str) -> None:
        self.met[what] += 1

    def _note_states(self) -> None:
        for kind in ("requests", "asks", "answers", "refusals"):
            for thing in getattr(self.m, kind):
                if self.states.get(thing) != thing.state:
                    self.states[thing] = thing.state
                    self.did(f"{kind} {thing.state}")

    def send(self, who: str, path: str, body: Any) -> TestResponse:
        """A POST that is kept, to be repeated."""
        key = f"key-{next(self.keys)}"
        answer = self.house.call(who, "POST", path, body, key=key)
        self.sent.append((who, path, body, key, answer))
        return answer

    def problem(self, answer: TestResponse) -> str | None:
        if answer.status_code < 300:
            return None
        return str(answer.json["type"]).removeprefix("urn:oneform:problem:")

    def staff(self, n: int) -> Person:
        return pick([p for p in self.m.people.values() if p.role == "staff"], n)

    def one_of(self, roles: Sequence[str], n: int, place: Place, *, odd: bool) -> Person:
        """Somebody with one of these roles: who reaches a place or, with `odd`, anybody."""
        people = [p for p in self.m.people.values() if p.role in roles]
        return pick([p for p in people if odd or reaches(p, place)] or people, n)

    def busy_staff(self, n: int) -> Person:
        """Somebody who is asked something, if there is anybody."""
        asked = [
            p for p in self.m.people.values()
            if p.role == "staff" and any(a.state in OPEN and reaches(p, a.unit) for a in self.m.asks)
        ]  # fmt: skip
        return pick(asked, n) if asked else self.staff(n)

    def asks_for(self, person: Person, n: int, many: int, *, odd: bool) -> list[Ask]:
        """Asks that a person can answer; with `odd`, any that ever were."""
        mine = [a for a in self.m.asks if a.state in OPEN and reaches(person, a.unit)]
        pool = self.m.asks if odd else mine
        return [pool[(n + i) % len(pool)] for i in range(min(many, len(pool)))]

    @invariant()
    def check(self) -> None:
        m, house = self.m, self.house
        Base.steps_done += 1
        self.turn += 1
        m.step += 1
        learn(house, m)
        requesting.settle(m)
        check_tables(house, m)
        self._note_states()
        person = pick([p for p in m.people.values() if p.name != "bao"], self.turn)
        if person.role != "catalog_admin":
            check_form(house, m, person)
            check_foreign_form(house, person, pick(list(m.map.places.values()), self.turn))
        if person.role == "township_reviewer":
            check_reviews(house, m, person)
        if m.requests:
            check_request(house, m, pick(m.requests, self.turn))
        if self.turn % 2 == 0:
            check_agency(house, m, pick(list(m.agencies), self.turn // 2))
        if self.turn % 5 == 0:
            check_supervisor(house, m, "bao")
