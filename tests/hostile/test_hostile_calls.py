"""Hostile bodies, addresses and headers, to every operation that takes such: each with its problem."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, replace
from typing import Any

import flask
import pytest
from everybody import Everybody
from flask.testing import FlaskClient
from hostile_inputs import JSON_BODIES, NAMES_IN_ADDRESSES, PARAMETERS, SOUND_PARAMETERS, VALUES
from werkzeug.test import TestResponse

from oneform.config import Settings
from oneform.identity.policy import ROLE_PERMISSIONS, SCOPE_PERMISSIONS, Permission, Scope

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def everybody_settings(everybody_settings: Settings) -> Settings:
    return replace(everybody_settings, max_body_mb=1)


@pytest.fixture(scope="module")
def client(app: flask.Flask) -> FlaskClient:
    return app.test_client()


@dataclass(frozen=True)
class Operation:
    method: str
    template: str
    doc: dict[str, Any]
    token: str | None
    path: str
    """With ids of things that are there."""

    @property
    def name(self) -> str:
        return f"{self.method} {self.template}"

    @property
    def media(self) -> set[str]:
        return set(self.doc.get("requestBody", {}).get("content", {}))

    def parameters(self, where: str) -> set[str]:
        return {each["name"] for each in self.doc.get("parameters", []) if each["in"] == where}


@pytest.fixture(scope="module")
def document(client: FlaskClient) -> dict[str, Any]:
    return dict(client.get("/api/v1/openapi.json").json or {})


@pytest.fixture(scope="module")
def operations(document: dict[str, Any], world: Everybody) -> list[Operation]:
    """Every operation, with somebody who may use it."""
    return [
        Operation(
            method.upper(),
            template,
            item[method],
            _token(world, item[method].get("x-permissions", [])),
            re.sub(r"{(\w+)}", lambda match: _id(world, match[1]), template)
            if "/fields/{code}" not in template
            else template.replace("{code}", "test.code"),
        )
        for template, item in document["paths"].items()
        for method in METHODS
        if method in item
    ]


def _token(world: Everybody, permissions: list[str]) -> str | None:
    wanted = {Permission(name) for name in permissions}
    if not wanted:
        return None
    by_key = frozenset().union(
        *(SCOPE_PERMISSIONS[scope] for scope in Scope if scope is not Scope.REQUESTS_URGENT)
    )
    if wanted & by_key or wanted == {Permission.READ_AREAS}:
        return world.tokens["key"]
    role = next(role for role, may in ROLE_PERMISSIONS.items() if wanted & may)
    return world.tokens[role.value]


def _id(world: Everybody, parameter: str) -> str:
    kind = parameter.removesuffix("_id") + "s"
    kind = {"numbers": "control_numbers"}.get(kind, kind)
    return str(getattr(world.here, kind)[0]) if hasattr(world.here, kind) else "420102001001"


def call(
    client: FlaskClient, operation: Operation, path: str | None = None, **given: Any
) -> TestResponse:
    headers = {
        "Idempotency-Key": uuid.uuid4().hex,
        **({"Authorization": f"Bearer {operation.token}"} if operation.token else {}),
        **given.pop("headers", {}),
    }
    return client.open(path or operation.path, method=operation.method, headers=headers, **given)


def is_told(answer: TestResponse, status: int, problem: str) -> bool:
    """Whether this problem answers, in its full shape."""
    body = answer.get_json(silent=True)
    return (
        answer.status_code == status
        and answer.mimetype == "application/problem+json"
        and isinstance(body, dict)
        and body["type"] == f"urn:oneform:problem:{problem}"
        and body["status"] == status
        and bool(body["title"] and body["detail"])
    )


def is_listed(operation: Operation, answer: TestResponse) -> bool:
    """Whether the document knows of this answer."""
    found = operation.doc["responses"].get(str(answer.status_code))
    if found is None or answer.status_code < 400:
        return found is not None
    if answer.mimetype != "application/problem+json":
        return answer.mimetype in found["content"]
    schema = found["content"]["application/problem+json"]["schema"]
    return (answer.json or {})["type"] in schema["allOf"][1]["properties"]["type"]["enum"]


def shown(operation: Operation, answer: TestResponse) -> tuple[str, int, str]:
    return operation.name, answer.status_code, answer.get_data()[:200].decode(errors="replace")


@pytest.mark.parametrize("name", JSON_BODIES)
def test_body_is_refused(
    client: FlaskClient, operations: list[Operation], document: dict[str, Any], name: str
) -> None:
    case = JSON_BODIES[name]
    wrong = []
    taking = [operation for operation in operations if "application/json" in operation.media]
    assert len(taking) > 10
    for operation in taking:
        headers = {"Content-Type": "application/json", **case.headers}
        answer = call(client, operation, data=case.body, headers=headers)
        if not (
            is_told(answer, case.status, case.problem) and is_listed(operation, answer)
        ) and not _may_be_empty(document, operation, case.status):
            wrong.append(shown(operation, answer))
    assert wrong == []


def _may_be_empty(document: dict[str, Any], operation: Operation, status: int) -> bool:
    """Changes need no member, and some bodies know no wrong ones at the door."""
    return status == 422 and operation.name == "PATCH /api/v1/sources/{source_id}"


@pytest.mark.parametrize(
    "each", [pytest.param(4, id="some"), pytest.param(1, id="all", marks=pytest.mark.soak)]
)
def test_any_member_may_hold_anything(
    client: FlaskClient, operations: list[Operation], document: dict[str, Any], each: int
) -> None:
    """Every member with each value, or with every fourth, others for the next member."""
    wrong, tried = [], 0
    schemas = document["components"]["schemas"]
    for operation in operations:
        if "application/json" not in operation.media:
            continue
        schema = operation.doc["requestBody"]["content"]["application/json"]["schema"]
        for member in schemas[schema["$ref"].rsplit("/", 1)[1]]["properties"]:
            for value in list(VALUES.values())[tried % each :: each]:
                answer = call(client, operation, json={member: value})
                tried += 1
                if not is_listed(operation, answer):
                    wrong.append((member, str(value)[:40], *shown(operation, answer)))
    assert wrong == []
    assert tried > 800 / each


@pytest.mark.parametrize("name", NAMES_IN_ADDRESSES)
def test_name_in_an_address_is_not_found(
    client: FlaskClient, operations: list[Operation], name: str
) -> None:
    text, statuses = NAMES_IN_ADDRESSES[name]
    wrong = []
    for operation in operations:
        places = re.findall(r"{\w+}", operation.template)
        if not places or operation.name == "GET /api/v1/control-numbers/{number}":
            continue
        before, _, after = operation.template.rpartition(places[-1])
        for path in {
            operation.template.replace(places[0], text),
            f"{before}{text}{after}",
        }:
            body = {} if "application/json" not in operation.media else _good_body(operation)
            answer = call(client, operation, re.sub(r"{\w+}", "x", path), **body)
            problem = "malformed-request" if 400 in statuses else "not-found"
            if not any(is_told(answer, status, problem) for status in statuses):
                wrong.append((path[:80], *shown(operation, answer)))
    assert wrong == []


GOOD_BODIES: dict[str, Any] = {
    "/decide": {"decision": "overturn", "reason": "x"},
    "/extend": {"reason": "x"},
    "/amend": {"value": 1},
    "PATCH /api/v1/subjects/{subject_id}": {"active_to": "2026-03-01"},
    "PATCH /api/v1/sources/{source_id}": {"enabled": True},
}


def _good_body(operation: Operation) -> dict[str, Any]:
    if operation.name == "POST /api/v1/grants/{grant_id}/decide":
        return {"json": {"decision": "grant"}}
    return {"json": next(b for end, b in GOOD_BODIES.items() if operation.name.endswith(end))}


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameter_is_refused(client: FlaskClient, operations: list[Operation], name: str) -> None:
    query, status, problem = PARAMETERS[name]
    having = [
        operation
        for operation in operations
        if query.split("=")[0] in operation.parameters("query")
    ]
    assert having
    wrong = []
    for operation in having:
        answer = call(client, operation, query_string=query)
        if not (is_told(answer, status, problem) and is_listed(operation, answer)):
            wrong.append(shown(operation, answer))
    assert wrong == []


@pytest.mark.parametrize("name", SOUND_PARAMETERS)
def test_strange_query_is_no_fault(
    client: FlaskClient, operations: list[Operation], name: str
) -> None:
    wrong = []
    for operation in operations:
        if operation.method == "GET":
            answer = call(client, operation, query_string=SOUND_PARAMETERS[name])
            if not is_listed(operation, answer):
                wrong.append(shown(operation, answer))
    assert wrong == []


def test_query_with_nul_is_refused_everywhere(
    client: FlaskClient, operations: list[Operation]
) -> None:
    wrong = [
        shown(operation, answer)
        for operation in operations
        if not is_told(
            answer := call(client, operation, query_string="x=%00"), 400, "malformed-request"
        )
    ]
    assert wrong == []


BAD_KEYS = ["", "\x7f", "a b", "k" * 256, "键", "a\tb", "\xff"]


@pytest.mark.parametrize("key", BAD_KEYS)
def test_idempotency_key_is_refused(
    client: FlaskClient, operations: list[Operation], key: str
) -> None:
    problem = "invalid-parameters" if key else "idempotency-key-missing"
    having = [each for each in operations if "Idempotency-Key" in each.parameters("header")]
    assert len(having) == 3
    for operation in having:
        given = key.encode().decode("latin-1")
        answer = call(client, operation, json={}, headers={"Idempotency-Key": given})
        assert is_told(answer, 400, problem), shown(operation, answer)


STALE = ['"x"', 'W/"x"', '"a", "b"', "x", '"', '"' + "a" * 5_000 + '"', "\xff", '"*"']


@pytest.mark.parametrize("tag", STALE)
def test_tag_of_no_state_is_stale(
    client: FlaskClient, operations: list[Operation], tag: str
) -> None:
    having = [each for each in operations if "If-Match" in each.parameters("header")]
    assert len(having) > 3
    for operation in having:
        body = _good_body(operation) if "application/json" in operation.media else {}
        answer = call(client, operation, headers={"If-Match": tag}, **body)
        assert is_told(answer, 412, "precondition-failed"), (tag, *shown(operation, answer))


HEADERS: dict[str, tuple[dict[str, str], int]] = {
    "method override": ({"X-HTTP-Method-Override": "DELETE", "X-Method-Override": "DELETE"}, 200),
    "nothing accepted": ({"Accept": "application/nothing;q=1, */*;q=0"}, 200),
    "garbage accepted": ({"Accept": ",;q=x,/,*/;q=9"}, 200),
    "a language of 5,000 characters": ({"Accept-Language": "zh-" * 1_700}, 200),
    "another host": ({"Host": "evil.example"}, 200),
    "a host that is none": ({"Host": "a b/../@:x"}, 200),
    "another address": ({"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1"}, 200),
    "another path": ({"X-Original-URL": "/metrics", "X-Rewrite-URL": "/metrics"}, 200),
    "an id with a line end": ({"X-Request-Id": "a%0d%0ab"}, 200),
    "a range": ({"Range": "bytes=0-0,99999999999-"}, 200),
    "a day that is none": ({"If-Modified-Since": "Thu, 99 Foo 9999 99:99:99 GMT"}, 200),
    "a cookie of garbage": ({"Cookie": "oneform_session=.eJx;;=;a=b=c\xff"}, 200),
    "an upgrade": ({"Upgrade": "h2c", "Connection": "Upgrade, HTTP2-Settings"}, 200),
    "a token of 5,000 characters": ({"Authorization": "Bearer " + "a" * 5_000}, 401),
    "a token with letters": ({"Authorization": "Bearer ofk_é_ü"}, 401),
    "two tokens": ({"Authorization": "Bearer a, Bearer b"}, 401),
    "another scheme": ({"Authorization": "Digest username=x"}, 401),
}


@pytest.mark.parametrize("name", HEADERS)
def test_header_makes_no_fault(client: FlaskClient, operations: list[Operation], name: str) -> None:
    headers, status = HEADERS[name]
    reading = ("GET /api/v1/requests", "GET /api/v1/areas", "GET /api/v1/form")
    for operation in operations:
        if operation.name in reading:
            answer = call(client, operation, headers=headers)
            assert answer.status_code == status, shown(operation, answer)
            assert "\n" not in answer.headers["X-Request-Id"]


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "get", "BREW", "DELETE"])
def test_method_that_there_is_not_is_told(client: FlaskClient, method: str) -> None:
    answer = client.open("/api/v1/fields", method=method)
    if method == "get":
        assert answer.status_code == 200
    else:
        assert is_told(answer, 405, "method-not-allowed")
        assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize(
    "path",
    ["/api/v1/../../metrics", "/api/v1/fields/", "/api/v1/%2e%2e/x", "//x/y"],
)
def test_address_that_there_is_not_is_told(client: FlaskClient, path: str) -> None:
    assert is_told(client.get(path), 404, "not-found")


UPLOADS: dict[str, tuple[str, bytes, int, str]] = {
    "a part without a name": (
        "multipart/form-data; boundary=x",
        b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n"
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n',
        422,
        "invalid-request",
    ),
    "no boundary": ("multipart/form-data", b"--x\r\n\r\n--x--", 422, "invalid-request"),
    "a boundary that never comes": (
        "multipart/form-data; boundary=y",
        b"--x\r\n\r\n--x--",
        422,
        "invalid-request",
    ),
    "two files": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n1\r\n' * 2
        + b"--x--\r\n",
        422,
        "invalid-request",
    ),
    "a thousand parts": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 1_100 + b"--x--\r\n",
        413,
        "body-too-large",
    ),
    "a file with a path": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="../../etc/x.csv"\r\n\r\n'
        b"field\r\n--x--\r\n",
        422,
        "invalid-request",
    ),
    "nothing": ("text/csv", b"", 422, "invalid-request"),
    "UTF-16": ("text/csv", "field,subject,value\n".encode("utf-16"), 422, "invalid-request"),
    "quotation without an end": ("text/csv", b'field,subject,value\n"', 422, "invalid-request"),
    "a header twice": ("text/csv", b"field,field,subject,value\n", 422, "invalid-request"),
    "a line of 10 MB": ("application/x-ndjson", b" " * (11 * 1024 * 1024), 413, "body-too-large"),
    "JSON": ("application/json", b"[]", 415, "unsupported-media-type"),
    "a form": ("application/x-www-form-urlencoded", b"field=x", 415, "unsupported-media-type"),
    "a workbook": ("application/vnd.ms-excel", b"PK", 415, "unsupported-media-type"),
    "CSV in GBK": ("text/csv; charset=gbk", b"field", 415, "unsupported-media-type"),
    "nothing said": ("", b"field", 415, "unsupported-media-type"),
}


@pytest.mark.parametrize("name", UPLOADS)
def test_upload_is_refused(client: FlaskClient, operations: list[Operation], name: str) -> None:
    media, body, status, problem = UPLOADS[name]
    (operation,) = [each for each in operations if each.name == "POST /api/v1/values/imports"]
    answer = call(client, operation, data=body, headers={"Content-Type": media})
    assert is_told(answer, status, problem), shown(operation, answer)
    assert is_listed(operation, answer)


PAGE_TEXTS = ["\0", "a\0b", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "９" * 400]


@pytest.mark.parametrize("text", PAGE_TEXTS, ids=ascii)
def test_page_takes_any_text_without_a_fault(
    world: Everybody, client: FlaskClient, text: str
) -> None:
    person = client.application.test_client()
    with person.session_transaction() as cookie:
        cookie |= {"_user_id": world.tokens["staff"], "_fresh": True, "name": "王桂兰"}
    home = person.get("/home").text
    match = re.search(r'name="csrf_token" value="([^"]+)"', home)
    assert match is not None
    asks = {f"{member}.{ask}": text for member in ("value", "note") for ask in (text, "3-13")}
    for name in ("key", "unit", "section", "cursor", "part", "next", "csrf"):
        form = {"csrf_token": match[1], name: text, **asks, "missing.3-14": text, "base.3-13": text}
        for step in ("save", "edit", "drafts", "check", "send", "language/zh"):
            answer = person.post(f"/form/{step}", data=form)
            assert answer.status_code < 500, (name, step, answer.text[:300])
        for path in ("/form", "/submissions", "/check", "/login", "/language/zh"):
            answer = person.get(path, query_string={name: text, "number": text})
            assert answer.status_code < 500, (name, path, answer.text[:300])
        answer = client.post("/login", data={"username": text, "password": text, **form})
        assert answer.status_code < 500, (name, "login", answer.text[:300])
