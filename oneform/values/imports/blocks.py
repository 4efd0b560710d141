"""The bytes of a file in blocks of whole lines, so that memory stays flat however large it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import BinaryIO

from oneform.kernel.errors import Invalid, Mistake

BLOCK = 256 * 1024
MAX_LINE = 1024 * 1024
MOST_MISTAKES = 1000
BOM = b"\xef\xbb\xbf"
UTF16 = (b"\xff\xfe", b"\xfe\xff")


def broken(*mistakes: Mistake) -> Invalid:
    """The refusal of a file that cannot be read at all."""
    return Invalid("The file cannot be read; nothing was taken in.", mistakes=mistakes)


def on_line(line: int, code: str, detail: str) -> Mistake:
    return Mistake(f"line {line}", code, detail)


def text_blocks(file: BinaryIO) -> Iterator[str]:
    """The text of a file in UTF-8 (with or without BOM); every block ends with a line.

    Invalid for other encodings, with every line that shows it, and for a line longer
    than a megabyte.
    """
    line = 1
    blocks = _byte_blocks(file)
    for block in blocks:
        try:
            yield block.decode()
        except UnicodeDecodeError:
            raise broken(*_encoding_mistakes(chain([block], blocks), line)) from None
        line += block.count(b"\n")


def _byte_blocks(file: BinaryIO) -> Iterator[bytes]:
    start = file.read(BLOCK)
    if start.startswith(UTF16):
        raise broken(on_line(1, "encoding", "this is UTF-16; save the file as UTF-8"))
    rest, block, lines = b"", start.removeprefix(BOM), 0
    while block:
        end = block.rfind(b"\n") + 1
        if end:
            yield rest + block[:end]
            lines += block.count(b"\n")
            rest = block[end:]
        else:
            rest += block
        if len(rest) > MAX_LINE:
            raise broken(on_line(lines + 1, "too_long", "the line is longer than a megabyte"))
        block = file.read(BLOCK)
    if rest:
        yield rest


def _encoding_mistakes(blocks: Iterable[bytes], line: int) -> list[Mistake]:
    """Every line that is not in UTF-8, as far as anybody reads on; the first block begins at `line`."""
    mistakes: list[Mistake] = []
    for block in blocks:
        for number, raw in enumerate(block.split(b"\n"), start=line):
            try:
                raw.decode()
            except UnicodeDecodeError as error:
                wrong = f"byte {error.start + 1} (0x{raw[error.start]:02X}) is not UTF-8"
                mistakes.append(on_line(number, "encoding", f"{wrong}; save the file as UTF-8"))
        line += block.count(b"\n")
        if len(mistakes) >= MOST_MISTAKES:
            break
    return mistakes[:MOST_MISTAKES]
