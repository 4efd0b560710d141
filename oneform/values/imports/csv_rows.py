"""Rows of a CSV file (RFC 4180): a header, then cells in its order. No database.

A header or quotation marks that cannot be relied on refuse the file as a whole;
a row with another number of cells is reported, and the others go on.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Protocol

from oneform.kernel.errors import Mistake
from oneform.kernel.textfiles import on_line
from oneform.values.imports.blocks import broken
from oneform.values.imports.conflicts import ConflictCode
from oneform.values.imports.rows import MEMBERS, NO_VALUE, OPTIONAL, REQUIRED, Batch
from oneform.values.imports.texts import read_day

ReadCell = Callable[[str, str], str]
"""The JSON text of the value that a cell of a field means."""


class _Records(Protocol):
    """What `csv.reader` gives; it has no type of its own."""

    @property
    def line_num(self) -> int: ...
    def __iter__(self) -> Iterator[list[str]]: ...


def csv_rows(blocks: Iterable[str], read_cell: ReadCell, today: str) -> Iterator[Batch]:
    """The rows of a text in blocks. `today` is the day of observations that name none. Invalid."""
    # Lines end where CSV says, not at every character that Unicode calls a line break.
    lines = chain.from_iterable(io.StringIO(block, newline="") for block in blocks)
    records = csv.reader(lines, strict=True)
    try:
        header = [name.strip() for name in next(records)]
        if mistakes := _header_mistakes(header):
            raise broken(*mistakes)
        yield from _batches(records, header, read_cell, today)
    except csv.Error as error:
        # What follows cannot be told apart from the cell that is broken.
        words = f"the file cannot be read from here on: {error}"
        raise broken(on_line(records.line_num, "quotation", words)) from None


def _header_mistakes(header: list[str]) -> list[Mistake]:
    known = (*REQUIRED, *OPTIONAL)
    missing = [
        on_line(1, "missing_column", f"there is no column {name}")
        for name in REQUIRED
        if name not in header
    ]
    words = f"; known are {', '.join(known)}"
    unknown = [
        on_line(1, "unknown_column", f"there is no use for a column {name[:40]!r}{words}")
        for name in dict.fromkeys(header)
        if name not in MEMBERS
    ]
    double = [
        on_line(1, "duplicate_column", f"the column {name} is there twice")
        for name in known
        if header.count(name) > 1
    ]
    return missing + unknown + double


def _batches(
    records: _Records, header: list[str], read_cell: ReadCell, today: str
) -> Iterator[Batch]:
    # An absent column is read from one more cell, which is empty.
    pick = itemgetter(
        *(
            header.index(name) if name in header else -1
            for name in ("field", "subject", "period", "value", "observed_on")
        )
    )
    batch, last = Batch(), records.line_num
    for cells in records:
        line, last = last + 1, records.line_num
        if len(cells) == len(header):
            cells.append("")
            field, subject, period, value, day = map(str.strip, pick(cells))
            if not (field and subject and value):
                _refuse_empty(batch, line, field, subject, value, period + day)
            elif "\0" in "".join(cells):
                flaw = "", ConflictCode.TEXT, "contains the character U+0000"
                batch.refuse(line, flaw)
            else:
                day = _day(day) if day else today
                batch.rows.append((line, field, subject, period, read_cell(field, value), day))
        elif any(cells):
            words = f"has {len(cells)} cells where the header has {len(header)}"
            batch.refuse(line, ("", ConflictCode.MALFORMED, words))
        if batch.is_full:
            yield batch
            batch = Batch()
    yield batch


@lru_cache(maxsize=4096)
def _day(text: str) -> str:
    # What is no day stays as it is; it is refused with the words of all such days.
    with suppress(ValueError):
        return read_day(text)
    return text


def _refuse_empty(
    batch: Batch, line: int, field: str, subject: str, value: str, others: str
) -> None:
    if not (field or subject or value or others):
        return  # spreadsheets leave such rows at the end
    wrong = [
        (pointer, ConflictCode.REQUIRED, "is empty")
        for pointer, text in (("/field", field), ("/subject", subject))
        if not text
    ]
    if not value:
        wrong.append(("/value", ConflictCode.NO_VALUE, NO_VALUE))
    batch.refuse(line, *wrong)
