"""What may be in a body, how mistakes in it are told, and what comes back."""

from __future__ import annotations

import contextlib
import json

import flask
import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from malformed import MALFORMED
from marshmallow import ValidationError

from oneform.api.bodies import canonical
from oneform.api.errors import MalformedBody
from oneform.api.mistakes import mistakes_of
from oneform.api.schemas import Day, Schema
from oneform.api.strictjson import MAX_DEPTH, parse
from oneform.app import create_app
from oneform.runtime import Runtime


@pytest.fixture(scope="module")
def app(api_runtime: Runtime) -> flask.Flask:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("oneform.api.application.BLUEPRINTS", ("oneform.api.sessions", "probe_views"))
        return create_app(api_runtime)


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_body_is_refused(agency_client: FlaskClient, name: str) -> None:
    answer = agency_client.post(
        "/api/v1/probe/items", data=MALFORMED[name], content_type="application/json"
    )
    assert answer.status_code == 400, answer.text
    assert answer.json["type"] == "urn:oneform:problem:malformed-body"


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ('["统计", "😀"]'.encode(), ["统计", "😀"]),
        (b'["\\ud83d\\ude00", "\\\\u0000"]', ["😀", "\\u0000"]),
        (b"[9223372036854775807, -9223372036854775808]", [2**63 - 1, -(2**63)]),
        (b"[1e3, 1.50, -0.0]", [1000.0, 1.5, 0.0]),
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, json.loads("[" * MAX_DEPTH + "]" * MAX_DEPTH)),
        (b"[" + b"[]," * 200 + b"[]]", [[]] * 201),
    ],
)
def test_good_json_is_read(body: bytes, value: object) -> None:
    assert parse(body) == value


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**63 - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
        lambda inner: st.lists(inner) | st.dictionaries(st.text('ab\\"', max_size=3), inner),
        max_leaves=20,
    )
)
def test_whatever_is_json_is_read_as_it_was_written(value: object) -> None:
    assert parse(json.dumps(value).encode()) == value
    assert parse(json.dumps(value, ensure_ascii=False, indent=1).encode()) == value


@given(st.binary(max_size=200))
def test_whatever_is_not_json_is_malformed(body: bytes) -> None:
    with contextlib.suppress(MalformedBody):
        assert json.dumps(parse(body))


def test_equal_json_has_one_canonical_text() -> None:
    same = [
        b'{"a": [1, 2.5], "b": null}',
        b'{"b":null,"a":[1.0,25e-1]}',
        b'{ "a" : [ 1e0, 2.50 ], "b" : null }',
    ]
    assert len({canonical(parse(body)) for body in same}) == 1
    other = [b"[1]", b"[true]", b'["1"]', b"[1.5]", b"[]", b"[null]", b"{}", b"[[1]]", b"[1, 1]"]
    assert len({canonical(parse(body)) for body in other}) == len(other)


def test_every_mistake_is_named_with_its_pointer(agency_client: FlaskClient) -> None:
    answer = agency_client.post(
        "/api/v1/probe/items",
        json={"numbers": [1, "x", 10, True], "a/b": {"key": 7}, "at": "soon", "other": 1},
    )
    assert answer.status_code == 422
    assert answer.json["type"] == "urn:oneform:problem:invalid-request"
    assert {(error["pointer"], error["code"]) for error in answer.json["errors"]} == {
        ("/name", "required"),
        ("/numbers/1", "type"),
        ("/numbers/2", "range"),
        ("/numbers/3", "type"),
        ("/a~1b/key", "type"),
        ("/at", "type"),
        ("/other", "unknown-member"),
    }
    assert all(error["detail"] for error in answer.json["errors"])


@pytest.mark.parametrize("body", [[], "text", 1, True, None])
def test_body_that_is_no_object_is_a_mistake(agency_client: FlaskClient, body: object) -> None:
    answer = agency_client.post(
        "/api/v1/probe/items", data=json.dumps(body), content_type="application/json"
    )
    assert answer.status_code == 422
    (error,) = answer.json["errors"]
    assert (error["pointer"], error["code"]) == ("", "type")
    assert error["detail"] == "the body: must be a JSON object"


@pytest.mark.parametrize("day", ["31.3.2027", "20270331", "2027-02-30", 20270331])
def test_mistaken_day_is_told_with_the_form_of_a_day(day: object) -> None:
    class Plan(Schema):
        due = Day()

    with pytest.raises(ValidationError) as caught:
        Plan().load({"due": day})
    (mistake,) = mistakes_of(caught.value.messages)
    assert (mistake.pointer, mistake.code) == ("/due", "type")
    assert "written as 2026-03-16" in mistake.detail


@pytest.mark.parametrize(("name", "code"), [("", "blank"), ("  ", "blank"), ("x" * 11, "length")])
def test_text_is_neither_blank_nor_too_long(
    agency_client: FlaskClient, name: str, code: str
) -> None:
    answer = agency_client.post("/api/v1/probe/items", json={"name": name})
    assert [error["code"] for error in answer.json["errors"]] == [code]


def test_answers_are_utf8_in_declared_order_with_instants_in_utc(
    agency_client: FlaskClient,
) -> None:
    answer = agency_client.post(
        "/api/v1/probe/items", json={"at": "2026-03-16T09:00:00+08:00", "name": " 统计 "}
    )
    assert answer.status_code == 201
    assert answer.text == '{"name":"统计","at":"2026-03-16T01:00:00Z"}'


def test_unending_list_of_mistakes_is_cut(agency_client: FlaskClient) -> None:
    answer = agency_client.post("/api/v1/probe/items", json={"name": "a", "numbers": [10] * 5000})
    assert answer.status_code == 422
    assert len(answer.json["errors"]) == 1000
    assert "5000" in answer.json["detail"]


def test_lists_come_in_pages(client: FlaskClient) -> None:
    names, cursor = [], None
    for _ in range(3):
        query = {"cursor": cursor} if cursor else {}
        page = client.get("/api/v1/probe/items", query_string=query).json
        names += [item["name"] for item in page["items"]]
        cursor = page["next"]
    assert names == [str(number) for number in range(120)]
    assert cursor is None
    assert len(client.get("/api/v1/probe/items?limit=500").json["items"]) == 120


@pytest.mark.parametrize("limit", ["0", "501", "-1", "x", "1.5", "", "9" * 5000])
def test_limit_out_of_bounds_is_refused(client: FlaskClient, limit: str) -> None:
    answer = client.get("/api/v1/probe/items", query_string={"limit": limit})
    assert answer.status_code == 400
    assert answer.json["type"] == "urn:oneform:problem:invalid-parameters"
    assert [error["pointer"] for error in answer.json["errors"]] == ["?limit"]


@pytest.mark.parametrize("cursor", ["x", "", "W10", "统计", "é", "a" * 10_000])
def test_malformed_cursor_is_refused(client: FlaskClient, cursor: str) -> None:
    answer = client.get("/api/v1/probe/items", query_string={"cursor": cursor})
    assert answer.status_code == 400
    assert answer.json["type"] == "urn:oneform:problem:bad-cursor"


def test_unchanged_thing_is_not_sent_again(client: FlaskClient) -> None:
    first = client.get("/api/v1/probe/thing")
    again = client.get("/api/v1/probe/thing", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_stale_change_is_refused(client: FlaskClient) -> None:
    etag = client.get("/api/v1/probe/thing").headers["ETag"]
    changed = client.patch("/api/v1/probe/thing", headers={"If-Match": etag})
    assert changed.status_code == 200
    stale = client.patch("/api/v1/probe/thing", headers={"If-Match": etag})
    assert stale.status_code == 412
    assert stale.json["type"] == "urn:oneform:problem:precondition-failed"
    for etag in (changed.headers["ETag"], "*"):
        assert client.patch("/api/v1/probe/thing", headers={"If-Match": etag}).status_code == 200
    assert client.patch("/api/v1/probe/thing").status_code == 200
