"""Staff of villages: they load their form, save drafts, submit and sometimes refuse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmarks.load.client import Client
from benchmarks.load.promises import Cell

MOST_ANSWERS_AT_LAST = 20
ANSWERABLE = frozenset({"open", "returned"})
REASONS = ("not_ours", "duplicate", "deadline", "cannot", "other")


@dataclass(frozen=True, slots=True)
class Ask:
    """An ask of the form, and the cell that it is put for."""

    id: str
    cell: Cell
    state: str
    reviewed: bool
    draft: str | None
    previous: Any


class VillageClient(Client):
    """Somebody of a village, who answers for it alone."""

    village = ""

    def sign_in(self) -> None:
        self.log_in(self.village)
        self.done: set[str] = set()

    def turn(self) -> bool:
        if self.course.finished.is_set():
            return False
        answer = self.caller.call("form", "GET", "/form")
        if not answer.ok:
            self.broken("no form:", answer.status)
            return True
        asks = [ask for ask in _asks_of(answer.body) if ask.state in ANSWERABLE]
        again = self.done.intersection(ask.id for ask in asks)
        if again:
            self.broken("asked again after an accepted answer:", sorted(again)[:3])
        if not asks:
            return True
        chosen = self.rng.sample(asks, min(len(asks), self.rng.randint(1, self._most_answers())))
        luck = self.rng.random()
        if luck < 0.03:
            self._refuse(chosen[0])
        else:
            if luck < 0.3:
                self._draft(chosen[:3])
            self._submit(chosen)
        return True

    def _most_answers(self) -> int:
        at_last = self.course.finishing.is_set()
        return MOST_ANSWERS_AT_LAST if at_last else self.world.plan.most_answers

    def _draft(self, asks: list[Ask]) -> None:
        drafts = [
            {"ask": ask.id, "value": self.rng.randrange(5000), "base": ask.draft} for ask in asks
        ]
        answer = self.caller.call("draft", "PUT", "/form/drafts", body={"drafts": drafts})
        if not answer.ok:
            self.broken("drafts were refused:", answer.content[:300])

    def _submit(self, asks: list[Ask]) -> None:
        answers, values = [], {}
        for ask in asks:
            given, value = self._given(ask)
            answers.append({"ask": ask.id, **given})
            values[ask.id] = value
        mode = "all" if self.rng.random() < 0.7 else "partial"
        answer = self.caller.call(
            "submit",
            "POST",
            "/submissions",
            body={"mode": mode, "answers": answers},
            once=True,
        )
        if answer.status != 201:
            # A cancelled request has taken an ask away.
            if answer.status != 422 or b"not_open" not in answer.content:
                self.broken("a submission was refused:", answer.content[:300])
            return
        receipt = answer.body
        wrong = {invalid["ask"] for invalid in receipt["invalid"]}
        taken = [ask for ask in asks if ask.id not in wrong]
        if receipt["accepted"] + receipt["in_review"] != len(taken):
            self.broken("a receipt does not add up:", receipt)
        self.promises.submission(
            self.village,
            receipt["id"],
            {ask.cell: values[ask.id] for ask in taken if not ask.reviewed},
            {ask.cell: values[ask.id] for ask in taken if ask.reviewed},
        )
        self.done.update(ask.id for ask in taken if not ask.reviewed)

    def _given(self, ask: Ask) -> tuple[dict[str, Any], Any]:
        luck = self.rng.random()
        if luck < 0.03:
            return {"missing": "unknown", "note": "负载测试"}, None
        if luck < 0.15 and ask.previous is not None:
            return {"confirm": True}, ask.previous
        value = self.rng.randrange(5000)
        return {"value": value}, value

    def _refuse(self, ask: Ask) -> None:
        body = {"asks": [ask.id], "reason": self.rng.choice(REASONS), "comment": "负载测试"}
        answer = self.caller.call("refuse", "POST", "/refusals", body=body)
        if answer.ok:
            self.promises.refusal(self.village, answer.body["id"])
        elif answer.status != 422:
            self.broken("a refusal was refused:", answer.content[:300])


def _asks_of(form: dict[str, Any]) -> list[Ask]:
    found = []
    for section in form["sections"]:
        reviewed = {field["code"] for field in section["fields"] if field["review"]}
        for row in section["rows"]:
            for ask in row["asks"]:
                cell = (ask["field"], section["period"] or "", row["subject"]["key"])
                draft = ask["draft"] and ask["draft"]["etag"]
                previous = ask["previous"] and ask["previous"]["value"]
                found.append(
                    Ask(ask["id"], cell, ask["state"], ask["field"] in reviewed, draft, previous)
                )
    return found
