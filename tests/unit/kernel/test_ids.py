"""Identifiers: order of UUIDs, check character of control numbers, public ids of pairs."""

import datetime as dt
import re
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from oneform.kernel.ids import (
    ALPHABET,
    MAX_INT64,
    UuidFactory,
    check_character,
    is_control_number,
    new_control_number,
    new_id,
    pack_id,
    tidy_control_number,
    unpack_id,
)

TODAY = dt.date(2026, 11, 22)


def test_new_id_is_a_version_7_uuid_of_now():
    before = time.time_ns() // 1_000_000
    one = new_id()
    after = time.time_ns() // 1_000_000
    assert one.version == 7
    assert one.variant == uuid.RFC_4122
    # One more than now at the most: only when a counter ran over.
    assert before <= one.int >> 80 <= after + 1


def test_ids_of_a_process_are_strictly_increasing():
    ids = [new_id() for _ in range(20_000)]
    assert all(a < b for a, b in pairwise(ids))
    assert [str(one) for one in ids] == sorted(str(one) for one in ids)


def test_ids_made_by_threads_at_once_differ():
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: new_id(), range(5_000)))
    assert len(set(ids)) == len(ids)


def test_ids_increase_while_the_system_clock_stands_or_goes_back():
    ticks = iter([5_000_000_000, 5_000_000_000, 4_000_000_000, 4_999_000_000, 6_000_000_000])
    factory = UuidFactory(lambda: next(ticks))
    ids = [factory.new() for _ in range(5)]
    assert ids == sorted(set(ids))
    assert [one.int >> 80 for one in ids] == [5000, 5000, 5000, 5000, 6000]


def test_full_counter_borrows_from_the_next_millisecond():
    factory = UuidFactory(lambda: 5_000_000_000)
    first = factory.new()
    factory._counter = 2**42 - 1
    second = factory.new()
    assert first < second
    assert second.int >> 80 == 5001
    assert second.version == 7


def test_control_number_says_its_day():
    number = new_control_number(TODAY)
    assert re.fullmatch(r"OF-20261122-[0-9A-HJKMNP-TV-Z]{12}-[0-9A-HJKMNP-TV-Z]", number)
    assert is_control_number(number)
    assert new_control_number(TODAY) != number


def test_check_character_is_stable():
    # Numbers are printed on paper: this value must never change.
    assert check_character("202611227K3M9Q2XABCD") == "S"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "OF",
        "OF-20261122-7K3M9Q2XABCD",
        "OF-20261122-7K3M9Q2XABC-S",
        "of-20261122-7K3M9Q2XABCD-S",
        "OF-20261122-7K3M9Q2XABCD-S\n",
        " OF-20261122-7K3M9Q2XABCD-S",
        "OF-２０２６1122-7K3M9Q2XABCD-S",
        "OF-20261122-7K3M9Q2XABCU-S",
    ],
)
def test_text_of_another_form_is_no_control_number(text):
    assert is_control_number("OF-20261122-7K3M9Q2XABCD-S")
    assert not is_control_number(text)


def test_control_number_of_a_day_that_does_not_exist_is_refused():
    symbols = "202602307K3M9Q2XABCD"
    assert not is_control_number(f"OF-20260230-7K3M9Q2XABCD-{check_character(symbols)}")


@given(st.data())
def test_any_single_wrong_symbol_is_found(data):
    number = new_control_number(TODAY)
    places = [i for i, c in enumerate(number) if i > 2 and c != "-"]
    place = data.draw(st.sampled_from(places))
    wrong = data.draw(st.sampled_from(ALPHABET))
    assume(wrong != number[place])
    assert not is_control_number(number[:place] + wrong + number[place + 1 :])


@given(st.text(ALPHABET, min_size=2, max_size=30), st.data())
def test_any_exchange_of_two_symbols_is_found(symbols, data):
    i = data.draw(st.integers(0, len(symbols) - 2))
    j = data.draw(st.integers(i + 1, len(symbols) - 1))
    assume(symbols[i] != symbols[j])
    swapped = list(symbols)
    swapped[i], swapped[j] = swapped[j], swapped[i]
    assert check_character("".join(swapped)) != check_character(symbols)


@pytest.mark.parametrize(
    "typed",
    [
        "of-20261122-7k3m9q2xabcd-s",
        " OF-2O261122-7K3M9Q2XABCD-S ",
        "OF-20261L22-7K3M 9Q2X ABCD-S",
        "0F-2026I122-7K3M9Q2XABCD-S",
        "OF202611227K3M9Q2XABCDS",
        "202611227k3m9q2xabcds",
        "OF 20261122 7K3M9Q2XABCD S",
        "ＯＦ－２０２６１１２２－７Ｋ３Ｍ９Ｑ２ＸＡＢＣＤ－Ｓ",
        "of—20261122—7k3m9q2xabcd—s",
        "准入码：OF-20261122-7K3M9Q2XABCD-S。",
    ],
)
def test_number_read_out_or_typed_is_understood(typed):
    assert tidy_control_number(typed) == "OF-20261122-7K3M9Q2XABCD-S"


def test_tidying_leaves_a_genuine_number_alone():
    number = new_control_number(TODAY)
    assert tidy_control_number(number) == number
    assert not is_control_number(tidy_control_number("nothing of the kind"))


@given(st.integers(0, MAX_INT64), st.integers(0, MAX_INT64))
def test_packed_id_round_trip(region_id, id):
    assert unpack_id(pack_id(region_id, id)) == (region_id, id)


def test_packed_id_is_readable():
    assert pack_id(12, 3456) == "12-3456"


@pytest.mark.parametrize(
    "text",
    [
        *("", "-", "12", "12-", "-12", "12-3-4", "012-3", "12-03", "+1-2", "1--2", "1-2 ", " 1-2"),
        *("1-2\n", "1_0-2", "１-2", "1-٣", "a-b", "1.0-2", "0x1-2", "1-\x00"),
        *(f"{MAX_INT64 + 1}-1", f"1-{MAX_INT64 + 1}", "9" * 40 + "-1", "1-" + "9" * 5000),
    ],
)
def test_malformed_id_is_refused(text):
    with pytest.raises(ValueError, match="id"):
        unpack_id(text)


@given(st.text(max_size=30))
def test_only_what_pack_gives_is_unpacked(text):
    try:
        pair = unpack_id(text)
    except ValueError:
        return
    assert pack_id(*pair) == text


@pytest.mark.parametrize("pair", [(-1, 1), (1, -1), (MAX_INT64 + 1, 1), (1, MAX_INT64 + 1)])
def test_pair_out_of_range_is_not_packed(pair):
    with pytest.raises(ValueError, match="between 0 and"):
        pack_id(*pair)
