"""What people write and what it means; and why it cannot be taken, in words."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any

import flask
import hypothesis.strategies as st
import pytest
from hypothesis import given

from oneform.collection import checks
from oneform.collection.questions import Question
from oneform.web.form.controls import ControlKind, control_of
from oneform.web.form.drafts import Kept, read_draft, write_draft
from oneform.web.form.reading import Unreadable, read_texts, show_value, value_words
from oneform.web.form.words import mistake_words, schema_words
from oneform.web.languages import init_app

WHOLE = {"type": "integer", "minimum": 0}
NUMBER = {"type": "number"}
DAY = {"type": "string", "format": "date"}
CODES = {"type": "string", "enum": ["1", "2"]}
MANY = {"type": "array", "items": {"enum": ["1", "2", 3]}}
TEXT = {"type": "string", "maxLength": 50}


@pytest.fixture(autouse=True, scope="module")
def chinese() -> Iterator[None]:
    """A request without a choice of language: Chinese."""
    app = flask.Flask("words")
    init_app(app, "Asia/Shanghai")
    with app.test_request_context("/"):
        yield


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        (WHOLE, "1203", 1203),
        (WHOLE, " １，２０３ 人", 1203),
        (WHOLE, "1,203,456", 1203456),
        (WHOLE, "1203.0", 1203),
        (WHOLE, "28.5", 28.5),
        (WHOLE, "-3", -3),
        (WHOLE, "007", 7),
        (NUMBER, "0.1", 0.1),
        (NUMBER, ".5", 0.5),
        (NUMBER, "2 316。5", 2316.5),
        (NUMBER, "−4", -4),
        (NUMBER, "5", 5),
        (DAY, "2026-03-16", "2026-03-16"),
        (DAY, "2026年3月6日", "2026-03-06"),
        (DAY, "2026/3/6", "2026-03-06"),
        (DAY, "２０２６．３．６", "2026-03-06"),
        (TEXT, "  王家湾 ", "王家湾"),
        (TEXT, "12", "12"),
        (CODES, "2", "2"),
        ({"type": "boolean"}, "no", False),
        ({"type": "object"}, '{"a": 1}', {"a": 1}),
    ],
)
def test_what_is_meant_is_understood(schema: dict[str, Any], text: str, value: Any) -> None:
    found = read_texts(control_of(schema, unit="人"), [text])
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        (WHOLE, "十二"),
        (WHOLE, "12人3"),
        (WHOLE, "1,20"),
        (WHOLE, "1e5"),
        (WHOLE, "0x10"),
        (WHOLE, "1" * 16),
        (WHOLE, "½"),
        (WHOLE, "٣"),
        (WHOLE, "--1"),
        (NUMBER, "1.2.3"),
        (NUMBER, "NaN"),
        (NUMBER, "."),
        (DAY, "2026-02-30"),
        (DAY, "3月6日"),
        (DAY, "明天"),
        (CODES, "3"),
        (MANY, "4"),
        ({"type": "boolean"}, "maybe"),
        ({"type": "object"}, "{"),
        ({"type": "object"}, "[NaN]"),
        ({"type": "object"}, "[" * 100_000),
    ],
)
def test_what_could_mean_anything_is_not_guessed(schema: dict[str, Any], text: str) -> None:
    with pytest.raises(Unreadable, match=r"[\u4e00-\u9fff]"):
        read_texts(control_of(schema, unit="人"), [text])


@given(st.integers(-(10**14), 10**14))
def test_whole_numbers_come_back_as_they_were(value: int) -> None:
    control = control_of(WHOLE, unit="人")
    assert read_texts(control, show_value(control, value)) == value
    assert read_texts(control, [value_words(control, value)]) == value


@given(st.decimals(-(10**9), 10**9, places=4))
def test_numbers_come_back_with_all_their_digits(decimal: Any) -> None:
    control, value = control_of(NUMBER, unit="亩"), float(decimal)
    if "e" not in repr(value):
        assert read_texts(control, show_value(control, value)) == value
        assert read_texts(control, [value_words(control, value)]) == value


@given(st.dates())
def test_days_come_back_as_they_were(day: dt.date) -> None:
    control, value = control_of(DAY), day.isoformat()
    assert read_texts(control, show_value(control, value)) == value
    if day.year >= 1000:
        assert read_texts(control, [value_words(control, value)]) == value


@given(st.lists(st.sampled_from(["1", "2", 3]), unique=True, min_size=1))
def test_choices_come_back_in_the_order_of_the_list(values: list[Any]) -> None:
    control = control_of(MANY)
    assert control.kind is ControlKind.CHOICES
    found = read_texts(control, show_value(control, values))
    assert found == [value for value in ["1", "2", 3] if value in values]


@given(st.text() | st.integers() | st.booleans() | st.lists(st.integers()) | st.none())
def test_draft_of_any_kind_can_be_shown_in_any_control(value: Any) -> None:
    for schema in (WHOLE, NUMBER, DAY, CODES, MANY, TEXT, {"type": "boolean"}, {}):
        control = control_of(schema)
        assert all(isinstance(text, str) for text in show_value(control, value))
        assert isinstance(value_words(control, value), str)


@pytest.mark.parametrize(
    ("schema", "value", "words"),
    [
        (WHOLE, -1, "不能是负数"),
        ({"type": "integer", "minimum": 3}, 1, "不能小于 3"),
        ({"type": "integer", "maximum": 150}, 151, "不能大于 150"),
        ({"type": "number", "exclusiveMinimum": 1000}, 1000, "要大于 1,000"),
        ({"type": "number", "exclusiveMaximum": 0.5}, 1, "要小于 0.5"),
        ({"type": "number", "multipleOf": 0.01}, 0.001, "要是 0.01 的倍数"),
        (WHOLE, 1.5, "请填整数"),
        ({"type": "string", "minLength": 2}, "一", "至少要写 2 个字"),
        ({"type": "string", "maxLength": 2}, "一二三", "最多写 2 个字"),
        ({"type": "string", "pattern": "^a"}, "b", "格式不对"),
        ({"type": "string", "format": "date"}, "2026-02-30", "没有这一天"),
        ({"type": "string", "format": "cn-mobile"}, "1", "手机号是 11 位数字"),
        ({"type": "string", "format": "cn-resident-id"}, "1", "身份证号不对"),
        ({"type": "string", "format": "cn-uscc"}, "1", "统一社会信用代码不对"),
        ({"type": "string", "format": "cn-area-code"}, "1", "区划代码是 12 位数字"),
        ({"type": "string", "format": "email"}, "1", "格式不对"),
        ({"type": "array", "items": {"enum": ["1"]}}, ["2"], "请从列表中选一项"),
        ({"type": "array", "minItems": 2}, ["2"], "这样填不行"),
    ],
)
def test_what_a_schema_objects_to_is_told_in_words(
    schema: dict[str, Any], value: Any, words: str
) -> None:
    assert words in (schema_words(schema, value) or "")


def test_value_that_fits_is_not_objected_to() -> None:
    assert schema_words(WHOLE, 3) is None


def _question(*soft_checks: dict[str, Any]) -> Question:
    return Question(
        version_id=1,
        field_id=1,
        code="a.b_1",
        is_integer=False,
        needs_review=False,
        soft_checks=soft_checks,
        companions={},
    )


@pytest.mark.parametrize(
    ("check", "value", "previous", "words"),
    [
        (
            {"change_over_previous": 0.3},
            2000,
            1203,
            "比上次多了 66%（上次是 1203），一般不超过 30%",
        ),
        (
            {"change_over_previous": 0.3},
            99999,
            246,
            "大约是上次的 406 倍（上次是 246），一般增减不超过 30%",
        ),
        ({"change_over_previous": 0.5}, 0.5, 2.5, "比上次少了 80%（上次是 2.5），一般不超过 50%"),
        ({"at_most": "c.d"}, 9, None, "比“名称c.d”（5.5）还大"),
        ({"at_least": "c.d"}, -3, None, "比“名称c.d”（5.5）还小"),
        (
            {"parts_sum_to": {"total": "c.d", "parts": ["a.b_1", "e.f"]}},
            3,
            None,
            "各部分加起来是 8.5，而“名称c.d”是 5.5",
        ),
    ],
)
def test_every_soft_check_is_told_in_words(
    check: dict[str, Any], value: float, previous: Any, words: str
) -> None:
    found = checks.warnings(_question(check), value, previous, lambda _: 5.5)
    assert len(found) == 1
    detail = f"The value {found[0]}. If it is right, say so with accept_warning and a note."
    told = mistake_words("warning_unconfirmed", detail, lambda code: f"名称{code}")
    assert words in told
    assert not re.search("[a-z]{4}", told)


def test_several_soft_checks_are_all_told() -> None:
    question = _question({"change_over_previous": 0.3}, {"at_most": "c.d"})
    found = checks.warnings(question, 9, 2, lambda _: 5)
    detail = f"The value {', and '.join(found)}. If it is right, say so."
    told = mistake_words("warning_unconfirmed", detail, str)
    assert "多了 350%" in told
    assert "30%。比“c.d”（5）" in told


@pytest.mark.parametrize(
    "code", ["not_open", "unknown_ask", "outside_reach", "nothing_to_confirm", "schema"]
)
def test_every_mistake_of_an_answer_has_its_words(code: str) -> None:
    assert re.search(r"[\u4e00-\u9fff]", mistake_words(code, "English words", str))


@pytest.mark.parametrize(
    "kept",
    [
        Kept(value=600),
        Kept(value=600, note="新建了小区", is_sure=True),
        Kept(value="六百", missing="unknown"),
        Kept(missing="not_applicable", note="没有"),
        Kept(note="正在数"),
        Kept(value={"note": "一个值", "value": 3}),
        Kept(),
    ],
)
def test_draft_says_what_was_kept(kept: Kept) -> None:
    assert read_draft(write_draft(kept)) == kept


def test_value_without_a_word_beside_it_is_kept_as_programs_keep_it() -> None:
    assert write_draft(Kept(value=600)) == 600
    assert read_draft({"value": 3}).value == {"value": 3}
