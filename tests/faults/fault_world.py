"""Who there is and what they do before somebody's process dies."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import flask
import orjson
from doings import QUEUE_OF, Call, Perform, Program
from factories import (
    CITY,
    COUNTY,
    FOREIGN_VILLAGE,
    NEXT_VILLAGE,
    OTHER_COUNTY,
    TOWNSHIP,
    VILLAGE,
    asks_of,
    field,
    make_agency,
    make_county,
    make_fields,
    make_person,
    make_request,
)

from oneform.identity.keys import issue_key
from oneform.identity.models import Staff
from oneform.identity.people import AddPerson, add_person
from oneform.identity.policy import OPERATOR, Principal
from oneform.identity.sessions import open_session
from oneform.kernel.context import Context
from oneform.runtime import Runtime
from oneform.sources.service import add_source
from workers.leasing import lease_rows

PEOPLE, OLD, MEN = "test.people", "test.old", "test.men"
REVIEWED, ROAD = "test.reviewed", "road.paved"
SHARED, SOURCED, CONDITIONAL = "aid.shared", "aid.sourced", "aid.conditional"
EVERYWHERE = (COUNTY, OTHER_COUNTY)
"""Two regions."""

FIELDS = (
    field(PEOPLE),
    field(OLD),
    field(MEN),
    field(REVIEWED, review="township"),
    field(ROAD, schema={"type": "boolean"}, unit=None, period_type="none", valid_for="P60D"),
    field(SHARED, mode="share"),
    field(SOURCED),
    field(
        CONDITIONAL,
        sharing={"category": "conditional", "conditions": "限社会救助", "basis": "《办法》"},
    ),
)

SHOP = (
    "CREATE SCHEMA dept",
    "CREATE TABLE dept.villages (code text, shared int, sourced int)",
    f"INSERT INTO dept.villages VALUES ('{VILLAGE}', 12, 1203), ('{NEXT_VILLAGE}', -1, 7), "
    f"('{FOREIGN_VILLAGE}', 3, NULL)",
)
"""A department's table: a value that does not fit, and one that is not there."""


def rows_of_people() -> list[dict[str, Any]]:
    """Values of two regions, and one that does not fit."""
    values = {VILLAGE: 7, FOREIGN_VILLAGE: 8, NEXT_VILLAGE: -1}
    return [
        {"field": PEOPLE, "subject": village, "period": "2026", "value": value}
        for village, value in values.items()
    ]


@dataclass(frozen=True, slots=True)
class World:
    """A county, its people with their tokens, two agencies, and what they can be made to do."""

    runtime: Runtime
    app: flask.Flask
    health: Principal
    tokens: dict[str, str]

    # ---- before ----

    def ask(self, *fields: str, **members: Any) -> dict[str, str]:
        """A request of the agency `health`; all open asks of the first village, by field."""
        self.request(*fields, **members)
        with self.runtime.context(OPERATOR) as ctx:
            return asks_of(ctx)

    def request(self, *fields: str, **members: Any) -> uuid.UUID:
        """A request that has been resolved, for its id."""
        with self.runtime.context(OPERATOR) as ctx:
            request_id = make_request(ctx, self.health, fields, **members)
            ctx.sql("DELETE FROM outbox")
        return request_id

    def done(self, call: Call) -> Any:
        """A call that nobody dies of; the JSON of its answer."""
        answer = call.do(Program(self.runtime, self.app))
        assert answer.status in (200, 201, 202), answer.body
        return flask.json.loads(answer.body)

    def sql(self, statement: str, **params: Any) -> Any:
        with self.runtime.context(OPERATOR) as ctx:
            result = ctx.sql(statement, **params)
            return result.all() if result.returns_rows else None

    def offer(self, **members: Any) -> str:
        """A source of the department's table; its code."""
        with self.runtime.context(OPERATOR) as ctx:
            return add_source(ctx, self.definition() | members, self.runtime.settings).code

    def definition(self) -> dict[str, Any]:
        """Of a source of the department's table."""
        return {
            "code": "stats.villages",
            "agency": "stats",
            "kind": "sql",
            "settings": {"url": self.runtime.settings.database_url, "table": "dept.villages"},
            "keys": {"subject": "code", "period": "2026"},
            "fields": {SHARED: "shared", SOURCED: "sourced"},
            "areas": [CITY],
        }

    def enqueue(self, job: Any, **args: Any) -> None:
        with self.runtime.context() as ctx:
            ctx.outbox.enqueue(job, **args)

    def hand_over(self, job: str) -> Perform:
        """Lease the row of a job, as the relay does. There has to be one, and nothing else."""
        rows = lease_rows(
            self.runtime.engine, queue_of=QUEUE_OF, room={QUEUE_OF[job]: 9}, seconds=30
        )
        assert [row.job for row in rows] == [job]
        return Perform(rows[0].id, rows[0].lease)

    # ---- calls ----

    def call(self, who: str, method: str, path: str, body: Any = None, key: str = "") -> Call:
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        if key:
            headers["Idempotency-Key"] = key
        return Call(method, f"/api/v1{path}", headers, body)

    def seen(self, who: str, path: str, call: Call) -> Call:
        """A call that says which state of a thing it is about."""
        there = self.call(who, "GET", path)
        found = self.app.test_client().get(there.path, headers=there.headers)
        return replace(call, headers=call.headers | {"If-Match": found.headers["ETag"]})

    def page(self, path: str, form: dict[str, str]) -> Call:
        """A form that the village's staff send from their window."""
        window = self.app.test_client()
        with window.session_transaction() as session:
            session["_user_id"] = self.tokens["wang"]
        shown = window.get("/submissions").text
        token = re.search(r'name="csrf_token" value="([^"]+)"', shown)
        cookie = window.get_cookie("oneform_session")
        assert token is not None
        assert cookie is not None
        headers = {"Cookie": f"oneform_session={cookie.value}"}
        return Call("POST", path, headers, data=form | {"csrf_token": token[1]})

    def route_of(self, call: Call) -> str:
        """Which route a call goes to: its method and its rule."""
        adapter = self.app.url_map.bind("localhost")
        rule, _ = adapter.match(call.path, call.method, return_rule=True)
        return f"{call.method} {rule.rule}"

    def imported(self, rows: list[dict[str, Any]]) -> Call:
        """What the agency `stats` pushes."""
        call = self.call("stats", "POST", "/values/imports", key="once")
        headers = call.headers | {"Content-Type": "application/x-ndjson"}
        return replace(call, headers=headers, data=b"\n".join(map(orjson.dumps, rows)))

    def submission(self, *answers: dict[str, Any], key: str = "once", **more: Any) -> Call:
        """What the village's staff send."""
        return self.call("wang", "POST", "/submissions", {"answers": answers, **more}, key)

    def demand(self, fields: Iterable[str], key: str = "once", **more: Any) -> Call:
        """What the agency `health` sends."""
        body = {
            "title": "2026年村情调查",
            "purpose": "编制规划",
            "legal_basis": "《中华人民共和国统计法》",
            "fields": list(fields),
            "scope": {"areas": EVERYWHERE, "kind": "area", "level": "village"},
            "period": "2026",
            "due": "2026-06-30",
        }
        return self.call("health", "POST", "/requests", body | more, key)


def make_world(runtime: Runtime, app: flask.Flask) -> World:
    with runtime.context(OPERATOR) as ctx:
        make_county(ctx)
        # An agency that is there before its fields keeps its area.
        make_agency(ctx, "stats", CITY)
        make_fields(ctx, *FIELDS)
        health = make_agency(ctx, "health")
        make_person(ctx, "wang", "staff", VILLAGE)
        make_person(ctx, "li", "township_reviewer", TOWNSHIP)
        make_person(ctx, "qian", "catalog_admin", CITY)
        add_person(ctx, AddPerson(username="wu", roles=["source_owner"], area=CITY, agency="stats"))
        for statement in SHOP:
            ctx.sql(statement)
        tokens = {name: _log_in(ctx, name) for name in ("wang", "li", "qian", "wu")}
        for code in ("health", "stats"):
            tokens[code] = issue_key(ctx, code).key
    return World(runtime, app, health, tokens)


def _log_in(ctx: Context, username: str) -> str:
    person = ctx.session.query(Staff).filter_by(username=username).one()
    return open_session(ctx, person).token
