"""`POST /oauth/token`, in the shapes of RFC 6749."""

from __future__ import annotations

import base64

import pytest
from flask.testing import FlaskClient

from oneform.api.problems import status_of_kind
from oneform.identity.errors import TokenRefused
from oneform.identity.keys import issue_key
from oneform.identity.policy import OPERATOR
from oneform.runtime import Runtime

GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
def credentials(api_runtime: Runtime) -> tuple[str, str]:
    with api_runtime.context(OPERATOR) as ctx:
        issued = issue_key(ctx, "stats", ["data:read", "requests:read"])
    return issued.key_id, issued.key


def basic(client_id: str, client_secret: str) -> dict[str, str]:
    text = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
    return {"Authorization": f"Basic {text}"}


def test_token_is_issued_for_basic_credentials_and_for_the_body(
    client: FlaskClient, credentials: tuple[str, str]
) -> None:
    client_id, secret = credentials
    in_body = {**GRANT, "client_id": client_id, "client_secret": secret}
    for answer in (
        client.post("/oauth/token", data=GRANT, headers=basic(*credentials)),
        client.post("/oauth/token", data=in_body),
    ):
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.json["token_type"] == "Bearer"
        assert answer.json["expires_in"] == 3600
        assert answer.json["scope"] == "data:read requests:read"
        bearer = {"Authorization": f"Bearer {answer.json['access_token']}"}
        assert client.get("/api/v1/areas", headers=bearer).status_code == 200


def test_scope_is_narrowed(client: FlaskClient, credentials: tuple[str, str]) -> None:
    form = {**GRANT, "scope": "data:read"}
    answer = client.post("/oauth/token", data=form, headers=basic(*credentials))
    assert answer.json["scope"] == "data:read"


REFUSED = {
    "no grant type": ({}, True, 400, "invalid_request"),
    "another grant type": ({"grant_type": "password"}, True, 400, "unsupported_grant_type"),
    "a scope that it has not": ({**GRANT, "scope": "values:write"}, True, 400, "invalid_scope"),
    "no credentials": (GRANT, False, 401, "invalid_client"),
    "wrong secret": (
        {**GRANT, "client_id": "x", "client_secret": "y"},
        False,
        401,
        "invalid_client",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_have_their_names(
    client: FlaskClient, credentials: tuple[str, str], name: str
) -> None:
    form, with_credentials, status, error = REFUSED[name]
    headers = basic(*credentials) if with_credentials else {}
    answer = client.post("/oauth/token", data=form, headers=headers)
    assert (answer.status_code, answer.json["error"]) == (status, error)
    assert answer.json["error_description"]
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


def test_parameter_given_twice_is_refused(
    client: FlaskClient, credentials: tuple[str, str]
) -> None:
    answer = client.post(
        "/oauth/token",
        data="grant_type=client_credentials&scope=a&scope=b",
        content_type="application/x-www-form-urlencoded",
        headers=basic(*credentials),
    )
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


def test_every_refusal_of_a_token_is_one_of_the_standard() -> None:
    """RFC 6749, section 5.2; elsewhere it would be the problem `token-refused`."""
    known = {"invalid_request", "invalid_client", "invalid_grant", "invalid_scope"}
    kinds = [TokenRefused, *TokenRefused.__subclasses__()]
    assert {kind.error for kind in kinds} <= known
    assert {(kind.code, status_of_kind(kind)) for kind in kinds} == {("token-refused", 400)}
