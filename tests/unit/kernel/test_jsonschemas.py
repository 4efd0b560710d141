"""Values against schemas: words for every keyword, and two validators of one mind."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.formats import FORMATS
from oneform.kernel.jsonschemas import (
    BadSchema,
    compile_schema,
    known_formats,
    register_formats,
)


def judge(schema, value, formats=None):
    """(pointer, code) of every mistake; both validators must say the same."""
    compiled = compile_schema(schema, formats)
    mistakes = compiled.errors(value)
    assert compiled.is_valid(value) == (mistakes == [])
    return [(mistake.pointer, mistake.code) for mistake in mistakes]


@pytest.mark.parametrize(
    ("schema", "good", "bad", "code", "words"),
    [
        ({"type": "integer"}, 1, True, "type", "must be an integer, not a boolean"),
        ({"type": "integer"}, 1.0, 1.5, "type", "must be an integer, not a number"),
        ({"type": "number"}, 1, False, "type", "must be a number, not a boolean"),
        ({"type": ["string", "null"]}, None, 1, "type", "must be a string or null, not an integer"),
        ({"enum": ["1", "2"]}, "1", 1, "enum", 'must be one of ["1", "2"]'),
        ({"enum": [1]}, 1.0, True, "enum", "must be one of [1]"),
        ({"enum": [f"{i:03}" for i in range(99)]}, "007", "7", "enum", "none of the 99 values"),
        ({"const": {"a": [1]}}, {"a": [1.0]}, {"a": [True]}, "const", 'must be {"a": [1]}'),
        ({"minimum": 0}, 0, -1, "minimum", "must be at least 0"),
        ({"maximum": 0.5}, 0.5, 1, "maximum", "must be at most 0.5"),
        ({"exclusiveMinimum": 0}, 1, 0, "exclusiveMinimum", "must be greater than 0"),
        ({"exclusiveMaximum": 0}, -1, 0, "exclusiveMaximum", "must be less than 0"),
        ({"multipleOf": 0.01}, 0.07, 0.075, "multipleOf", "must be a multiple of 0.01"),
        ({"multipleOf": 0.01}, 19.99, 19.999, "multipleOf", "must be a multiple of 0.01"),
        ({"minLength": 2}, "中文", "😀", "minLength", "must have at least 2 characters"),
        ({"maxLength": 1}, "😀", "中文", "maxLength", "must have at most 1 characters"),
        ({"pattern": "^[0-9]+$"}, "12", "12\n", "pattern", "must match the pattern ^[0-9]+$"),
        ({"pattern": r"^\d+$"}, "12", "１２", "pattern", "must match the pattern"),
        ({"pattern": r"^\p{Han}+$"}, "户", "hu", "pattern", "must match the pattern"),
        ({"format": "date"}, "2026-11-22", "2026-02-30", "format", "is no valid date"),
        ({"format": "date"}, "2024-02-29", "20240229", "format", "is no valid date"),
        ({"format": "date"}, 5, "0000-01-01", "format", "is no valid date"),
        (
            {"format": "date-time"},
            "2026-11-22T08:00:00Z",
            "2026-11-22 08:00",
            "format",
            "is no valid date-time",
        ),
        ({"format": "email"}, "a@example.org", "a", "format", "is no valid email"),
        ({"minItems": 1}, [1], [], "minItems", "must have at least 1 items"),
        ({"maxItems": 1}, [1], [1, 2], "maxItems", "must have at most 1 items"),
        ({"uniqueItems": True}, [1, True, "1"], [1, 1.0], "uniqueItems", "same item twice"),
        ({"prefixItems": [True], "items": False}, [1], [1, 2], "items", "more items than"),
        ({"contains": {"const": 1}}, [0, 1], [0], "contains", "no item of the kind"),
        (
            {"contains": {"const": 1}, "minContains": 2},
            [1, 1],
            [1, 0],
            "minContains",
            "at least 2 items",
        ),
        (
            {"contains": {"const": 1}, "maxContains": 1},
            [1, 0],
            [1, 1],
            "maxContains",
            "at most 1 items",
        ),
        ({"required": ["a"]}, {"a": 1}, {}, "required", "lacks the member a"),
        ({"minProperties": 1}, {"a": 1}, {}, "minProperties", "at least 1 members"),
        ({"maxProperties": 0}, {}, {"a": 1}, "maxProperties", "at most 0 members"),
        (
            {"properties": {"a": True}, "additionalProperties": False},
            {"a": 1},
            {"b": 1, "c": 1},
            "additionalProperties",
            "not allowed: b, c",
        ),
        (
            {"propertyNames": {"maxLength": 1}},
            {"a": 1},
            {"ab": 1},
            "maxLength",
            "a member whose name must have at most 1 characters",
        ),
        (
            {"dependentRequired": {"a": ["b"]}},
            {"a": 1, "b": 2},
            {"a": 1},
            "dependentRequired",
            "has the member a and therefore needs b",
        ),
        ({"not": {"type": "null"}}, 1, None, "not", "of a kind that is excluded"),
        (
            {"anyOf": [{"type": "integer"}, {"const": "unknown"}]},
            "unknown",
            "many",
            "anyOf",
            'fits no alternative: must be an integer, not a string; or must be "unknown"',
        ),
        (
            {"oneOf": [{"minimum": 0}, {"maximum": 10}]},
            11,
            5,
            "oneOf",
            "fits more than one alternative",
        ),
        (
            {"if": {"minimum": 10}, "then": {"multipleOf": 10}},
            7,
            15,
            "multipleOf",
            "must be a multiple of 10",
        ),
        ({"allOf": [{"minimum": 1}]}, 1, 0, "minimum", "must be at least 1"),
        (
            {"dependentSchemas": {"a": {"minProperties": 2}}},
            {"b": 1},
            {"a": 1},
            "minProperties",
            "at least 2 members",
        ),
        ({"$ref": "#/$defs/n", "$defs": {"n": {"minimum": 1}}}, 1, 0, "minimum", "at least 1"),
    ],
)
def test_keyword_says_what_is_wrong(schema, good, bad, code, words):
    assert judge(schema, good) == []
    assert judge(schema, bad) == [("", code)]
    assert words in compile_schema(schema).errors(bad)[0].detail


def test_boolean_schemas():
    assert judge(True, {"any": "thing"}) == []
    assert judge(False, 1) == [("", "false")]
    for schema in (
        {"properties": {"a": False}},
        {"patternProperties": {"^a": False}},
        {"properties": {"a": {"prefixItems": [True, False]}}},
    ):
        assert judge(schema, {"a": [0, 0]})[0] in [("/a", "false"), ("/a/1", "false")]


def test_every_mistake_is_listed_with_its_place():
    schema = {
        "type": "object",
        "properties": {
            "members": {"type": "array", "items": {"type": "object", "required": ["name", "sex"]}},
            "area/mu": {"type": "number", "minimum": 0, "multipleOf": 0.1},
        },
        "patternProperties": {"^n_": {"type": "integer"}},
        "additionalProperties": {"type": "string"},
        "required": ["head"],
    }
    value = {"members": [{}, {"name": "x"}, 3], "area/mu": -0.25, "n_1": "1", "note": 5}
    assert judge(schema, value) == [
        ("", "required"),
        ("/area~1mu", "minimum"),
        ("/area~1mu", "multipleOf"),
        ("/members/0", "required"),
        ("/members/0", "required"),
        ("/members/1", "required"),
        ("/members/2", "type"),
        ("/n_1", "type"),
        ("/note", "type"),
    ]


def test_member_called_like_a_keyword_is_a_member():
    schema = {"properties": {"propertyNames": {"minimum": 1}}}
    (mistake,) = compile_schema(schema).errors({"propertyNames": 0})
    assert (mistake.pointer, mistake.detail) == ("/propertyNames", "must be at least 1")


def test_words_never_repeat_the_value():
    secret = "11010519491231002X-" * 20
    schemas = [
        *({"maxLength": 3}, {"enum": ["a"]}, {"const": 1}, {"pattern": "^a$"}, {"type": "null"}),
        *({"format": "uuid"}, {"not": {}}, {"anyOf": [{"const": 1}, {"maxLength": 1}]}),
    ]
    for schema in schemas:
        (mistake,) = compile_schema(schema).errors(secret)
        assert "19491231" not in mistake.detail


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (math.nan, "json"),
        (-math.inf, "json"),
        (2**64, "json"),
        ("\0", "json"),
        ("\ud800", "json"),
        ((1, 2), "json"),
        ({1: 2}, "json"),
        ([[math.nan]], "json"),
        ([0] * 20_000, "size"),
    ],
)
def test_what_is_no_json_fits_no_schema(value, code):
    for schema in (True, {}, {"type": ["number", "string", "array", "object"]}):
        assert [found for _, found in judge(schema, value)] == [code]


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("cn-resident-id", "11010519491231002X", "11010519491231002x"),
        ("cn-uscc", "91350100M000100Y43", "91350100M000100Y44"),
        ("cn-area-code", "420100000000", "4201"),
        ("cn-mobile", "13800138000", "12345678901"),
    ],
)
def test_registered_formats_are_asserted(name, good, bad):
    register_formats(FORMATS)
    register_formats(FORMATS)  # twice is once
    schema = {"type": "string", "format": name}
    assert name in known_formats()
    assert judge(schema, good) == []
    assert judge(schema, bad) == [("", "format")]


def test_format_of_one_schema_is_unknown_to_others():
    even = {"type": "string", "format": "even-length"}
    formats = {"even-length": lambda text: len(text) % 2 == 0}
    assert judge(even, "ab", formats) == []
    assert judge(even, "abc", formats) == [("", "format")]
    assert judge({"format": "even-length"}, 5, formats) == []  # never called with a number
    with pytest.raises(BadSchema, match="unknown format even-length"):
        compile_schema(even)


@pytest.mark.parametrize("name", ["date", "email"])
def test_known_format_is_never_replaced(name):
    with pytest.raises(ValueError, match=f"another format is called {name}"):
        register_formats({name: lambda _: True})
    with pytest.raises(ValueError, match=f"another format is called {name}"):
        compile_schema({}, {name: lambda _: True})


def test_equal_schemas_are_compiled_once():
    first = compile_schema({"type": "integer", "minimum": 7})
    assert compile_schema({"minimum": 7, "type": "integer"}) is first
    assert compile_schema({"type": "integer", "minimum": 8}) is not first
    assert compile_schema({"const": 1}) is not compile_schema({"const": True})


def test_later_change_of_the_schema_does_not_reach_the_compiled_one():
    schema = {"enum": [1]}
    compiled = compile_schema(schema)
    schema["enum"].append(2)
    assert not compiled.is_valid(2)
    assert compile_schema(schema).is_valid(2)


def test_greedy_pattern_takes_linear_time():
    # Python's `re` would need longer than the universe for this.
    assert judge({"pattern": "^(a|a)*(a*)*$"}, "a" * 20_000 + "b") == [("", "pattern")]
    schema = {"patternProperties": {"^(a+)+$": False}, "additionalProperties": True}
    assert judge(schema, {"a" * 5_000 + "b": 1}) == []


register_formats(FORMATS)  # before the strategies ask for the known ones

# Few names, texts and numbers, so that schemas and values often meet.
names = st.sampled_from(["a", "b", "ab", "n1", "中", "a/b"])
texts = st.one_of(
    names,
    st.sampled_from(["", "a\n", "１２", "12", "2026-11-22", "2026-02-30", "é", "😀", "ABC", " "]),
    st.sampled_from(["13800138000", "a@b.cn", "12:00:00Z", "2026-11-22T12:00:00+08:00", "1.2.3.4"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6),
)
numbers = st.one_of(
    st.integers(-3, 12),
    st.sampled_from([0.1, 0.07, 0.075, 1.0, -0.0, 1.1, 19.99, 1e20, 1e-9, 1e300, 2**53 + 1]),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.decimals(-1000, 1000, places=2).map(float),
)
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=8,
)
patterns = st.sampled_from(
    ["^a", "b$", r"^\d+$", r"^\w*$", r"^\s", "^.$", r"\p{Han}", "[^a]", "^$", r"^\S+$", r"\bb", ""]
)
sizes = st.integers(0, 3)
limits = st.integers(-3, 12) | st.sampled_from([0.1, 0.5, 1.0, 2**53, 2.0**53, 1e300, 2**63 - 1])
steps = st.sampled_from([1, 2, 0.1, 0.01, 0.5, 1.0, 3, 1e-9, 7.5, 1e20, 0.3])
type_names = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
some_names = st.lists(names, unique=True, max_size=2)


def keywords(inner):
    several = st.lists(inner, min_size=1, max_size=3)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": type_names | st.lists(type_names, unique=True, min_size=1, max_size=3),
            "enum": st.lists(values, min_size=1, max_size=4),
            "const": values,
            **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), limits),
            "multipleOf": steps,
            **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), sizes),
            **dict.fromkeys(("minProperties", "maxProperties"), sizes),
            **dict.fromkeys(("minContains", "maxContains"), sizes),
            "pattern": patterns,
            "format": st.sampled_from(known_formats()),
            "uniqueItems": st.booleans(),
            "items": inner,
            "prefixItems": several,
            "contains": inner,
            "properties": st.dictionaries(names, inner, max_size=3),
            "patternProperties": st.dictionaries(patterns, inner, max_size=2),
            "additionalProperties": inner,
            "propertyNames": inner,
            "required": some_names,
            "dependentRequired": st.dictionaries(names, some_names, max_size=2),
            "dependentSchemas": st.dictionaries(names, inner, max_size=2),
            **dict.fromkeys(("allOf", "anyOf", "oneOf"), several),
            **dict.fromkeys(("not", "if", "then", "else"), inner),
            **dict.fromkeys(("contentEncoding", "contentMediaType"), texts),
            "minimun": values,
        },
    )


@st.composite
def few_keywords(draw, inner):
    """At most five of the keywords: with all of them nothing is ever valid."""
    schema = draw(keywords(inner))
    kept = (
        draw(st.lists(st.sampled_from(sorted(schema)), unique=True, max_size=5)) if schema else []
    )
    return {keyword: schema[keyword] for keyword in kept}


leaves = st.booleans() | few_keywords(st.booleans())
schemas = st.recursive(leaves, few_keywords, max_leaves=4)


@settings(max_examples=150)
@given(schemas, st.lists(values, min_size=1, max_size=6))
def test_both_validators_agree(schema, candidates):
    for value in candidates:
        judge(schema, value)


@given(steps, numbers)
def test_both_validators_agree_on_multiples(step, number):
    judge({"multipleOf": step}, number)


@given(limits, numbers)
def test_both_validators_agree_on_limits(limit, number):
    for keyword in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        judge({keyword: limit}, number)


@given(patterns, texts)
def test_both_validators_agree_on_patterns(pattern, text):
    judge({"pattern": pattern}, text)
    judge({"patternProperties": {pattern: False}}, {text: 1})


@given(st.sampled_from(known_formats()), texts | st.text(max_size=12))
def test_both_validators_agree_on_formats(name, text):
    judge({"format": name}, text)


@given(values, values)
def test_both_validators_agree_on_equality(one, other):
    judge({"const": one}, other)
    judge({"uniqueItems": True}, [one, other])
    assert judge({"enum": [other, one]}, json.loads(json.dumps(one))) == []
