"""Which fields are found by which words, with which reasons."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.similarity import STRONG, FieldIndex, FieldText, Match


def field(
    code: str, zh: str, en: str, unit: str | None = "人", kind: str = "area", **more: object
) -> FieldText:
    return FieldText(
        code=code,
        names={"zh": zh, "en": en},
        unit=unit,
        topic=code.partition(".")[0],
        subject_kind=kind,
        **more,  # type: ignore[arg-type]
    )


FIELDS = [
    field(
        "population.resident_total",
        "常住人口数",
        "resident population",
        synonyms=["常住人口", "常住人数"],
        definitions={
            "zh": "年末在本村居住半年以上的人口",
            "en": "people living in the village for half a year or more at year end",
        },
    ),
    field("population.registered_total", "户籍人口数", "registered population"),
    field("population.households", "总户数", "households", "户"),
    field("population.male", "男性人口", "male population"),
    field("population.female", "女性人口", "female population"),
    field("elderly.aged_60_plus", "60岁以上老年人口", "people aged 60 and over"),
    field("elderly.aged_65_plus", "65岁以上老年人口", "people aged 65 and over"),
    field("elderly.aged_80_plus", "80岁以上老年人口", "people aged 80 and over"),
    field("welfare.dibao_households", "低保户数", "households on minimum living allowance", "户"),
    field("welfare.dibao_people", "低保人数", "people on minimum living allowance", owner="民政局"),
    field("land.cultivated_mu", "耕地面积", "cultivated land", "亩"),
    field("land.cultivated_ha", "耕地面积(公顷)", "cultivated land in hectares", "公顷"),
    field("culture.libraries", "图书室", "libraries", "个"),
    field("vital.births", "出生人数", "births"),
    field("vital.deaths", "死亡人数", "deaths"),
    field("resident.education", "文化程度", "education level", None, "resident", code_list="edu"),
    field("resident.sex", "性别", "sex", None, "resident", code_list="sex"),
]
INDEX = FieldIndex(FIELDS)


PIECES = ["常住", "人口", "户", "低保", "岁", "60", ".", "_", "(", ")", " ", "aged", "年", "\ud800"]


def codes(matches: list[Match]) -> list[str]:
    return [match.code for match in matches]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("population.total_residents", "population.resident_total"),
        ("population.resident_total", "population.resident_total"),
        ("population.residnet_total", "population.resident_total"),
        ("POPULATION.FEMALE", "population.female"),
        ("2025年末常住人口数(人)", "population.resident_total"),
        ("３、常住人数", "population.resident_total"),
        ("其中：妇女", "population.female"),
        ("最低生活保障家庭户数", "welfare.dibao_households"),
        ("dibao households", "welfare.dibao_households"),
        ("people over 80", "elderly.aged_80_plus"),
        ("65周岁及以上老人", "elderly.aged_65_plus"),
        ("六十岁以上 elderly", "elderly.aged_60_plus"),
        ("农家书屋个数", "culture.libraries"),
        ("registred population", "population.registered_total"),
        ("lirbary", "culture.libraries"),
        ("受教育程度", "resident.education"),
        ("deaths in 2024", "vital.deaths"),
    ],
)
def test_any_wording_finds_its_field_first_and_strong(query: str, code: str) -> None:
    best = INDEX.suggest(query)[0]
    assert best.code == code
    assert best.score >= STRONG


@pytest.mark.parametrize(
    ("query", "right", "wrong"),
    [
        ("男性", "population.male", "population.female"),
        ("女性", "population.female", "population.male"),
        ("年满65岁人口", "elderly.aged_65_plus", "elderly.aged_60_plus"),
        ("80岁以上人数", "elderly.aged_80_plus", "elderly.aged_65_plus"),
        ("户籍人口", "population.registered_total", "population.resident_total"),
        ("低保人数", "welfare.dibao_people", "welfare.dibao_households"),
        ("低保(户)", "welfare.dibao_households", "welfare.dibao_people"),
        ("出生人口", "vital.births", "vital.deaths"),
        ("耕地面积(公顷)", "land.cultivated_ha", "land.cultivated_mu"),
        ("耕地面积（亩）", "land.cultivated_mu", "land.cultivated_ha"),
    ],
)
def test_contrasting_fields_are_not_taken_for_each_other(
    query: str, right: str, wrong: str
) -> None:
    scores = {match.code: match.score for match in INDEX.suggest(query, limit=len(FIELDS))}
    assert scores[right] > scores.get(wrong, 0.0)


def test_a_name_finds_its_own_field_before_one_that_differs_in_brackets() -> None:
    fields = [
        field("a.away", "人户分离（户在本村）人数", "registered, living elsewhere"),
        field("a.here", "人户分离（人在本村）人数", "living here, registered elsewhere"),
        field("a.all", "外出务工人数", "migrant workers", synonyms=["外出务工"]),
        field("a.long", "外出务工人数（超过三个月）", "migrant workers for three months"),
    ]
    index = FieldIndex(fields)
    for each in fields:
        for name in (*each.names.values(), *each.synonyms):
            assert index.suggest(name)[0].code == each.code, name
            assert index.suggest(name)[0].score == 1.0


CATTLE = field("disaster.cattle", "因灾死亡大牲畜数", "large livestock killed", "头")
TOILETS = [
    field("toilets.sanitary", "卫生厕所户数", "households with a sanitary toilet", "户"),
    field("toilets.all", "农村户厕数", "household toilets", "户"),
    field("land.waste", "荒地面积", "waste land", "亩"),
]


@pytest.mark.parametrize("query", ["失独家庭户数", "失独户数"])
def test_what_shares_only_households_is_not_suggested(query: str) -> None:
    assert INDEX.suggest(query) == []


@pytest.mark.parametrize("query", ["死亡人数", "因灾死亡人口"])
def test_cattle_are_not_suggested_for_people(query: str) -> None:
    living = [one for one in FIELDS if one.code != "vital.deaths"]
    assert FieldIndex([*living, CATTLE]).suggest(query) == []
    assert codes(FieldIndex([*FIELDS, CATTLE]).suggest("死亡大牲畜数"))[0] == CATTLE.code


@pytest.mark.parametrize("query", ["改厕户数", "厕改户数", "厕所改造户数", "农村改厕户数"])
def test_what_is_converted_is_the_sanitary_toilet(query: str) -> None:
    assert codes(FieldIndex([*FIELDS, *TOILETS]).suggest(query))[0] == "toilets.sanitary"


def test_fields_that_lie_fallow_are_no_waste_land() -> None:
    index = FieldIndex([*FIELDS, *TOILETS])
    for query in ("撂荒地面积", "撂荒面积"):
        (waste,) = (match for match in index.suggest(query) if match.code == "land.waste")
        assert waste.score < 0.5
        assert "differs:撂荒/荒地" in waste.reasons


@pytest.mark.parametrize(
    "query",
    ["森林防火巡查次数", "宗教场所负责人电话", "GDP", "生产总值", "地区生产总值", "gross tonnage"],
)
def test_what_is_off_the_list_gets_no_strong_suggestion(query: str) -> None:
    output = field("economy.output", "农业产值", "agricultural output value", "万元")
    matches = FieldIndex([*FIELDS, output]).suggest(query)
    assert all(match.score < STRONG for match in matches)


@pytest.mark.parametrize(
    "query",
    [
        "合计",
        "小计",
        "总量",
        "全村合计",
        "total",
        "总数（个）",
        "面积",
        "houshold number",
        "备注",
        "代码",
    ],
)
def test_words_that_head_any_table_get_no_strong_suggestion(query: str) -> None:
    index = FieldIndex(
        [
            *FIELDS,
            field("population.all", "户籍总人口", "all people", synonyms=["总人口数", "总人口"]),
            field("land.all", "总面积", "total area", "亩"),
            field("area.code", "村代码", "code of the village", None),
        ]
    )
    assert all(match.score < STRONG for match in index.suggest(query))


@pytest.mark.parametrize("query", ["总人口", "全村总人口", "总户数", "population.households_total"])
def test_all_people_or_all_households_are_a_question(query: str) -> None:
    people = field("population.all", "户籍总人口", "all people", synonyms=["总人口数"])
    best = FieldIndex([*FIELDS, people]).suggest(query)[0]
    assert best.code in ("population.all", "population.households")
    assert best.score >= STRONG


def test_name_of_light_words_is_found_by_its_own_words() -> None:
    heads = field("area.heads", "合计", "sum", None)
    best = FieldIndex([*FIELDS, heads]).suggest("2025年合计（人）")[0]
    assert best.code == "area.heads"
    assert best.score >= STRONG


@pytest.mark.parametrize("query", ["", "  ", "？？？", "2025年", "\x00", "数量"])
def test_query_without_words_finds_nothing(query: str) -> None:
    assert INDEX.suggest(query) == []
    assert INDEX.search(query) == []


def test_reasons_say_what_fits_and_what_differs() -> None:
    by_code = {match.code: match.reasons for match in INDEX.suggest("年末耕地面积(公顷)")}
    assert by_code["land.cultivated_ha"] == ["name:耕地面积(公顷)", "unit:公顷"]
    assert by_code["land.cultivated_mu"] == ["name:耕地面积", "unit_differs:公顷/亩"]
    ages = {match.code: match.reasons for match in INDEX.suggest("65岁以上老人数", limit=5)}
    assert "differs:65+/60+" in ages["elderly.aged_60_plus"]
    assert INDEX.suggest("常住人数")[0].reasons == ["synonym:常住人数"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("低保", {"welfare.dibao_households", "welfare.dibao_people"}),
        ("elderly", {"elderly.aged_60_plus", "elderly.aged_65_plus", "elderly.aged_80_plus"}),
        ("cultiv", {"land.cultivated_mu", "land.cultivated_ha"}),
        ("民政局 低保", {"welfare.dibao_people"}),
        ("vital.", {"vital.births", "vital.deaths"}),
        ("图书", {"culture.libraries"}),
        ("居住半年", {"population.resident_total"}),
        ("公顷", {"land.cultivated_ha"}),
        ("ELDERLY．ａｇｅｄ＿６０", {"elderly.aged_60_plus"}),
    ],
)
def test_search_finds_words_wherever_they_stand(query: str, expected: set[str]) -> None:
    found = codes(INDEX.search(query))
    assert set(found[: len(expected)]) == expected


def test_latin_word_counts_only_where_a_word_begins() -> None:
    seat = field("admin.seat", "政府驻地", "seat of the government", None)
    index = FieldIndex([*FIELDS, seat])
    for query in ("govern", "GOVERNMENT", "政府 sea"):
        assert codes(index.search(query))[0] == "admin.seat"
    for query in ("men", "ern", "eat"):
        assert "admin.seat" not in codes(index.search(query, limit=None))
        assert "admin.seat" not in codes(index.suggest(query, limit=len(FIELDS)))


@pytest.mark.parametrize("query", ["a", "A", "1", "e", "1 a"])
def test_lone_letter_or_digit_suggests_nothing(query: str) -> None:
    index = FieldIndex([*FIELDS, field("area.code", "12位代码", "a code of 12 digits, each", None)])
    assert index.suggest(query) == []


def test_search_without_limit_returns_all_and_with_limit_the_best() -> None:
    every = INDEX.search("人口", limit=None)
    assert len(every) > 3
    assert INDEX.search("人口", limit=2) == every[:2]


def test_code_typed_exactly_comes_first() -> None:
    best = INDEX.search("population.male")[0]
    assert (best.code, best.score) == ("population.male", 1.0)


def test_proposal_with_another_name_and_the_same_definition_is_similar() -> None:
    proposed = FieldText(
        code="people.present",
        names={"zh": "实有人口"},
        definitions={"zh": "年末在本村居住半年以上的人"},
        unit="人",
        subject_kind="area",
    )
    best = INDEX.similar(proposed)[0]
    assert best.code == "population.resident_total"
    assert best.score >= STRONG
    assert {"definition", "unit:人", "subject_kind:area"} <= set(best.reasons)


def test_same_code_list_of_the_same_kind_is_evidence_by_itself() -> None:
    proposed = FieldText("x.y", {"zh": "毕业证书"}, subject_kind="resident", code_list="edu")
    (best,) = INDEX.similar(proposed)
    assert best.code == "resident.education"
    assert best.score < STRONG
    assert best.reasons == ["code_list:edu", "subject_kind:resident"]


def test_same_name_of_another_kind_of_subject_is_less_similar() -> None:
    mine = FieldText("x.y", {"zh": "文化程度"}, subject_kind="resident")
    theirs = FieldText("x.y", {"zh": "文化程度"}, subject_kind="enterprise")
    assert INDEX.similar(mine)[0].score > INDEX.similar(theirs)[0].score


def test_field_is_not_similar_to_itself() -> None:
    assert "population.resident_total" not in codes(INDEX.similar(FIELDS[0], limit=20))


def test_order_of_the_fields_changes_nothing() -> None:
    shuffled = FIELDS[:]
    random.Random(7).shuffle(shuffled)
    other = FieldIndex(shuffled)
    for query in ("人口", "低保", "elderly", "耕地"):
        assert other.suggest(query, limit=9) == INDEX.suggest(query, limit=9)
        assert other.search(query) == INDEX.search(query)


def test_empty_catalogue_suggests_nothing() -> None:
    empty = FieldIndex([])
    assert len(empty) == 0
    assert empty.suggest("低保户数") == empty.search("低保户数") == empty.similar(FIELDS[0]) == []


@settings(max_examples=150)
@given(st.text(max_size=50) | st.lists(st.sampled_from(PIECES)).map("".join))
def test_any_query_is_answered_within_bounds_and_best_first(query: str) -> None:
    for matches in (INDEX.suggest(query), INDEX.search(query)):
        scores = [match.score for match in matches]
        assert scores == sorted(scores, reverse=True)
        assert all(0 < score <= 1 for score in scores)
        assert all(match.reasons for match in matches)


@settings(max_examples=50)
@given(st.sampled_from(FIELDS), st.sampled_from(["2025年末{}", "{} 2024", "（二）{}", "其中：{}"]))
def test_every_name_finds_its_own_field_in_any_dress(own: FieldText, dress: str) -> None:
    matches = INDEX.suggest(dress.format(own.names["zh"]))
    assert own.code in [match.code for match in matches if match.score == matches[0].score]
