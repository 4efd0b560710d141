"""Rows of a file packed into blocks, as `value_import_block` has them. No database.

What rows share is written down once and numbered: a head (field, period, day of the
observation), the key of a subject. A row is its line, two of these numbers, and a value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, count, islice
from typing import Generic, TypeVar

import orjson

from oneform.values.imports.rows import Row

REMEMBERED = 100_000
MOST_TEXT = 16 * 1024 * 1024
"""Characters of the rows of a block, and of what is remembered: a file may have rows of a megabyte."""

COLUMNS = (
    "import_id, number, first_head, fields, periods, days, first_subject, keys, "
    "rows, heads, subjects, values"
)

T = TypeVar("T")

# Of an element of an array, within the text format of COPY: each has its own backslashes.
_ESCAPES = str.maketrans({"\\": r"\\\\", '"': r"\\" + '"', "\t": r"\t", "\n": r"\n", "\r": r"\r"})


class _Numbers(Generic[T]):
    """Numbers things from 1 as they come.

    What came long ago may get a second number, so that memory does not grow with the file.
    """

    def __init__(self, length: Callable[[T], int]) -> None:
        self._length = length
        self._text = 0
        self._count = count(1)
        self._known: defaultdict[T, int] = defaultdict(self._count.__next__)
        self._next = 1

    def of(self, things: Iterable[T]) -> tuple[list[int], int, list[T]]:
        """The numbers of some things; the first new number, and the things new from there on."""
        if len(self._known) > REMEMBERED or self._text > MOST_TEXT:
            self._known.clear()
            self._text = 0
        known, first = len(self._known), self._next
        numbers = list(map(self._known.__getitem__, things))
        new = list(islice(self._known, known, None))
        self._next += len(new)
        self._text += sum(map(self._length, new))
        return numbers, first, new


class Packer:
    """Packs the rows of one file, in its order."""

    def __init__(self, import_id: str) -> None:
        self._import_id = import_id
        self._blocks = count(1)
        self._heads: _Numbers[tuple[str, str, str]] = _Numbers(lambda head: sum(map(len, head)))
        self._subjects: _Numbers[str] = _Numbers(len)

    def lines(self, rows: Sequence[Row]) -> Iterator[str]:
        """Some rows as lines in the text format of COPY, each a block with `COLUMNS`."""
        if not rows:
            return
        lines, fields, keys, periods, values, days = zip(*rows, strict=True)
        texts = chain(fields, keys, periods, values, days)
        if len(rows) > 1 and sum(map(len, texts)) > MOST_TEXT:
            half = len(rows) // 2
            yield from self.lines(rows[:half])
            yield from self.lines(rows[half:])
            return
        heads, first_head, new_heads = self._heads.of(zip(fields, periods, days, strict=True))
        subjects, first_subject, new_keys = self._subjects.of(keys)
        cells = (
            self._import_id,
            str(next(self._blocks)),
            str(first_head),
            *(_texts([head[part] for head in new_heads]) for part in range(3)),
            str(first_subject),
            _texts(new_keys),
            *map(_integers, (lines, heads, subjects)),
            _json_texts(values),
        )
        yield "\t".join(cells) + "\n"


def _integers(numbers: Sequence[int]) -> str:
    return "{" + orjson.dumps(numbers).decode()[1:-1] + "}"


def _texts(texts: Iterable[str]) -> str:
    return "{" + ",".join([f'"{text.translate(_ESCAPES)}"' for text in texts]) + "}"


def _json_texts(texts: Sequence[str]) -> str:
    # JSON as it is written here is a single line, so that all can be escaped at once.
    text = "\n".join(texts).replace("\\", r"\\\\").replace('"', r"\\" + '"')
    return '{"' + text.replace("\n", '","') + '"}'
