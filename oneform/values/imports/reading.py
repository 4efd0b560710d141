"""Reading a file of values in any of its formats. No database."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from oneform.kernel.textfiles import on_line
from oneform.values.imports.blocks import broken, text_blocks
from oneform.values.imports.csv_rows import ReadCell, csv_rows
from oneform.values.imports.json_rows import json_rows
from oneform.values.imports.rows import Batch, FileFormat


def read_rows(
    file: BinaryIO, format: FileFormat, *, read_cell: ReadCell, today: str
) -> Iterator[Batch]:
    """The rows of a file from its beginning, batch by batch; memory does not grow with it.

    `read_cell` makes values of CSV cells; `today` is the day of observations that name none.
    Invalid, with its lines, for a file that cannot be read as a whole.
    """
    file.seek(0)
    blocks = text_blocks(file)
    first = next(blocks, "")
    if not first.strip():
        raise broken(on_line(1, "empty", "the file is empty"))
    blocks = chain([first], blocks)
    if format is FileFormat.CSV:
        return csv_rows(blocks, read_cell, today)
    return json_rows(blocks, today)


def guess_format(file: BinaryIO) -> FileFormat:
    """What a file without a name or a media type looks like. Leaves the file at its beginning."""
    file.seek(0)
    start = file.read(1024).removeprefix(b"\xef\xbb\xbf").lstrip()
    file.seek(0)
    return FileFormat.JSONL if start.startswith(b"{") else FileFormat.CSV
