"""Whatever JSON is sent to whatever route: an answer that is documented, never a 5xx."""

from __future__ import annotations

import re
import uuid

import flask
import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["2026", "2026-12-31", "420102000000", "area", "village", "staff"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=15,
)


def writing_routes(app: flask.Flask) -> list[tuple[str, str]]:
    """(method, path) of every route of the API with a body; ids are ones that do not exist."""
    found = []
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<uuid:\w+>", str(uuid.UUID(int=7)), rule.rule)
        path = re.sub(r"<int:\w+>", "7", path)
        path = re.sub(r"<(?:\w+:)?\w+>", "7-7", path)
        found += [
            (method, path)
            for method in (rule.methods or set()) & {"POST", "PUT", "PATCH"}
            if rule.rule.startswith(("/api/", "/oauth/"))
        ]
    return sorted(found)


def shaped(document: dict[str, object], path: str, method: str) -> st.SearchStrategy[object]:
    """Bodies with the members that the document names, and with wrong ones."""
    names: list[str] = []
    for template, item in document["paths"].items():
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path) and method.lower() in item:
            body = item[method.lower()].get("requestBody", {}).get("content", {})
            for content in body.values():
                reference = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
                schema = document["components"]["schemas"].get(reference, {})
                names = list(schema.get("properties", {}))
    if not names:
        return JSON
    return JSON | st.dictionaries(st.sampled_from(names), JSON, max_size=len(names))


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
@pytest.mark.parametrize("who", ["agency_client", "staff_client"])
def test_no_body_makes_a_fault(
    app: flask.Flask, request: pytest.FixtureRequest, who: str, data: st.DataObject
) -> None:
    client: FlaskClient = request.getfixturevalue(who)
    document = request.getfixturevalue("openapi")
    method, path = data.draw(st.sampled_from(writing_routes(app)))
    body = data.draw(shaped(document, path, method))
    answer = client.open(
        path,
        method=method,
        # The provider of responses refuses what a client may well send: NaN, surrogates.
        data=flask.json.provider.json.dumps(body),
        content_type="application/json",
        headers={"Idempotency-Key": uuid.uuid4().hex},
    )
    assert answer.status_code < 500, (method, path, body, answer.text)
    if answer.status_code >= 400 and not path.startswith("/oauth/"):
        assert answer.mimetype == "application/problem+json"
        assert answer.json["type"].startswith("urn:oneform:problem:")


@pytest.fixture(scope="module")
def openapi(app: flask.Flask) -> dict[str, object]:
    document = app.test_client().get("/api/v1/openapi.json").json
    assert isinstance(document, dict)
    return document


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    raw=st.binary(max_size=60),
    content_type=st.sampled_from(
        [
            "application/json",
            "text/csv",
            "multipart/form-data; boundary=x",
            "application/x-www-form-urlencoded",
            "x",
        ]
    ),
)
def test_no_bytes_make_a_fault(
    agency_client: FlaskClient, app: flask.Flask, raw: bytes, content_type: str
) -> None:
    for method, path in writing_routes(app)[:6]:
        answer = agency_client.open(path, method=method, data=raw, content_type=content_type)
        assert 400 <= answer.status_code < 500, (method, path, answer.text)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.sampled_from(
        ["limit", "cursor", "q", "on", "version", "state", "level", "parent", "kind", "since"]
    ),
    value=st.text(max_size=20) | st.sampled_from(["9" * 30, "-1", "0x1", "2026-02-30", "%", "\\"]),
    path=st.sampled_from(
        [
            "fields",
            "fields/a.b",
            "areas",
            "areas/420102000000",
            "areas/420102000000/changes",
            "subjects",
            "requests",
        ]
    ),
)
def test_no_parameter_makes_a_fault(
    agency_client: FlaskClient, name: str, value: str, path: str
) -> None:
    answer = agency_client.get(f"/api/v1/{path}", query_string={name: value})
    assert answer.status_code < 500, answer.text


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    form=st.dictionaries(
        st.sampled_from(["grant_type", "client_id", "client_secret", "scope"]),
        st.text(max_size=12) | st.just("client_credentials"),
    )
)
def test_no_form_makes_the_token_endpoint_fail(client: FlaskClient, form: dict[str, str]) -> None:
    answer = client.post("/oauth/token", data=form)
    assert answer.status_code in (400, 401), answer.text
    assert answer.json["error"]
