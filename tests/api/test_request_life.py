"""The life of a request through HTTP, jobs done at once by the test."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable

import flask
import pytest
from api_fixtures import COUNTY, VILLAGE
from flask.testing import FlaskClient

from catalog.bundle import bundle_of
from catalog.importing import import_bundle
from oneform.identity.keys import issue_key
from oneform.identity.policy import OPERATOR
from oneform.runtime import Runtime
from workers.jobs import JOBS
from workers.leasing import lease_rows
from workers.perform import perform_with
from workers.queues import ALL

DUE = "2026-04-30"
_keys = itertools.count(1)


def field(code: str, **changes: object) -> dict[str, object]:
    return {
        "code": code,
        "name": {"zh": f"测试{code}", "en": code},
        "definition": {"zh": "测试用的数据项", "en": "a field for tests"},
        "synonyms": [],
        "topic": code.partition(".")[0],
        "subject_kind": "area",
        "levels": ["village"],
        "schema": {"type": "integer", "minimum": 0},
        "unit": "人",
        "period_type": "year",
        "valid_for": None,
        "mode": "collect",
        "collected_at": "village",
        "review": "none",
        "owner": "stats",
        "sharing": {"category": "unconditional", "conditions": None, "basis": None},
        "legal_basis": "《中华人民共和国统计法》",
        "sensitivity": 1,
        "personal": False,
        "rollup": "sum",
        "derivation": None,
        "soft_checks": [],
        "seconds": 15,
        "window": None,
        "effective_from": "2026-01-01",
        "expires_on": "2028-12-31",
    } | changes


FIELDS = [
    field("population.resident_total", name={"zh": "常住人口数", "en": "resident population"}),
    field("population.registered_total", name={"zh": "户籍人口数", "en": "registered population"}),
    field("elderly.aged_60_plus", name={"zh": "60岁及以上老年人口数", "en": "aged 60 and over"}),
    field("land.arable", unit="亩", window={"from": "11-01", "to": "12-31"}),
    field("land.planned", effective_from="2027-01-01", expires_on="2029-12-31"),
    field("land.over", effective_from="2024-01-01", expires_on="2025-12-31"),
    field("town.hospitals", levels=["township"], collected_at="township"),
    field("month.visitors", period_type="month"),
    field(
        "secret.cases",
        sharing={"category": "restricted", "conditions": None, "basis": "《统计法》第九条"},
        owner="civil",
    ),
    field(
        "welfare.recipients",
        sharing={"category": "conditional", "conditions": "限社会救助", "basis": "《社会救助暂行办法》"},
        owner="civil",
    ),
    field("household.size", subject_kind="household", levels=None, rollup="none"),
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def whitelist(api_runtime: Runtime) -> None:
    for one in FIELDS:
        if one["levels"] is None:
            del one["levels"]
    bundle = {
        "bundle": "oneform-catalog/1",
        "subject_kinds": [
            {"code": "household", "name": {"zh": "家庭户", "en": "household"},
             "key_schema": {"type": "string"}}
        ],
        "fields": FIELDS,
    }  # fmt: skip
    with api_runtime.context(OPERATOR) as ctx:
        import_bundle(ctx, bundle_of(bundle))


@pytest.fixture
def agency(app: flask.Flask, api_runtime: Runtime) -> Callable[..., FlaskClient]:
    def make(code: str = "stats", **options: object) -> FlaskClient:
        with api_runtime.context(OPERATOR) as ctx:
            key = issue_key(ctx, code, **options).key
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
        return client

    return make


def body(*codes: str, **changes: object) -> dict[str, object]:
    return {
        "title": "2026年村情调查",
        "purpose": "编制规划",
        "legal_basis": "《中华人民共和国统计法》",
        "fields": list(codes) or ["population.resident_total"],
        "scope": {"areas": [VILLAGE], "kind": "area", "level": "village"},
        "period": "2026",
        "due": DUE,
    } | changes


def post(client: FlaskClient, payload: object, key: str | None = None) -> object:
    return client.post(
        "/api/v1/requests",
        json=payload,
        headers={"Idempotency-Key": key or f"key-{next(_keys)}"},
    )


def run_jobs(runtime: Runtime) -> None:
    """Do every job that is due, as the relay and a worker would."""
    queue_of = {name: job.queue.value for name, job in JOBS.items()}
    room = {queue.value: 100 for queue in ALL}
    while rows := lease_rows(runtime.engine, queue_of=queue_of, room=room, seconds=30):
        for row in rows:
            perform_with(runtime, row.id, row.lease)


@pytest.mark.parametrize(
    ("code", "changes", "reason"),
    [
        ("population.totl", {}, "unknown"),
        ("land.planned", {}, "not_in_force"),
        ("land.over", {}, "expired"),
        ("household.size", {}, "wrong_kind"),
        ("town.hospitals", {}, "wrong_level"),
        ("month.visitors", {}, "wrong_period"),
        ("land.arable", {}, "outside_window"),
        ("secret.cases", {}, "restricted"),
        (
            "population.resident_total",
            {"scope": {"areas": ["420103000000"], "kind": "area", "level": "county"}},
            "wrong_level",
        ),
    ],
)
def test_each_reason_rejects_and_is_on_record(
    agency: Callable[..., FlaskClient],
    api_runtime: Runtime,
    code: str,
    changes: dict[str, object],
    reason: str,
) -> None:
    answer = post(agency(), body(code, **changes))
    assert answer.status_code == 422
    assert answer.json["type"] == "urn:oneform:problem:off-whitelist"
    assert [field["reason"] for field in answer.json["rejected_fields"]] == [reason]
    with api_runtime.context(OPERATOR) as ctx:
        last = ctx.sql("SELECT rejected_fields FROM rejection ORDER BY id DESC LIMIT 1").scalar()
    assert last[0]["field"] == code
    assert last[0]["reason"] == reason


def test_a_misspelt_field_is_suggested_rightly(agency: Callable[..., FlaskClient]) -> None:
    answer = post(agency(), body("常住人口"))
    (rejected,) = answer.json["rejected_fields"]
    best = rejected["suggestions"][0]
    assert list(best) == ["field", "name", "score", "reasons"]
    assert best["field"] == "population.resident_total"
    assert best["reasons"] == ["name:常住人口数"]
    checked = agency().post("/api/v1/requests/check", json=body("常住人口")).json
    assert checked["rejected_fields"][0]["suggestions"][0] == best


def test_dropping_goes_on_with_the_rest(agency: Callable[..., FlaskClient]) -> None:
    answer = post(agency(), body("population.resident_total", "nope.x", on_off_list="drop"))
    assert answer.status_code == 202
    assert [field["field"] for field in answer.json["dropped_fields"]] == ["nope.x"]
    assert answer.headers["Location"].endswith(answer.json["id"])


def test_all_mistakes_at_once(agency: Callable[..., FlaskClient]) -> None:
    answer = post(
        agency(),
        body(
            "population.resident_total",
            "population.resident_total",
            title=" ",
            period="2026-1",
            surprise=1,
            scope={"areas": ["999"], "kind": "area", "level": "hamlet"},
        ),
    )
    assert answer.status_code == 422
    assert answer.json["type"] == "urn:oneform:problem:invalid-request"
    assert {error["pointer"] for error in answer.json["errors"]} == {
        "/title",
        "/surprise",
        "/fields/1",
        "/period",
        "/scope/level",
        "/scope/areas/0",
    }


@pytest.mark.parametrize("broken", [[], 5, {}, {"scope": 5}, {"scope": {}}, {"fields": [1]}])
def test_what_is_hardly_a_demand_is_refused(
    agency: Callable[..., FlaskClient], broken: object
) -> None:
    answer = post(agency(), broken)
    assert answer.status_code == 422
    assert answer.json["type"] == "urn:oneform:problem:invalid-request"
    assert answer.json["errors"]


@pytest.mark.parametrize("due", ["20260430", "2026-W18-4", "2026-4-30", "2026-02-30", 20260430])
def test_day_is_written_in_one_way(agency: Callable[..., FlaskClient], due: object) -> None:
    answer = post(agency(), body(due=due))
    assert [error["pointer"] for error in answer.json["errors"]] == ["/due"]


@pytest.mark.parametrize("path", ["", "/check"])
@pytest.mark.parametrize("due", ["2031-03-17", "9999-12-31"])
def test_due_beyond_five_years_is_refused_with_all_other_mistakes(
    agency: Callable[..., FlaskClient], path: str, due: str
) -> None:
    client = agency(scopes=["requests:write", "requests:urgent"])
    for changes in ({}, {"urgent": True}, {"surprise": 1}):
        answer = client.post(
            f"/api/v1/requests{path}",
            json=body("nope.x", due=due, title=" ", **changes),
            headers={"Idempotency-Key": f"key-{next(_keys)}"},
        )
        assert answer.status_code == 422
        assert answer.json["type"] == "urn:oneform:problem:invalid-request"
        pointers = {error["pointer"]: error["detail"] for error in answer.json["errors"]}
        assert {"/title", "/due"} <= pointers.keys()
        assert "2031-03-16" in pointers["/due"]


def test_last_day_that_a_request_may_be_due_is_resolved(
    agency: Callable[..., FlaskClient], api_runtime: Runtime
) -> None:
    client = agency()
    request = post(client, body(due="2031-03-16")).json
    run_jobs(api_runtime)
    assert client.get(f"/api/v1/requests/{request['id']}").json["state"] != "resolving"


def test_request_of_too_many_cells_is_refused(
    agency: Callable[..., FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oneform.requests.admission.MAX_CELLS", 1)
    assert post(agency(), body()).status_code == 202
    answer = post(agency(), body("population.resident_total", "elderly.aged_60_plus"))
    assert answer.status_code == 422
    assert answer.json["type"] == "urn:oneform:problem:request-too-large"


@pytest.mark.parametrize("on_off_list", ["reject", "drop"])
def test_check_of_too_many_cells_is_refused_also_with_fields_off_the_list(
    agency: Callable[..., FlaskClient], monkeypatch: pytest.MonkeyPatch, on_off_list: str
) -> None:
    monkeypatch.setattr("oneform.requests.admission.MAX_CELLS", 1)
    client = agency()
    few = body("population.resident_total", "nope.x", on_off_list=on_off_list)
    many = few | {"fields": [*few["fields"], "elderly.aged_60_plus"]}
    answer = client.post("/api/v1/requests/check", json=few)
    assert answer.json["coverage"]["total"] == 1
    answer = client.post("/api/v1/requests/check", json=many)
    assert answer.json["type"] == "urn:oneform:problem:request-too-large"


def test_check_without_any_field_on_the_list_counts_nothing(
    agency: Callable[..., FlaskClient],
) -> None:
    answer = agency().post("/api/v1/requests/check", json=body("nope.x")).json
    assert not answer["accepted"]
    assert [field["field"] for field in answer["rejected_fields"]] == ["nope.x"]
    assert set(answer["coverage"].values()) == {0}
    assert answer["units_to_ask"] == answer["seconds_to_answer"] == 0


def test_too_soon_is_refused_unless_urgent(agency: Callable[..., FlaskClient]) -> None:
    soon = body(due="2026-03-18")
    assert post(agency(), soon).json["type"] == "urn:oneform:problem:due-too-soon"
    third = body(due="2026-03-19")
    assert post(agency(), third).status_code == 202
    client = agency(scopes=["requests:write", "requests:urgent"])
    assert post(client, soon | {"urgent": True}).status_code == 202


def test_the_same_key_gives_the_first_answer_again(agency: Callable[..., FlaskClient]) -> None:
    client = agency()
    first = post(client, body(), "the-key")
    again = post(client, body(), "the-key")
    assert again.status_code == first.status_code == 202
    assert again.json == first.json
    assert again.headers["Idempotent-Replayed"] == "true"
    other = post(client, body(title="其他"), "the-key")
    assert other.json["type"] == "urn:oneform:problem:idempotency-key-reused"


def test_two_agencies_share_one_ask_and_one_answer(
    agency: Callable[..., FlaskClient], api_runtime: Runtime, staff_client: FlaskClient
) -> None:
    codes = ["population.registered_total", "elderly.aged_60_plus"]
    stats, civil = agency("stats"), agency("civil")
    first = post(stats, body(*codes)).json
    run_jobs(api_runtime)
    second = post(civil, body(codes[0])).json
    run_jobs(api_runtime)
    first = stats.get(f"/api/v1/requests/{first['id']}").json
    second = civil.get(f"/api/v1/requests/{second['id']}").json
    assert first["state"] == second["state"] == "collecting"
    assert first["cells"]["asked"] == 2
    assert (second["asks"]["new"], second["asks"]["joined"]) == (0, 1)
    assert civil.get(f"/api/v1/requests/{first['id']}").status_code == 404

    form = staff_client.get("/api/v1/form").json
    asks = {
        ask["field"]: ask for section in form["sections"] for row in section["rows"]
        for ask in row["asks"]
    }  # fmt: skip
    assert {who["agency"] for who in asks[codes[0]]["requested_by"]} >= {"stats", "civil"}
    answers = [{"ask": asks[code]["id"], "value": 100 + n} for n, code in enumerate(codes)]
    receipt = staff_client.post(
        "/api/v1/submissions",
        json={"answers": answers},
        headers={"Idempotency-Key": "submission-1"},
    )
    assert receipt.status_code == 201, receipt.json
    assert receipt.json["accepted"] == 2
    for client, request in ((stats, first), (civil, second)):
        read = client.get(f"/api/v1/requests/{request['id']}").json
        assert read["state"] == "fulfilled"
        assert read["cells"]["answered"] == read["cells"]["total"]

    third = post(stats, body(*codes)).json
    run_jobs(api_runtime)
    read = stats.get(f"/api/v1/requests/{third['id']}").json
    assert (read["state"], read["cells"]["held"]) == ("fulfilled", 2)
    data = stats.get(f"/api/v1/requests/{third['id']}/data").json["items"]
    assert [(row["field"], row["value"], row["status"]) for row in data] == [
        ("elderly.aged_60_plus", 101, "held"),
        ("population.registered_total", 100, "held"),
    ]
    lines = stats.get(f"/api/v1/requests/{third['id']}/data?format=jsonl").text.splitlines()
    assert [json.loads(line)["value"] for line in lines] == [101, 100]
    csv = stats.get(f"/api/v1/requests/{third['id']}/data?format=csv&layout=wide").text
    assert csv.splitlines() == [
        "subject,subject_name,area,elderly.aged_60_plus,population.registered_total",
        f"{VILLAGE},车站社区,{VILLAGE},101,100",
    ]
    wide = stats.get(f"/api/v1/requests/{third['id']}/data?layout=wide").json["items"]
    assert wide[0]["elderly.aged_60_plus"] == 101
    long = stats.get(f"/api/v1/requests/{third['id']}/data?format=csv").text.splitlines()
    assert long[0] == (
        "subject,subject_name,area,field,period,value,status,observed_on,source,missing_reason"
    )
    number = stats.get(f"/api/v1/control-numbers/{third['control_no']}").json
    assert number["valid"]
    assert number["complete"]
    typed = third["control_no"].lower().replace("-", "－")
    assert stats.get(f"/api/v1/control-numbers/{typed}").json == number
    mistyped = stats.get("/api/v1/control-numbers/OF-1").json
    assert (mistyped["valid"], mistyped["complete"]) == (False, False)
    nobodys = stats.get("/api/v1/control-numbers/OF-20261122-7K3M9Q2XABCD-S").json
    assert (nobodys["valid"], nobodys["complete"]) == (False, True)


def test_check_counts_and_creates_nothing(
    agency: Callable[..., FlaskClient], api_runtime: Runtime
) -> None:
    client = agency()
    before = len(client.get("/api/v1/requests?limit=500").json["items"])
    answer = client.post(
        "/api/v1/requests/check",
        json=body("population.resident_total", "nope.x", scope={
            "areas": [COUNTY], "kind": "area", "level": "village"}),
    )  # fmt: skip
    assert answer.status_code == 200, answer.json
    assert answer.json["accepted"] is False
    assert answer.json["coverage"]["total"] == 2
    assert sum(answer.json["coverage"].values()) == 4
    assert len(client.get("/api/v1/requests?limit=500").json["items"]) == before


def test_a_conditional_field_waits_for_its_owner(
    agency: Callable[..., FlaskClient], api_runtime: Runtime
) -> None:
    stats, civil = agency("stats"), agency("civil")
    request = post(stats, body("welfare.recipients")).json
    run_jobs(api_runtime)
    path = f"/api/v1/requests/{request['id']}"
    assert stats.get(path).json["cells"]["pending_grant"] == 1
    (grant,) = civil.get("/api/v1/grants?state=pending").json["items"]
    assert stats.post(
        f"/api/v1/grants/{grant['id']}/decide", json={"decision": "grant"}
    ).status_code in (403, 404)
    decided = civil.post(
        f"/api/v1/grants/{grant['id']}/decide", json={"decision": "grant", "reason": "社会救助"}
    )
    assert decided.json["state"] == "granted"
    run_jobs(api_runtime)
    read = stats.get(path).json
    assert (read["cells"]["asked"], read["asks"]["new"]) == (1, 1)


def test_progress_fields_and_events(
    agency: Callable[..., FlaskClient], api_runtime: Runtime
) -> None:
    client = agency()
    request = post(client, body()).json
    run_jobs(api_runtime)
    path = f"/api/v1/requests/{request['id']}"
    (county,) = client.get(f"{path}/progress?level=county").json["items"]
    assert county["code"] == COUNTY
    assert county["cells"]["total"] == 1
    assert [row["code"] for row in client.get(f"{path}/fields").json["items"]] == [
        "population.resident_total"
    ]
    assert client.get(f"{path}/fields?cursor=nonsense").status_code == 400
    kinds = [event["kind"] for event in client.get(f"{path}/events").json["items"]]
    assert kinds[0] == "accepted"
    etag = client.get(path).headers["ETag"]
    stale = client.post(f"{path}/cancel", headers={"If-Match": f'"x{etag[1:]}'})
    assert (stale.status_code, stale.json["type"][20:]) == (412, "precondition-failed")
    cancelled = client.post(f"{path}/cancel", headers={"If-Match": etag}).json
    assert cancelled["state"] == "cancelled"
    assert client.get(path).headers["ETag"] != etag


def test_data_has_its_media_type_and_is_of_an_area_that_exists(
    agency: Callable[..., FlaskClient], api_runtime: Runtime
) -> None:
    client = agency()
    path = f"/api/v1/requests/{post(client, body()).json['id']}/data"
    run_jobs(api_runtime)
    for format_, media in (
        ("json", "application/json"),
        ("jsonl", "application/x-ndjson"),
        ("csv", "text/csv; charset=utf-8"),
    ):
        assert client.get(f"{path}?format={format_}").headers["Content-Type"] == media
    assert len(client.get(f"{path}?area={VILLAGE}").json["items"]) == 1
    unknown = client.get(f"{path}?area=999")
    assert (unknown.status_code, unknown.json["type"][20:]) == (404, "not-found")


@pytest.mark.parametrize("query", ["format=docx", "layout=tall", "status=done"])
def test_data_in_no_known_form_is_refused(agency: Callable[..., FlaskClient], query: str) -> None:
    client = agency()
    request = post(client, body()).json
    answer = client.get(f"/api/v1/requests/{request['id']}/data?{query}")
    assert answer.status_code == 400
    assert answer.json["errors"][0]["pointer"] == "?" + query.partition("=")[0]
