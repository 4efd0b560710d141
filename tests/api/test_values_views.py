"""Pushing values over HTTP: formats, keys, reports, and who may."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from factories import OTHER_COUNTY, VILLAGE, field, make_fields
from flask.testing import FlaskClient

from oneform.identity.keys import issue_key
from oneform.identity.policy import OPERATOR
from oneform.runtime import Runtime
from workers.perform import perform_with

PATH = "/api/v1/values/imports"
CSV = f"field,subject,period,value,observed_on\npop.total,{VILLAGE},2026,1203,2026-03-01\n"
"""One good row."""


@pytest.fixture(scope="module", autouse=True)
def fields(api_runtime: Runtime) -> None:
    with api_runtime.context(OPERATOR) as ctx:
        make_fields(ctx, field("pop.total"), field("pop.births"), field("aid.cash", owner="civil"))


@pytest.fixture(autouse=True)
def nothing_held(api_runtime: Runtime) -> Iterator[None]:
    yield
    with api_runtime.context(OPERATOR) as ctx:
        for table in ("cell_value", "cell_value_history", "value_import", "value_import_block"):
            ctx.sql(f"DELETE FROM {table}")
        ctx.sql("DELETE FROM outbox")


def push(
    client: FlaskClient,
    data: Any,
    content_type: str = "text/csv",
    *,
    key: str | None = None,
    path: str = PATH,
) -> Any:
    headers = {"Idempotency-Key": key or uuid.uuid4().hex}
    return client.post(path, data=data, content_type=content_type, headers=headers)


def work(runtime: Runtime) -> int:
    """Do what is on the outbox, as a worker does; how much it was."""
    with runtime.context(OPERATOR) as ctx:
        rows = ctx.sql(
            "UPDATE outbox SET lease = lease + 1, leased_until = now() + interval '1 min' "
            "RETURNING id, lease"
        ).all()
    for row in rows:
        perform_with(runtime, row.id, row.lease)
    with runtime.context(OPERATOR) as ctx:
        assert ctx.sql("SELECT count(*) FROM outbox").scalar_one() == 0
    return len(rows)


def held(runtime: Runtime) -> list[Any]:
    with runtime.context(OPERATOR) as ctx:
        return list(ctx.sql("SELECT value FROM cell_value").scalars())


def test_import_is_accepted_done_and_reported(
    agency_client: FlaskClient, api_runtime: Runtime
) -> None:
    wrong = f"aid.cash,{VILLAGE},2026,5,\npop.births,{VILLAGE},2026,-1,\n"
    answer = push(agency_client, CSV + wrong)
    assert answer.status_code == 202
    assert answer.json["state"] == "waiting"
    assert answer.headers["Location"] == f"{PATH}/{answer.json['id']}"
    assert held(api_runtime) == []

    assert work(api_runtime) == 1
    assert held(api_runtime) == [1203]
    report = agency_client.get(answer.headers["Location"])
    assert report.status_code == 200
    assert report.json["finished_at"] == "2026-03-16T01:00:00Z"
    assert {name: report.json[name] for name in ("state", "dry_run", "counts", "next")} == {
        "state": "done",
        "dry_run": False,
        "counts": {"created": 1, "updated": 0, "unchanged": 0, "invalid": 2},
        "next": None,
    }
    assert report.json["conflicts"] == [
        {
            "row": 3,
            "pointer": "/field",
            "code": "not_owner",
            "detail": "its values are civil's to give",
        },
        {"row": 4, "pointer": "/value", "code": "schema", "detail": "must be at least 0"},
    ]


def test_dry_run_records_nothing(agency_client: FlaskClient, api_runtime: Runtime) -> None:
    answer = push(agency_client, CSV, path=f"{PATH}?dry_run=true")
    assert answer.json["dry_run"] is True
    work(api_runtime)
    report = agency_client.get(answer.headers["Location"]).json
    assert report["counts"] == {"created": 1, "updated": 0, "unchanged": 0, "invalid": 0}
    assert held(api_runtime) == []


ROW = {"field": "pop.total", "subject": VILLAGE, "period": "2026", "value": 1203}
FORMS: dict[str, tuple[bytes, str]] = {
    "JSON Lines": (json.dumps(ROW).encode() + b"\n", "application/x-ndjson"),
    "JSON Lines, another name": (json.dumps(ROW).encode(), "application/jsonl; charset=UTF-8"),
    "CSV with BOM": (b"\xef\xbb\xbf" + CSV.encode(), "text/csv; charset=utf-8"),
    "CSV of Windows": (CSV.replace("\n", "\r\n").encode(), "text/csv"),
}


@pytest.mark.parametrize("form", FORMS)
def test_body_may_be_json_lines_or_csv(
    agency_client: FlaskClient, api_runtime: Runtime, form: str
) -> None:
    assert push(agency_client, *FORMS[form]).status_code == 202
    work(api_runtime)
    assert held(api_runtime) == [1203]


UPLOADS = {
    "CSV by its name": (CSV, "values.csv", "application/vnd.ms-excel"),
    "JSON Lines by its name": (json.dumps(ROW), "values.JSONL", "application/octet-stream"),
    "CSV by its type": (CSV, "values", "text/csv"),
    "JSON Lines by its looks": (json.dumps(ROW), "values.txt", "text/plain"),
}


@pytest.mark.parametrize("upload", UPLOADS)
def test_file_may_be_uploaded_as_a_form_does(
    agency_client: FlaskClient, api_runtime: Runtime, upload: str
) -> None:
    text, name, type_ = UPLOADS[upload]
    data = {"file": (io.BytesIO(text.encode()), name, type_)}
    assert push(agency_client, data, "multipart/form-data").status_code == 202
    work(api_runtime)
    assert held(api_runtime) == [1203]


@pytest.mark.parametrize(
    ("data", "content_type", "status", "name"),
    [
        (CSV, "application/json", 400, "malformed-body"),
        ("{}", "application/json", 415, "unsupported-media-type"),
        (CSV, "application/x-www-form-urlencoded", 415, "unsupported-media-type"),
        (CSV, "text/csv; charset=gbk", 415, "unsupported-media-type"),
        ("", "text/csv", 422, "invalid-request"),
        ("a,b\n1,2\n", "text/csv", 422, "invalid-request"),
        (CSV.encode("utf-16"), "text/csv", 422, "invalid-request"),
        ({"other": "1"}, "multipart/form-data", 422, "invalid-request"),
    ],
)
def test_what_is_no_file_of_values_is_refused_as_a_whole(
    agency_client: FlaskClient,
    api_runtime: Runtime,
    data: Any,
    content_type: str,
    status: int,
    name: str,
) -> None:
    answer = push(agency_client, data, content_type)
    assert (answer.status_code, answer.json["type"]) == (status, f"urn:oneform:problem:{name}")
    assert work(api_runtime) == 0
    with api_runtime.context(OPERATOR) as ctx:
        assert ctx.sql("SELECT count(*) FROM value_import").scalar_one() == 0


def test_mistakes_of_a_file_name_their_lines(agency_client: FlaskClient) -> None:
    answer = push(agency_client, "feld,subject,value\n")
    assert [(e["pointer"], e["code"]) for e in answer.json["errors"]] == [
        ("line 1", "missing_column"),
        ("line 1", "unknown_column"),
    ]


def test_same_key_and_file_gives_the_same_import(
    agency_client: FlaskClient, api_runtime: Runtime
) -> None:
    first = push(agency_client, CSV, key="k1")
    work(api_runtime)
    again = push(agency_client, CSV, key="k1")
    assert (again.status_code, again.json) == (202, first.json)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert work(api_runtime) == 0


def test_key_is_bound_to_the_bytes_of_the_file_and_to_the_dry_run(
    agency_client: FlaskClient,
) -> None:
    assert push(agency_client, CSV, key="k2").status_code == 202
    for data, path in ((CSV + "\n", PATH), (CSV, f"{PATH}?dry_run=true")):
        answer = push(agency_client, data, key="k2", path=path)
        assert answer.status_code == 422
        assert answer.json["type"].endswith("idempotency-key-reused")


def test_key_is_required(agency_client: FlaskClient) -> None:
    answer = agency_client.post(PATH, data=CSV, content_type="text/csv")
    assert (answer.status_code, answer.json["type"]) == (
        400,
        "urn:oneform:problem:idempotency-key-missing",
    )


def test_file_may_be_larger_than_other_bodies(
    agency_client: FlaskClient, api_runtime: Runtime
) -> None:
    row = f"pop.total,{VILLAGE},2026,1203,\n"
    header = CSV.splitlines(keepends=True)[0]
    answer = push(agency_client, header + row * (2 * 1024 * 1024 // len(row)))
    assert answer.status_code == 202
    work(api_runtime)
    report = agency_client.get(answer.headers["Location"]).json
    assert report["counts"]["created"] == 1
    assert (len(report["conflicts"]), report["next"] is not None) == (500, True)
    following = agency_client.get(
        answer.headers["Location"], query_string={"cursor": report["next"], "limit": 2}
    ).json
    assert [c["row"] for c in following["conflicts"]] == [503, 504]

    too_large = header + row * (11 * 1024 * 1024 // len(row))
    assert push(agency_client, too_large).status_code == 413


def test_import_of_another_agency_is_not_found(
    app: Any, agency_client: FlaskClient, api_runtime: Runtime
) -> None:
    answer = push(agency_client, CSV)
    with api_runtime.context(OPERATOR) as ctx:
        key = issue_key(ctx, "civil").key
    other = app.test_client()
    other.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    assert other.get(answer.headers["Location"]).status_code == 404
    assert agency_client.get(f"{PATH}/{uuid.uuid4()}").status_code == 404


@pytest.mark.parametrize("query", [{"cursor": "nonsense"}, {"limit": "0"}, {"limit": "501"}])
def test_page_of_conflicts_must_be_one(agency_client: FlaskClient, query: dict[str, str]) -> None:
    answer = push(agency_client, CSV)
    assert agency_client.get(answer.headers["Location"], query_string=query).status_code == 400


def test_only_those_with_the_scope_may_push(
    app: Any, client: FlaskClient, staff_client: FlaskClient, api_runtime: Runtime
) -> None:
    assert push(client, CSV).status_code == 401
    assert push(staff_client, CSV).status_code == 403
    with api_runtime.context(OPERATOR) as ctx:
        key = issue_key(ctx, "stats", ["requests:write"]).key
    other = app.test_client()
    other.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    assert push(other, CSV).status_code == 403


def test_agency_cannot_write_beyond_its_area(
    agency_client: FlaskClient, api_runtime: Runtime
) -> None:
    answer = push(agency_client, CSV.replace(VILLAGE, OTHER_COUNTY))
    work(api_runtime)
    report = agency_client.get(answer.headers["Location"]).json
    assert [(c["pointer"], c["code"]) for c in report["conflicts"]] == [
        ("/subject", "outside_reach"),
        ("/subject", "wrong_level"),
    ]
