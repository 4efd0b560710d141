"""Reading a CSV file of unknown encoding as a stream of records."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from typing import BinaryIO

from oneform.kernel.textfiles import WORKBOOK
from oneform.sources.errors import SourceError

AUTO = "auto"
ENCODINGS = {"utf-8": "utf-8-sig", "gb18030": "gb18030", "utf-16": "utf-16"}
"""Encodings that may be named → Python's name for them."""

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_BLOCK = 1 << 20


def read_records(file: BinaryIO, name: str, encoding: str, delimiter: str) -> Iterator[list[str]]:
    """The records of a file, its header first; empty lines are left out. Closes it at the end.

    SourceError (with the line) for bytes that are no text, quotes that do not
    close, and records with more cells than the header.
    """
    chosen = _detect(file, name) if encoding == AUTO else ENCODINGS[encoding]
    width = 0
    with io.TextIOWrapper(file, encoding=chosen, newline="") as text:
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        try:
            for record in reader:
                if not record:
                    continue
                if width == 0:
                    record = [cell.strip() for cell in record]
                    width = len(record)
                elif len(record) > width and any(record[width:]):
                    raise SourceError(
                        f"{name}, line {reader.line_num}: {len(record)} cells "
                        f"under {width} headings."
                    )
                yield record
        except csv.Error as error:
            raise SourceError(f"{name}, line {reader.line_num}: is no CSV: {error}.") from None
        except UnicodeError:
            raise SourceError(
                f"{name}, after line {reader.line_num}: is not text in {chosen}."
            ) from None


def _detect(file: BinaryIO, name: str) -> str:
    """By its mark; else UTF-8 if all of it is; else GB18030, in which Excel saves in China.

    SourceError for a workbook.
    """
    start = file.read(4)
    file.seek(0)
    if start.startswith(WORKBOOK):
        raise SourceError(f"{name} is a workbook (Excel), no CSV; save the sheet as CSV.")
    for mark, encoding in _MARKS.items():
        if start.startswith(mark):
            return encoding
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while block := file.read(_BLOCK):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "gb18030"
    finally:
        file.seek(0)
    return "utf-8"
