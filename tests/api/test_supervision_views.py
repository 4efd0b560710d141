"""What supervisors read: rejections, releases, the audit trail, each within its area."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import flask
import pytest
from api_fixtures import COUNTY, PASSWORD, VILLAGE
from flask.testing import FlaskClient

from oneform.identity.agencies import AddAgency, add_agency
from oneform.identity.keys import issue_key
from oneform.identity.policy import OPERATOR, Role
from oneform.runtime import Runtime

ELSEWHERE, PROVINCE = "420103000000", "420000000000"
_keys = itertools.count(1)


@pytest.fixture
def supervisor(app: flask.Flask, new_person: Callable[..., str]) -> Callable[[str], FlaskClient]:
    def make(area: str) -> FlaskClient:
        client = app.test_client()
        login = {"username": new_person(Role.SUPERVISOR, area), "password": PASSWORD}
        token = client.post("/api/v1/sessions", json=login).json["token"]
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return client

    return make


def refused_request(client: FlaskClient) -> str:
    """A request that the whitelist refuses; its title."""
    title = f"a demand, the {next(_keys)}th"
    answer = client.post(
        "/api/v1/requests",
        headers={"Idempotency-Key": title.replace(" ", "-")},
        json={
            "title": title,
            "purpose": "a test",
            "legal_basis": "none",
            "fields": ["no.such_field"],
            "scope": {"areas": [VILLAGE], "kind": "area", "level": "village"},
            "period": "2026",
            "due": "2026-04-30",
        },
    )
    assert answer.json["type"] == "urn:oneform:problem:off-whitelist"
    return title


def test_rejections_are_read_within_ones_area(
    agency_client: FlaskClient, supervisor: Callable[[str], FlaskClient]
) -> None:
    titles = [refused_request(agency_client) for _ in range(2)]
    client = supervisor(COUNTY)
    first = client.get("/api/v1/rejections?limit=1").json
    second = client.get(f"/api/v1/rejections?limit=1&cursor={first['next']}").json
    assert [page["items"][0]["title"] for page in (first, second)] == titles[::-1]
    assert first["items"][0]["rejected_fields"][0]["reason"] == "unknown"
    assert client.get("/api/v1/rejections?agency=civil").json["items"] == []
    assert supervisor(ELSEWHERE).get("/api/v1/rejections").json["items"] == []


def test_audit_trail_is_read_within_ones_area(
    agency_client: FlaskClient, supervisor: Callable[[str], FlaskClient]
) -> None:
    refused_request(agency_client)
    query = "/api/v1/audit?tag=request.rejected&agency=stats&limit=1"
    (event,) = supervisor(COUNTY).get(query).json["items"]
    assert (event["actor_kind"], event["agency"], event["target_type"]) == (
        "agency",
        "stats",
        "rejection",
    )
    assert supervisor(ELSEWHERE).get(query).json["items"] == []
    found = supervisor(PROVINCE).get("/api/v1/audit", query_string={"target": event["target"]})
    assert [each["id"] for each in found.json["items"]] == [event["id"]]


def test_audit_trail_has_the_deeds_of_people_and_of_the_operator(
    api_runtime: Runtime, app: flask.Flask, supervisor: Callable[[str], FlaskClient]
) -> None:
    code = f"agency{next(_keys)}"
    with api_runtime.context(OPERATOR) as ctx:
        add_agency(ctx, AddAgency(code=code, name="新局", area=COUNTY))
        issue_key(ctx, code)
    everything = supervisor(PROVINCE)
    (added,) = everything.get(f"/api/v1/audit?target={code}&tag=agency.created").json["items"]
    assert (added["actor_kind"], added["agency"], added["data"]) == (
        "operator",
        None,
        {"area": COUNTY},
    )
    # The operator's deeds are nobody's below the top.
    assert supervisor(COUNTY).get(f"/api/v1/audit?target={code}").json["items"] == []


def test_audit_trail_comes_in_pages_and_between_instants(
    supervisor: Callable[[str], FlaskClient],
) -> None:
    client = supervisor(PROVINCE)
    whole = client.get("/api/v1/audit?limit=500").json
    assert whole["next"] is None
    page, ids = client.get("/api/v1/audit?limit=2").json, []
    while True:
        ids += [event["id"] for event in page["items"]]
        if page["next"] is None:
            break
        page = client.get(f"/api/v1/audit?limit=2&cursor={page['next']}").json
    assert ids == [event["id"] for event in whole["items"]]
    assert client.get("/api/v1/audit?since=2999-01-01T00:00:00Z").json["items"] == []
    assert client.get("/api/v1/audit?until=2000-01-01T00:00:00Z").json["items"] == []
    for query in ("cursor=x", "since=yesterday", "limit=0"):
        assert client.get(f"/api/v1/audit?{query}").status_code == 400


@pytest.mark.parametrize("path", ["rejections", "releases", "audit"])
def test_only_supervisors_read_them(
    client: FlaskClient, agency_client: FlaskClient, staff_client: FlaskClient, path: str
) -> None:
    assert client.get(f"/api/v1/{path}").status_code == 401
    for other in (agency_client, staff_client):
        answer = other.get(f"/api/v1/{path}")
        assert (answer.status_code, answer.json["type"][20:]) == (403, "forbidden")
