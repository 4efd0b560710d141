"""Files of text as text, with the line of whatever cannot be read. Lines are counted from 1."""

from __future__ import annotations

from oneform.kernel.errors import Mistake

BOM = b"\xef\xbb\xbf"
UTF16 = (b"\xff\xfe", b"\xfe\xff")


def on_line(line: int, code: str, detail: str) -> Mistake:
    """A mistake of a line."""
    return Mistake(f"line {line}", code, detail)


def decode(data: bytes) -> tuple[str, list[Mistake]]:
    """The text of a file in UTF-8, with or without a byte order mark, and a mistake for each line
    that is not; what is readable of it is there all the same."""
    if data.startswith(UTF16):
        return "", [on_line(1, "encoding", "this is UTF-16; save the file as UTF-8")]
    data = data.removeprefix(BOM)
    try:
        return data.decode(), []
    except UnicodeDecodeError:
        pass
    lines, mistakes = [], []
    for number, line in enumerate(data.split(b"\n"), start=1):
        try:
            lines.append(line.decode())
        except UnicodeDecodeError as error:
            wrong = f"byte {error.start + 1} (0x{line[error.start]:02X}) is not UTF-8"
            mistakes.append(on_line(number, "encoding", f"{wrong}; save the file as UTF-8"))
            lines.append(line.decode(errors="replace"))
    return "\n".join(lines), mistakes
