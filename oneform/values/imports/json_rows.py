"""Rows of a JSON Lines file: one JSON object in each line. No database.

Read as strictly as a JSON body: names given twice, numbers of more than 64 bits
and text that cannot be stored are refused. A line that cannot be read is reported,
and the others go on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

import orjson

from oneform.kernel.errors import Mistake
from oneform.kernel.jsonvalues import MAX_INTEGER, json_mistakes, json_pointer
from oneform.values.imports.conflicts import ConflictCode
from oneform.values.imports.rows import MEMBERS, NO_VALUE, Batch

EXACT = 2**53
"""From here on a float does not tell which integer was written."""

_Wrong = tuple[str, ConflictCode, str]


def json_rows(blocks: Iterable[str], today: str) -> Iterator[Batch]:
    """The rows of a text in blocks. `today` is the day of observations that name none."""
    batch, line = Batch(), 0
    for block in blocks:
        lines = block.split("\n")
        if not lines[-1]:
            lines.pop()
        for text in lines:
            line += 1
            _take(batch, line, text, today)
            if batch.is_full:
                yield batch
                batch = Batch()
    yield batch


def _take(batch: Batch, line: int, text: str, today: str) -> None:
    try:
        row = orjson.loads(text)
        if _is_doubtful(row, text):
            row = _read_strictly(text)
    except _Unstorable as error:
        batch.refuse(line, *((m.pointer, ConflictCode.TEXT, m.detail) for m in error.mistakes))
        return
    except (ValueError, RecursionError) as error:
        if text.strip():
            batch.refuse(line, ("", ConflictCode.MALFORMED, f"is no JSON: {error}"[:300]))
        return
    if type(row) is not dict:
        batch.refuse(line, ("", ConflictCode.MALFORMED, "is no JSON object"))
        return
    get = row.get
    field, subject, period, value, day = (
        get("field"),
        get("subject"),
        get("period"),
        get("value"),
        get("observed_on"),
    )
    if (
        value is not None
        and row.keys() <= MEMBERS
        and type(field) is type(subject) is str
        and (period is None or type(period) is str)
        and (day is None or type(day) is str)
        and field
        and subject
    ):
        batch.rows.append((line, field, subject, period or "", _written(value), day or today))
    else:
        batch.refuse(line, *_wrong_members(row))


def _written(value: Any) -> str:
    """The JSON text of a value; 1203.0 is written 1203, as it is meant."""
    kind = type(value)
    if kind is int:
        return str(value)
    if kind is float and abs(value) < EXACT and value.is_integer():
        return str(int(value))
    return orjson.dumps(value).decode()


def _wrong_members(row: dict[str, Any]) -> Iterator[_Wrong]:
    for name in row:
        if name not in MEMBERS:
            pointer = json_pointer([name[:40]])
            yield pointer, ConflictCode.UNKNOWN_MEMBER, "is no member of a row"
    for name in ("field", "subject"):
        if not isinstance(row.get(name, ""), str):
            yield f"/{name}", ConflictCode.TYPE, "must be a string"
        elif not row.get(name):
            yield f"/{name}", ConflictCode.REQUIRED, "is empty" if name in row else "is missing"
    for name in ("period", "observed_on"):
        if not isinstance(row.get(name), str | None):
            yield f"/{name}", ConflictCode.TYPE, "must be a string"
    if row.get("value") is None:
        yield "/value", ConflictCode.NO_VALUE, NO_VALUE


# ---- strictness ----------------------------------------------------------------


def _is_doubtful(row: Any, text: str) -> bool:
    """Whether the quick reader may have passed over something; it is cheap to ask.

    It takes the last of two members of one name (there are more quotation marks then than
    the members account for), and rounds integers of more than 64 bits.
    """
    if "\\" in text or type(row) is not dict:
        return True
    texts = 0
    for value in row.values():
        kind = type(value)
        if kind is str:
            texts += 1
        elif kind is int:
            if value > MAX_INTEGER:
                return True
        elif kind is float:
            if not -EXACT < value < EXACT:
                return True
        elif kind is list or kind is dict:
            return True
    return text.count('"') != 2 * (len(row) + texts)


class _Unstorable(ValueError):
    def __init__(self, mistakes: list[Mistake]) -> None:
        self.mistakes = mistakes


def _read_strictly(text: str) -> Any:
    """The value of a JSON text. ValueError, RecursionError; _Unstorable where it cannot be kept."""
    value = _DECODER.decode(text)
    if mistakes := json_mistakes(value):
        raise _Unstorable(mistakes)
    return value


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is given twice in one object")
    return found


def _constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_constant)
