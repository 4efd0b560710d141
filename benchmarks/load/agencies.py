"""Agencies: they request, follow, fetch and sometimes cancel. Their books balance at every look."""

from __future__ import annotations

import datetime as dt
from typing import Any

import orjson

from benchmarks.load.client import Client

FIRST_DAY = dt.date(2001, 1, 1)
REQUESTS_A_DAY = 3
"""So many requests are made for about the same day: they overlap."""
DUE_DAYS = 60
FIELDS_EACH = 4
ENDED = frozenset({"fulfilled", "partial", "cancelled"})


class AgencyClient(Client):
    """A department's program."""

    number = 0

    def sign_in(self) -> None:
        self.caller.use(self.world.keys[self.number])
        self.open: list[str] = []
        self.day = 0

    def turn(self) -> bool:
        if self.course.finishing.is_set():
            if not self.open:
                return False
        elif len(self.open) < self.world.plan.open_requests:
            self._request()
            return True
        self._follow(self.rng.choice(self.open))
        return True

    def _request(self) -> None:
        areas = self.world.townships if self.rng.random() < 0.8 else self.world.counties
        day = FIRST_DAY + dt.timedelta(days=self.day + self.rng.randrange(2))
        body = {
            "title": "负载测试",
            "purpose": "负载测试",
            "legal_basis": "《中华人民共和国统计法》第七条",
            "fields": sorted(self.rng.sample(self.world.fields, FIELDS_EACH)),
            "scope": {"areas": [self.rng.choice(areas)], "kind": "area", "level": "village"},
            "period": day.isoformat(),
            "due": (self.world.today + dt.timedelta(days=DUE_DAYS)).isoformat(),
        }
        answer = self.caller.call("request", "POST", "/requests", body=body, once=True)
        if answer.status != 202:
            self.broken("a request was refused:", answer.content[:300])
            return
        self.open.append(answer.body["id"])
        self.day = self.promises.request(answer.body["id"], self.number) // REQUESTS_A_DAY

    def _follow(self, request_id: str) -> None:
        answer = self.caller.call("poll", "GET", f"/requests/{request_id}")
        if not answer.ok:
            self.broken("an accepted request is not there:", answer.status)
            self.open.remove(request_id)
            return
        request = answer.body
        if sum(request["cells"].values()) != 2 * request["cells"]["total"]:
            self.broken("books do not balance:", request["cells"])
        if request["state"] in ENDED:
            self.open.remove(request_id)
            self._fetch(request)
        elif request["state"] == "collecting" and self.rng.random() < 0.15:
            self._fetch(request)
        elif self.rng.random() < 0.01:
            self.caller.call("cancel", "POST", f"/requests/{request_id}/cancel")

    def _fetch(self, request: dict[str, Any]) -> None:
        answer = self.caller.call(
            "fetch", "GET", f"/requests/{request['id']}/data", params={"format": "jsonl"}
        )
        rows = [orjson.loads(line) for line in answer.content.splitlines()] if answer.ok else []
        if len(rows) != request["cells"]["total"]:
            self.broken("data are not whole:", f"{len(rows)} of {request['cells']['total']}")
