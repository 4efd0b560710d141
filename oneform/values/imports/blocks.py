"""The bytes of a file in blocks of whole lines, so that memory stays flat however large it is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from oneform.kernel.errors import Invalid, Mistake
from oneform.kernel.textfiles import BOM, no_text, on_line, undecodable

BLOCK = 256 * 1024
MAX_LINE = 1024 * 1024
MOST_MISTAKES = 1000


def broken(*mistakes: Mistake) -> Invalid:
    """The refusal of a file that cannot be read at all."""
    return Invalid("The file cannot be read; nothing was taken in.", mistakes=mistakes)


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
            rest = chain.from_iterable(map(_lines, chain([block], blocks)))
            found = undecodable(rest, start=line, most=MOST_MISTAKES)
            raise broken(*found.mistakes) from None
        line += block.count(b"\n")


def _lines(block: bytes) -> list[bytes]:
    return block.removesuffix(b"\n").split(b"\n")


def _byte_blocks(file: BinaryIO) -> Iterator[bytes]:
    start = file.read(BLOCK)
    if (mistake := no_text(start)) is not None:
        raise broken(mistake)
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
