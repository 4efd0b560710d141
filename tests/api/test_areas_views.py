"""Areas and subjects over HTTP: thin views, so what is tested is the envelope and the reach."""

from __future__ import annotations

from collections.abc import Callable

import flask
import pytest
from flask.testing import FlaskClient

from oneform.areas.service import apply_changes
from oneform.identity.policy import OPERATOR, Role
from oneform.runtime import Runtime

AREAS, SUBJECTS = "/api/v1/areas", "/api/v1/subjects"
VILLAGE, OTHER_VILLAGE, TOWNSHIP = "420102001001", "420102001002", "420102001000"


@pytest.fixture(scope="module")
def household(api_runtime: Runtime) -> None:
    with api_runtime.context(OPERATOR) as ctx:
        ctx.sql(
            "INSERT INTO subject_kind (code, name, key_schema) VALUES "
            """('household', '{"zh": "户"}', '{"type": "string", "minLength": 3}')"""
        )


def test_areas_need_credentials(client: FlaskClient) -> None:
    for path in (AREAS, f"{AREAS}/{VILLAGE}", f"{AREAS}/{VILLAGE}/changes"):
        assert client.get(path).status_code == 401


def test_areas_are_listed_by_parent_level_and_words(agency_client: FlaskClient) -> None:
    def codes(query: str) -> list[str]:
        return [area["code"] for area in agency_client.get(f"{AREAS}?{query}").json["items"]]

    assert codes(f"parent={TOWNSHIP}") == [VILLAGE, OTHER_VILLAGE]
    assert codes("parent=420000000000&level=village") == [VILLAGE, OTHER_VILLAGE]
    assert codes("level=province") == codes("level=1") == ["420000000000"]
    assert codes("q=车站") == [VILLAGE]
    assert codes("q=%25") == []


def test_areas_come_in_pages(agency_client: FlaskClient) -> None:
    first = agency_client.get(f"{AREAS}?limit=5").json
    rest = agency_client.get(f"{AREAS}?limit=5&cursor={first['next']}").json
    assert len(first["items"]) == 5
    assert rest["next"] is None
    seen = [area["code"] for area in [*first["items"], *rest["items"]]]
    assert seen == sorted(set(seen))


@pytest.mark.parametrize("query", ["level=planet", "limit=0", "cursor=x"])
def test_bad_parameters_of_a_list_of_areas_are_refused(
    agency_client: FlaskClient, query: str
) -> None:
    assert agency_client.get(f"{AREAS}?{query}").status_code == 400


def test_area_is_shown(agency_client: FlaskClient) -> None:
    assert agency_client.get(f"{AREAS}/{VILLAGE}").json == {
        "code": VILLAGE,
        "name": "车站社区",
        "level": "village",
        "parent": TOWNSHIP,
        "urban_rural_class": None,
        "valid_from": None,
        "valid_to": None,
    }


@pytest.mark.parametrize("code", ["999999999999", "x", "%F0%9F%98%80", "1'--"])
def test_unknown_area_is_not_found(agency_client: FlaskClient, code: str) -> None:
    for path in (f"{AREAS}/{code}", f"{AREAS}/{code}/changes"):
        assert agency_client.get(path).status_code == 404


def test_renamed_area_is_readable_on_its_old_days(
    agency_client: FlaskClient, api_runtime: Runtime
) -> None:
    changes = (
        "change,old_code,new_code,parent_code,level,name,on_date\n"
        "recode,420103000000,420104000000,420100000000,3,新区,2026-02-01\n"
    )
    with api_runtime.context(OPERATOR) as ctx:
        apply_changes(ctx, changes.encode())
    old, new = f"{AREAS}/420103000000", f"{AREAS}/420104000000"
    assert agency_client.get(old).status_code == 404
    assert agency_client.get(f"{old}?on=2026-01-31").json["name"] == "江汉区"
    assert agency_client.get(new).json["name"] == "新区"
    for path in (old, new):
        (change,) = agency_client.get(f"{path}/changes").json["items"]
        assert (change["change"], change["on_date"]) == ("recode", "2026-02-01")
    assert agency_client.get(f"{new}?on=soon").status_code == 400


def test_subject_is_entered_read_listed_and_closed(
    household: None, staff_client: FlaskClient
) -> None:
    made = staff_client.post(SUBJECTS, json={"kind": "household", "key": "H001", "name": "张家"})
    assert made.status_code == 201
    assert made.json["area"] == VILLAGE
    path = made.headers["Location"]
    read = staff_client.get(path)
    assert read.json == made.json
    assert read.headers["ETag"] == made.headers["ETag"]
    assert made.json in staff_client.get(f"{SUBJECTS}?kind=household").json["items"]
    closed = staff_client.patch(
        path, json={"active_to": "2026-03-16"}, headers={"If-Match": read.headers["ETag"]}
    )
    assert closed.json["active_to"] == "2026-03-16"
    assert closed.headers["ETag"] != read.headers["ETag"]
    stale = staff_client.patch(
        path, json={"active_to": "2026-03-16"}, headers={"If-Match": read.headers["ETag"]}
    )
    assert stale.status_code == 412


@pytest.mark.parametrize("given", ['W/"1"', '"1", "2"'])
def test_subject_is_not_changed_on_an_unclear_condition(
    household: None, staff_client: FlaskClient, given: str
) -> None:
    answer = staff_client.patch(f"{SUBJECTS}/1-1", json={}, headers={"If-Match": given})
    assert answer.status_code == 412


def test_subject_is_entered_once(household: None, staff_client: FlaskClient) -> None:
    body = {"kind": "household", "key": "H002", "name": "李家"}
    assert staff_client.post(SUBJECTS, json=body).status_code == 201
    assert staff_client.post(SUBJECTS, json=body).status_code == 409


def test_every_mistake_of_a_subject_is_named(household: None, staff_client: FlaskClient) -> None:
    answer = staff_client.post(SUBJECTS, json={"kind": 1, "key": "", "other": 1})
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json["errors"]} == {
        "/kind",
        "/key",
        "/name",
        "/other",
    }
    short = staff_client.post(SUBJECTS, json={"kind": "household", "key": "H", "name": "王家"})
    assert short.status_code == 422
    assert [error["pointer"] for error in short.json["errors"]] == ["/key"]


def test_subject_outside_ones_reach_is_refused(household: None, staff_client: FlaskClient) -> None:
    body = {"kind": "household", "key": "H003", "name": "赵家", "area": OTHER_VILLAGE}
    answer = staff_client.post(SUBJECTS, json=body)
    assert answer.status_code == 403
    assert answer.json["type"] == "urn:oneform:problem:forbidden"
    assert staff_client.get(f"{SUBJECTS}?area={OTHER_VILLAGE}").status_code == 403


def test_subject_of_another_village_does_not_exist_for_us(
    household: None,
    app: flask.Flask,
    staff_client: FlaskClient,
    new_person: Callable[..., str],
) -> None:
    body = {"kind": "household", "key": "H004", "name": "周家"}
    path = staff_client.post(SUBJECTS, json=body).headers["Location"]
    other = app.test_client()
    login = {"username": new_person(Role.STAFF, OTHER_VILLAGE), "password": "correct horse"}
    token = other.post("/api/v1/sessions", json=login).json["token"]
    other.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    assert other.get(path).status_code == 404
    assert other.patch(path, json={"active_to": "2026-03-16"}).status_code == 404


def test_agency_keeps_no_ledger(household: None, agency_client: FlaskClient) -> None:
    assert agency_client.get(SUBJECTS).status_code == 403
    assert agency_client.post(SUBJECTS, json={}).status_code == 403
