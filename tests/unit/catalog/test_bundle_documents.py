"""Files of a bundle as plain values: strict YAML and JSON, and where things are in them."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from catalog.documents import MAX_BYTES, Syntax, Unreadable, read_document


def read(text: str, syntax: Syntax = Syntax.YAML) -> object:
    return read_document(text.encode(), syntax).value


def refusals(raw: bytes, syntax: Syntax) -> list[tuple[str, int | None]]:
    with pytest.raises(Unreadable) as caught:
        read_document(raw, syntax, "a.yaml")
    assert {mistake.file for mistake in caught.value.mistakes} == {"a.yaml"}
    return [(mistake.code, mistake.line) for mistake in caught.value.mistakes]


def test_scalars_mean_what_they_look_like() -> None:
    assert read("[2026-01-01, 01, no, 12:30, 7, -1.5, 1e3, true, null, ~, '1', !!str 2]") == [
        "2026-01-01",
        "01",
        "no",
        "12:30",
        7,
        -1.5,
        1000.0,
        True,
        None,
        None,
        "1",
        "2",
    ]


def test_byte_order_mark_is_not_part_of_the_text() -> None:
    assert read_document(b"\xef\xbb\xbfa: 1", Syntax.YAML).value == {"a": 1}
    assert read_document(b'\xef\xbb\xbf{"a": 1}', Syntax.JSON).value == {"a": 1}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"a: 1\nb: {", [("syntax", 2)]),
        (b"a: &x 1\nb: *x\nb: 2\n", [("alias", 1), ("alias", 2), ("duplicate", 3)]),
        (b"a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n", [("alias", n) for n in (1, 2, 2, 2, 3, 3)]),
        (b"a: !!python/object:os.system x", [("tag", 1)]),
        (b"a: !!binary aGk=", [("tag", 1)]),
        (b"? [1]\n: 2", [("syntax", 1)]),
        (b"a: 1\n---\nb: 2", [("syntax", 2)]),
        (b"a: 1\nb: \x07", [("syntax", 2)]),
        (b"a: 1\nb: \xb4\xf3", [("encoding", 2)]),
        ("a: 大".encode("gb18030"), [("encoding", 1)]),
        (b"a: 1e999", [("json", 1)]),
        (b"[" * 1_000_000, [("depth", 1)]),
        (b"a" * (MAX_BYTES + 1), [("size", None)]),
    ],
)
def test_yaml_that_json_could_not_say_is_refused(
    raw: bytes, expected: list[tuple[str, int | None]]
) -> None:
    assert refusals(raw, Syntax.YAML) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", [("syntax", 1)]),
        (b'{"a": 1,\n}', [("syntax", 2)]),
        (b'{"a": 1,\n"b": {"c": 1,\n"c": 2}}', [("duplicate", 3)]),
        (b'{"a":"\\ud83d\\ude00", "a": 2}', [("syntax", 1)]),
        (b'{"a": NaN}', [("syntax", None)]),
        (b'{"a": ' + b"9" * 5000 + b"}", [("json", 1)]),
        (b"[" * 1_000_000, [("depth", None)]),
    ],
)
def test_what_is_no_strict_json_is_refused(
    raw: bytes, expected: list[tuple[str, int | None]]
) -> None:
    assert refusals(raw, Syntax.JSON) == expected


@pytest.mark.parametrize("syntax", list(Syntax))
def test_line_of_every_part_is_known(syntax: Syntax) -> None:
    text = '{"a":\n [1,\n  {"b": 2}],\n "c":\n 3}'
    document = read_document(text.encode(), syntax)
    assert [document.line_of(pointer) for pointer in ["/a", "/a/0", "/a/1/b", "/c"]] == [
        1,
        2,
        3,
        4,
    ]
    # What is not there stands where it would have to be added.
    assert document.line_of("/a/1/missing") == 3
    assert document.line_of("") is None


def test_json_that_is_no_yaml_is_read_without_lines() -> None:
    document = read_document(b'{"a": "\\ud83d\\ude00"}', Syntax.JSON)
    assert document.value == {"a": "😀"}
    assert document.line_of("/a") is None


# Half a surrogate pair is no text, in either syntax. PyYAML writes 1E5 without quotes, as it is no
# number in YAML 1.1; for JSON and for this reader it is one.
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12).filter(
    lambda text: not re.fullmatch(r"[-+]?\d+[eE][-+]?\d+", text)
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_what_json_writes_is_read_back(value: object) -> None:
    assert read(json.dumps(value), Syntax.JSON) == value


@given(values)
def test_what_yaml_writes_is_read_back(value: object) -> None:
    assert read(yaml.safe_dump(value)) == value


@given(st.binary(max_size=80) | st.text("{}[]:,-&*!?|>'\"% \n\tab01", max_size=60).map(str.encode))
def test_any_bytes_are_a_value_or_refused_with_mistakes(raw: bytes) -> None:
    for syntax in Syntax:
        try:
            document = read_document(raw, syntax)
        except Unreadable as error:
            mistakes = error.mistakes
        else:
            mistakes = None
            document.line_of("/a/b")
        assert mistakes is None or mistakes
