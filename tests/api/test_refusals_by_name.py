"""Refusals as a client meets them: the status, the problem's name, and where the mistake is."""

from __future__ import annotations

from typing import Any

import everybody_fixtures
import flask
import pytest
from everybody import Everybody
from factories import COUNTY, FAR_VILLAGE

world, app = everybody_fixtures.world, everybody_fixtures.app
everybody_settings = everybody_fixtures.everybody_settings

REQUEST = {
    "title": "调查",
    "purpose": "测试",
    "legal_basis": "《中华人民共和国统计法》",
    "fields": ["test.f01"],
    "scope": {"areas": [COUNTY], "kind": "area", "level": "village"},
    "period": "2026",
    "due": "2026-06-30",
}


def scope(**members: Any) -> dict[str, Any]:
    return {**REQUEST, "scope": {**REQUEST["scope"], **members}}


PEOPLE = {**REQUEST, "scope": {"areas": [FAR_VILLAGE], "kind": "resident"}}

CASES: dict[str, tuple[str, str, dict[str, Any], int, str, tuple[str, str]]] = {
    "a level that there is not": (
        *("key", "/requests/check", scope(level="hamlet")),
        *(422, "invalid-request", ("/scope/level", "unknown_level")),
    ),
    "a level for people": (
        *("key", "/requests/check", scope(kind="resident")),
        *(422, "invalid-request", ("/scope/level", "not_allowed")),
    ),
    "people of a place where there are none": (
        *("key", "/requests/check", {**PEOPLE, "fields": ["resident.status"]}),
        *(422, "invalid-request", ("/scope", "no_subjects")),
    ),
    "a grant that ends before it begins": (
        *("key", "/grants/{grant}/decide", {"decision": "grant", "valid_until": "2026-03-15"}),
        *(422, "invalid-request", ("/valid_until", "past")),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_refusal_has_its_name(app: flask.Flask, world: Everybody, name: str) -> None:
    who, path, body, status, problem, mistake = CASES[name]
    answer = app.test_client().post(
        f"/api/v1{path.format(grant=world.here.grants[0])}",
        json=body,
        headers={"Authorization": f"Bearer {world.tokens[who]}"},
    )
    assert answer.status_code == status, answer.text
    assert answer.json["type"] == f"urn:oneform:problem:{problem}"
    assert mistake in [(each["pointer"], each["code"]) for each in answer.json["errors"]]


def test_name_of_no_section_is_refused(app: flask.Flask, world: Everybody) -> None:
    headers = {"Authorization": f"Bearer {world.tokens['staff']}"}
    answer = app.test_client().get("/api/v1/form?section=x", headers=headers)
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json["errors"]] == ["?section"]
