"""Checking bundles: a table of mistakes by name, and what only deserves a warning."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog.bundle import bundle_of, parse_bundle, read_bundle
from catalog.check import Findings, check_bundle, check_field
from catalog.definition import FieldDefinition
from catalog.documents import Syntax, read_document
from catalog.world import World

SAMPLE = Path(__file__).parent / "sample_bundle.yaml"
VALUE: dict[str, Any] = read_document(SAMPLE.read_bytes(), Syntax.YAML).value
TOTAL, AGED, SHARE, COUNT, AGE, SEX = range(6)

Spoil = Callable[[dict[str, Any]], object]


def check(spoil: Spoil | None = None, on: dt.date | None = None) -> Findings:
    value = copy.deepcopy(VALUE)
    if spoil is not None:
        spoil(value)
    return check_bundle(bundle_of(value), on=on)


def field(number: int, **members: Any) -> Spoil:
    return lambda value: value["fields"][number].update(members)


def without(number: int, name: str) -> Spoil:
    return lambda value: value["fields"][number].pop(name)


def test_sample_has_neither_mistakes_nor_warnings() -> None:
    found = check(on=dt.date(2026, 3, 16))
    assert found.mistakes == []
    assert found.warnings == []


def test_starter_catalogue_has_neither_mistakes_nor_warnings() -> None:
    data = Path(__file__).resolve().parents[3] / "catalog" / "data"
    found = check_bundle(read_bundle(data), on=dt.date(2026, 3, 16))
    assert [(each.place, each.detail) for each in found.mistakes] == []
    assert [(each.place, each.detail) for each in found.warnings] == []


MISTAKES: list[tuple[str, Spoil, str, str]] = [
    # name, what is done to the sample, pointer, code
    ("no code", without(TOTAL, "code"), "/fields/0", "required"),
    ("no legal basis", without(TOTAL, "legal_basis"), "/fields/0", "required"),
    ("null where a member is required", field(TOTAL, topic=None), "/fields/0", "required"),
    ("blank legal basis", field(TOTAL, legal_basis="  "), "/fields/0/legal_basis", "format"),
    ("unknown member", field(TOTAL, colour="red"), "/fields/0", "additionalProperties"),
    ("no Chinese name", field(TOTAL, name={"en": "x"}), "/fields/0/name", "required"),
    ("language that is none", field(TOTAL, name={"zh": "x", "!": "y"}), "/fields/0/name", "pattern"),
    ("control character", field(TOTAL, name={"zh": "a\nb"}), "/fields/0/name/zh", "format"),
    ("NUL", field(TOTAL, unit="a\0b"), "/fields/0/unit", "json"),
    ("half a surrogate pair", field(TOTAL, unit="\ud800"), "/fields/0/unit", "json"),
    ("infinite number", field(TOTAL, soft_checks=[{"change_over_previous": float("inf")}]),
     "/fields/0/soft_checks/0/change_over_previous", "json"),
    ("code in capitals", field(TOTAL, code="Population.Total"), "/fields/0/code", "pattern"),
    ("unknown mode", field(TOTAL, mode="ask"), "/fields/0/mode", "enum"),
    ("unknown period type", field(TOTAL, period_type="decade"), "/fields/0/period_type", "enum"),
    ("unknown level", field(TOTAL, levels=["hamlet"]), "/fields/0/levels/0", "enum"),
    ("same level twice", field(TOTAL, levels=["village"] * 2), "/fields/0/levels", "uniqueItems"),
    ("unknown review", field(TOTAL, review="county"), "/fields/0/review", "enum"),
    ("unknown roll-up", field(TOTAL, rollup="median"), "/fields/0/rollup", "enum"),
    ("unknown category", field(TOTAL, sharing={"category": "secret"}),
     "/fields/0/sharing/category", "enum"),
    ("sensitivity 5", field(TOTAL, sensitivity=5), "/fields/0/sensitivity", "maximum"),
    ("sensitivity 0", field(TOTAL, sensitivity=0), "/fields/0/sensitivity", "minimum"),
    ("no such day", field(TOTAL, expires_on="2027-02-30"), "/fields/0/expires_on", "format"),
    ("seconds in words", field(TOTAL, seconds="15"), "/fields/0/seconds", "type"),
    ("member that is a text", lambda v: v["fields"].append("x"), "/fields/6", "type"),
    ("members that are no list", lambda v: v.update(agencies={}), "/agencies", "type"),
    ("unknown member of a bundle", lambda v: v.update(field=[]), "/field", "unknown"),
    ("other format", lambda v: v.update(bundle="oneform-catalog/2"), "/bundle", "bundle"),
    ("no format", lambda v: v.pop("bundle"), "/bundle", "bundle"),
    ("field twice", lambda v: v["fields"].append(v["fields"][0]), "/fields/6/code", "duplicate"),
    ("agency twice", lambda v: v["agencies"].append(v["agencies"][0]),
     "/agencies/2/code", "duplicate"),
    ("kind twice", lambda v: v["subject_kinds"].append(v["subject_kinds"][0]),
     "/subject_kinds/2/code", "duplicate"),
    ("code list twice", lambda v: v["code_lists"].append(v["code_lists"][0]),
     "/code_lists/2/code", "duplicate"),
    ("item twice", lambda v: v["code_lists"][0]["items"].append(v["code_lists"][0]["items"][0]),
     "/code_lists/0/items/2/code", "duplicate"),
    ("item code that is a number", lambda v: v["code_lists"][0]["items"][0].update(code=1),
     "/code_lists/0/items/0/code", "type"),
    ("code list without items", lambda v: v["code_lists"][1].update(items=[]),
     "/code_lists/1/items", "empty"),
    ("key schema that is no JSON Schema", lambda v: v["subject_kinds"][1].update(key_schema={"type": "text"}),
     "/subject_kinds/1/key_schema/type", "schema"),
    ("key schema of numbers", lambda v: v["subject_kinds"][1].update(key_schema={"type": "integer"}),
     "/subject_kinds/1/key_schema", "schema_type"),
    ("value schema that is no JSON Schema", field(TOTAL, schema={"type": "int"}),
     "/fields/0/schema/type", "schema"),
    ("value schema with a bad pattern", field(SEX, schema={"type": "string", "pattern": "("}),
     "/fields/5/schema/pattern", "schema"),
    ("value schema that leads outside", field(SEX, schema={"type": "string", "$ref": "http://x/y"}),
     "/fields/5/schema/$ref", "schema"),
    ("unknown format of values", field(SEX, schema={"type": "string", "format": "cn-passport"}),
     "/fields/5/schema/format", "unknown_format"),
    ("number that the database would write out", field(TOTAL, schema={"type": "integer", "maximum": 1e300}),
     "/fields/0/schema", "json"),
    ("value schema without type", field(SEX, schema={"enum": ["a"]}),
     "/fields/5/schema", "schema_type"),
    ("value schema of two types", field(SEX, schema={"type": ["string", "null"]}),
     "/fields/5/schema", "schema_type"),
    ("unknown code list", field(SEX, schema={"type": "string", "code_list": "gender"}),
     "/fields/5/schema/code_list", "unknown_code_list"),
    ("unknown code list of items", field(SEX, schema={"type": "array", "items": {"type": "string", "code_list": "gender"}}),
     "/fields/5/schema/items/code_list", "unknown_code_list"),
    ("code list of numbers", field(SEX, schema={"type": "integer", "code_list": "sex"}),
     "/fields/5/schema", "code_list"),
    ("unknown owner", field(TOTAL, owner="nobody"), "/fields/0/owner", "unknown_owner"),
    ("unknown kind of subject", field(AGE, subject_kind="person"),
     "/fields/4/subject_kind", "unknown_kind"),
    ("area without levels", field(TOTAL, levels=[]), "/fields/0/levels", "levels"),
    ("levels of what is no area", field(AGE, levels=["village"]), "/fields/4/levels", "levels"),
    ("unit below what it answers about", field(TOTAL, collected_at="grid"),
     "/fields/0/collected_at", "collected_at"),
    ("level that nobody can answer about", field(TOTAL, rollup="none"),
     "/fields/0/levels", "collected_at"),
    ("sum of texts", field(SEX, rollup="sum"), "/fields/5/rollup", "rollup"),
    ("period that also goes stale", field(TOTAL, valid_for="P1Y"), "/fields/0/valid_for", "period"),
    ("duration that is none", field(AGE, valid_for="1 year"), "/fields/4/valid_for", "duration"),
    ("window that is none", field(TOTAL, window={"from": "11-01", "to": "02-30"}),
     "/fields/0/window", "window"),
    ("window without end", field(TOTAL, window={"from": "11-01"}), "/fields/0/window", "window"),
    ("answer in no time", field(TOTAL, seconds=0), "/fields/0/seconds", "seconds"),
    ("answer before it was asked", field(TOTAL, seconds=-1), "/fields/0/seconds", "minimum"),
    ("derived from nothing", field(SHARE, derivation=None), "/fields/2/derivation", "derivation"),
    ("collected and derived", field(TOTAL, derivation={"formula": "elderly.aged_60_plus"}),
     "/fields/0/derivation", "derivation"),
    ("both formula and count", field(SHARE, derivation={"formula": "a", "count": "resident"}),
     "/fields/2/derivation", "derivation"),
    ("formula that does not parse", field(SHARE, derivation={"formula": "elderly.aged_60_plus /"}),
     "/fields/2/derivation/formula", "formula"),
    ("formula without fields", field(SHARE, derivation={"formula": "1 + 1"}),
     "/fields/2/derivation/formula", "formula"),
    ("formula on an unknown field", field(SHARE, derivation={"formula": "elderly.total"}),
     "/fields/2/derivation/formula", "unknown_field"),
    ("formula on another kind of subject", field(SHARE, derivation={"formula": "resident.age"}),
     "/fields/2/derivation/formula", "formula"),
    ("formula on a text", field(AGE, mode="derive", derivation={"formula": "resident.sex"}),
     "/fields/4/derivation/formula", "formula"),
    ("formula on another period", lambda v: (
        v["fields"][SHARE].update(period_type="month")),
     "/fields/2/derivation/formula", "formula"),
    ("formula on a field that is not there at the level", field(SHARE, levels=["village", "county"]),
     "/fields/2/derivation/formula", "formula"),
    ("formula that gives a text", field(SHARE, schema={"type": "string"}),
     "/fields/2/schema", "schema_type"),
    ("field computed from itself", field(SHARE, derivation={"formula": "elderly.share + 1"}),
     "/fields/2/derivation", "cycle"),
    ("fields computed from each other", lambda v: (
        v["fields"][AGED].update(mode="derive", derivation={"formula": "elderly.share * 2"}, levels=["village"])),
     "/fields/1/derivation", "cycle"),
    ("count of an unknown kind", field(COUNT, derivation={"count": "person"}),
     "/fields/3/derivation/count", "unknown_kind"),
    ("count for what is no area", field(AGE, mode="derive", derivation={"count": "enterprise"}),
     "/fields/4/derivation/count", "count"),
    ("count that is no integer", field(COUNT, schema={"type": "number"}),
     "/fields/3/schema", "schema_type"),
    ("condition that does not parse", field(COUNT, derivation={"count": "resident", "where": "resident.age"}),
     "/fields/3/derivation/where", "formula"),
    ("condition on an unknown field", field(COUNT, derivation={"count": "resident", "where": "resident.height > 1"}),
     "/fields/3/derivation/where", "unknown_field"),
    ("condition on another kind", field(COUNT, derivation={"count": "enterprise", "where": "resident.age > 1"}),
     "/fields/3/derivation/where", "count"),
    ("condition on another period", lambda v: v["fields"][AGE].update(period_type="year", valid_for=None),
     "/fields/3/derivation/where", "count"),
    ("text compared with a number", field(COUNT, derivation={"count": "resident", "where": "resident.sex == 2"}),
     "/fields/3/derivation/where", "count"),
    ("codes compared by size", field(COUNT, derivation={"count": "resident", "where": 'resident.sex > "1"'}),
     "/fields/3/derivation/where", "count"),
    ("code that is not on the list", field(COUNT, derivation={"count": "resident", "where": 'resident.sex in ["1", "3"]'}),
     "/fields/3/derivation/where", "count"),
    ("where without count", field(COUNT, derivation={"where": "resident.age > 1"}),
     "/fields/3/derivation", "derivation"),
    ("soft check of no known shape", field(TOTAL, soft_checks=[{"at_least_about": 3}]),
     "/fields/0/soft_checks/0", "soft_check"),
    ("soft check on an unknown field", field(AGED, soft_checks=[{"at_most": "population.total"}]),
     "/fields/1/soft_checks/0", "unknown_field"),
    ("soft check on another kind", field(AGED, soft_checks=[{"at_most": "resident.age"}]),
     "/fields/1/soft_checks/0", "soft_check"),
    ("soft check of a text", field(SEX, soft_checks=[{"change_over_previous": 0.3}]),
     "/fields/5/soft_checks/0", "soft_check"),
    ("change of nothing", field(TOTAL, soft_checks=[{"change_over_previous": 0}]),
     "/fields/0/soft_checks/0", "soft_check"),
    ("change of true", field(TOTAL, soft_checks=[{"change_over_previous": True}]),
     "/fields/0/soft_checks/0", "soft_check"),
    ("parts of something else", field(TOTAL, soft_checks=[
        {"parts_sum_to": {"total": "elderly.aged_60_plus", "parts": ["elderly.share"] * 2}}]),
     "/fields/0/soft_checks/0", "soft_check"),
    ("parts that are unknown", field(TOTAL, soft_checks=[
        {"parts_sum_to": {"total": "population.resident_total", "parts": ["a", "b"]}}]),
     "/fields/0/soft_checks/0", "unknown_field"),
    ("conditions left out", field(TOTAL, sharing={"category": "conditional", "basis": "x"}),
     "/fields/0/sharing/conditions", "sharing"),
    ("restricted without basis", field(TOTAL, sharing={"category": "restricted", "conditions": "x"}),
     "/fields/0/sharing/basis", "sharing"),
    ("sensitive and of people, but not personal", field(AGE, personal=False),
     "/fields/4/personal", "personal"),
    ("ends before it begins", field(TOTAL, expires_on="2025-12-31"),
     "/fields/0/expires_on", "validity"),
    ("more than three years", field(TOTAL, expires_on="2029-01-02"),
     "/fields/0/expires_on", "validity"),
    ("in the year 9999", field(TOTAL, effective_from="9999-01-01", expires_on="9999-12-31"),
     "/fields/0/effective_from", "validity"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("spoil", "pointer", "code"),
    [case[1:] for case in MISTAKES],
    ids=[case[0] for case in MISTAKES],
)
def test_mistake_is_found_where_it_is(spoil: Spoil, pointer: str, code: str) -> None:
    found = [(mistake.pointer, mistake.code) for mistake in check(spoil).mistakes]
    assert (pointer, code) in found


def test_one_slip_does_not_spoil_what_names_it() -> None:
    found = check(without(TOTAL, "owner")).mistakes
    assert [(each.pointer, each.code) for each in found] == [("/fields/0", "required")]


def test_every_mistake_is_listed_not_the_first() -> None:
    def spoil(value: dict[str, Any]) -> None:
        value["fields"][TOTAL].update(owner="nobody", seconds=0, levels=[])
        value["fields"][SHARE].update(derivation={"formula": "x.y"}, expires_on="2025-01-01")
        value["fields"][AGE].update(schema={"type": "integer", "format": "who knows"})
        value["agencies"].append({"code": "!"})

    found = {(each.pointer, each.code) for each in check(spoil).mistakes}
    assert found >= {
        ("/agencies/2", "required"),
        ("/agencies/2/code", "pattern"),
        ("/fields/0/owner", "unknown_owner"),
        ("/fields/0/seconds", "seconds"),
        ("/fields/0/levels", "levels"),
        ("/fields/2/derivation/formula", "unknown_field"),
        ("/fields/2/expires_on", "validity"),
        ("/fields/4/schema/format", "unknown_format"),
    }


def test_longest_term_ends_on_the_same_day_three_years_later() -> None:
    assert check(field(TOTAL, expires_on="2029-01-01")).mistakes == []


def test_cycle_is_told_with_every_field_on_it() -> None:
    def spoil(value: dict[str, Any]) -> None:
        value["fields"][AGED].update(
            mode="derive", derivation={"formula": "elderly.share * 2"}, levels=["village"]
        )

    details = [each.detail for each in check(spoil).mistakes if each.code == "cycle"]
    assert details == [
        "is computed from itself: elderly.aged_60_plus → elderly.share → elderly.aged_60_plus"
    ]


def test_long_chain_of_formulas_is_no_cycle() -> None:
    def spoil(value: dict[str, Any]) -> None:
        last = value["fields"][SHARE]
        for n in range(2000):
            value["fields"].append(
                {**last, "code": f"chain.n{n}", "derivation": {"formula": last["code"]}}
            )
            last = value["fields"][-1]

    assert check(spoil).mistakes == []


def test_mistakes_name_the_line() -> None:
    text = SAMPLE.read_text().replace("owner: stats\n", "owner: nobody\n")
    (mistake,) = check_bundle(parse_bundle(text.encode(), Syntax.YAML)).mistakes
    line = 1 + text[: text.index("owner: nobody")].count("\n")
    assert (mistake.pointer, mistake.line) == ("/fields/0/owner", line)
    assert mistake.as_mistake().pointer == f"line {line}, /fields/0/owner"


def test_files_of_a_folder_are_one_bundle_and_mistakes_name_the_file(tmp_path: Path) -> None:
    head, fields = SAMPLE.read_text().split("fields:\n")
    (tmp_path / "heads.yaml").write_text(head)
    deeper = tmp_path / "fields"
    deeper.mkdir()
    (deeper / "all.yml").write_text("bundle: oneform-catalog/1\nfields:\n" + fields)
    (tmp_path / "README.md").write_text("not a bundle")
    assert check_bundle(read_bundle(tmp_path)).mistakes == []
    (deeper / "more.json").write_text('{"bundle": "oneform-catalog/1",\n "fields": [\n  {}]}')
    assert {(m.file, m.line, m.pointer) for m in check_bundle(read_bundle(tmp_path)).mistakes} == {
        ("fields/more.json", 3, "/fields/0")
    }
    (tmp_path / "broken.yaml").write_text("bundle: {")
    places = [m.place for m in check_bundle(read_bundle(tmp_path)).mistakes]
    assert "broken.yaml, line 1" in places


def test_folder_without_files_is_a_mistake(tmp_path: Path) -> None:
    assert [m.code for m in check_bundle(read_bundle(tmp_path)).mistakes] == ["empty"]


WARNINGS: list[tuple[str, Spoil, str, str]] = [
    ("no English name", field(TOTAL, name={"zh": "x"}), "/fields/0/name", "no_english"),
    ("no English definition", field(TOTAL, definition={"zh": "x"}), "/fields/0/definition", "no_english"),
    ("agency without English", lambda v: v["agencies"][0].update(name={"zh": "x"}),
     "/agencies/0/name", "no_english"),
    ("items without English", lambda v: v["code_lists"][0]["items"][0].update(name={"zh": "x"}),
     "/code_lists/0/items", "no_english"),
    ("synonym of two fields", field(AGED, synonyms=["常住人数"]), "/fields/0/synonyms", "shared_wording"),
    ("synonym that names another field", field(AGED, synonyms=[" Resident  population"]),
     "/fields/0/synonyms", "shared_wording"),
    ("expires soon", field(TOTAL, expires_on="2026-04-14"), "/fields/0/expires_on", "expires_soon"),
    ("has expired", field(TOTAL, expires_on="2026-03-15"), "/fields/0/expires_on", "expired"),
    ("personal of sensitivity 1", field(SEX, sensitivity=1), "/fields/5/sensitivity", "sensitivity"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("spoil", "pointer", "code"),
    [case[1:] for case in WARNINGS],
    ids=[case[0] for case in WARNINGS],
)
def test_oddity_is_a_warning_and_no_mistake(spoil: Spoil, pointer: str, code: str) -> None:
    found = check(spoil, on=dt.date(2026, 3, 16))
    assert found.mistakes == []
    assert [(each.pointer, each.code) for each in found.warnings] == [(pointer, code)]


def test_same_wording_for_area_and_resident_is_no_oddity() -> None:
    assert check(field(AGED, synonyms=["性别"])).warnings == []


def test_what_is_known_already_need_not_be_in_the_bundle() -> None:
    sample = check()
    known = World(
        agencies={"stats", "civil_affairs"},
        kinds={"area": False, "resident": True, "enterprise": False},
        code_lists={"sex": {"1", "2"}},
        fields=sample.definitions,
    )
    one = {"bundle": VALUE["bundle"], "fields": [VALUE["fields"][SHARE]]}
    assert check_bundle(bundle_of(one), known).mistakes == []
    assert {m.code for m in check_bundle(bundle_of(one)).mistakes} == {
        "unknown_owner",
        "unknown_field",
    }


def test_field_of_a_proposal_is_checked_with_pointers_into_it() -> None:
    known = World(agencies={"stats"})
    definition, mistakes = check_field(VALUE["fields"][TOTAL], known)
    assert mistakes == []
    assert isinstance(definition, FieldDefinition)
    definition, mistakes = check_field(
        {**VALUE["fields"][TOTAL], "owner": "x", "seconds": 0}, known
    )
    assert {(m.pointer, m.code) for m in mistakes} == {
        ("/owner", "unknown_owner"),
        ("/seconds", "seconds"),
    }
    definition, mistakes = check_field({}, known)
    assert definition is None
    assert [m.code for m in mistakes] == ["required"] * 13


def test_what_is_left_out_has_its_documented_default() -> None:
    aged, age = (check().definitions[code] for code in ("elderly.aged_60_plus", "resident.age"))
    assert (aged.collected_at, aged.review, aged.sensitivity, aged.personal) == (
        5,
        "none",
        1,
        False,
    )
    assert (age.collected_at, age.levels, age.seconds, age.personal) == (5, (), 0, True)
