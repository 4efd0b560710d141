"""Schemas that cannot be used: each says why and where, and none keeps a process busy."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneform.kernel.jsonschemas import BadSchema, check_schema, compile_schema


def found(schema):
    return [(mistake.pointer, mistake.code) for mistake in check_schema(schema)]


@pytest.mark.parametrize(
    "schema",
    [
        True,
        False,
        {},
        {"type": "integer", "minimum": 0},
        {"type": "string", "format": "date"},
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "null"},
        {"$id": "https://example.org/schemas/household", "$ref": "#/$defs/a", "$defs": {"a": {}}},
        {
            "$ref": "#/properties/a~1b/items/anyOf/1",
            "properties": {"a/b": {"items": {"anyOf": [True, {}]}}},
        },
        {"$ref": "#/$defs/%E6%88%B7", "$defs": {"户": {"type": "string"}}},
        {"definitions": {"a": {}}, "$ref": "#/definitions/a"},
        {"properties": {"format": {"type": "string"}, "$ref": {"const": "#/nowhere"}}},
        {"enum": [{"$ref": "https://example.org/"}, {"format": "nonsense"}, {"pattern": "("}]},
        {"default": {"$ref": "#/nowhere"}, "examples": [{"pattern": "("}], "x-unit": "人"},
        {"enum": [f"{i:012}" for i in range(15_000)]},
    ],
)
def test_usable_schema(schema):
    assert found(schema) == []


@pytest.mark.parametrize(
    ("schema", "mistakes"),
    [
        (None, [("", "type")]),
        ([], [("", "type")]),
        ("integer", [("", "type")]),
        ({"type": "int"}, [("/type", "anyOf")]),
        ({"type": ["string", "string"]}, [("/type", "anyOf")]),
        ({"minimum": "0"}, [("/minimum", "type")]),
        ({"minimum": True}, [("/minimum", "type")]),
        ({"minLength": -1, "maxLength": 1.5}, [("/maxLength", "type"), ("/minLength", "minimum")]),
        ({"multipleOf": 0}, [("/multipleOf", "exclusiveMinimum")]),
        ({"enum": "a"}, [("/enum", "type")]),
        ({"required": "a"}, [("/required", "type")]),
        ({"required": ["a", "a"]}, [("/required", "uniqueItems")]),
        ({"properties": {"a/b": {"type": 5}}}, [("/properties/a~1b/type", "anyOf")]),
        ({"items": [{}]}, [("/items", "type")]),
        ({"allOf": []}, [("/allOf", "minItems")]),
        ({"minimum": math.nan}, [("/minimum", "json")]),
        ({"maximum": math.inf}, [("/maximum", "json")]),
        ({"const": (1,)}, [("/const", "json")]),
        ({1: 2}, [("", "json")]),
        ({"const": "\0"}, [("/const", "json")]),
        # JSON Schema itself, but not to be relied upon here
        ({"format": "dat"}, [("/format", "format")]),
        ({"items": {"not": {"format": "cn-shoe-size"}}}, [("/items/not/format", "format")]),
        ({"$defs": {"a": {"format": "dat"}}}, [("/$defs/a/format", "format")]),
        ({"pattern": "("}, [("/pattern", "pattern")]),
        ({"pattern": "^(?=a)"}, [("/pattern", "pattern")]),
        ({"pattern": r"(a)\1"}, [("/pattern", "pattern")]),
        ({"pattern": "((a{1,999}){1,999}){1,999}"}, [("/pattern", "pattern")]),
        ({"patternProperties": {"[": {}}}, [("/patternProperties/[", "pattern")]),
        ({"$ref": "https://example.org/a.json"}, [("/$ref", "$ref")]),
        ({"$ref": "http://127.0.0.1:1/"}, [("/$ref", "$ref")]),
        ({"$ref": "file:///etc/passwd"}, [("/$ref", "$ref")]),
        ({"$ref": "other.json#/a"}, [("/$ref", "$ref")]),
        ({"$ref": "#anchor"}, [("/$ref", "$ref")]),
        ({"$ref": ""}, [("/$ref", "$ref")]),
        ({"$ref": "#/$defs/missing"}, [("/$ref", "$ref")]),
        ({"$ref": "#/$defs", "$defs": {"type": {}}}, [("/$ref", "$ref")]),
        ({"$ref": "#/enum/0", "enum": [{}]}, [("/$ref", "$ref")]),
        ({"$ref": "#/allOf/01", "allOf": [{}, {}]}, [("/$ref", "$ref")]),
        ({"$ref": "#/allOf/-1", "allOf": [{}]}, [("/$ref", "$ref")]),
        ({"$ref": "#/minimum/0", "minimum": 1}, [("/$ref", "$ref")]),
        ({"not": {"$id": "https://example.org/"}}, [("/not/$id", "$id")]),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, [("/$schema", "$schema")]),
        ({"$anchor": "a"}, [("/$anchor", "$anchor")]),
        ({"$dynamicRef": "#a"}, [("/$dynamicRef", "$dynamicRef")]),
        ({"$id": "not a uri"}, [("", "schema")]),
        ({"contentSchema": {"$ref": "https://example.org/"}}, [("", "schema")]),
        ({"unevaluatedProperties": False}, [("/unevaluatedProperties", "unevaluatedProperties")]),
    ],
)
def test_unusable_schema_says_where_and_why(schema, mistakes):
    assert found(schema) == mistakes
    assert all(mistake.detail for mistake in check_schema(schema))
    with pytest.raises(BadSchema) as refused:
        compile_schema(schema)
    assert refused.value.mistakes == check_schema(schema)


def test_every_mistake_is_listed():
    schema = {
        "pattern": "(",
        "format": "dat",
        "properties": {"a": {"$ref": "https://example.org/"}, "b": {"pattern": "["}},
    }
    assert found(schema) == [
        ("/format", "format"),
        ("/pattern", "pattern"),
        ("/properties/a/$ref", "$ref"),
        ("/properties/b/pattern", "pattern"),
    ]


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"properties": {"child": {"$ref": "#"}}},
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}},
        {"$defs": {"a": {"items": {"$ref": "#/$defs/b"}}, "b": {"not": {"$ref": "#/$defs/a"}}}},
    ],
)
def test_recursive_schema_is_refused(schema):
    (mistake,) = check_schema(schema)
    assert mistake.code == "$ref"
    assert "recursion" in mistake.detail


def nested(levels):
    schema = {"type": "integer"}
    for _ in range(levels):
        schema = {"items": schema}
    return schema


def test_deep_schema_is_refused():
    assert found(nested(31)) == []
    assert found(nested(32)) == [("", "depth")]
    assert found(nested(50_000)) == [("", "depth")]


def test_deepest_schema_and_value_fit_into_an_ordinary_stack():
    compiled = compile_schema(nested(31))
    for inmost, codes in ((1, []), ("x", ["type"])):
        value = inmost
        for _ in range(31):
            value = [value]
        assert compiled.is_valid(value) == (codes == [])
        assert [mistake.code for mistake in compiled.errors(value)] == codes


def test_deepest_unfolded_schema_fits_into_an_ordinary_stack():
    links = {f"d{i}": {"oneOf": [{"$ref": f"#/$defs/d{i + 1}"}]} for i in range(19)}
    links["d19"] = {"type": "integer"}
    compiled = compile_schema({"$defs": links, "$ref": "#/$defs/d0"})
    assert compiled.is_valid(1)
    assert [mistake.code for mistake in compiled.errors("x")] == ["oneOf"]
    assert not compiled.is_valid("x")


def test_large_schema_is_refused():
    assert found({"enum": list(range(20_000))}) == [("", "size")]


def test_schema_that_contains_itself_is_refused():
    schema = {}
    schema["items"] = schema
    assert [code for _, code in found(schema)] == ["depth"]


def test_chain_of_references_is_refused():
    chain = {f"d{i}": {"$ref": f"#/$defs/d{i + 1}"} for i in range(500)}
    chain["d500"] = {}
    assert found({"$defs": chain})[0][1] == "depth"
    backwards = dict(reversed(chain.items()))
    assert found({"$defs": backwards})[0][1] == "depth"


def test_schema_that_unfolds_exponentially_is_refused():
    laughs = {f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(12)}
    laughs["d12"] = {}
    assert found({"$defs": laughs, "$ref": "#/$defs/d0"})[0][1] == "size"


names = st.sampled_from(["type", "items", "properties", "$ref", "$defs", "a", "pattern", "not"])
texts = st.sampled_from(["#", "#/$defs/a", "#/items", "#/properties", "string", "(", "a"])
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=15,
)


@given(junk, junk)
def test_anything_is_usable_or_refused_in_words(schema, value):
    if check_schema(schema):
        return
    compiled = compile_schema(schema)
    assert compiled.is_valid(value) == (compiled.errors(value) == [])
