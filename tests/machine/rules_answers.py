"""Staff and reviewers: answers, drafts, refusals, amendments, reviews, decisions."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import model_asking as asking
from hypothesis.stateful import precondition, rule
from machine_base import RARELY, VALUES, Base, N, pick
from machine_check import same
from model_asking import NOTE, Given
from model_state import OPEN, Answer, Ask, Person, Refusal

WAYS = st.sampled_from(
    [*["value"] * 6, "confirm", "confirm", "unknown", "not_applicable", "no_note", "wrong"]
)
"""How somebody answers."""
DECIDERS = ("township_reviewer", "catalog_admin")


class Answering(Base):
    @precondition(lambda self: self.m.asks)
    @rule(
        who=N,
        n=N,
        answers=st.lists(
            st.tuples(WAYS, VALUES),
            min_size=1,
            max_size=4,
        ),
        partial=st.booleans(),
        odd=RARELY,
        nobody=RARELY,
    )  # fmt: skip
    def answer(
        self,
        who: int,
        n: int,
        answers: list[tuple[str, int]],
        partial: bool,
        odd: bool,
        nobody: bool,
    ) -> None:
        person = self.staff(who) if odd else self.busy_staff(who)
        asks = self.asks_for(person, n, len(answers), odd=odd)
        given = [_given(ask, *said) for ask, said in zip(asks, answers, strict=False)]
        if nobody:
            given.append(Given(None, value=1))
        self.say(person, given, partial=partial)

    @precondition(lambda self: any(a.state in OPEN for a in self.m.asks))
    @rule(who=N, value=VALUES)
    def answer_form(self, who: int, value: int) -> None:
        """Somebody answers all that is open."""
        person = self.busy_staff(who)
        asks = self.asks_for(person, 0, 50, odd=False)
        self.say(person, [Given(ask, value=value) for ask in asks], partial=True)

    def say(self, person: Person, given: list[Given], *, partial: bool = False) -> None:
        """A submission."""
        m = self.m
        if not given:
            return
        late = [g.ask for g in given if g.ask and g.ask.state in OPEN and g.ask.due < m.today]
        outcome = asking.submit(m, person, given, partial=partial)
        body = {"mode": "partial" if partial else "all", "answers": [_said(g) for g in given]}
        answer = self.send(person.name, "/submissions", body)
        same("answer to the submission", self.problem(answer), outcome.problem)
        told = answer.json
        same("invalid", tuple(i["code"] for i in told["invalid"]), outcome.invalid)
        if outcome.problem is None:
            same("receipt", (told["accepted"], told["in_review"]),
                 (outcome.accepted, outcome.in_review))  # fmt: skip
            self.did("submission")
        if outcome.invalid:
            self.did("submission with mistakes")
        if any(ask.state not in OPEN for ask in late):
            self.did("late answer")

    @precondition(lambda self: self.m.asks)
    @rule(who=N, n=N, value=st.one_of(st.none(), VALUES), stale=RARELY, odd=RARELY)
    def draft(self, who: int, n: int, value: int | None, stale: bool, odd: bool) -> None:
        person = self.staff(who) if odd else self.busy_staff(who)
        for ask in self.asks_for(person, n, 1, odd=odd):
            base = "stale" if stale else ask.draft and ask.draft.etag
            self.save_draft(person, ask, value, base)

    def save_draft(self, person: Person, ask: Ask, value: int | None, base: str | None) -> None:
        """Seen before: what `base` says."""
        expected = asking.save_draft(self.m, person, ask, value, base)
        draft = {"ask": ask.id, "value": value, "base": base}
        answer = self.house.call(person.name, "PUT", "/form/drafts", {"drafts": [draft]})
        same("outcome of the draft", answer.json["drafts"][0]["outcome"], expected)
        self.did(f"draft {expected}")

    @precondition(lambda self: self.m.asks)
    @rule(who=N, n=N, many=st.integers(1, 3), odd=RARELY)
    def refuse(self, who: int, n: int, many: int, odd: bool) -> None:
        person = self.staff(who) if odd else self.busy_staff(who)
        asks = self.asks_for(person, n, many, odd=odd)
        if not odd:
            asks = [ask for ask in asks if ask.unit is asks[0].unit]
        self.refuse_asks(person, asks)

    def refuse_asks(self, person: Person, asks: list[Ask]) -> Refusal | None:
        if not asks:
            return None
        refusal = asking.refuse(self.m, person, asks)
        body = {"asks": [ask.id for ask in asks], "reason": "cannot"}
        answer = self.house.call(person.name, "POST", "/refusals", body)
        same("answer to the refusal", self.problem(answer), None if refusal else "invalid-request")
        if refusal is not None:
            refusal.id = answer.json["id"]
        return refusal

    @precondition(lambda self: self.m.answers)
    @rule(who=N, n=N, value=VALUES, wrong=RARELY, odd=RARELY)
    def amend(self, who: int, n: int, value: int, wrong: bool, odd: bool) -> None:
        recorded = [w for w in self.m.answers if w.state == "recorded"]
        answer = pick(self.m.answers if odd or not recorded else recorded, n)
        person = self.one_of(["staff"], who, answer.ask.unit, odd=odd)
        self.amend_answer(person, answer, -1 if wrong else value)

    def amend_answer(self, person: Person, answer: Answer, said: int) -> None:
        expected = asking.amend(self.m, person, answer, said)
        told = self.house.call(person.name, "POST", f"/answers/{answer.id}/amend",
                               {"value": said, "note": NOTE})  # fmt: skip
        same("answer to the amendment", self.problem(told), expected)
        self.did(f"amendment {expected or 'taken'}")

    @precondition(lambda self: self.m.answers)
    @rule(who=N, n=N, accept=st.booleans(), odd=RARELY)
    def review(self, who: int, n: int, accept: bool, odd: bool) -> None:
        waiting = [w for w in self.m.answers if w.state == "in_review"]
        answer = pick(self.m.answers if odd or not waiting else waiting, n)
        person = self.one_of(["township_reviewer"], who, answer.ask.unit, odd=odd)
        self.judge_answer(person, answer, accept=accept)

    def judge_answer(self, person: Person, answer: Answer, *, accept: bool) -> None:
        m = self.m
        wrong = asking.why_not_reviewed(m, person, answer, accept=accept)
        body: dict[str, Any] = {"accept": [answer.id]}
        if not accept:
            body = {"return": [{"answer": answer.id, "comment": "请核对"}]}
        told = self.house.call(person.name, "POST", "/reviews/decide", body)
        same("answer to the review", self.problem(told), wrong and "invalid-request")
        kind = "amendment" if answer.kind == "amendment" else "answer"
        self.did(f"review of an {kind}: {wrong or ('accept' if accept else 'return')}")
        if wrong is not None:
            same("why not", told.json["errors"][0]["code"], wrong)
        elif accept:
            asking.accept_answer(m, answer)
            if kind == "answer" and answer.ask.state in OPEN:
                self.did("asked once more")
        else:
            asking.return_answer(answer, "请核对")

    @precondition(lambda self: self.m.refusals)
    @rule(
        who=N,
        n=N,
        decision=st.sampled_from(["uphold", "overturn"]),
        scope=st.sampled_from(["unit", "unit", "all"]),
        odd=RARELY,
    )
    def decide(self, who: int, n: int, decision: str, scope: str, odd: bool) -> None:
        undecided = [r for r in self.m.refusals if r.state == "undecided"]
        refusal = pick(self.m.refusals if odd or not undecided else undecided, n)
        roles = ["catalog_admin"] if scope == "all" and not odd else DECIDERS
        person = self.one_of(roles, who, refusal.unit, odd=odd)
        self.decide_refusal(person, refusal, decision, scope)

    def decide_refusal(self, person: Person, refusal: Refusal, decision: str, scope: str) -> None:
        expected = asking.decide_refusal(self.m, person, refusal, decision, scope)
        body = {"decision": decision, "scope": scope, "reason": "核实"}
        told = self.house.call(person.name, "POST", f"/refusals/{refusal.id}/decide", body)
        same("answer to the decision", self.problem(told), expected)
        self.did(f"refusal: {expected or f'{decision} {scope}'}")


def _given(ask: Ask, way: str, value: int) -> Given:
    match way:
        case "confirm":
            return Given(ask, confirm=True)
        case "unknown" | "not_applicable":
            return Given(ask, missing=way, note=NOTE)
        case "no_note":
            return Given(ask, missing="unknown")
        case "wrong":
            return Given(ask, value=-1 - value)
        case _:
            return Given(ask, value=value)


def _said(given: Given) -> dict[str, Any]:
    """As it is sent."""
    said: dict[str, Any] = {"ask": given.ask.id if given.ask else "1-999999999"}
    if given.confirm:
        said["confirm"] = True
    elif given.missing is not None:
        said["missing"] = given.missing
    else:
        said["value"] = given.value
    return said | ({"note": given.note} if given.note else {})
