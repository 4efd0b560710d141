"""Pages of lists and their opaque cursors.

A cursor holds the sort values of the last row of a page. It is not signed: it
names a place in an order, not a right, and every query checks reach by itself.
It is checked strictly all the same, so that no altered cursor gets as far as
the database.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from oneform.kernel.errors import DomainError
from oneform.kernel.ids import MAX_INT64

T = TypeVar("T")

MAX_CURSOR_LENGTH = 4096


class BadCursor(DomainError):
    """The text is no cursor of this list."""

    code = "bad-cursor"
    title = "Malformed cursor"


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items of a list, and the cursor of the next ones (None: these were the last)."""

    items: Sequence[T]
    next: str | None


def cut_page(
    items: Sequence[T], key: Callable[[T], str | int], limit: int, cursor: str | None
) -> Page[T]:
    """A page of a list that is at hand as a whole, in the order of its unique keys."""
    if cursor is not None and items:
        (after,) = decode_cursor(cursor, [type(key(items[0]))])
        items = [item for item in items if key(item) > after]
    elif cursor is not None:
        raise BadCursor("the cursor is not one of this list")
    page = items[:limit]
    return Page(page, encode_cursor(key(page[-1])) if len(items) > limit else None)


def encode_cursor(*values: object) -> str:
    """A cursor of str, int (64 bits), date, aware datetime and UUID values.

    URL-safe. TypeError for other types (bool too); ValueError for a naive
    datetime, an int out of range, text that PostgreSQL cannot hold, or a cursor
    longer than `MAX_CURSOR_LENGTH`.
    """
    tagged = [_tagged(value) for value in values]
    raw = json.dumps(tagged, ensure_ascii=False, separators=(",", ":")).encode()
    text = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    if len(text) > MAX_CURSOR_LENGTH:
        raise ValueError("the values are too long for a cursor")
    return text


def _tagged(value: object) -> list[object]:
    match value:
        case bool():
            raise TypeError("a cursor holds no bool")
        case int():
            if not -MAX_INT64 <= value <= MAX_INT64:
                raise ValueError("an int in a cursor has at most 63 bits")
            return ["i", int(value)]
        case str():
            if "\0" in value:
                raise ValueError("text in a cursor holds no NUL")
            return ["s", str(value)]
        case uuid.UUID():
            return ["u", str(value)]
        case dt.datetime():
            if value.tzinfo is None:
                raise ValueError("a datetime in a cursor needs a time zone")
            return ["t", value.astimezone(dt.UTC).isoformat()]
        case dt.date():
            return ["d", value.isoformat()]
    raise TypeError(f"a cursor holds no {type(value).__name__}")


_READERS: dict[type, tuple[str, Callable[[Any], object]]] = {
    str: ("s", str),
    int: ("i", int),
    uuid.UUID: ("u", uuid.UUID),
    dt.datetime: ("t", dt.datetime.fromisoformat),
    dt.date: ("d", dt.date.fromisoformat),
}


def decode_cursor(text: str, types: Sequence[type]) -> tuple[Any, ...]:
    """The values of a cursor, which must have exactly these types; else BadCursor."""
    if len(text) > MAX_CURSOR_LENGTH:
        raise BadCursor("the cursor is too long")
    try:
        raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), b"-_", validate=True)
        tagged = json.loads(raw.decode())
        values = tuple(_read(item, of) for item, of in zip(tagged, types, strict=True))
        # Only what `encode_cursor` writes is a cursor; this also checks ranges and NUL.
        genuine = encode_cursor(*values) == text
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise BadCursor("the cursor is not one of this list") from error
    if not genuine:
        raise BadCursor("the cursor is not one of this list")
    return values


def _read(item: object, of: type) -> object:
    tag, reader = _READERS[of]
    match item:
        case [written, str() | int() as value] if written == tag:
            return reader(value)
    raise ValueError("another type of value")
