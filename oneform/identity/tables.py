"""Reading the CSV files of agencies and people: every line with a fault is named."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from oneform.kernel.errors import Invalid, Mistake
from oneform.kernel.textfiles import decode

MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a file: cells by column, blanks around them dropped, absent columns empty."""

    number: int
    cells: dict[str, str]
    is_whole: bool = True
    """False: too many cells, too few, or one that no column can hold; the others mean nothing."""

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")

    def mistake(self, code: str, detail: str) -> Mistake:
        return Mistake(f"line {self.number}", code, detail)


def read_table(
    path: Path, required: Collection[str], optional: Collection[str]
) -> tuple[list[Line], list[Mistake]]:
    """The rows of a CSV file in UTF-8, and what is wrong with their form.

    Invalid for a file that is no table at all; OSError. Whoever knows what the cells mean adds
    the mistakes of their content, and refuses all at once with `refuse`.
    """
    if path.stat().st_size > MAX_BYTES:
        raise Invalid(f"The file is larger than {MAX_BYTES // 1024 // 1024} MB.")
    return parse_table(path.read_bytes(), required, optional)


def parse_table(
    raw: bytes, required: Collection[str], optional: Collection[str]
) -> tuple[list[Line], list[Mistake]]:
    """As `read_table`, of the bytes of a file."""
    text, mistakes = decode(raw)
    if mistakes:
        raise Invalid("The file is no text in UTF-8.", mistakes=mistakes)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[Line] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(header, required, optional)
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            line = Line(
                reader.line_num,
                dict(zip(header, map(str.strip, row), strict=False)),
                is_whole=len(row) == len(header) and "\0" not in "".join(row),
            )
            lines.append(line)
            if len(row) != len(header):
                mistakes.append(
                    line.mistake("cells", f"has {len(row)} cells instead of {len(header)}")
                )
            if "\0" in "".join(row):
                mistakes.append(line.mistake("text", "contains the character U+0000"))
            mistakes += [
                line.mistake("required", f"{name} is empty")
                for name in required
                if line.is_whole and not line[name]
            ]
    except csv.Error as error:
        # What follows cannot be read, so that nothing can be said of what the lines refer to.
        mistakes.append(Mistake(f"line {reader.line_num}", "csv", f"is no CSV: {error}"))
        refuse(mistakes)
    return lines, mistakes


def refuse(mistakes: list[Mistake]) -> None:
    """Invalid, by line, if there are mistakes."""
    if mistakes:
        raise Invalid(
            "The file has mistakes; nothing was imported.",
            mistakes=sorted(mistakes, key=lambda mistake: int(mistake.pointer.split()[1])),
        )


def _check_header(header: list[str], required: Collection[str], optional: Collection[str]) -> None:
    mistakes = [
        Mistake("line 1", "missing-column", f"the column {name} is missing")
        for name in required
        if name not in header
    ]
    mistakes += [
        Mistake("line 1", "unknown-column", f"the column {name!r} is not known")
        for name in header
        if name not in required and name not in optional
    ]
    mistakes += [
        Mistake("line 1", "double-column", f"the column {name} is there twice")
        for name in sorted(set(header))
        if header.count(name) > 1
    ]
    refuse(mistakes)


def doubles(lines: list[Line], column: str) -> list[Mistake]:
    """A mistake for every line whose cell was there before."""
    first: dict[str, int] = {}
    found = []
    for line in lines:
        if not line[column]:
            continue
        number = first.setdefault(line[column], line.number)
        if number != line.number:
            found.append(
                line.mistake("double", f"{column} {line[column]} is on line {number} already")
            )
    return found
