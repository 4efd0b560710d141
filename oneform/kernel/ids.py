"""Identifiers: time-sorted UUIDs, public control numbers, and public ids of partitioned rows.

- `new_id` for rows whose id is made before they are written (requests, outbox rows, …);
- `new_control_number` for the number (准入码) that anybody who is asked can check;
- `pack_id` and `unpack_id` for rows of tables partitioned by region, whose key is a pair.

Nothing here is a secret: tokens and keys are made in `oneform.identity`.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import secrets
import threading
import time
import unicodedata
import uuid
from collections.abc import Callable

MAX_INT64 = 2**63 - 1


class UuidFactory:
    """UUID version 7 (RFC 9562, section 6.2, method 1), strictly increasing in a process.

    48 bits of milliseconds, a counter of 42 bits that starts at random in each
    millisecond, 32 random bits. When the system clock goes back, the last
    millisecond is kept and the counter goes on.
    """

    def __init__(self, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._clock_ns = clock_ns
        self._lock = threading.Lock()
        self._millisecond = -1
        self._counter = 0

    def new(self) -> uuid.UUID:
        with self._lock:
            millisecond = self._clock_ns() // 1_000_000
            if millisecond > self._millisecond:
                self._restart(millisecond)
            else:
                self._counter += 1
                if self._counter >> 42:
                    self._restart(self._millisecond + 1)
            millisecond, counter = self._millisecond, self._counter
        value = (millisecond & (2**48 - 1)) << 80
        value |= 0x7 << 76 | (counter >> 30) << 64
        value |= 0b10 << 62 | (counter & (2**30 - 1)) << 32
        return uuid.UUID(int=value | int.from_bytes(os.urandom(4), "big"))

    def _restart(self, millisecond: int) -> None:
        self._millisecond = millisecond
        # The top bit stays free, so that there is room to count within the millisecond.
        self._counter = secrets.randbits(41)


_factory = UuidFactory()


def new_id() -> uuid.UUID:
    """A new UUIDv7; later ones of the same process sort after it."""
    return _factory.new()


# Crockford's base 32: no I, L, O (taken for 1, 1, 0) and no U.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUE = {symbol: value for value, symbol in enumerate(ALPHABET)}
_RANDOM_LENGTH = 12  # 60 bits: nobody finds another's number by trying
_DAY_LENGTH = 8
_CONTROL_NUMBER = re.compile(
    rf"OF-([0-9]{{{_DAY_LENGTH}}})-([{ALPHABET}]{{{_RANDOM_LENGTH}}})-([{ALPHABET}])"
)
_MISREAD = str.maketrans("ILOU", "110V")
_NO_SYMBOL = re.compile(r"[^0-9A-Z]")


def check_character(symbols: str) -> str:
    """The check character over Crockford symbols.

    A polynomial over GF(32) (x⁵ + x² + 1): finds every single wrong symbol and
    every exchange of two symbols in up to 30 of them.
    """
    check = 0
    for symbol in symbols:
        check = _times_alpha(check) ^ _VALUE[symbol]
    return ALPHABET[_times_alpha(check)]


def _times_alpha(value: int) -> int:
    value <<= 1
    return value ^ 0b100101 if value & 0b100000 else value


def new_control_number(on: dt.date) -> str:
    """A new control number of a day, such as `OF-20261122-7K3M9Q2XABCD-C`."""
    day = f"{on:%Y%m%d}"
    random = "".join(secrets.choice(ALPHABET) for _ in range(_RANDOM_LENGTH))
    return f"OF-{day}-{random}-{check_character(day + random)}"


def is_control_number(text: str) -> bool:
    """Whether the text has the form, a date that exists and the right check character."""
    match = _CONTROL_NUMBER.fullmatch(text)
    if match is None:
        return False
    day, random, check = match.groups()
    try:
        dt.date(int(day[:4]), int(day[4:6]), int(day[6:]))
    except ValueError:
        return False
    return check_character(day + random) == check


def tidy_control_number(text: str) -> str:
    """What a person meant who typed, copied or read out a number.

    Whatever case and width (a Chinese keyboard gives ＯＦ－２０２６), with other signs where the
    hyphens stand or none, without the OF, O for 0, I and L for 1. Other text comes back as it is:
    the answer may be no control number; ask `is_control_number`.
    """
    symbols = _NO_SYMBOL.sub("", unicodedata.normalize("NFKC", text).upper()).translate(_MISREAD)
    symbols = symbols.removeprefix("0F")
    if len(symbols) != _DAY_LENGTH + _RANDOM_LENGTH + 1:
        return text
    return f"OF-{symbols[:_DAY_LENGTH]}-{symbols[_DAY_LENGTH:-1]}-{symbols[-1]}"


_PACKED_ID = re.compile(r"(0|[1-9][0-9]{0,18})-(0|[1-9][0-9]{0,18})")


def pack_id(region_id: int, id: int) -> str:
    """The public id of a row with the key (region_id, id): `12-3456`.

    ValueError unless both are between 0 and 2⁶³ - 1.
    """
    if not (0 <= region_id <= MAX_INT64 and 0 <= id <= MAX_INT64):
        raise ValueError("both parts of an id are between 0 and 2^63 - 1")
    return f"{region_id}-{id}"


def unpack_id(text: str) -> tuple[int, int]:
    """(region_id, id) of a public id; ValueError for anything that `pack_id` does not give."""
    match = _PACKED_ID.fullmatch(text)
    if match is None:
        raise ValueError("not an id of the form 12-3456")
    region_id, id = int(match[1]), int(match[2])
    if region_id > MAX_INT64 or id > MAX_INT64:
        raise ValueError("a part of the id is greater than 2^63 - 1")
    return region_id, id
