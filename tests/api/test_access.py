"""Credentials, access, rates and the headers around an answer."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable

import flask
import pytest
from flask.testing import FlaskClient

from oneform.api.blueprints import Blueprint, UndeclaredAccess
from oneform.app import check_access, create_app
from oneform.identity.access import access_of, needs, public
from oneform.identity.keys import issue_key, revoke_key
from oneform.identity.oauth import issue_access_token
from oneform.identity.policy import OPERATOR, Role
from oneform.kernel.clock import FixedClock
from oneform.runtime import Runtime

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def app(api_runtime: Runtime) -> flask.Flask:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("oneform.api.application.BLUEPRINTS", ("oneform.api.sessions", "probe_views"))
        return create_app(api_runtime)


def get(client: FlaskClient, authorization: str | None, path: str = "/api/v1/probe/me") -> object:
    headers = {} if authorization is None else {"Authorization": authorization}
    return client.get(path, headers=headers)


def test_route_without_declared_access_does_not_start() -> None:
    blueprint = Blueprint("forgotten", __name__, url_prefix="/forgotten")

    def view() -> str:
        return "open to whom?"

    with pytest.raises(UndeclaredAccess, match=r"forgotten\.view"):
        blueprint.get("")(view)


def test_plain_route_without_declared_access_does_not_start() -> None:
    app = flask.Flask("plain", static_folder=None)
    app.add_url_rule("/open", view_func=public(lambda: "open"), endpoint="open")
    check_access(app)
    app.add_url_rule("/plain", view_func=lambda: "open to whom?", endpoint="plain")
    with pytest.raises(UndeclaredAccess, match="plain"):
        check_access(app)


def test_access_needs_a_permission() -> None:
    with pytest.raises(ValueError, match="permission"):
        needs()


def test_every_route_has_an_access(app: flask.Flask) -> None:
    assert all(access_of(view) is not None for view in app.view_functions.values())


def test_key_access_token_and_session_all_let_in(
    client: FlaskClient, api_runtime: Runtime, new_person: Callable[..., str]
) -> None:
    with api_runtime.context(OPERATOR) as ctx:
        issued = issue_key(ctx, "stats")
        ctx.session.flush()
        token = issue_access_token(ctx, issued.key_id, issued.key).token
    username = new_person()
    login = client.post("/api/v1/sessions", json={"username": username, "password": PASSWORD})
    assert get(client, f"Bearer {issued.key}").json == {"label": "stats"}
    assert get(client, f"bearer  {token}").json == {"label": "stats"}
    assert get(client, f"Bearer {login.json['token']}").json == {"label": username}


def test_without_credentials_the_scheme_is_named(client: FlaskClient) -> None:
    answer = get(client, None)
    assert answer.status_code == 401
    assert answer.json["type"] == "urn:oneform:problem:unauthenticated"
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="oneform"'


@pytest.mark.parametrize(
    "authorization",
    [
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Bearer ofk_a_b",
        "Bearer ofs_x",
        "Bearer oft_",
        "Basic eDp5",
        "x",
    ],
)
def test_bad_credentials_are_told_as_such(client: FlaskClient, authorization: str) -> None:
    answer = get(client, authorization)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="oneform", error="invalid_token"'


@pytest.mark.parametrize(
    ("authorization", "is_told"),
    [("ofk_a_b", True), ("Basic eDp5", True), ("Bearer ", True), ("Bearer ofk_a_b", False)],
)
def test_credentials_in_another_form_are_told_the_form(
    client: FlaskClient, authorization: str, is_told: bool
) -> None:
    detail = get(client, authorization).json["detail"]
    assert ("`Authorization: Bearer <token>`" in detail) is is_told


def test_bad_token_is_refused_on_public_routes_too(client: FlaskClient) -> None:
    assert get(client, "Bearer ofk_a_b", "/api/v1/probe/items").status_code == 401
    assert get(client, None, "/api/v1/probe/items").status_code == 200


def test_revoked_key_is_refused_at_once(
    client: FlaskClient, api_runtime: Runtime, key: str
) -> None:
    assert get(client, f"Bearer {key}").status_code == 200
    with api_runtime.context(OPERATOR) as ctx:
        revoke_key(ctx, key)
    assert get(client, f"Bearer {key}").status_code == 401


def test_access_is_checked_before_the_body(
    client: FlaskClient, app: flask.Flask, new_person: Callable[..., str]
) -> None:
    answer = client.post("/api/v1/probe/once", data="{", content_type="application/json")
    assert answer.status_code == 401
    username = new_person(Role.SUPERVISOR)
    login = client.post("/api/v1/sessions", json={"username": username, "password": PASSWORD})
    forbidden = get(client, f"Bearer {login.json['token']}")
    assert forbidden.status_code == 403
    assert forbidden.json["type"] == "urn:oneform:problem:forbidden"


def test_session_is_opened_shown_and_closed(
    client: FlaskClient, new_person: Callable[..., str]
) -> None:
    username = new_person()
    answer = client.post("/api/v1/sessions", json={"username": username, "password": PASSWORD})
    assert answer.status_code == 201
    assert answer.json["expires_at"] == "2026-03-16T13:00:00Z"
    assert answer.json["person"] == {
        "username": username,
        "name": username,
        "roles": ["staff"],
        "area": "420102001001",
        "area_name": "车站社区",
        "agency": None,
        "language": "zh",
    }
    token = f"Bearer {answer.json['token']}"
    closed = client.delete("/api/v1/sessions/current", headers={"Authorization": token})
    assert (closed.status_code, closed.data) == (204, b"")
    assert get(client, token).status_code == 401


def test_key_is_no_session_to_close(agency_client: FlaskClient) -> None:
    assert agency_client.delete("/api/v1/sessions/current").status_code == 404


def test_failed_logins_look_all_alike_and_count(
    client: FlaskClient,
    new_person: Callable[..., str],
    api_clock: FixedClock,
) -> None:
    username = new_person()
    body = {"username": username, "password": "wrong"}
    answers = [client.post("/api/v1/sessions", json=body) for _ in range(5)]
    answers.append(client.post("/api/v1/sessions", json={**body, "username": "nobody"}))
    answers.append(client.post("/api/v1/sessions", json={**body, "password": PASSWORD}))
    assert {(answer.status_code, answer.data) for answer in answers} == {(401, answers[0].data)}
    assert answers[0].json["type"] == "urn:oneform:problem:wrong-credentials"
    api_clock.advance(dt.timedelta(minutes=15))
    assert client.post("/api/v1/sessions", json={**body, "password": PASSWORD}).status_code == 201


def test_client_over_its_rate_is_told_to_wait(api_runtime: Runtime) -> None:
    limited = Runtime(
        dataclasses.replace(api_runtime.settings, rate_limit=3), clock=api_runtime.clock
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("oneform.api.application.BLUEPRINTS", ("probe_views",))
        app = create_app(limited)
    with limited.context(OPERATOR) as ctx:
        one, two = issue_key(ctx, "stats").key, issue_key(ctx, "civil").key
    client = app.test_client()
    answers = [get(client, f"Bearer {one}") for _ in range(30)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert {answer.status_code for answer in answers} == {200, 429}
    assert refused[0].json["type"] == "urn:oneform:problem:too-many-requests"
    assert refused[0].headers["Retry-After"] == "1"
    assert get(client, f"Bearer {two}").status_code == 200
    guesses = [get(client, "Bearer x").status_code for _ in range(30)]
    assert set(guesses) == {401, 429}
    limited.close()


def test_every_answer_carries_its_id_and_security_headers(client: FlaskClient) -> None:
    for path in ("/api/v1/probe/items", "/nowhere", "/docs", "/api/v1/probe/fault"):
        answer = client.get(path)
        assert len(answer.headers["X-Request-Id"]) == 36
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert (
        client.get("/nowhere", headers={"X-Request-Id": "mine.1"}).headers["X-Request-Id"]
        == "mine.1"
    )
    forged = client.get("/nowhere", headers={"X-Request-Id": "a b\tc"}).headers["X-Request-Id"]
    assert len(forged) == 36
