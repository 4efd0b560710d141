"""Agencies: requests of every kind, cancelled ones, consent, and the same call once more."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import hypothesis.strategies as st
import model_requesting as requesting
from hypothesis.stateful import precondition, rule
from machine_base import AREA_CODES, RARELY, N, pick
from machine_check import same
from model_places import COUNTY, Place
from model_state import Request
from rules_jobs import Working

ONE_DAY = dt.timedelta(days=1)
ODD_CODES = ("town.kept", "town.later", "town.nothing", "home.age")


@dataclass(frozen=True)
class Order:
    """A request as somebody thinks of it. `days` of notice beyond the least: 0 today, 1 too soon."""

    agency: str
    codes: list[str]
    scope: int = 0
    about_people: bool = False
    period: str = "2026"
    days: int = 20
    urgent: bool = False
    leave: bool = False
    drop: bool = False
    top: Place | None = None
    """The area, instead of the one that `scope` picks."""


class Requesting(Working):
    @rule(
        order=st.builds(
            Order,
            agency=st.sampled_from(["stats", "health", "civil", "health", "civil"]),
            codes=st.lists(st.sampled_from(AREA_CODES), min_size=1, max_size=4, unique=True),
            scope=N,
            about_people=RARELY,
            period=st.sampled_from(["2026", "2026", "2026", "2025", "2026-03", ""]),
            days=st.sampled_from([0, 1, 5, 5, 20, 40]),
            urgent=RARELY,
            leave=RARELY,
            drop=st.booleans(),
        ),
        odd=st.one_of(st.none(), st.none(), st.none(), st.sampled_from(ODD_CODES)),
        at_once=st.booleans(),
    )
    def request(self, order: Order, odd: str | None, at_once: bool) -> None:
        codes = ["home.age"] if order.about_people else order.codes
        if odd is not None and odd not in codes:
            codes = [*codes, odd]
        self.submit(replace(order, codes=codes))
        if at_once:
            self.work_all()

    def submit(self, order: Order) -> None:
        m = self.m
        who = m.agencies[order.agency]
        tops = [
            order.top or pick([p for p in m.map.places.values() if p.level >= COUNTY], order.scope)
        ]
        kind = "resident" if order.about_people else "area"
        earliest = self.house.earliest_due()
        due = {0: m.today, 1: earliest - ONE_DAY}.get(
            order.days, earliest + dt.timedelta(days=order.days)
        )
        verdict = requesting.judge(
            m,
            who,
            order.codes,
            tops,
            kind=kind,
            period=order.period,
            due=due,
            earliest=earliest,
            urgent=order.urgent,
            drop=order.drop,
        )
        level = None if order.about_people else "village"
        body = {
            "title": "测试",
            "purpose": "测试用途",
            "legal_basis": "《测试法》",
            "fields": order.codes,
            "scope": {"areas": [p.code for p in tops], "kind": kind, "level": level},
            "period": order.period or None,
            "due": due.isoformat(),
            "urgent": order.urgent,
            "gap": "leave" if order.leave else "ask",
            "on_off_list": "drop" if order.drop else "reject",
        }
        answer = self.send(order.agency, "/requests", body)
        same("answer to the request", self.problem(answer), verdict.problem)
        if verdict.problem == "off-whitelist":
            told = [(f["field"], f["reason"]) for f in answer.json["rejected_fields"]]
            same("rejected fields", told, list(verdict.rejected))
        self.did(f"request {verdict.problem or 'accepted'}")
        if verdict.problem is None:
            requesting.accept(
                m,
                who,
                order.codes,
                tops,
                id=answer.json["id"],
                control_no=answer.json["control_no"],
                kind=kind,
                period=order.period,
                due=due,
                gap=body["gap"],
                verdict=verdict,
            )

    @precondition(lambda self: self.sent)
    @rule(n=N, other=RARELY)
    def send_again(self, n: int, other: bool) -> None:
        """Point 6: the same key gives the first answer again, and changes nothing."""
        who, path, body, key, first = pick(self.sent, n)
        if other and isinstance(body, dict):
            changed = {"title": "别的"} if path == "/requests" else {"answers": body["answers"] * 2}
            answer = self.house.call(who, "POST", path, {**body, **changed}, key=key)
            same("another body under the key", self.problem(answer), "idempotency-key-reused")
            return
        answer = self.house.call(who, "POST", path, body, key=key)
        kept = first.status_code < 300 or first.status_code == 422
        assert kept, first.status_code
        same("status again", answer.status_code, first.status_code)
        same("body again", answer.get_data(), first.get_data())
        assert answer.headers["Idempotent-Replayed"] == "true"
        self.did("the same once more")

    @precondition(lambda self: self.m.requests)
    @rule(n=N, foreign=RARELY)
    def cancel(self, n: int, foreign: bool) -> None:
        request = pick(self.m.requests, n)
        self.cancel_request(request, foreign=foreign)

    def cancel_request(self, request: Request, *, foreign: bool = False) -> None:
        who = request.agency.code
        if foreign:
            who = next(code for code in self.m.agencies if code != who)
        expected = "not-found" if foreign else requesting.cancel(self.m, request)
        told = self.house.call(who, "POST", f"/requests/{request.id}/cancel")
        same("answer to the cancelling", self.problem(told), expected)
        self.did(f"cancelling {expected or 'taken'}")

    @precondition(lambda self: any(w.grant == "pending" for r in self.m.requests
                                   for w in r.wishes.values()))  # fmt: skip
    @rule(
        n=N,
        decision=st.sampled_from(["grant", "grant", "refuse", "extend"]),
        days=st.sampled_from([None, None, -1, 0, 3, 20]),
        foreign=RARELY,
    )
    def decide_grant(self, n: int, decision: str, days: int | None, foreign: bool) -> None:
        pending = [(r, w.code) for r in self.m.requests for w in r.wishes.values()
                   if w.grant == "pending"]  # fmt: skip
        request, code = pick(pending, n)
        self.decide_grant_of(request, code, decision, days, foreign=foreign)

    def decide_grant_of(
        self,
        request: Request,
        code: str,
        decision: str,
        days: int | None = None,
        *,
        foreign: bool = False,
    ) -> None:
        """Granted for so many days, if that is said; or the owner takes more time."""
        items = self.house.call("stats", "GET", "/grants?state=pending&limit=500").json["items"]
        pending = {(r.id, w.code) for r in self.m.requests for w in r.wishes.values()
                   if w.grant == "pending"}  # fmt: skip
        found = {(i["request_id"], i["field"]): i["id"] for i in items}
        same("grants", set(found), pending)
        who = "civil" if foreign else "stats"
        verb, body = "extend", {"reason": "依法"}
        until = None
        if decision != "extend":
            verb, body["decision"] = "decide", decision
        if decision == "grant" and days is not None:
            until = self.m.today + dt.timedelta(days=days)
            body["valid_until"] = until.isoformat()
        expected: str | None = "not-found"
        if not foreign:
            expected = (
                requesting.extend_grant(request.wishes[code])
                if decision == "extend"
                else requesting.decide_grant(self.m, request, code, decision, until)
            )
        told = self.house.call(who, "POST", f"/grants/{found[request.id, code]}/{verb}", body)
        same("answer to the grant", self.problem(told), expected)
        self.did(f"grant: {expected or decision}")
        if expected is None and until is not None:
            self.did("grant for some days")
