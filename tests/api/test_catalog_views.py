"""The whitelist over HTTP, open to everybody."""

from __future__ import annotations

import csv
import io
import json

import pytest
import yaml
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook

from catalog.bundle import bundle_of
from catalog.importing import import_bundle
from oneform.identity.policy import OPERATOR
from oneform.runtime import Runtime

API = "/api/v1"


def field(code: str, **members: object) -> dict[str, object]:
    return {
        "code": code,
        "name": {"zh": "常住人口数", "en": "resident population"},
        "definition": {"zh": "年末在本村居住半年以上的人口", "en": "people living there"},
        "synonyms": ["常住人口"],
        "topic": "population",
        "subject_kind": "area",
        "levels": ["village"],
        "schema": {"type": "integer", "minimum": 0},
        "unit": "人",
        "period_type": "year",
        "mode": "collect",
        "collected_at": "village",
        "owner": "stats",
        "sharing": {"category": "unconditional"},
        "legal_basis": "《中华人民共和国统计法》",
        "seconds": 15,
        "effective_from": "2026-01-01",
        "expires_on": "2028-12-31",
        **members,
    }


BUNDLE = {
    "bundle": "oneform-catalog/1",
    "agencies": [{"code": "stats", "name": {"zh": "统计局", "en": "statistics"}}],
    "code_lists": [
        {
            "code": "status",
            "name": {"zh": "类别", "en": "status"},
            "items": [{"code": "1", "name": {"zh": "低保", "en": "minimum"}}],
        }
    ],
    "fields": [
        field("population.resident_total", window={"from": "01-01", "to": "12-31"}),
        field(
            "elderly.status",
            name={"zh": "老年人帮扶类别", "en": "elderly status"},
            definition={"zh": "老年人享受的帮扶", "en": "help that the elderly get"},
            synonyms=[],
            topic="elderly",
            schema={"type": "string", "code_list": "status"},
            unit=None,
        ),
        field(
            "population.future",
            name={"zh": "将来的指标", "en": "a later thing"},
            effective_from="2026-09-01",
        ),
    ],
}


@pytest.fixture(scope="module", autouse=True)
def whitelist(api_runtime: Runtime) -> None:
    with api_runtime.context(OPERATOR) as ctx:
        import_bundle(ctx, bundle_of(BUNDLE))


def codes(client: FlaskClient, query: str) -> list[str]:
    answer = client.get(f"{API}/fields?{query}")
    assert answer.status_code == 200, answer.text
    return [item["code"] for item in answer.json["items"]]


def test_fields_in_force_are_listed_to_everybody(client: FlaskClient) -> None:
    assert codes(client, "") == ["elderly.status", "population.resident_total"]
    assert codes(client, "state=approved") == ["population.future"]
    assert len(codes(client, "state=all")) == 3


def test_fields_are_found_by_words_and_filters(client: FlaskClient) -> None:
    assert codes(client, "q=常住人口")[0] == "population.resident_total"
    assert codes(client, "topic=elderly") == ["elderly.status"]
    assert codes(client, "owner=stats&kind=area&mode=collect&topic=population") == [
        "population.resident_total"
    ]
    assert codes(client, "owner=nobody") == []


def test_only_what_was_searched_for_says_how_well_it_fits_and_why(client: FlaskClient) -> None:
    (found, *_) = client.get(f"{API}/fields?q=常住人口数").json["items"]
    assert found["match"] == {"score": 1.0, "reasons": ["name:常住人口数"]}
    assert all("match" not in item for item in client.get(f"{API}/fields").json["items"])
    assert "match" not in client.get(f"{API}/fields/population.resident_total").json


def test_fields_come_in_pages(client: FlaskClient) -> None:
    first = client.get(f"{API}/fields?limit=1").json
    rest = client.get(f"{API}/fields?limit=1&cursor={first['next']}").json
    assert [page["items"][0]["code"] for page in (first, rest)] == codes(client, "")
    assert rest["next"] is None


@pytest.mark.parametrize("query", ["state=dreamt", "mode=beg", "limit=501", "cursor=%20"])
def test_bad_parameters_are_refused(client: FlaskClient, query: str) -> None:
    assert client.get(f"{API}/fields?{query}").status_code == 400


def test_field_is_shown_as_in_a_bundle(client: FlaskClient) -> None:
    answer = client.get(f"{API}/fields/population.resident_total")
    assert answer.json["version"] == 1
    assert answer.json["state"] == "effective"
    assert answer.json["owner_name"] == {"zh": "统计局"}
    assert answer.json["window"] == {"from": "01-01", "to": "12-31"}
    given = BUNDLE["fields"][0]
    assert {name: answer.json[name] for name in given if name != "sharing"} == {
        name: value for name, value in given.items() if name != "sharing"
    }
    again = client.get(
        f"{API}/fields/population.resident_total",
        headers={"If-None-Match": answer.headers["ETag"]},
    )
    assert again.status_code == 304


def test_field_is_read_on_a_day_or_by_version(client: FlaskClient) -> None:
    path = f"{API}/fields/population.future"
    assert client.get(path).status_code == 404
    assert client.get(f"{path}?on=2026-09-01").json["version"] == 1
    assert client.get(f"{path}?version=1").json["state"] == "approved"
    assert client.get(f"{path}?version=2").status_code == 404
    assert client.get(f"{path}?version=0").status_code == 400
    assert len(client.get(f"{path}/versions").json["items"]) == 1


@pytest.mark.parametrize("path", ["fields/no.such", "fields/no.such/versions", "code-lists/none"])
def test_what_is_not_there_is_not_found(client: FlaskClient, path: str) -> None:
    answer = client.get(f"{API}/{path}")
    assert answer.status_code == 404
    assert answer.json["type"] == "urn:oneform:problem:not-found"


def test_code_lists_and_kinds_are_shown(client: FlaskClient) -> None:
    assert [each["code"] for each in client.get(f"{API}/code-lists").json["items"]] == ["status"]
    assert client.get(f"{API}/code-lists/status").json["items"] == [
        {"code": "1", "name": {"zh": "低保", "en": "minimum"}, "retired_on": None}
    ]
    kinds = client.get(f"{API}/subject-kinds").json["items"]
    assert [kind["code"] for kind in kinds] == ["area"]


@pytest.mark.parametrize(
    "path", ["code-lists", "subject-kinds", "fields/population.resident_total/versions"]
)
def test_short_lists_too_come_in_pages(client: FlaskClient, path: str) -> None:
    page = client.get(f"{API}/{path}?limit=1").json
    assert (len(page["items"]), page["next"]) == (1, None)
    for query in ("limit=0", "limit=501", "cursor=nonsense"):
        assert client.get(f"{API}/{path}?{query}").status_code == 400


def test_whole_whitelist_comes_as_a_bundle_that_changes_nothing(
    client: FlaskClient, api_runtime: Runtime
) -> None:
    as_json = client.get(f"{API}/catalog.json")
    as_yaml = client.get(f"{API}/catalog.yaml")
    document = json.loads(as_json.data)
    assert [each["code"] for each in document["fields"]] == [
        "elderly.status",
        "population.future",
        "population.resident_total",
    ]
    assert len(yaml.safe_load(as_yaml.data)["fields"]) == 3
    with api_runtime.context(OPERATOR) as ctx:
        import_bundle(ctx, bundle_of(document))
    assert client.get(f"{API}/catalog.json").data == as_json.data


def test_whole_whitelist_comes_as_a_table(client: FlaskClient) -> None:
    text = client.get(f"{API}/catalog.csv").data.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    book = CalamineWorkbook.from_filelike(io.BytesIO(client.get(f"{API}/catalog.xlsx").data))
    sheet = book.get_sheet_by_index(0).to_python()
    assert [row["code"] for row in rows] == [line[0] for line in sheet[1:]]


@pytest.mark.parametrize("extension", ["json", "yaml", "csv", "xlsx"])
def test_unchanged_whitelist_is_not_sent_again(client: FlaskClient, extension: str) -> None:
    first = client.get(f"{API}/catalog.{extension}")
    headers = {"If-None-Match": first.headers["ETag"]}
    again = client.get(f"{API}/catalog.{extension}", headers=headers)
    assert (again.status_code, again.data) == (304, b"")
    assert f"catalog.{extension}" in first.headers["Content-Disposition"]
