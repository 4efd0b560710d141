"""Formats of Chinese identifiers, for `format` in the JSON Schema of a field. Pure.

They say whether a text can be such an identifier, not whether anybody has it.
`FORMATS` goes to `oneform.kernel.jsonschemas.register_formats`; as JSON Schema
demands, a format says nothing about what is no string.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from operator import mul

_RESIDENT_ID = re.compile(r"[1-9][0-9]{5}((?:19|20)[0-9]{6})[0-9]{3}[0-9X]")
_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_RESIDENT_OFFSET = ord("0") * sum(_RESIDENT_WEIGHTS)
_RESIDENT_CHECKS = "10X98765432"

# Digits and capitals without I, O, S, V, Z, which are taken for other characters.
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC = re.compile(rf"[{USCC_ALPHABET}]{{2}}[0-9]{{6}}[{USCC_ALPHABET}]{{10}}")
_USCC_VALUE = {symbol: value for value, symbol in enumerate(USCC_ALPHABET)}
_USCC_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))

_AREA_CODE = re.compile(r"[1-9][0-9]{11}")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")


def resident_id_check_digit(first17: str) -> str:
    """The 18th character of a resident identity number (ISO 7064, MOD 11-2): 0 to 9 or X.

    ValueError unless `first17` is 17 digits.
    """
    if not re.fullmatch("[0-9]{17}", first17):
        raise ValueError("a resident identity number begins with 17 digits")
    return _resident_check(first17)


def _resident_check(first17: str) -> str:
    # Over bytes, not int() of characters: imports check millions of these.
    total = sum(map(mul, first17.encode(), _RESIDENT_WEIGHTS)) - _RESIDENT_OFFSET
    return _RESIDENT_CHECKS[total % 11]


def is_resident_id(text: str, on: dt.date | None = None) -> bool:
    """A resident identity number (公民身份号码, GB 11643-1999).

    18 characters: area, date of birth, sequence, check digit; X is a capital. The
    date of birth exists and lies in 1900 to 2099, and not after `on` where given.
    """
    match = _RESIDENT_ID.fullmatch(text)
    if match is None or _resident_check(text[:17]) != text[17]:
        return False
    birth = match[1]
    try:
        born_on = dt.date(int(birth[:4]), int(birth[4:6]), int(birth[6:]))
    except ValueError:
        return False
    return on is None or born_on <= on


def uscc_check_character(first17: str) -> str:
    """The 18th character of a unified social credit code (GB 32100-2015, MOD 31).

    ValueError unless `first17` is 17 characters of `USCC_ALPHABET`.
    """
    if len(first17) != 17 or not set(first17) <= _USCC_VALUE.keys():
        raise ValueError("a unified social credit code begins with 17 of its characters")
    total = sum(_USCC_VALUE[c] * w for c, w in zip(first17, _USCC_WEIGHTS, strict=True))
    return USCC_ALPHABET[-total % 31]


def is_uscc(text: str) -> bool:
    """A unified social credit code (统一社会信用代码, GB 32100-2015).

    18 characters: registering department, kind, six digits of area, organisation
    code, check character. The inner check character of the organisation code
    (GB 11714) is not looked at.
    """
    return _USCC.fullmatch(text) is not None and uscc_check_character(text[:17]) == text[17]


def is_area_code(text: str) -> bool:
    """A statistical area code (统计用区划代码) of twelve digits."""
    return _AREA_CODE.fullmatch(text) is not None


def is_mobile(text: str) -> bool:
    """A mobile telephone number of mainland China: eleven digits, 13 to 19 first."""
    return _MOBILE.fullmatch(text) is not None


def _of_strings(check: Callable[[str], bool]) -> Callable[[object], bool]:
    return lambda value: not isinstance(value, str) or check(value)


FORMATS: dict[str, Callable[[object], bool]] = {
    "cn-resident-id": _of_strings(is_resident_id),
    "cn-uscc": _of_strings(is_uscc),
    "cn-area-code": _of_strings(is_area_code),
    "cn-mobile": _of_strings(is_mobile),
}
