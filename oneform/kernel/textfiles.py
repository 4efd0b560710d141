"""Files of text as text, with the line of whatever cannot be read. Lines are counted from 1."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from oneform.kernel.errors import Mistake

BOM = b"\xef\xbb\xbf"
UTF16 = (b"\xff\xfe", b"\xfe\xff")

WORKBOOK = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How files of Excel begin: .xlsx, a ZIP archive, and .xls."""

MANY = 20
"""Lines that are not UTF-8; with more of them the whole file may be in another encoding."""

SAVE_AS = "save the file as UTF-8 (in Excel: “Save as” → “CSV UTF-8”, 另存为)"


def on_line(line: int, code: str, detail: str) -> Mistake:
    """A mistake of a line."""
    return Mistake(f"line {line}", code, detail)


def no_text(start: bytes) -> Mistake | None:
    """The mistake of a file that begins as no file of text in UTF-8 does; None if it may be one."""
    if start.startswith(WORKBOOK):
        return on_line(1, "workbook", f"this is a workbook (Excel), no CSV; {SAVE_AS}")
    if start.startswith(UTF16):
        return on_line(1, "encoding", f"this is UTF-16; {SAVE_AS}")
    return None


def decode(data: bytes) -> tuple[str, list[Mistake]]:
    """The text of a file in UTF-8, with or without a byte order mark, and a mistake for each line
    that is not; what is readable of it is there all the same."""
    if (mistake := no_text(data)) is not None:
        return "", [mistake]
    data = data.removeprefix(BOM)
    try:
        return data.decode(), []
    except UnicodeDecodeError:
        pass
    lines = data.split(b"\n")
    found = undecodable(lines)
    if found.is_gb18030:
        return data.decode("gb18030", errors="replace"), found.mistakes
    return data.decode(errors="replace"), found.mistakes


@dataclass(frozen=True, slots=True)
class Undecodable:
    """What is not UTF-8. Of a file that is GB18030 as a whole there is one mistake, of its first
    such line; else one of each."""

    mistakes: list[Mistake]
    is_gb18030: bool


def undecodable(lines: Iterable[bytes], *, start: int = 1, most: int | None = None) -> Undecodable:
    """The lines that are not UTF-8, until there are `most`; the first line has the number `start`.

    A file counts as GB18030 (or GBK), which Chinese Excel saves as "CSV", where more than MANY of
    its lines, and most of those that are more than ASCII, are that and not UTF-8.
    """
    mistakes: list[Mistake] = []
    in_utf8, all_gb18030 = 0, True
    for number, line in enumerate(lines, start=start):
        if line.isascii():
            continue
        try:
            line.decode()
            in_utf8 += 1
        except UnicodeDecodeError as error:
            wrong = f"byte {error.start + 1} (0x{line[error.start]:02X}) is not UTF-8"
            mistakes.append(on_line(number, "encoding", f"{wrong}; {SAVE_AS}"))
            all_gb18030 = all_gb18030 and _is_gb18030(line)
            if len(mistakes) == most:
                break
    if not (all_gb18030 and len(mistakes) > max(MANY, in_utf8)):
        return Undecodable(mistakes, is_gb18030=False)
    words = f"the file is in GB18030 (GBK) from here on, not in UTF-8; {SAVE_AS}"
    return Undecodable([Mistake(mistakes[0].pointer, "encoding", words)], is_gb18030=True)


def _is_gb18030(line: bytes) -> bool:
    try:
        line.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return True
