"""Cursors: what goes in comes out, and nothing else gets through."""

import base64
import datetime as dt
import json
import string
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneform.kernel.ids import MAX_INT64
from oneform.kernel.paging import (
    MAX_CURSOR_LENGTH,
    BadCursor,
    Page,
    cut_page,
    decode_cursor,
    encode_cursor,
)

URL_SAFE = set(string.ascii_letters + string.digits + "-_")
ALL_TYPES = (str, int, dt.date, dt.datetime, uuid.UUID)

texts = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=0, max_size=60
)
values = st.one_of(
    texts,
    st.integers(-MAX_INT64, MAX_INT64),
    st.dates(),
    st.datetimes(timezones=st.just(dt.UTC)),
    st.uuids(),
)


def forge(document):
    raw = json.dumps(document).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@given(st.lists(values, max_size=5))
def test_cursor_round_trip(given_values):
    text = encode_cursor(*given_values)
    assert set(text) <= URL_SAFE
    decoded = decode_cursor(text, [type(value) for value in given_values])
    assert decoded == tuple(given_values)
    assert [type(value) for value in decoded] == [type(value) for value in given_values]


def test_instant_in_another_zone_stays_the_same_instant():
    local = dt.datetime(2026, 11, 22, 8, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    assert decode_cursor(encode_cursor(local), [dt.datetime]) == (local,)


@given(st.text(max_size=80), st.lists(st.sampled_from(ALL_TYPES), max_size=4))
def test_any_text_is_a_cursor_or_bad(text, types):
    try:
        decoded = decode_cursor(text, types)
    except BadCursor:
        return
    assert encode_cursor(*decoded) == text


@given(st.lists(values, min_size=1, max_size=4), st.data())
def test_altered_cursor_is_bad_or_another_genuine_one(given_values, data):
    text = encode_cursor(*given_values)
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from(sorted(URL_SAFE)))
    altered = text[:place] + letter + text[place + 1 :]
    types = [type(value) for value in given_values]
    try:
        decoded = decode_cursor(altered, types)
    except BadCursor:
        return
    assert encode_cursor(*decoded) == altered
    assert [type(value) for value in decoded] == types


json_documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
)


@given(json_documents, st.lists(st.sampled_from(ALL_TYPES), max_size=3))
def test_forged_document_is_a_cursor_or_bad(document, types):
    try:
        decoded = decode_cursor(forge(document), types)
    except BadCursor:
        return
    assert [type(value) for value in decoded] == types


@pytest.mark.parametrize(
    ("document", "types"),
    [
        ([["i", 1]], [str]),
        ([["i", True]], [int]),
        ([["i", "1"]], [int]),
        ([["i", 2**63]], [int]),
        ([["i", 1.5]], [int]),
        ([["i", 1], ["i", 2]], [int]),
        ([["i", 1]], [int, int]),
        ([["s", 5]], [str]),
        ([["s", "a\0"]], [str]),
        ([["s", "\ud800"]], [str]),
        ([["d", "2026-02-30"]], [dt.date]),
        ([["d", "20261122"]], [dt.date]),
        ([["d", "2026-11-22T00:00:00"]], [dt.date]),
        ([["t", "2026-11-22T00:00:00"]], [dt.datetime]),
        ([["t", "0001-01-01T00:00:00+14:00"]], [dt.datetime]),
        ([["u", "{00000000-0000-0000-0000-000000000000}"]], [uuid.UUID]),
        ([["u", "no"]], [uuid.UUID]),
        ([[["i"], 1]], [int]),
        ([["i", 1, 2]], [int]),
        ([{}], [int]),
        ({"i": 1}, [int]),
        (1, [int]),
        (None, []),
        ("", []),
    ],
)
def test_forged_value_is_refused(document, types):
    with pytest.raises(BadCursor):
        decode_cursor(forge(document), types)


@pytest.mark.parametrize(
    "text", ["", "=", "====", "W10=", "W1 0", "W10\n", "é", "中文", "\ud800", "W", "//8", "_-8"]
)
def test_malformed_text_is_refused(text):
    with pytest.raises(BadCursor):
        decode_cursor(text, [])


def test_deep_and_long_cursors_are_refused():
    deep = "[" * 2_900
    with pytest.raises(BadCursor):
        decode_cursor(base64.urlsafe_b64encode(deep.encode()).decode().rstrip("="), [int])
    with pytest.raises(BadCursor, match="too long"):
        decode_cursor("W" * (MAX_CURSOR_LENGTH + 1), [int])
    with pytest.raises(BadCursor):
        decode_cursor(forge([["i", 1]]).replace("MV", "M" + "z" * 3_500), [int])


@pytest.mark.parametrize("value", [True, None, 1.5, b"x", [], dt.time(1)])
def test_other_types_are_not_encoded(value):
    with pytest.raises(TypeError, match="a cursor holds no"):
        encode_cursor(value)


@pytest.mark.parametrize(
    "value",
    [2**63, "a\0", "\ud800", "x" * MAX_CURSOR_LENGTH, dt.datetime(2026, 11, 22)],  # noqa: DTZ001
)
def test_value_that_could_not_be_read_again_is_not_encoded(value):
    with pytest.raises(ValueError):  # noqa: PT011 - the reasons differ
        encode_cursor(value)


def test_page_knows_what_comes_next():
    page = Page(items=[1, 2], next=encode_cursor(2))
    assert list(page.items) == [1, 2]
    assert decode_cursor(page.next, [int]) == (2,)


@pytest.mark.parametrize("keys", [[], [1], list(range(5)), ["a", "b", "c", "d"]])
@pytest.mark.parametrize("limit", [1, 2, 4, 9])
def test_list_at_hand_is_cut_into_pages_that_together_are_it(keys, limit):
    found, page = [], cut_page(keys, lambda key: key, limit, None)
    found += page.items
    while page.next is not None:
        page = cut_page(keys, lambda key: key, limit, page.next)
        assert 1 <= len(page.items) <= limit
        found += page.items
    assert found == keys


@pytest.mark.parametrize("keys", [[], [1, 2]])
def test_list_at_hand_refuses_the_cursor_of_another(keys):
    with pytest.raises(BadCursor):
        cut_page(keys, lambda key: key, 1, encode_cursor("text"))
