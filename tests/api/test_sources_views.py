"""Sources over HTTP."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import flask
import pytest
from flask.testing import FlaskClient

from catalog.bundle import bundle_of
from catalog.importing import import_bundle
from oneform.identity.keys import issue_key
from oneform.identity.policy import OPERATOR
from oneform.runtime import Runtime
from oneform.sources.errors import SourceUnavailable
from oneform.sources.fetching import run_source

SOURCES = "/api/v1/sources"
BUNDLE = {
    "bundle": "oneform-catalog/1",
    "agencies": [],
    "subject_kinds": [],
    "code_lists": [],
    "fields": [
        {
            "code": "shared.heads",
            "name": {"zh": "人数"},
            "definition": {"zh": "测试用的人数"},
            "topic": "test",
            "subject_kind": "area",
            "levels": ["village"],
            "schema": {"type": "integer", "minimum": 0},
            "unit": "人",
            "period_type": "year",
            "mode": "collect",
            "owner": "stats",
            "sharing": {"category": "unconditional"},
            "legal_basis": "《中华人民共和国统计法》",
            "seconds": 15,
            "effective_from": "2026-01-01",
            "expires_on": "2028-12-31",
        }
    ],
}
_numbers = itertools.count(1)


@pytest.fixture(scope="module", autouse=True)
def catalogue(api_runtime: Runtime) -> None:
    with api_runtime.context(OPERATOR) as ctx:
        import_bundle(ctx, bundle_of(BUNDLE))


@pytest.fixture
def definition() -> dict[str, Any]:
    """A source on a host that is not there."""
    return {
        "code": f"stats.source{next(_numbers)}",
        "agency": "stats",
        "kind": "sql",
        "settings": {"url": "postgresql://reader:hunter2@nobody.invalid/db", "table": "villages"},
        "keys": {"subject": "code", "period": "year"},
        "fields": {"shared.heads": "heads"},
        "areas": ["420102001000"],
    }


@pytest.fixture
def added(agency_client: FlaskClient, definition: dict[str, Any]) -> dict[str, Any]:
    answer = agency_client.post(SOURCES, json=definition)
    assert answer.status_code == 201
    return dict(answer.json or {})


def test_source_is_offered_and_read(agency_client: FlaskClient, definition: dict[str, Any]) -> None:
    answer = agency_client.post(SOURCES, json=definition)
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{SOURCES}/{answer.json['id']}"
    read = agency_client.get(answer.headers["Location"])
    assert read.json == answer.json
    assert read.headers["ETag"] == answer.headers["ETag"]
    assert read.json["fields"] == {"shared.heads": "heads"}
    assert "hunter2" not in read.text
    listed = agency_client.get(SOURCES, query_string={"limit": 500}).json
    assert read.json in listed["items"]


def test_mistakes_come_all_at_once_with_their_pointers(
    agency_client: FlaskClient, definition: dict[str, Any]
) -> None:
    body = {**definition, "surprise": 1, "fields": {"no.field": "x"}, "areas": ["1"]}
    answer = agency_client.post(SOURCES, json=body)
    assert answer.status_code == 422
    assert answer.json["type"] == "urn:oneform:problem:invalid-request"
    assert {(e["pointer"], e["code"]) for e in answer.json["errors"]} == {
        ("", "additionalProperties"),
        ("/fields/no.field", "unknown_field"),
        ("/areas/0", "unknown_area"),
    }
    assert agency_client.post(SOURCES, json=[1]).status_code == 422


def test_private_addresses_are_refused(
    agency_client: FlaskClient, definition: dict[str, Any]
) -> None:
    definition["settings"]["url"] = "postgresql://u@169.254.169.254/db"
    answer = agency_client.post(SOURCES, json=definition)
    assert [e["code"] for e in answer.json["errors"]] == ["address-refused"]


def test_code_in_use_is_a_conflict(
    agency_client: FlaskClient, added: dict[str, Any], definition: dict[str, Any]
) -> None:
    answer = agency_client.post(SOURCES, json=definition)
    assert (answer.status_code, answer.json["type"]) == (409, "urn:oneform:problem:conflict")


def test_change_needs_the_present_state(agency_client: FlaskClient, added: dict[str, Any]) -> None:
    place = f"{SOURCES}/{added['code']}"
    etag = agency_client.get(place).headers["ETag"]
    changed = agency_client.patch(place, json={"enabled": False}, headers={"If-Match": etag})
    assert (changed.status_code, changed.json["enabled"]) == (200, False)
    again = agency_client.patch(place, json={"enabled": True}, headers={"If-Match": etag})
    assert again.status_code == 412
    assert agency_client.delete(place, headers={"If-Match": etag}).status_code == 412


def test_fixed_members_are_refused(agency_client: FlaskClient, added: dict[str, Any]) -> None:
    answer = agency_client.patch(f"{SOURCES}/{added['id']}", json={"code": "x", "surprise": 1})
    assert answer.status_code == 422
    assert {e["pointer"] for e in answer.json["errors"]} == {"/code", "/surprise"}


def test_deleted_source_is_gone(agency_client: FlaskClient, added: dict[str, Any]) -> None:
    place = f"{SOURCES}/{added['id']}"
    assert agency_client.delete(place).status_code == 204
    assert agency_client.get(place).status_code == 404
    assert agency_client.delete(place).status_code == 404


def test_probe_tells_what_is_wrong(
    agency_client: FlaskClient, added: dict[str, Any], definition: dict[str, Any]
) -> None:
    agency_client.patch(f"{SOURCES}/{added['id']}", json={"limits": {"timeout_s": 0.5}})
    answer = agency_client.post(f"{SOURCES}/{added['id']}/probe")
    assert answer.status_code == 200
    assert answer.json["ok"] is False
    assert answer.json["detail"]
    assert "hunter2" not in answer.text


def test_run_is_accepted_carried_out_and_reported(
    agency_client: FlaskClient, added: dict[str, Any], api_runtime: Runtime
) -> None:
    place = f"{SOURCES}/{added['id']}"
    agency_client.patch(place, json={"limits": {"timeout_s": 0.5}})
    answer = agency_client.post(f"{place}/runs")
    assert (answer.status_code, answer.json["state"]) == (202, "waiting")
    assert answer.headers["Location"] == f"{place}/runs/{answer.json['id']}"
    with pytest.raises(SourceUnavailable):
        run_source(api_runtime, uuid.UUID(answer.json["id"]))
    report = agency_client.get(answer.headers["Location"]).json
    assert report["state"] == "failed"
    assert report["error"]
    assert report["counts"]["calls"] == 3
    assert (report["refused"], report["next"]) == ([], None)
    assert agency_client.get(f"{place}/runs").json["items"][0]["id"] == report["id"]
    assert agency_client.get(f"{place}/runs/{uuid.uuid4()}").status_code == 404


def test_refused_values_come_in_pages(
    agency_client: FlaskClient, added: dict[str, Any], api_runtime: Runtime
) -> None:
    place = f"{SOURCES}/{added['id']}"
    run = agency_client.post(f"{place}/runs").json["id"]
    with api_runtime.context(OPERATOR) as ctx:
        ctx.sql(
            "INSERT INTO source_refused (run_id, subject, field, period, value, code, detail) "
            "SELECT :run, 's' || n, 'shared.heads', '2025', to_jsonb(n), 'schema', 'is wrong' "
            "FROM generate_series(1, 3) AS n",
            run=run,
        )
    first = agency_client.get(f"{place}/runs/{run}?limit=2").json
    second = agency_client.get(f"{place}/runs/{run}?limit=2&cursor={first['next']}").json
    values = [row["value"] for page in (first, second) for row in page["refused"]]
    assert values == [1, 2, 3]
    assert first["refused"][0] == {
        "subject": "s1",
        "field": "shared.heads",
        "period": "2025",
        "value": 1,
        "code": "schema",
        "detail": "is wrong",
    }
    assert agency_client.get(f"{place}/runs/{run}?cursor=x").status_code == 400


def test_other_agencies_see_nothing_of_it(
    app: flask.Flask, api_runtime: Runtime, added: dict[str, Any], definition: dict[str, Any]
) -> None:
    with api_runtime.context(OPERATOR) as ctx:
        key = issue_key(ctx, "civil").key
    other = app.test_client()
    other.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    place = f"{SOURCES}/{added['code']}"
    assert other.get(place).status_code == 404
    assert other.patch(place, json={}).status_code == 404
    assert other.delete(place).status_code == 404
    assert other.post(f"{place}/probe").status_code == 404
    assert other.post(f"{place}/runs").status_code == 404
    assert added["code"] not in other.get(SOURCES).text
    assert other.post(SOURCES, json={**definition, "code": "x"}).status_code == 403


def test_staff_and_strangers_are_kept_out(
    client: FlaskClient, staff_client: FlaskClient, definition: dict[str, Any]
) -> None:
    assert client.get(SOURCES).status_code == 401
    assert staff_client.get(SOURCES).status_code == 403
    assert staff_client.post(SOURCES, json=definition).status_code == 403
