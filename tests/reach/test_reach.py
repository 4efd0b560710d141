"""Everybody calls everything, with what is theirs, what is others' and what there is not."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

import flask
import pytest
import sqlalchemy as sa
from everybody import Everybody, Things
from flask.testing import FlaskClient
from reach_calls import NOWHERE, address_of, inputs_of, is_changing
from reach_table import ACTORS, KEYS, PEOPLE, Expected, Line, read_table
from werkzeug.test import TestResponse

from oneform.identity.models import Staff
from oneform.identity.policy import OPERATOR
from oneform.identity.sessions import open_session

LINES = read_table()

OF_EVERYBODY = ("/metrics",)
"""Of the whole installation, and for its operator: names of all sources are in it."""

LISTED = {
    "GET /api/v1/requests": "requests",
    "GET /api/v1/grants": "grants",
    "GET /api/v1/sources": "sources",
    "GET /api/v1/sources/{source_id}/runs": "runs",
    "GET /api/v1/form": "asks",
    "GET /api/v1/submissions": "submissions",
    "GET /api/v1/refusals": "refusals",
    "GET /api/v1/reviews": "reviews",
    "GET /api/v1/subjects": "subjects",
    "GET /form": "asks",
    "GET /submissions": "submissions",
}
"""What has to be in a list of one's own."""


@pytest.fixture(scope="module")
def callers(app: flask.Flask, world: Everybody) -> dict[str, FlaskClient]:
    """A client for each actor, who knows its token, and its cookie where it is a person."""
    return {who: client_of(app, who, world.tokens[who]) for who in ACTORS}


def client_of(app: flask.Flask, who: str, token: str | None) -> FlaskClient:
    client = app.test_client()
    if token is not None:
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    if who in PEOPLE:
        with client.session_transaction() as cookie:
            cookie |= {"_user_id": token, "_fresh": True, "name": who}
    return client


PARAMETER = re.compile(r"<(?:[^:>]*:)?(\w+)>")


def as_in_openapi(parameter: re.Match[str]) -> str:
    return f"{{{parameter[1]}}}"


def test_every_route_has_its_line(app: flask.Flask) -> None:
    routes = {
        f"{method} {re.sub(PARAMETER, as_in_openapi, rule.rule)}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routes == {line.call for line in LINES}


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.call} {line.named}".strip())
def test_everybody_gets_what_the_table_says(
    line: Line, app: flask.Flask, world: Everybody, callers: dict[str, FlaskClient]
) -> None:
    wrong = []
    for who, client in callers.items():
        if line.is_page and who in KEYS:
            continue
        for place, expected in line.answers.items():
            may = who in line.who
            if line.named == "session" and may:
                # Keys are no session.
                if (place == "own") == (who in KEYS):
                    continue
                client = client if who in KEYS else logged_in_anew(app, world, who)
            answer = call(line, place, world, client, changes=may and place == "own")
            if not may:
                expected = refusal(line, who)
            text = answer.get_data().decode(errors="replace")
            if answer.status_code not in expected.statuses or expected.words not in text:
                wrong.append((who, place, answer.status_code, expected, text[:300]))
            if place == "own" and line.path not in OF_EVERYBODY:
                wrong += [(who, "is told", id) for id in leaked(text, world)]
            if place == "own" and may and (kind := LISTED.get(line.call)):
                own = getattr(world.here, kind)
                if not any(id in text for id in own):
                    wrong.append((who, "is not told", kind, own[:3], text[:300]))
    assert wrong == []


def refusal(line: Line, who: str) -> Expected:
    """What comes to whoever may not."""
    if who != "nobody":
        return Expected(frozenset({403}))
    if not line.is_page:
        return Expected(frozenset({401}))
    return Expected(frozenset({302 if line.method == "GET" else 403}), "/login")


def call(
    line: Line, place: str, world: Everybody, client: FlaskClient, *, changes: bool
) -> TestResponse:
    things = {"own": world.here, "others'": world.elsewhere, "none such": NOWHERE}[place]
    take = taker(things, uses_up=changes and is_changing(line))
    take_own = taker(world.here, uses_up=False)
    address = address_of(line, things, world.here, take, take_own)
    inputs = inputs_of(line, things, take, world)
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    if line.is_page and line.method == "POST":
        inputs["data"] = {**inputs.get("data", {}), "csrf_token": csrf_token(client)}
    return client.open(address, method=line.method, headers=headers, **inputs)


def taker(things: Things, *, uses_up: bool) -> Callable[[str], str]:
    def take(kind: str) -> str:
        found: list[str] = getattr(things, kind)
        assert len(found) > uses_up, f"{kind} are used up"
        return found.pop() if uses_up else found[0]

    return take


def csrf_token(client: FlaskClient) -> str:
    page = client.get("/home", follow_redirects=True).text
    match = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert match is not None, page
    return match[1]


def logged_in_anew(app: flask.Flask, world: Everybody, who: str) -> FlaskClient:
    """Another session, to be ended: the first one is needed further on."""
    with world.runtime.context(OPERATOR) as ctx:
        person = ctx.session.scalars(sa.select(Staff).where(Staff.username.startswith(who))).first()
        assert person is not None
        return client_of(app, who, open_session(ctx, person).token)


def leaked(text: str, world: Everybody) -> set[str]:
    """Ids of others' things in an answer."""
    kinds = (
        *("requests", "grants", "sources", "runs", "imports", "asks", "submissions", "answers"),
        *("reviews", "refusals", "subjects"),
    )
    others = {id for kind in kinds for id in getattr(world.elsewhere, kind)}
    return others & set(re.findall(r"[\w.-]+", text))
