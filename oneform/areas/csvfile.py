"""CSV files as rows of named cells, with every mistake and its line.

Nothing here knows what the columns mean; that is `formats`. Lines are counted
as an editor counts them: from 1, the header being line 1.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from oneform.kernel.errors import Mistake
from oneform.kernel.textfiles import decode, on_line

__all__ = ["Row", "Table", "on_line", "read_table"]


@dataclass(frozen=True, slots=True)
class Row:
    """One record. `whole` is False where it has more or fewer cells than the header."""

    line: int
    cells: dict[str, str]
    whole: bool = True

    def cell(self, column: str) -> str:
        """The text of a cell; empty where the file does not have the column."""
        return self.cells.get(column, "")


@dataclass(frozen=True, slots=True)
class Table:
    rows: list[Row]
    mistakes: list[Mistake]


def read_table(file: bytes | Path, required: Sequence[str], optional: Sequence[str] = ()) -> Table:
    """Read a CSV file (RFC 4180, UTF-8, with or without BOM) with these columns in any order.

    Mistakes of form are collected, not raised: `encoding`, `missing_column`,
    `unknown_column`, `duplicate_column`, `cells`, `quotation`. Rows that can be
    read are there all the same, so that the reader can go on to find more.
    Empty lines are skipped. OSError if the file cannot be read.
    """
    data = file.read_bytes() if isinstance(file, Path) else file
    text, mistakes = decode(data)
    if mistakes and not text:
        return Table([], mistakes)
    records = _records(text, mistakes)
    _, header = next(records, (1, []))
    mistakes += _header_mistakes(header, required, optional)
    if not set(required) <= set(header):
        return Table([], mistakes)
    rows = []
    for line, cells in records:
        whole = len(cells) == len(header)
        if not whole:
            found = f"{len(cells)} cells where the header has {len(header)}"
            mistakes.append(on_line(line, "cells", found))
        rows.append(Row(line, dict(zip(header, cells, strict=False)), whole))
    return Table(rows, mistakes)


def _records(text: str, mistakes: list[Mistake]) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # What follows cannot be told apart from the cell that is broken.
            mistakes.append(on_line(line, "quotation", f"quotation marks do not match: {error}"))
            return
        if cells:
            yield line, cells


def _header_mistakes(
    header: Sequence[str], required: Sequence[str], optional: Sequence[str]
) -> list[Mistake]:
    known = [*required, *optional]
    missing = [
        on_line(1, "missing_column", f"there is no column {c}") for c in required if c not in header
    ]
    unknown = [
        on_line(
            1,
            "unknown_column",
            f"there is no use for a column {column!r}; known are {', '.join(known)}",
        )
        for column in dict.fromkeys(header)
        if column not in known
    ]
    double = [
        on_line(1, "duplicate_column", f"the column {column} is there twice")
        for column in known
        if header.count(column) > 1
    ]
    return missing + unknown + double
