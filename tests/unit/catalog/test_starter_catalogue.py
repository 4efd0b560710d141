"""The starter catalogue as files: whole, consistent, and honest about what it is.

The rules are those of API.md, section 7, and of `docs/starter-catalogue.md`; that it imports
is shown where the importing is tested.
"""

from __future__ import annotations

import csv
import datetime as dt
import importlib.util
import re
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from catalog.definition import FieldDefinition, text_of
from catalog.documents import Syntax, read_document
from catalog.expressions import comparisons, names
from catalog.formats import FORMATS
from catalog.formula import parse_condition, parse_formula
from catalog.periods import Window, parse_duration
from catalog.similarity import FieldIndex
from catalog.starter import FOLDER, Asked, asked_in, field_files
from catalog.value_schema import code_lists_in, resolve_code_lists
from oneform.kernel.jsonschemas import compile_schema

ROOT = Path(__file__).resolve().parents[3]
MEMBERS = ("agencies", "subject_kinds", "code_lists", "fields")
ALWAYS = {
    *("code", "name", "definition", "synonyms", "topic", "subject_kind", "schema", "unit"),
    *("period_type", "valid_for", "mode", "collected_at", "review", "owner", "sharing"),
    *("legal_basis", "sensitivity", "personal", "rollup", "derivation", "soft_checks"),
    *("seconds", "window", "effective_from", "expires_on"),
}
LEVELS = ("village", "township", "county")

# Personal and shared freely all the same: published of every enterprise by law.
PUBLISHED = {"enterprise.legal_representative"}
# Collected although the police's register says what is right: every form begins with them, and a
# county whose police has no store connected yet must not be left without.
FALLBACK = {"population.registered_total", "population.registered_households"}
# Where a loss, or an entry that is still to be cleared, makes the figure negative.
MAY_BE_NEGATIVE = {
    *("collective.total_income", "collective.income_forecast", "collective.surplus"),
    *("collective.operating_surplus", "collective.fixed_assets_net"),
    *("collective.fixed_assets_disposal", "collective.other_assets", "household.income"),
}
FEW_PEOPLE = re.compile(
    "残疾(人数|人户数)|残疾人.*补贴|孤儿|无人抚养|留守|独居|失能|特困人员|优抚对象|有劳动能力的低保"
    "|患者|伤病|矫正|戒毒|辍学|特殊家庭|受助对象|新婚|外籍"
)
IN_A_REGISTER = re.compile(
    "以[^，。；]*(登记|台账|户口簿|数据库)[^，。；]*(为准|计)|名录|信息系统|执业许可证|执业证书|经批准设立"
)


def _load() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {member: [] for member in MEMBERS}
    for path in sorted(FOLDER.rglob("*.yaml")):
        head = read_document(path.read_bytes(), Syntax.YAML, path.name).value
        assert head.pop("bundle") == "oneform-catalog/1", path
        assert head, path
        for member, values in head.items():
            found[member].extend(values)
            assert member != "fields" or {each["topic"] for each in values} == {path.stem}
    return found


CATALOGUE = _load()
FIELDS: dict[str, dict[str, Any]] = {each["code"]: each for each in CATALOGUE["fields"]}
LISTS: dict[str, dict[str, Any]] = {each["code"]: each for each in CATALOGUE["code_lists"]}
CODES = {code: [item["code"] for item in each["items"]] for code, each in LISTS.items()}


def _is_numeric(field: dict[str, Any]) -> bool:
    return field["schema"]["type"] in ("integer", "number")


def _where(condition: Callable[[dict[str, Any]], bool]) -> list[str]:
    return sorted(code for code, field in FIELDS.items() if condition(field))


def _references(field: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The fields that a field's formula, condition and soft checks name, and in what."""
    derivation = field["derivation"] or {}
    if "formula" in derivation:
        yield from (("formula", code) for code in names(parse_formula(derivation["formula"])))
    if "where" in derivation:
        yield from (("where", code) for code in names(parse_condition(derivation["where"])))
    for check in field["soft_checks"]:
        if "at_most" in check:
            yield "at_most", check["at_most"]
        if "parts_sum_to" in check:
            yield from (("parts", code) for code in check["parts_sum_to"]["parts"])


def test_it_is_worth_having() -> None:
    assert len(CATALOGUE["fields"]) >= 250
    kinds = Counter(field["subject_kind"] for field in FIELDS.values())
    assert set(kinds) == {"area", "household", "resident", "enterprise"}
    assert min(kinds.values()) >= 15
    modes = Counter(field["mode"] for field in FIELDS.values())
    assert set(modes) == {"collect", "share", "derive"}
    assert min(modes.values()) >= 25
    periods = {field["period_type"] for field in FIELDS.values()}
    assert periods >= {"none", "year", "half", "quarter", "month", "day"}
    categories = {field["sharing"]["category"] for field in FIELDS.values()}
    assert categories == {"unconditional", "conditional", "restricted"}


@pytest.mark.parametrize("member", MEMBERS)
def test_every_code_is_there_once(member: str) -> None:
    codes = [each["code"] for each in CATALOGUE[member]]
    assert [code for code, times in Counter(codes).items() if times > 1] == []
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z0-9][a-z0-9_]*)?", code) for code in codes)


def test_every_field_has_all_members_and_no_others() -> None:
    for code, field in FIELDS.items():
        expected = ALWAYS | ({"levels"} if field["subject_kind"] == "area" else set())
        assert set(field) == expected, code


def test_codes_begin_with_the_topic() -> None:
    assert _where(lambda field: not field["code"].startswith(field["topic"] + ".")) == []


def test_names_and_definitions_are_in_both_languages() -> None:
    for code, field in FIELDS.items():
        for words in (field["name"], field["definition"]):
            assert set(words) == {"zh", "en"}, code
            assert re.search("[\u4e00-\u9fff]", words["zh"]), code
            assert not re.search("[\u4e00-\u9fff]", words["en"]), code
        assert field["definition"]["zh"].endswith("。"), code
        assert field["definition"]["en"].endswith("."), code
        assert field["definition"]["zh"].rstrip("。") != field["name"]["zh"], code


@pytest.mark.parametrize("part", ["name", "definition"])
def test_no_two_fields_are_called_or_defined_alike(part: str) -> None:
    for language in ("zh", "en"):
        texts = Counter((field["subject_kind"], field[part][language]) for field in FIELDS.values())
        assert [text for text, times in texts.items() if times > 1] == []


def test_a_wording_leads_to_one_field_of_a_kind() -> None:
    wordings: dict[tuple[str, str], set[str]] = {}
    for code, field in FIELDS.items():
        assert len(set(field["synonyms"])) == len(field["synonyms"]), code
        assert field["name"]["zh"] not in field["synonyms"], code
        for word in (field["name"]["zh"], *field["synonyms"]):
            wordings.setdefault((field["subject_kind"], word), set()).add(code)
    assert {word: codes for word, codes in wordings.items() if len(codes) > 1} == {}


def _questions() -> list[dict[str, str]]:
    """The 419 questions of real forms."""
    with (ROOT / "benchmarks/suggestions/data/real_fields.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _asked() -> Iterator[Asked]:
    for path in field_files():
        yield from asked_in(path.read_text(encoding="utf-8"))


def test_two_lines_of_one_form_are_two_facts() -> None:
    forms = {row["id"]: row["form_title"] for row in _questions()}
    for asked in _asked():
        lines = Counter(forms[question] for question in asked.questions)
        assert max(lines.values(), default=1) == 1, (asked.code, lines)


def test_what_a_form_of_needs_asks_is_not_answered_by_what_stands() -> None:
    needs = {row["id"] for row in _questions() if "需求" in row["form_title"]}
    answering = {asked.code: found for asked in _asked() if (found := needs & set(asked.questions))}
    assert set().union(*answering.values()) == needs
    assert [code for code in answering if "_needed" not in code] == []


def test_where_a_form_lets_choose_several_the_field_holds_several() -> None:
    several = _where(lambda field: any("多选" in word for word in field["synonyms"]))
    assert several
    assert {FIELDS[code]["schema"]["type"] for code in several} == {"array"}


def test_what_a_form_asks_in_percent_is_answered_in_percent() -> None:
    asked = {row["name_zh"] for row in _questions() if row["unit"] == "%"}
    assert len(asked) > 10
    answering = {
        code: field["unit"]
        for code, field in FIELDS.items()
        if asked & {field["name"]["zh"], *field["synonyms"]}
    }
    assert set(answering.values()) == {"%"}, answering


def test_every_wording_finds_its_own_field_first() -> None:
    owners = {agency["code"]: agency["name"] for agency in CATALOGUE["agencies"]}
    index = FieldIndex(
        text_of(FieldDefinition.from_bundle(field), owners[field["owner"]])
        for field in FIELDS.values()
    )
    missed = {
        word: found[0].code if found else None
        for code, field in FIELDS.items()
        for word in (field["name"]["zh"], field["name"]["en"], *field["synonyms"])
        if not (found := index.suggest(word, limit=1)) or found[0].code != code
    }
    assert missed == {}


def test_owners_kinds_and_code_lists_exist_and_are_used() -> None:
    owners = {agency["code"] for agency in CATALOGUE["agencies"]}
    assert {field["owner"] for field in FIELDS.values()} == owners
    kinds = {kind["code"] for kind in CATALOGUE["subject_kinds"]}
    assert {field["subject_kind"] for field in FIELDS.values()} == kinds
    used = {
        part["code_list"] for field in FIELDS.values() for _, part in code_lists_in(field["schema"])
    }
    assert used == set(LISTS)


def test_code_lists_have_items_with_codes_and_names() -> None:
    for code, each in LISTS.items():
        items = each["items"]
        assert len(items) >= 2, code
        assert len({item["code"] for item in items}) == len(items), code
        assert len({item["name"]["zh"] for item in items}) == len(items), code
        assert all(isinstance(item["code"], str) for item in items), code
        assert all(set(item["name"]) == {"zh", "en"} for item in items), code
    groups = [item["code"] for item in LISTS["ethnic_group"]["items"]]
    assert groups[:56] == [f"{number:02}" for number in range(1, 57)]


def test_schemas_are_json_schemas_and_formats_are_known() -> None:
    for code, field in FIELDS.items():
        assert compile_schema(resolve_code_lists(field["schema"], CODES), FORMATS), code
        assert field["schema"]["type"] != "string" or len(field["schema"]) > 1, code
    for kind in CATALOGUE["subject_kinds"]:
        assert compile_schema(kind["key_schema"], FORMATS), kind["code"]


def test_numbers_and_only_numbers_have_a_unit() -> None:
    assert _where(lambda field: _is_numeric(field) != (field["unit"] is not None)) == []


def test_levels_are_given_for_areas_from_the_lowest() -> None:
    for code, field in FIELDS.items():
        levels = field.get("levels")
        if levels is not None:
            start = LEVELS.index(levels[0])
            assert levels == list(LEVELS[start : start + len(levels)]), code
            assert field["collected_at"] == levels[0], code


def test_periods_and_validity_go_together() -> None:
    for code, field in FIELDS.items():
        assert (field["period_type"] == "none") == (field["valid_for"] is not None), code
        if field["valid_for"] is not None:
            assert parse_duration(field["valid_for"]), code
        if field["window"] is not None:
            assert Window.parse(field["window"]), code
            assert field["mode"] == "collect", code


def test_a_window_that_is_open_at_the_end_of_the_year_stays_open_for_a_week() -> None:
    """What stands at midnight of 31 December can be asked only afterwards."""
    for code, field in FIELDS.items():
        window = Window.parse(field["window"]) if field["window"] else None
        if window and window.is_open(dt.date(2026, 12, 31)):
            assert all(window.is_open(dt.date(2027, 1, day)) for day in range(1, 8)), code


def test_what_people_answer_is_not_in_units_of_ten_thousand_but_for_money() -> None:
    large = {"万户", "万人", "万亩", "千公顷"}
    assert _where(lambda field: field["mode"] == "collect" and field["unit"] in large) == []


def test_nothing_is_approved_for_more_than_three_years() -> None:
    for code, field in FIELDS.items():
        first, last = (dt.date.fromisoformat(field[m]) for m in ("effective_from", "expires_on"))
        assert first == dt.date(2026, 1, 1), code
        assert first < last <= dt.date(2028, 12, 31), code


def test_what_serves_a_policy_with_an_end_ends_with_it() -> None:
    ends = _where(
        lambda field: (
            bool(re.search("脱贫|返贫|帮扶资金", field["name"]["zh"]))
            or "用于防返贫" in field["definition"]["zh"]
        )
    )
    assert len(ends) >= 10
    assert _where(lambda field: field["expires_on"] == dt.date(2027, 12, 31).isoformat()) == ends


def test_what_is_asked_takes_time_and_the_rest_does_not() -> None:
    # Answers are reviewed; what is computed or comes from a register is none.
    assert _where(lambda field: field["mode"] != "collect" and field["review"] != "none") == []
    assert _where(lambda field: (field["mode"] == "collect") != (field["seconds"] > 0)) == []
    assert max(field["seconds"] for field in FIELDS.values()) <= 180


def test_derived_fields_are_computed_from_fields_that_fit() -> None:
    assert _where(lambda field: (field["mode"] == "derive") != bool(field["derivation"])) == []
    for code, field in FIELDS.items():
        for use, other in _references(field):
            assert other in FIELDS, (code, other)
            source = FIELDS[other]
            if use == "where":
                assert source["subject_kind"] == field["derivation"]["count"], (code, other)
            else:
                assert source["subject_kind"] == field["subject_kind"], (code, other)
                assert set(field.get("levels", [])) <= set(source.get("levels", [])), (code, other)
            allowed = (
                {field["period_type"]}
                if use in ("at_most", "parts")
                else {"none", field["period_type"]}
            )
            assert source["period_type"] in allowed, (code, other)
            assert use == "where" or _is_numeric(source), (code, other)


def test_a_share_has_a_maximum_only_where_the_part_is_held_to_the_whole() -> None:
    for code, field in FIELDS.items():
        formula = (field["derivation"] or {}).get("formula", "")
        share = re.fullmatch(r"(\S+) / (\S+) \* 100", formula)
        if share is None or "maximum" not in field["schema"]:
            continue
        part, whole = share.groups()
        counted = (FIELDS[part]["derivation"] or {}).get("count")
        bounds = set(_bounds(part))
        # Villages counted are some of the villages there are.
        assert whole in bounds or counted == "area", (code, bounds)


def _bounds(code: str) -> Iterator[str]:
    """The fields that a field is no more than, by its soft checks and by theirs."""
    for check in FIELDS[code]["soft_checks"]:
        if "at_most" in check:
            yield check["at_most"]
            yield from _bounds(check["at_most"])


def test_conditions_compare_with_what_the_field_can_hold() -> None:
    for code, field in FIELDS.items():
        where = (field["derivation"] or {}).get("where")
        for comparison in comparisons(parse_condition(where)) if where else ():
            source = FIELDS[comparison.code]
            listed = LISTS.get(source["schema"].get("code_list", ""), {"items": ()})["items"]
            if _is_numeric(source):
                assert all(isinstance(each, Decimal) for each in comparison.operands), code
            elif source["schema"]["type"] == "boolean":
                assert all(isinstance(each, bool) for each in comparison.operands), code
            else:
                assert set(comparison.operands) <= {item["code"] for item in listed}, code


def test_standing_facts_name_no_end_of_a_period() -> None:
    standing = _where(lambda field: field["period_type"] == "none")
    assert standing
    for code in standing:
        assert not re.match("[年期季月]末|本年|本季|当月", FIELDS[code]["definition"]["zh"]), code


def test_no_formula_leads_back_to_itself() -> None:
    inputs = {
        code: [other for use, other in _references(field) if use in ("formula", "where")]
        for code, field in FIELDS.items()
    }

    def depth(code: str, above: tuple[str, ...]) -> int:
        assert code not in above, above
        return 1 + max((depth(each, (*above, code)) for each in inputs[code]), default=0)

    assert max(depth(code, ()) for code in FIELDS) <= 4


def test_soft_checks_have_a_documented_shape_and_compare_like_with_like() -> None:
    for code, field in FIELDS.items():
        for check in field["soft_checks"]:
            [(rule, value)] = check.items()
            assert rule in ("change_over_previous", "at_most", "parts_sum_to"), code
            assert _is_numeric(field), code
            if rule == "change_over_previous":
                assert 0 < value <= 1, code
            elif rule == "parts_sum_to":
                assert value["total"] == code
                assert len(value["parts"]) >= 2, code
        for use, other in _references(field):
            if use in ("at_most", "parts"):
                assert other != code
                assert _alike(FIELDS[other]["unit"]) == _alike(field["unit"]), (code, other)


def _alike(unit: str) -> str:
    """Beasts are counted in 头, and in 头只 where sheep are among them: one count either way."""
    return "头" if unit == "头只" else unit


def test_beasts_are_counted_in_the_unit_that_people_use() -> None:
    units = {code: field["unit"] for code, field in FIELDS.items() if "头" in (field["unit"] or "")}
    assert units == {
        "agriculture.livestock": "头只",
        "agriculture.cattle_sheep": "头只",
        "agriculture.pigs": "头",
        "disaster.large_livestock_dead": "头",
    }


def test_what_cannot_be_shared_freely_says_why_and_is_graded() -> None:
    for code, field in FIELDS.items():
        category, conditions, basis = (
            field["sharing"][member] for member in ("category", "conditions", "basis")
        )
        free = category == "unconditional"
        assert free == (conditions is None), code
        assert free == (basis is None), code
        floor = {"unconditional": 1, "conditional": 2, "restricted": 4}[category]
        assert field["sensitivity"] >= floor, code
        if category == "restricted":
            assert field["mode"] == "share", code


def test_what_is_personal_is_marked_and_never_free() -> None:
    for code, field in FIELDS.items():
        if field["subject_kind"] in ("resident", "household"):
            assert field["personal"], code
            assert field["sharing"]["category"] != "unconditional", code
        if field["subject_kind"] == "area":
            assert not field["personal"], code
        if field["personal"]:
            free = field["sharing"]["category"] == "unconditional"
            assert free == (code in PUBLISHED), code
    # The same fact about a person weighs the same, whatever ledger it stands in.
    for one, other in (
        ("household.head_name", "resident.name"),
        ("household.address", "resident.address"),
        ("household.head_id_number", "resident.id_number"),
    ):
        assert FIELDS[one]["sensitivity"] == FIELDS[other]["sensitivity"], one
    sensitive = {"id_number", "health_status", "disability_category", "disability_grade"}
    sensitive |= {"severe_mental_disorder", "elderly_ability", "left_behind", "schooling"}
    sensitive |= {"veteran_category"}
    assert {FIELDS[f"resident.{name}"]["sensitivity"] for name in sensitive} == {4}


def test_counts_of_few_people_are_not_shared_freely() -> None:
    counts = _where(
        lambda field: (
            field["subject_kind"] == "area"
            and "village" in field["levels"]
            and field["unit"] in ("人", "户", "对")
            and bool(FEW_PEOPLE.search(field["name"]["zh"]))
        )
    )
    assert len(counts) >= 20
    assert [c for c in counts if FIELDS[c]["sharing"]["category"] == "unconditional"] == []


def test_what_a_register_says_is_not_asked_of_villages() -> None:
    named = _where(lambda field: bool(IN_A_REGISTER.search(field["definition"]["zh"])))
    assert set(named) >= FALLBACK
    assert {c for c in named if FIELDS[c]["mode"] == "collect"} == FALLBACK


def test_money_is_not_negative() -> None:
    amounts = _where(
        lambda field: (
            _is_numeric(field)
            and "元" in (field["unit"] or "")
            and "minimum" not in field["schema"]
        )
    )
    assert set(amounts) <= MAY_BE_NEGATIVE


def test_the_legal_basis_names_a_law_or_a_document() -> None:
    assert _where(lambda field: not re.search("《[^《》]{4,}", field["legal_basis"])) == []
    for code, field in FIELDS.items():
        basis = (field["legal_basis"], field["sharing"]["basis"] or "")
        # They limit what may be done with data that another law lets somebody ask for.
        assert not re.search("个人信息保护法|数据安全法", field["legal_basis"]), code
        # Amended with new numbers from 2026-01-01: cited whole.
        assert not any(re.search("(村民|居民)委员会组织法》第", text) for text in basis), code


def test_rates_and_averages_are_not_added_up() -> None:
    for code, field in FIELDS.items():
        if field["rollup"] == "sum":
            assert field["subject_kind"] == "area", code
            assert _is_numeric(field), code
            assert "/" not in (field["unit"] or ""), code
            assert field["unit"] != "%", code
            assert len(field["levels"]) > 1, code
        elif _is_numeric(field) and field["mode"] == "collect":
            # Who answers for one level only cannot know the next.
            assert len(field.get("levels", [])) <= 1, code


def test_each_field_says_where_it_comes_from() -> None:
    for path in field_files():
        lines = path.read_text(encoding="utf-8").splitlines()
        for place, line in enumerate(lines):
            if line.startswith("  - code: "):
                assert re.match(r"  # (asked by: .+ \(.+\)|origin: .+)$", lines[place - 1]), line


def test_the_fields_that_examples_use_are_there() -> None:
    assert FIELDS["population.resident_total"]["mode"] == "collect"
    assert FIELDS["elderly.aged_60_plus"]["mode"] == "collect"
    share = FIELDS["elderly.share_60_plus"]["derivation"]
    assert share == {"formula": "elderly.aged_60_plus / population.resident_total * 100"}
    assert "poverty_status" in LISTS


def test_the_readme_says_how_many_fields_there_are() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f": {len(FIELDS)} fields with definition" in readme


def test_the_page_about_it_is_up_to_date() -> None:
    script = _script()
    page = (ROOT / "docs" / "starter-catalogue.md").read_text(encoding="utf-8")
    assert page == script.with_tables(page), "run python docs/make_starter_table.py"


def test_the_page_about_sources_takes_its_fields_from_here() -> None:
    page = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
    example = re.search(r"```yaml\n(code: .*?)```", page, re.DOTALL)
    assert example is not None
    fields = read_document(example[1].encode(), Syntax.YAML).value["fields"]
    assert len(fields) > 1
    assert fields.keys() <= FIELDS.keys()


def _script() -> ModuleType:
    path = ROOT / "docs" / "make_starter_table.py"
    spec = importlib.util.spec_from_file_location("make_starter_table", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
