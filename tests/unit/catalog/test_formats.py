"""Formats of Chinese identifiers: published examples, and every single slip of the pen."""

import datetime as dt

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from catalog.formats import (
    FORMATS,
    USCC_ALPHABET,
    is_area_code,
    is_mobile,
    is_resident_id,
    is_uscc,
    resident_id_check_digit,
    uscc_check_character,
)

# Both are the worked examples of GB 11643-1999.
STANDARD_EXAMPLES = ["11010519491231002X", "440524188001010014"]
# Codes that are printed as examples of valid ones.
KNOWN_USCC = ["91350100M000100Y43", "91110000802100433B", "914403001922038216"]

births = st.dates(dt.date(1900, 1, 1), dt.date(2099, 12, 31))


@st.composite
def resident_ids(draw):
    area = draw(st.integers(110000, 999999))
    first17 = f"{area}{draw(births):%Y%m%d}{draw(st.integers(0, 999)):03}"
    return first17 + resident_id_check_digit(first17)


@st.composite
def usccs(draw):
    letters = st.sampled_from(USCC_ALPHABET)
    first17 = draw(letters) + draw(letters) + f"{draw(st.integers(0, 999999)):06}"
    first17 += "".join(draw(st.lists(letters, min_size=9, max_size=9)))
    return first17 + uscc_check_character(first17)


@pytest.mark.parametrize("number", STANDARD_EXAMPLES)
def test_check_digit_follows_the_examples_of_the_standard(number):
    assert resident_id_check_digit(number[:17]) == number[17]


@pytest.mark.parametrize(
    ("number", "genuine"),
    [
        ("11010519491231002X", True),
        ("11010519491231002x", False),  # lower case
        ("110105194912310021", False),  # wrong check digit
        ("440524188001010014", False),  # right check digit, born in 1880
        ("110105491231002", False),  # the old number of 15 digits
        ("11010519491231002X ", False),
        ("11010519491231002X\n", False),
        ("１1010519491231002X", False),  # a full-width digit
        ("", False),
    ],
)
def test_resident_id(number, genuine):
    assert is_resident_id(number) is genuine


@pytest.mark.parametrize("birth", ["19490229", "20261301", "20260431", "20260500", "21000101"])
def test_resident_id_needs_a_date_of_birth_that_can_be(birth):
    first17 = f"110105{birth}002"
    assert not is_resident_id(first17 + resident_id_check_digit(first17))


def test_resident_id_of_somebody_not_yet_born_is_refused_where_the_day_is_given():
    first17 = "11010520261123002"
    number = first17 + resident_id_check_digit(first17)
    assert is_resident_id(number)
    assert is_resident_id(number, on=dt.date(2026, 11, 23))
    assert not is_resident_id(number, on=dt.date(2026, 11, 22))


@given(resident_ids())
def test_made_resident_id_is_genuine(number):
    assert is_resident_id(number)


@given(resident_ids(), st.data())
def test_any_single_wrong_character_of_a_resident_id_is_found(number, data):
    place = data.draw(st.integers(0, 17))
    wrong = data.draw(st.sampled_from("0123456789X"))
    assume(wrong != number[place])
    assert not is_resident_id(number[:place] + wrong + number[place + 1 :])


@given(resident_ids(), st.integers(0, 16))
def test_any_exchange_of_neighbours_in_a_resident_id_is_found(number, place):
    assume(number[place] != number[place + 1])
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert not is_resident_id(swapped)


@pytest.mark.parametrize("code", KNOWN_USCC)
def test_registered_uscc_is_genuine(code):
    assert is_uscc(code)


@pytest.mark.parametrize(
    "code",
    [
        "91350100M000100Y44",
        "91350100m000100y43",
        "91350100M000100Y4",
        "91350100M000100Y43\n",
        "9135O100M000100Y43",
        "91A50100M000100Y43",
        "",
    ],
)
def test_other_text_is_no_uscc(code):
    assert not is_uscc(code)


@given(usccs())
def test_made_uscc_is_genuine(code):
    assert is_uscc(code)


@given(usccs(), st.data())
def test_any_single_wrong_character_of_a_uscc_is_found(code, data):
    place = data.draw(st.integers(0, 17))
    wrong = data.draw(st.sampled_from(USCC_ALPHABET + "IOSVZ"))
    assume(wrong != code[place])
    assert not is_uscc(code[:place] + wrong + code[place + 1 :])


@pytest.mark.parametrize("first17", ["", "1" * 16, "1" * 18, "1" * 16 + "I", "１" * 17])
def test_check_characters_are_not_made_for_other_text(first17):
    with pytest.raises(ValueError, match="begins with 17"):
        resident_id_check_digit(first17)
    with pytest.raises(ValueError, match="begins with 17"):
        uscc_check_character(first17)


@pytest.mark.parametrize(
    ("code", "genuine"),
    [
        ("420100000000", True),
        ("420102001001", True),
        ("020100000000", False),
        ("42010000000", False),
        ("4201000000000", False),
        ("42010000000X", False),
        ("420100000000\n", False),
        ("４20100000000", False),
    ],
)
def test_area_code(code, genuine):
    assert is_area_code(code) is genuine


@pytest.mark.parametrize(
    ("number", "genuine"),
    [
        ("13800138000", True),
        ("19912345678", True),
        ("12012345678", False),
        ("1380013800", False),
        ("138001380000", False),
        ("+8613800138000", False),
        ("138 0013 8000", False),
        ("13800138000\n", False),
    ],
)
def test_mobile_number(number, genuine):
    assert is_mobile(number) is genuine


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_formats_say_nothing_about_other_types_than_strings(name):
    for value in (None, True, 42, 1.5, [], {}, ["x"]):
        assert FORMATS[name](value)
    assert not FORMATS[name]("")


@given(st.sampled_from(sorted(FORMATS)), st.text(max_size=20))
def test_formats_never_fail_on_any_text(name, text):
    assert FORMATS[name](text) in (True, False)
