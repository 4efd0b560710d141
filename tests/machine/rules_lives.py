"""Whole lives of what is asked, one deed after the other: chance alone seldom leads so far.

Each life asks about a year of its own, so that its cells are its own. Everybody else may do
something between two of its deeds; what comes of the next one is the model's to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import hypothesis.strategies as st
from hypothesis.stateful import precondition, rule
from machine_base import N, pick
from model_asking import Given
from model_places import TOWNSHIP, VILLAGE
from model_state import Answer, Ask, Person, Request
from rules_answers import Answering
from rules_requests import Order, Requesting
from rules_values import Bringing
from rules_world import Changing

Life = Iterator[None]
"""Goes on by a deed each time."""

LIVES = ("reviewed", "lapsed", "amended", "drafted", "overturned", "upheld", "spared", "expired", "late",
         "shared_ask", "brought", "granted", "turned", "moved", "retired", "interrupted",
         "stored")  # fmt: skip
AT_ONCE = 3
"""So many lives go on at the same time, at most."""


class Living(Requesting, Answering, Bringing, Changing):
    def __init__(self) -> None:
        super().__init__()
        self.lives: list[Life] = []
        self.years = iter(range(1950, 2020))

    def live_all(self, names: list[str], codes: list[str]) -> None:
        """First of all a request for some fields, so that there is something to do."""
        self.submit(Order("health", codes))
        self.work_all()
        self.check()
        for name in names:
            for _ in getattr(self, name)():
                self.check()

    @rule(name=st.sampled_from(LIVES))
    def begin_life(self, name: str) -> None:
        self.lives = [*self.lives, getattr(self, name)()][-AT_ONCE:]

    @precondition(lambda self: self.lives)
    @rule(n=N, deeds=st.integers(1, 4))
    def live_on(self, n: int, deeds: int) -> None:
        life = pick(self.lives, n)
        for _ in islice(life, deeds):
            self.check()

    # ---- what lives are made of --------------------------------------------------

    def year(self) -> str:
        return str(next(self.years))

    def ask_for(
        self,
        code: str,
        year: str,
        *,
        agency: str = "health",
        days: int = 20,
        n: int = 0,
        besides: tuple[str, ...] = (),
    ) -> list[Ask]:
        """A request about a county, resolved; the live asks for the cells of its first field."""
        counties = [p for p in self.m.map.living(TOWNSHIP) if p.parent and p.parent.level == 3]
        top = pick(counties, n).parent
        self.submit(Order(agency, [code, *besides], period=year, days=days, top=top))
        self.work_all()
        period = "" if self.m.catalog.fields[code].standing else year
        return [ask for ask in self.m.live() if ask.key[:2] == (code, period)]

    def last(self) -> Request:
        return self.m.requests[-1]

    def staff_of(self, ask: Ask, n: int = 0) -> Person:
        return self.one_of(["staff"], n, ask.unit, odd=False)

    def reviewer_of(self, ask: Ask, n: int = 0) -> Person:
        return self.one_of(["township_reviewer"], n, ask.unit, odd=False)

    def answer_ask(self, ask: Ask, value: int, n: int = 0) -> None:
        self.say(self.staff_of(ask, n), [Given(ask, value=value)])

    def answers_to(self, ask: Ask) -> list[Answer]:
        return [answer for answer in self.m.answers if answer.ask is ask]

    def review_last(self, ask: Ask, *, accept: bool) -> None:
        for answer in self.answers_to(ask)[-1:]:
            self.judge_answer(self.reviewer_of(ask), answer, accept=accept)

    def amend_last(self, ask: Ask, value: int) -> None:
        for answer in [w for w in self.answers_to(ask) if w.state == "recorded"][-1:]:
            self.amend_answer(self.staff_of(ask, 1), answer, value)

    def pass_days_until_late(self, ask: Ask, *, over: bool) -> None:
        """After its due date, or after its last day."""
        last = ask.live_until if over else ask.due
        self.days_pass((last - self.m.today).days + 1, swept=True)

    # ---- lives -------------------------------------------------------------------

    def reviewed(self) -> Life:
        """Returned, answered again, accepted; amended with a review; another ask cancelled meanwhile."""
        asks = self.ask_for("town.checked", self.year())
        yield
        for ask in asks[:1]:
            self.answer_ask(ask, 1)
            yield
            self.review_last(ask, accept=False)
            yield
            self.answer_ask(ask, 2)
            yield
            self.review_last(ask, accept=True)
            yield
            self.amend_last(ask, 5)
            yield
            self.review_last(ask, accept=False)
            yield
            for value in (6, 7):
                self.amend_last(ask, value)
                yield
            self.review_last(ask, accept=True)
            yield
        for ask in asks[1:2]:
            self.answer_ask(ask, 3)
            yield
            request = next(r for r in self.m.requests if self.m.waits(r, ask))
            self.cancel_request(request)
            yield

    def lapsed(self) -> Life:
        """Accepted too late for one who asked later: asked once more, and meanwhile not amended."""
        asks = self.ask_for("town.watched", self.year())
        yield
        for ask in asks[:1]:
            self.answer_ask(ask, 1)
            yield
            self.days_pass(40, swept=True)
            yield
            self.ask_for("town.watched", self.year(), agency="civil")
            yield
            self.review_last(ask, accept=True)
            yield
            self.amend_last(ask, 2)
            yield
            self.answer_ask(ask, 3)
            yield
            self.amend_last(ask, 4)
            yield
            self.review_last(ask, accept=True)
            yield

    def amended(self) -> Life:
        asks = self.ask_for("town.people", self.year())
        yield
        for ask in asks[:1]:
            self.answer_ask(ask, 1)
            yield
            for value in (2, -1, 3):
                self.amend_last(ask, value)
                yield

    def drafted(self) -> Life:
        """Two people type into one ask; a mistake of a submission is kept as a draft."""
        asks = self.ask_for("town.people", self.year())
        yield
        for ask in asks[:1]:
            one, other = self.staff_of(ask, 0), self.staff_of(ask, 1)
            self.save_draft(one, ask, 1, None)
            yield
            self.save_draft(other, ask, 2, None)
            yield
            self.save_draft(other, ask, 3, ask.draft and ask.draft.etag)
            yield
            self.say(other, [Given(ask, value=-4)], partial=True)
            yield
            self.save_draft(one, ask, None, ask.draft and ask.draft.etag)
            yield
            self.save_draft(one, ask, 5, None)
            yield
            self.say(other, [Given(ask, missing="unknown", note="查过")])
            yield
            self.save_draft(one, ask, 6, None)
            yield

    def overturned(self) -> Life:
        """The clock stands still while nobody decides; then there is a late answer to another ask."""
        asks = self.ask_for("town.people", self.year(), days=5)
        yield
        for ask in asks[:1]:
            refusal = self.refuse_asks(self.staff_of(ask), [ask])
            yield
            self.days_pass(12, swept=True)
            yield
            if refusal:
                self.decide_refusal(self.reviewer_of(ask), refusal, "overturn", "unit")
                yield
                self.decide_refusal(self.reviewer_of(ask), refusal, "uphold", "unit")
                yield
            self.answer_ask(ask, 3)
            yield

    def upheld(self) -> Life:
        """Nobody is asked again."""
        year = self.year()
        asks = self.ask_for("town.people", year)
        yield
        for ask in asks[:1]:
            refusal = self.refuse_asks(self.staff_of(ask), [ask])
            yield
            if refusal:
                self.decide_refusal(self.reviewer_of(ask), refusal, "uphold", "unit")
                yield
            self.ask_for("town.people", year, agency="stats")
            yield

    def spared(self) -> Life:
        """Upheld for all, while others have answered and one waits for its review."""
        year = self.year()
        asks = self.ask_for("town.checked", year)
        yield
        for ask in asks[:1]:
            for other in asks[1:2]:
                self.answer_ask(other, 3)
                yield
            refusal = self.refuse_asks(self.staff_of(ask), [ask])
            yield
            if refusal:
                self.decide_refusal(self.m.people["qian"], refusal, "uphold", "all")
                yield
            self.ask_for("town.checked", year, agency="civil")
            yield

    def expired(self) -> Life:
        """Asked again by whoever still wants to know."""
        year = self.year()
        asks = self.ask_for("town.people", year, days=5)
        yield
        for ask in asks[:1]:
            self.pass_days_until_late(ask, over=True)
            yield
            self.answer_ask(ask, 1)
            yield
        for ask in self.ask_for("town.people", year, agency="stats", days=5)[:1]:
            yield
            self.answer_ask(ask, 2)
            yield

    def late(self) -> Life:
        """After the due date answers still count."""
        asks = self.ask_for("town.length", self.year(), days=5)
        yield
        for ask in asks[:1]:
            self.pass_days_until_late(ask, over=False)
            yield
        for ask in asks:
            self.answer_ask(ask, 1)
            yield

    def shared_ask(self) -> Life:
        """Two wait for the same: each can go, and when both have gone, so has the ask."""
        year = self.year()
        asks = self.ask_for("town.people", year, days=5)
        yield
        first = self.last()
        self.ask_for("town.people", year, agency="stats", days=20)
        yield
        second = self.last()
        for ask in asks[:1]:
            self.answer_ask(ask, 1)
            yield
        self.cancel_request(first)
        yield
        self.cancel_request(second)
        yield
        self.ask_for("town.people", year, agency="civil", days=5)
        yield

    def brought(self) -> Life:
        """The owner brings what others are asked, and what they have answered without a review."""
        year = self.year()
        asks = self.ask_for("town.checked", year)
        yield
        for ask in asks[1:2]:
            self.answer_ask(ask, 5)
            yield
        villages = [s for s in self.m.map.subjects.values()
                    if s.kind == "area" and s.place.level == VILLAGE]  # fmt: skip
        rows = [("town.checked", villages.index(ask.subject), 7, 0) for ask in asks]
        if rows:
            self.bring_values("stats", rows, year, True)
            yield

    def granted(self) -> Life:
        """One waits for its owner, who takes more time and says yes, for some days; to another no."""
        for decision in ("grant", "refuse"):
            self.ask_for("town.granted", self.year(), agency="civil")
            yield
            request = self.last()
            wish = request.wishes.get("town.granted")
            for deed in ("extend", "extend", decision):
                # Others may have decided meanwhile, or cancelled.
                if wish is not None and wish.grant == "pending":
                    self.decide_grant_of(request, "town.granted", deed, 10)
                    yield
            self.work_all()
            yield
            asks = [ask for ask in self.m.live() if self.m.waits(request, ask)]
            for ask in asks[:1]:
                self.answer_ask(ask, 1)
                yield
                self.days_pass(11, swept=False)
                yield
                self.sweep()
                yield

    def interrupted(self) -> Life:
        """The worker dies at once, and the next one after a region."""
        self.submit(Order("stats", ["town.people"], period=self.year()))
        yield
        for lives in (0, 1):
            if any(job.name == "resolve_request" for job in self.m.jobs):
                self.worker_dies(0, lives)
                yield
        self.work_all()
        yield

    def stored(self) -> Life:
        """What the department's store knows is not asked; what it learns later comes by itself."""
        for n in (0, 1):
            self.store_learns("town.shared", n, 5)
            self.ask_for("town.shared", "2026")
            yield
            self.store_learns("town.shared", n + 1, 6)
            self.days_pass(1, swept=True)
            yield

    def turned(self) -> Life:
        """A field that is shared, then asked, then shared again, with somebody who waits in each."""
        year = self.year()
        requests = []
        modes = [("collect", TOWNSHIP), ("share", VILLAGE), ("collect", VILLAGE)]
        if self.m.catalog.fields["town.turned"].versions[-1].mode == "collect":
            modes = [("share", VILLAGE), ("collect", VILLAGE), ("share", VILLAGE)]
        self.ask_for("town.turned", year, besides=("town.people",))
        yield
        requests.append(self.last())
        for mode, level in modes:
            self.days_pass(1, swept=False)
            self.supersede_field("town.turned", None, mode, level, level == VILLAGE)
            yield
            asks = self.ask_for("town.turned", year, agency="stats", besides=("town.people",))
            for ask in asks[:1]:
                yield
                self.answer_ask(ask, 2)
            yield
            requests.append(self.last())
            if mode == "collect":
                self.cancel_request(requests.pop())
            else:
                self.sweep()
            yield

    def moved(self) -> Life:
        """Villages that are opened, moved, merged and closed under live asks."""
        towns = self.m.map.living(TOWNSHIP)
        for _ in range(3):
            self.alter_area("open", self.m.map.living(VILLAGE)[0], towns[0])
            yield
        fresh = self.m.map.living(VILLAGE)[-3:]
        year = self.year()
        for code in ("town.people", "town.checked"):
            self.ask_for(code, year)
            yield
        asks = [a for a in self.m.live() if a.key[1] == year and a.subject.place in fresh]
        for ask in [a for a in asks if a.key[0] == "town.checked"]:
            self.answer_ask(ask, 1)
            yield
        self.alter_area("move", fresh[0], pick(self.m.map.living(TOWNSHIP), 1))
        yield
        self.alter_area("merge", fresh[1], pick(self.m.map.living(VILLAGE), 0))
        yield
        self.alter_area("close", fresh[2], fresh[2])
        yield
        for kind in ("rename", "recode", "split"):
            self.alter_area(kind, fresh[0], fresh[0])
        yield
        for ask in asks:
            self.review_last(ask, accept=True)
            self.answer_ask(ask, 4)
            yield

    def retired(self) -> Life:
        """Off the list, and nobody is asked any more once somebody has swept."""
        asks = self.ask_for("town.leaving", self.year())
        yield
        self.retire_field("town.leaving", really=True)
        yield
        for ask in asks[:1]:
            self.answer_ask(ask, 1)
            yield
        self.sweep()
        yield
        self.ask_for("town.leaving", self.year())
        yield
