"""Idempotency-Key: the first answer again, committed with its effect or its record."""

from __future__ import annotations

import io
import threading
import uuid

import flask
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from oneform.api import idempotency
from oneform.app import create_app
from oneform.identity.keys import issue_key
from oneform.identity.policy import OPERATOR
from oneform.kernel.idempotency import (
    IdempotencyKey,
    KeptAnswer,
    forget_old_answers,
    keep_answer,
    try_hold,
)
from oneform.runtime import Runtime

PATH = "/api/v1/probe/once"


@pytest.fixture(scope="module")
def app(api_runtime: Runtime) -> flask.Flask:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("oneform.api.application.BLUEPRINTS", ("probe_views",))
        return create_app(api_runtime)


@pytest.fixture
def name() -> str:
    return uuid.uuid4().hex[:6]


def post(
    client: FlaskClient, key: str | None, name: str, path: str = PATH, **more: object
) -> object:
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(path, json={"name": name, **more}, headers=headers)


def notes(runtime: Runtime, name: str) -> list[str]:
    with runtime.context(OPERATOR) as ctx:
        found = ctx.sql("SELECT code FROM code_list WHERE code LIKE '%' || :name", name=name)
        return sorted(found.scalars())


def test_missing_key_is_refused(
    agency_client: FlaskClient, api_runtime: Runtime, name: str
) -> None:
    answer = post(agency_client, None, name)
    assert answer.status_code == 400
    assert answer.json["type"] == "urn:oneform:problem:idempotency-key-missing"
    assert notes(api_runtime, name) == []


@pytest.mark.parametrize("given", ["a b", "x" * 256, "键", "\x7f"])
def test_key_of_other_than_visible_characters_is_refused(
    agency_client: FlaskClient, name: str, given: str
) -> None:
    headers = {"Idempotency-Key": given.encode().decode("latin-1")}
    answer = agency_client.post(PATH, json={"name": name}, headers=headers)
    assert answer.status_code == 400
    assert answer.json["type"] == "urn:oneform:problem:invalid-parameters"


def test_longest_key_is_taken(agency_client: FlaskClient, name: str) -> None:
    assert post(agency_client, "~" * 255, name).status_code == 202


def test_repetition_gets_the_first_answer_and_does_nothing(
    agency_client: FlaskClient, api_runtime: Runtime, name: str
) -> None:
    first = post(agency_client, name, name)
    again = post(agency_client, name, name)
    assert first.status_code == again.status_code == 202
    assert first.data == again.data
    for header in ("Location", "ETag", "Content-Type"):
        assert first.headers[header] == again.headers[header]
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert notes(api_runtime, name) == [name]


def test_equal_json_is_the_same_body(agency_client: FlaskClient, name: str) -> None:
    headers = {"Idempotency-Key": name, "Content-Type": "application/json"}
    one = f'{{"name": "{name}", "numbers": [1, 2]}}'
    two = f'{{ "numbers":[1,2], "name":"{name}" }}'
    assert agency_client.post(PATH, data=one, headers=headers).status_code == 202
    again = agency_client.post(PATH, data=two, headers=headers)
    assert again.headers["Idempotent-Replayed"] == "true"


def test_other_body_under_the_same_key_is_refused(
    agency_client: FlaskClient, api_runtime: Runtime, name: str
) -> None:
    post(agency_client, name, name)
    for other in (
        post(agency_client, name, "other"),
        post(agency_client, name, name, path=PATH + "?dry_run=true"),
    ):
        assert other.status_code == 422
        assert other.json["type"] == "urn:oneform:problem:idempotency-key-reused"
    assert notes(api_runtime, "other") == []
    assert post(agency_client, name, name).headers["Idempotent-Replayed"] == "true"


def test_key_belongs_to_its_client(
    app: flask.Flask, agency_client: FlaskClient, api_runtime: Runtime, name: str
) -> None:
    with api_runtime.context(OPERATOR) as ctx:
        other_key = issue_key(ctx, "civil").key
    other = app.test_client()
    other.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {other_key}"
    post(agency_client, name, name + "1")
    answer = post(other, name, name + "2")
    assert answer.status_code == 202
    assert "Idempotent-Replayed" not in answer.headers


def test_refusal_is_kept_with_its_record_and_without_its_deed(
    agency_client: FlaskClient, api_runtime: Runtime, name: str
) -> None:
    name = "refuse" + name[:4]
    first = post(agency_client, name, name)
    assert first.status_code == 422
    assert notes(api_runtime, name) == [f"record of {name}"]
    again = post(agency_client, name, name)
    assert again.data == first.data
    assert again.mimetype == "application/problem+json"
    assert again.headers["Idempotent-Replayed"] == "true"
    assert notes(api_runtime, name) == [f"record of {name}"]


def test_mistakes_of_a_body_are_kept_too(agency_client: FlaskClient, name: str) -> None:
    assert post(agency_client, name, "").status_code == 422
    assert post(agency_client, name, "").headers["Idempotent-Replayed"] == "true"
    assert post(agency_client, name, name).json["type"].endswith("idempotency-key-reused")


@pytest.mark.parametrize(("kind", "status"), [("conflict", 409), ("fault", 500)])
def test_other_answers_are_not_kept(
    agency_client: FlaskClient, api_runtime: Runtime, name: str, kind: str, status: int
) -> None:
    name = (kind + name)[:10]
    for _ in range(2):
        answer = post(agency_client, name, name)
        assert answer.status_code == status
        assert "Idempotent-Replayed" not in answer.headers
    assert notes(api_runtime, name) == []


def test_malformed_body_keeps_nothing(agency_client: FlaskClient, name: str) -> None:
    headers = {"Idempotency-Key": name, "Content-Type": "application/json"}
    assert agency_client.post(PATH, data="{", headers=headers).status_code == 400
    assert post(agency_client, name, name).status_code == 202


def test_record_is_committed_without_a_key_too(
    agency_client: FlaskClient, api_runtime: Runtime
) -> None:
    assert agency_client.post("/api/v1/probe/recorded").status_code == 409
    assert notes(api_runtime, "deed") == []
    assert notes(api_runtime, "stats=stats") == ["stats=stats"]


def test_files_are_compared_by_their_bytes(agency_client: FlaskClient, name: str) -> None:
    path, headers = "/api/v1/probe/files", {"Idempotency-Key": name}
    assert agency_client.post(path, data=b"a,b\n", headers=headers).json == {"size": 4}
    again = agency_client.post(path, data=b"a,b\n", headers=headers)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert agency_client.post(path, data=b"a, b\n", headers=headers).status_code == 422


def test_uploads_are_compared_by_their_bytes(agency_client: FlaskClient, name: str) -> None:
    def upload(content: bytes) -> object:
        return agency_client.post(
            "/api/v1/probe/files",
            data={"file": (io.BytesIO(content), "a.csv")},
            headers={"Idempotency-Key": name},
        )

    large = b"x" * 300_000
    assert upload(large).json == {"size": len(large)}
    assert upload(large).headers["Idempotent-Replayed"] == "true"
    assert upload(large + b"y").status_code == 422


def test_key_in_use_is_a_conflict(
    agency_client: FlaskClient, api_runtime: Runtime, name: str
) -> None:
    kept = name + "x"
    post(agency_client, kept, kept)
    with api_runtime.context(OPERATOR) as ctx:
        owner = ctx.session.scalar(
            sa.select(IdempotencyKey.owner).where(IdempotencyKey.key == kept)
        )
        assert owner is not None
        assert try_hold(ctx, owner, kept)[0]
        # An answer that is kept is given although somebody holds the key.
        assert post(agency_client, kept, kept).status_code == 202
        assert try_hold(ctx, owner, name) == (True, None)
        answer = post(agency_client, name, name)
        assert answer.status_code == 409
        assert answer.json["type"] == "urn:oneform:problem:idempotency-key-in-use"
    assert post(agency_client, name, name).status_code == 202


def test_many_at_once_do_it_once(
    app: flask.Flask, key: str, api_runtime: Runtime, name: str
) -> None:
    answers = []
    start = threading.Barrier(6)

    def send() -> None:
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
        start.wait()
        answers.append(post(client, name, name))

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = [answer for answer in answers if answer.status_code == 202]
    assert len({answer.data for answer in done}) == 1
    assert len([answer for answer in done if "Idempotent-Replayed" not in answer.headers]) == 1
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert notes(api_runtime, name) == [name]


def test_answer_kept_by_somebody_else_meanwhile_is_replayed(
    agency_client: FlaskClient,
    api_runtime: Runtime,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As if the lock had not kept the other one out: the unique key does."""
    keep = idempotency.keep_answer

    def overtaken(ctx: object, owner: str, key: str, answer: KeptAnswer) -> bool:
        monkeypatch.setattr(idempotency, "keep_answer", keep)
        with api_runtime.context(OPERATOR) as other:
            assert keep_answer(other, owner, key, answer)
        return keep(ctx, owner, key, answer)

    monkeypatch.setattr(idempotency, "keep_answer", overtaken)
    answer = post(agency_client, name, name)
    assert answer.status_code == 202
    assert answer.headers["Idempotent-Replayed"] == "true"
    assert notes(api_runtime, name) == []


def test_answers_are_kept_a_week(
    agency_client: FlaskClient, api_runtime: Runtime, name: str
) -> None:
    post(agency_client, name, name)
    age = "UPDATE idempotency_key SET created_at = now() - make_interval(hours => :hours) WHERE key = :key"
    with api_runtime.context(OPERATOR) as ctx:
        ctx.sql(age, hours=7 * 24 + 1, key=name)
        assert forget_old_answers(ctx) == 0
        ctx.sql(age, hours=8 * 24 + 1, key=name)
        assert forget_old_answers(ctx) == 1
