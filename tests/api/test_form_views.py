"""The one form over HTTP: form, drafts, submissions, receipts, amendment, refusals, reviews."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import flask
import pytest
from api_fixtures import COUNTY, PASSWORD, TOWNSHIP, VILLAGE
from factories import CARE, field, make_agency, make_fields, make_request
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from oneform.api.form import FormOut
from oneform.collection import service
from oneform.identity.policy import OPERATOR, Principal, Role
from oneform.identity.tokens import principal_of_token
from oneform.runtime import Runtime

NEIGHBOUR = "420102001002"

_numbers = itertools.count(1)
Ask = Callable[..., dict[str, str]]
LogIn = Callable[..., FlaskClient]


@pytest.fixture(scope="module")
def asking(api_runtime: Runtime) -> Principal:
    with api_runtime.context(OPERATOR) as ctx:
        return make_agency(ctx, "asking", COUNTY)


@pytest.fixture
def log_in(app: flask.Flask, new_person: Callable[..., str]) -> LogIn:
    """A client of a new person of a role, logged in."""

    def make(role: Role = Role.STAFF, area: str = VILLAGE) -> FlaskClient:
        client = app.test_client()
        answer = client.post(
            "/api/v1/sessions", json={"username": new_person(role, area), "password": PASSWORD}
        )
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {answer.json['token']}"
        return client

    return make


@pytest.fixture
def ask(api_runtime: Runtime, asking: Principal) -> Ask:
    """Ask the village new fields; their asks, by the name given here."""

    def make(**fields: dict[str, Any]) -> dict[str, str]:
        prefix = f"t{next(_numbers)}"
        codes = {name: f"{prefix}.{name}" for name in fields}
        with api_runtime.context(OPERATOR) as ctx:
            make_fields(ctx, *(field(codes[name], **more) for name, more in fields.items()))
            make_request(ctx, asking, codes.values(), areas=[VILLAGE, NEIGHBOUR])
            rows = ctx.sql(
                "SELECT f.code, a.region_id || '-' || a.id AS id FROM ask AS a "
                "JOIN field AS f ON f.id = a.field_id JOIN area AS u ON u.id = a.unit_id "
                "WHERE u.code = :unit AND f.code = ANY(:codes)",
                unit=VILLAGE,
                codes=list(codes.values()),
            )
            ids = {row.code: row.id for row in rows}
        return {name: ids[code] for name, code in codes.items()}

    return make


def submit(
    client: FlaskClient, *answers: dict[str, Any], key: str = "", **more: Any
) -> TestResponse:
    return client.post(
        "/api/v1/submissions",
        json={"answers": answers, **more},
        headers={"Idempotency-Key": key or f"submission-{next(_numbers)}"},
    )


def asks_in(form: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        ask["id"]: ask
        for section in form["sections"]
        for row in section["rows"]
        for ask in row["asks"]
    }


def problem(response: TestResponse) -> tuple[int, str]:
    assert response.mimetype == "application/problem+json"
    return response.status_code, response.json["type"].removeprefix("urn:oneform:problem:")


# ---- form and drafts -----------------------------------------------------------


def test_form_has_the_members_of_its_description(
    api_runtime: Runtime, staff_client: FlaskClient, ask: Ask
) -> None:
    asks = ask(people={}, care={"schema": {"type": "string", "code_list": CARE["code"]}})
    put = {"drafts": [{"ask": asks["people"], "value": "1", "base": None}]}
    assert staff_client.put("/api/v1/form/drafts", json=put).status_code == 200
    sent = staff_client.get("/api/v1/form").json
    token = staff_client.environ_base["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    with api_runtime.context(OPERATOR) as ctx:
        person = principal_of_token(ctx, token)
        assert person is not None
        described = FormOut().dump(service.read_form(ctx.acting_as(person)))
    assert sent == described
    assert sent["unit"] == {"code": VILLAGE, "name": "车站社区"}
    shown = asks_in(sent)[asks["people"]]
    assert shown["draft"]["value"] == "1"
    assert shown["requested_by"][0]["agency"] == "asking"
    codes = [f["codes"] for s in sent["sections"] for f in s["fields"] if f["codes"]]
    assert [{"code": "1", "name": "低保"}, {"code": "2", "name": "特困"}] in codes


def test_form_is_in_the_language_that_is_preferred(staff_client: FlaskClient, ask: Ask) -> None:
    ask(people={})
    form = staff_client.get("/api/v1/form", headers={"Accept-Language": "en"}).json
    names = {f["code"]: f["name"] for s in form["sections"] for f in s["fields"]}
    assert all(name == code for code, name in names.items())


def test_form_of_others(log_in: LogIn, agency_client: FlaskClient) -> None:
    staff, reviewer = log_in(), log_in(Role.TOWNSHIP_REVIEWER, TOWNSHIP)
    assert reviewer.get(f"/api/v1/form?unit={VILLAGE}").status_code == 200
    assert problem(staff.get(f"/api/v1/form?unit={NEIGHBOUR}")) == (403, "forbidden")
    assert problem(staff.get("/api/v1/form?unit=429999999999")) == (404, "not-found")
    assert problem(agency_client.get("/api/v1/form")) == (403, "forbidden")


def test_form_needs_somebody(client: FlaskClient) -> None:
    assert problem(client.get("/api/v1/form")) == (401, "unauthenticated")


def test_section_and_cursor_that_are_none(staff_client: FlaskClient) -> None:
    assert problem(staff_client.get("/api/v1/form?section=x")) == (422, "invalid-request")
    assert problem(staff_client.get("/api/v1/form?section=a/b/c&cursor=x")) == (400, "bad-cursor")


def test_newer_draft_is_answered_with_both(log_in: LogIn, ask: Ask) -> None:
    people = ask(people={})["people"]

    def save(client: FlaskClient, value: Any, base: str | None) -> dict[str, Any]:
        drafts = [{"ask": people, "value": value, "base": base}]
        answer = client.put("/api/v1/form/drafts", json={"drafts": drafts})
        assert answer.status_code == 200
        (outcome,) = answer.json["drafts"]
        return dict(outcome)

    first, second = log_in(), log_in()
    saved = save(first, "1", None)
    assert saved["outcome"] == "saved"
    conflict = save(second, "2", None)
    assert (conflict["outcome"], conflict["mine"]) == ("conflict", "2")
    assert (conflict["theirs"]["value"], conflict["theirs"]["etag"]) == ("1", saved["etag"])
    assert save(second, "2", saved["etag"])["outcome"] == "saved"


# ---- submissions ---------------------------------------------------------------


def test_submission_gives_a_receipt_that_can_be_read_again(
    staff_client: FlaskClient, ask: Ask
) -> None:
    asks = ask(people={}, reviewed={"review": "township"})
    answer = submit(
        staff_client,
        {"ask": asks["people"], "value": 12},
        {"ask": asks["reviewed"], "missing": "unknown", "note": "待查"},
    )
    assert answer.status_code == 201
    assert (answer.json["accepted"], answer.json["in_review"], answer.json["invalid"]) == (1, 1, [])
    receipt = staff_client.get(answer.headers["Location"]).json
    assert {a["ask"]: a["state"] for a in receipt["answers"]} == {
        asks["people"]: "recorded",
        asks["reviewed"]: "in_review",
    }
    listed = staff_client.get("/api/v1/submissions").json["items"]
    assert answer.json["id"] in [item["id"] for item in listed]


def test_repeated_submission_gets_the_first_answer(staff_client: FlaskClient, ask: Ask) -> None:
    people = ask(people={})["people"]
    first = submit(staff_client, {"ask": people, "value": 1}, key="once")
    again = submit(staff_client, {"ask": people, "value": 1}, key="once")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json == first.json
    assert again.headers["Idempotent-Replayed"] == "true"
    other = submit(staff_client, {"ask": people, "value": 2}, key="once")
    assert problem(other) == (422, "idempotency-key-reused")


def test_submission_needs_a_key(staff_client: FlaskClient) -> None:
    answer = staff_client.post(
        "/api/v1/submissions", json={"answers": [{"ask": "1-1", "value": 1}]}
    )
    assert problem(answer) == (400, "idempotency-key-missing")


def test_one_wrong_answer_refuses_all(staff_client: FlaskClient, ask: Ask) -> None:
    asks = ask(people={}, old={})
    wrong = [{"ask": asks["people"], "value": 1}, {"ask": asks["old"], "value": "many"}]
    answer = submit(staff_client, *wrong, key="wrong")
    assert problem(answer) == (422, "invalid-answers")
    assert [(i["ask"], i["code"]) for i in answer.json["invalid"]] == [(asks["old"], "schema")]
    assert [(e["pointer"], e["code"]) for e in answer.json["errors"]] == [("/answers/1", "schema")]
    assert asks_in(staff_client.get("/api/v1/form").json)[asks["people"]]["state"] == "open"
    assert submit(staff_client, *wrong, key="wrong").headers["Idempotent-Replayed"] == "true"


def test_partial_submission_takes_the_right_ones(staff_client: FlaskClient, ask: Ask) -> None:
    asks = ask(people={}, old={})
    answer = submit(
        staff_client,
        {"ask": asks["people"], "value": 1},
        {"ask": asks["old"], "confirm": True},
        mode="partial",
    )
    assert answer.status_code == 201
    assert [i["code"] for i in answer.json["invalid"]] == ["nothing_to_confirm"]


@pytest.mark.parametrize(
    "answers",
    [
        [],
        [{"value": 1}],
        [{"ask": "1-1"}],
        [{"ask": "1-1", "value": 1, "confirm": True}],
        [{"ask": "1-1", "missing": "lost", "note": "x"}],
        [{"ask": "1-1", "value": 1, "other": 1}],
        [{"ask": 1, "value": 1}],
        "all of them",
    ],
)
def test_malformed_submission(staff_client: FlaskClient, answers: Any) -> None:
    response = staff_client.post(
        "/api/v1/submissions",
        json={"answers": answers},
        headers={"Idempotency-Key": f"malformed-{next(_numbers)}"},
    )
    assert problem(response) == (422, "invalid-request")
    assert response.json["errors"]


def test_receipt_of_others_does_not_exist(log_in: LogIn, ask: Ask) -> None:
    answer = submit(log_in(), {"ask": ask(people={})["people"], "value": 1})
    assert problem(log_in(area=NEIGHBOUR).get(answer.headers["Location"])) == (404, "not-found")


def test_amendment(log_in: LogIn, ask: Ask) -> None:
    staff = log_in()
    location = submit(staff, {"ask": ask(people={})["people"], "value": 1}).headers["Location"]
    (given,) = staff.get(location).json["answers"]
    address = f"/api/v1/answers/{given['id']}/amend"
    amended = staff.post(address, json={"value": 2, "note": "漏了"})
    assert (amended.status_code, amended.json["value"]) == (200, 2)
    assert amended.json["kind"] == "amendment"
    assert problem(staff.post(address, json={"value": 3})) == (409, "not-amendable")
    mine = f"/api/v1/answers/{amended.json['id']}/amend"
    assert problem(staff.post(mine, json={"value": -3})) == (422, "invalid-answers")
    assert problem(log_in(area=NEIGHBOUR).post(mine, json={"value": 3})) == (404, "not-found")


# ---- refusals and reviews ------------------------------------------------------


def test_refusal_and_its_decision(log_in: LogIn, ask: Ask) -> None:
    people = ask(people={})["people"]
    staff, reviewer = log_in(), log_in(Role.TOWNSHIP_REVIEWER, TOWNSHIP)
    refusal = staff.post("/api/v1/refusals", json={"asks": [people], "reason": "not_ours"})
    assert refusal.status_code == 201
    assert refusal.json["state"] == "undecided"
    location = refusal.headers["Location"]
    assert staff.get(location).json == refusal.json
    listed = reviewer.get("/api/v1/refusals?state=undecided").json["items"]
    assert refusal.json["id"] in [item["id"] for item in listed]
    decision = {"decision": "uphold", "reason": "确实不归村里"}
    assert problem(staff.post(f"{location}/decide", json=decision)) == (403, "forbidden")
    decided = reviewer.post(f"{location}/decide", json=decision)
    assert (decided.status_code, decided.json["state"]) == (200, "upheld")
    again = reviewer.post(f"{location}/decide", json=decision)
    assert problem(again) == (409, "already-decided")
    assert people not in asks_in(staff.get("/api/v1/form").json)


def test_refusal_for_all_is_the_catalogue_administrators(log_in: LogIn, ask: Ask) -> None:
    people = ask(people={})["people"]
    refusal = log_in().post(
        "/api/v1/refusals", json={"asks": [people], "reason": "other", "comment": "没有此项"}
    )
    decision = {"decision": "uphold", "scope": "all", "reason": "清单已取消"}
    address = refusal.headers["Location"] + "/decide"
    reviewer = log_in(Role.TOWNSHIP_REVIEWER, TOWNSHIP)
    assert problem(reviewer.post(address, json=decision)) == (403, "forbidden")
    decided = log_in(Role.CATALOG_ADMIN, COUNTY).post(address, json=decision)
    assert (decided.status_code, decided.json["scope"]) == (200, "all")


def test_refusal_with_mistakes(staff_client: FlaskClient) -> None:
    answer = staff_client.post("/api/v1/refusals", json={"asks": ["x", "x"], "reason": "other"})
    assert problem(answer) == (422, "invalid-request")
    assert [(e["pointer"], e["code"]) for e in answer.json["errors"]] == [
        ("/comment", "required"),
        ("/asks/0", "unknown_ask"),
        ("/asks/1", "unknown_ask"),
    ]


def test_refusal_of_others_does_not_exist(log_in: LogIn, ask: Ask) -> None:
    people = ask(people={})["people"]
    refusal = log_in().post("/api/v1/refusals", json={"asks": [people], "reason": "deadline"})
    location = refusal.headers["Location"]
    assert problem(log_in(area=NEIGHBOUR).get(location)) == (404, "not-found")


def test_review(log_in: LogIn, ask: Ask) -> None:
    reviewed = ask(reviewed={"review": "township"})["reviewed"]
    staff, reviewer = log_in(), log_in(Role.TOWNSHIP_REVIEWER, TOWNSHIP)

    def send(value: int) -> str:
        assert submit(staff, {"ask": reviewed, "value": value}).status_code == 201
        waiting = reviewer.get(f"/api/v1/reviews?unit={VILLAGE}").json["items"]
        return next(item["id"] for item in waiting if item["ask"] == reviewed)

    answer = send(5)
    back = {"return": [{"answer": answer, "comment": "请核对"}]}
    assert problem(staff.post("/api/v1/reviews/decide", json=back)) == (403, "forbidden")
    assert reviewer.post("/api/v1/reviews/decide", json=back).json == {"accepted": 0, "returned": 1}
    shown = asks_in(staff.get("/api/v1/form").json)[reviewed]
    assert (shown["state"], shown["comment"]) == ("returned", "请核对")
    assert shown["draft"]["value"] == 5
    accepted = reviewer.post("/api/v1/reviews/decide", json={"accept": [send(6)]})
    assert accepted.json == {"accepted": 1, "returned": 0}
    again = reviewer.post("/api/v1/reviews/decide", json=back)
    assert problem(again) == (422, "invalid-request")
    assert [e["code"] for e in again.json["errors"]] == ["not_in_review"]
