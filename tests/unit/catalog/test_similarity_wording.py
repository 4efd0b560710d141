"""What is left of a wording, and what must not be taken for something else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.similarity import FieldIndex, FieldText
from catalog.similarity.clean import LONGEST, clean
from catalog.similarity.lexicon import read_lexicon
from catalog.similarity.units import Agreement, agreement, read_unit
from catalog.similarity.wording import read_wording


@pytest.mark.parametrize(
    ("printed", "text", "unit"),
    [
        ("2025年末常住人口数(人)", "常住人口数", "人"),
        ("截至2025年12月31日耕地面积（万亩）", "耕地面积", "万亩"),
        ("2025-06 总户数", "总户数", None),
        ("2019-2025年总户数", "总户数", None),
        ("2025Q3 总户数", "总户数", None),
        ("总户数 2025 年", "总户数", None),
        ("第三季度村集体经济收入，万元", "村集体经济收入", "万元"),
        ("耕地面积 单位：亩", "耕地面积", "亩"),
        ("低保户数/户", "低保户数", "户"),
        ("人均收入（元/年）", "人均收入", "元/年"),
        ("其中：女性", "女性", None),
        ("（一）低保户数", "低保户数", None),
        ("一、低保户数", "低保户数", None),
        ("③低保户数", "低保户数", None),
        ("(1) 低保户数", "低保户数", None),
        ("3.1 低保户数", "低保户数", None),
        ("１２．低保户数", "低保户数", None),
        ("行政村文化（图书）室个数", "行政村文化图书室个数", None),
        ("ＣＡＴＶ用户", "catv用户", None),
        ("residePopulateNum", "reside populate num", None),
        ("十八周岁以下人数", "18周岁以下人数", None),
    ],
)
def test_what_a_form_adds_around_a_question_is_taken_off(
    printed: str, text: str, unit: str | None
) -> None:
    cleaned = clean(printed)
    assert (cleaned.text, cleaned.unit) == (text, unit)


def test_what_is_said_in_passing_in_brackets_weighs_less() -> None:
    beside = read_wording("外出务工人数(女性)").features
    meant = read_wording("外出务工女性人数").features
    assert 0 < beside["=女"] < meant["=女"]
    assert beside["=外出务工"] == meant["=外出务工"]


@pytest.mark.parametrize("digits", ["701社区户数", "国道318里程"])
def test_numbers_that_are_no_years_stay(digits: str) -> None:
    assert clean(digits).text == digits


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("低保户", "最低生活保障家庭"),
        ("五保户", "特困人员"),
        ("60岁以上人数", "六十周岁及以上人口"),
        ("妇女", "女性"),
        ("people aged 60 and over", "60岁以上人数"),
        ("aged 60 plus", "over 60"),
        ("60-79岁", "60岁至79岁"),
        ("年满65岁老人", "65周岁及以上老年人"),
        ("农家书屋", "图书室"),
    ],
)
def test_different_words_for_the_same_are_the_same_features(one: str, other: str) -> None:
    def heavy(text: str) -> set[str]:
        return {name for name, weight in read_wording(text).features.items() if weight > 0.5}

    assert heavy(one) == heavy(other) != set()


@pytest.mark.parametrize(
    ("one", "other", "axis"),
    [
        ("男性人口", "女性人口", "sex"),
        ("60岁以上人数", "65岁以上人数", "age"),
        ("65岁以上人数", "80岁以上人数", "age"),
        ("户籍人口", "常住人口", "residence"),
        ("城市低保户数", "农村低保户数", "urban"),
        ("新增卫生厕所", "累计卫生厕所", "flow"),
        ("出生人数", "死亡人数", "vital"),
        ("上级补助", "本级补助", "tier"),
        ("收入5万元以下的村", "收入10万元以下的村", "threshold"),
        ("贫困户", "脱贫户", "poverty"),
    ],
)
def test_contrasting_words_are_marked(one: str, other: str, axis: str) -> None:
    first = {value for name, value in read_wording(one).marks if name == axis}
    second = {value for name, value in read_wording(other).marks if name == axis}
    assert first
    assert second
    assert not first & second


@pytest.mark.parametrize(
    ("text", "dimension"),
    [
        ("低保户数", "户"),
        ("低保人数", "人"),
        ("耕地面积", "面积"),
        ("村集体收入", "金额"),
        ("通村公路里程", "长度"),
        ("卫生厕所普及率", "比率"),
        ("贫困户总人数", "人"),
        ("集体收益5万元以下的村数", "件"),
        ("有体育健身场所的村", "件"),
        ("农村低保户数", "户"),
        ("share of residents aged 60 and over", "比率"),
        ("households of destitute people", "户"),
        ("minimum living allowance recipients, people", "人"),
    ],
)
def test_last_word_says_what_is_counted(text: str, dimension: str) -> None:
    assert read_wording(text).dimension == dimension


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("合计", True),
        ("全村合计", True),
        ("面积（亩）", True),
        ("7、2025年末总数（个）", True),
        ("name of unit", True),
        ("户数", True),
        ("总户数", False),
        ("total number of people", False),
        ("耕地面积", False),
        ("合计（其中低保）", False),
        ("女", False),
        ("总量 gdp", False),
        ("人口数" * 130 + "猫", False),  # can be cut in 2^130 ways
    ],
)
def test_words_of_every_form_alone_are_told_from_a_question(text: str, bare: bool) -> None:
    assert read_wording(text).bare is bare


def test_known_unit_wins_over_the_words() -> None:
    assert read_wording("有劳动能力低保对象人数", "户").dimension == "户"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("亩", "亩", Agreement.SAME),
        ("千米", "公里", Agreement.SAME),
        ("亩", "万亩", Agreement.SAME_DIMENSION),
        ("公顷", "亩", Agreement.SAME_DIMENSION),
        ("户", "人", Agreement.DIFFERENT),
        ("户", None, Agreement.UNKNOWN),
        ("没有这个单位", "人", Agreement.UNKNOWN),
    ],
)
def test_units_agree_by_what_they_measure(one: str, other: str | None, expected: Agreement) -> None:
    assert agreement(read_unit(one), read_unit(other)) is expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("㎡", "平方米"),
        ("m²", "平方米"),
        ("㎡", "平米"),
        ("km²", "平方公里"),
        ("平方千米", "平方公里"),
        ("万㎡", "万平方米"),
        ("百万m2", "百万平方米"),
        ("㎞", "公里"),
        ("千m", "公里"),
        ("m³", "立方米"),
        ("千克", "公斤"),
        ("万kg", "万公斤"),
        ("t", "吨"),
        ("kWh", "千瓦时"),
        ("万kwh", "万千瓦时"),
        ("％", "%"),
        ("单位：％", "百分比"),
        ("万CNY", "万元"),
        ("rmb", "元"),
        ("万名", "万人"),
    ],
)
def test_a_unit_is_the_same_in_every_spelling(one: str, other: str) -> None:
    units = [read_unit(each) for each in (one, other)]
    assert units[0] is not None
    assert units[0] == units[1]


def test_unit_in_another_spelling_is_no_difference() -> None:
    index = FieldIndex([FieldText("land.built", {"zh": "建筑面积"}, unit="平方米")])
    assert index.suggest("建筑面积（㎡）")[0].reasons == ["name:建筑面积", "unit:平方米"]


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    wording = read_wording(text)
    assert all(weight > 0 for weight in wording.features.values())
    assert wording == read_wording(text)


@given(
    st.text(alphabet="()（）[]{}【】一、二1.2-/:：\n\t\x00\ud800其中2025年末 岁以上", max_size=60)
)
def test_any_heap_of_brackets_and_dates_can_be_read(text: str) -> None:
    assert read_wording(text).features is not None


def test_no_more_is_read_than_a_question_can_be_long() -> None:
    assert read_wording("户" * LONGEST) == read_wording("户" * LONGEST + "低保" * 1_000_000)


@pytest.mark.parametrize(
    ("lines", "mistake"),
    [
        (["甲 : 丙", "乙 : 丙"], "丙"),
        (["甲 | house", "乙 | houses"], "house"),
        (["甲 <乙"], "乙"),
        (["甲 乙 丙 : 丁"], "not a concept"),
    ],
)
def test_word_list_that_would_lose_a_meaning_is_refused(lines: list[str], mistake: str) -> None:
    with pytest.raises(ValueError, match=mistake):
        read_lexicon(lines)
