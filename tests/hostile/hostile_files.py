"""Files that commands have to refuse: for each kind of file, and what stands on the line of its mistake."""

from __future__ import annotations

from dataclasses import dataclass

MB = 1024 * 1024
DEEP = 100_000
LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{name}: &{name} [*{before}, *{before}]\n"
    for before, name in zip("abcdefghijklmnopqrs", "bcdefghijklmnopqrst", strict=True)
)


@dataclass(frozen=True)
class Refused:
    """A file, the line that is named, and a word of what is said about it."""

    data: bytes
    line: int = 1
    word: str = ""


HEADERS = {
    "areas import": "code,parent_code,level,name",
    "areas changes": "change,old_code,new_code,parent_code,level,name,on_date",
    "agencies import": "code,name,area,parent",
    "people import": "username,roles,area",
    "subjects import": "kind,key,name,area,active_from",
    "values import": "field,subject,period,value,observed_on",
}
"""Of the commands that read CSV."""


def csv_files(header: str) -> dict[str, Refused]:
    """Files of form: nothing in them is looked at further."""
    head = header.encode()
    first = header.split(",", maxsplit=1)[0]
    return {
        "empty": Refused(b"", 1),
        "blank": Refused(b"\n\n\n", 1),
        "only a byte order mark": Refused(b"\xef\xbb\xbf", 1),
        "UTF-16": Refused(f"{header}\n".encode("utf-16"), 1, "UTF-16"),
        "GBK": Refused(head + b"\n" + "村".encode("gbk") + b"\n", 2, "UTF-8"),
        "U+0000": Refused(head + b"\n\x00" + b"," * header.count(",") + b"\n", 2),
        "a workbook": Refused(b"PK\x03\x04" + bytes(range(256)) * 8, 1, "workbook"),
        "a column twice": Refused(head + f",{first}\n".encode(), 1, first),
        "a column that nobody knows": Refused(head + b",=HYPERLINK(1)\n", 1, "HYPERLINK"),
        "another separator": Refused(header.replace(",", ";").encode() + b"\n", 1),
        "quotation without an end": Refused(head + b'\n"' + b"x" * 1000, 2),
        "too many cells": Refused(head + b"\nx" + b"," * 5_000 + b"\n", 2),
        "too few cells": Refused(head + b"\nx\n", 2),
        "a cell of 10 MB": Refused(
            head + b"\n" + b"x" * (10 * MB) + b"," * header.count(",") + b"\n", 2
        ),
        "no file at all": Refused(b"\x1f\x8b\x08\x00" + b"\x00" * 100, 1),
    }


YAML_FILES: dict[str, Refused] = {
    "empty": Refused(b""),
    "a text": Refused(b"hello"),
    "a list": Refused(b"- 1\n- 2\n"),
    "a billion laughs": Refused(LAUGHS.encode(), 1, "anchors"),
    "a tag that runs": Refused(b"x: !!python/object/apply:os.system [id]\n", 1, "tag"),
    "deep lists": Refused(b"[" * DEEP + b"]" * DEEP, 1, "nested"),
    "deep objects": Refused(b"{a: " * DEEP + b"1" + b"}" * DEEP, 1, "nested"),
    "a member twice": Refused(b"code: a\ncode: b\n", 2, "twice"),
    "two documents": Refused(b"code: a\n---\ncode: b\n", 2, "second document"),
    "UTF-16": Refused("code: a\n".encode("utf-16")),
    "no UTF-8": Refused(b"a: 1\nb: \xff\n", 2, "UTF-8"),
    "U+0000": Refused(b"a: 1\nb: \x00\n", 2),
    "half a pair": Refused(b'a: "\\ud800"\n', 1),
    "a number out of range": Refused(b"a: 1e999\n", 1, "range"),
    "a number that is none": Refused(b"a: .nan\nb: 1\n"),
    "a key that is a list": Refused(b"? [1, 2]\n: 3\n", 1),
    "a tab": Refused(b"a:\n\tb: 1\n", 2),
    "no end": Refused(b'a: "x\n', 1),
    "10 MB": Refused(b"a: " + b"x" * (10 * MB) + b"\n"),
}
"""For the commands that read YAML."""

JSON_LINES: dict[str, Refused] = {
    "a list": Refused(b"[1]\n"),
    "NaN": Refused(b'{"field": "own.health", "subject": "x", "value": NaN}\n'),
    "a number out of range": Refused(b'{"field": "a", "subject": "x", "value": 1e999}\n'),
    "a huge number": Refused(b'{"field": "a", "subject": "x", "value": ' + b"9" * 99_999 + b"}\n"),
    "half a pair": Refused(b'{"field": "a", "subject": "\\ud800", "value": 1}\n'),
    "U+0000": Refused(b'{"field": "a", "subject": "\\u0000", "value": 1}\n'),
    "a member twice": Refused(b'{"field": "a", "field": "b", "subject": "x", "value": 1}\n'),
    "deep": Refused(b'{"field": "a", "subject": "x", "value": ' + b"[" * DEEP + b"]" * DEEP + b"}"),
    "no UTF-8": Refused(b'{"field": "\xff", "subject": "x", "value": 1}\n'),
    "not JSON": Refused(b"{field: 1}\n"),
    "another member": Refused(b'{"field": "a", "subject": "x", "value": 1, "__class__": 1}\n'),
}
"""For imports of values: every line is a row of its own."""
