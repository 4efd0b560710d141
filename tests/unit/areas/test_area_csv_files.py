"""CSV files are read with every mistake of form and its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from oneform.areas.csvfile import Row, read_table


def mistakes(data: bytes) -> list[tuple[str, str]]:
    found = read_table(data, ("code", "name"), ("note",)).mistakes
    return [(mistake.pointer, mistake.code) for mistake in found]


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_bom_and_ends_of_lines_make_no_difference(start: bytes, end: bytes) -> None:
    data = start + end.join([b"code,name", b"1,a", b"", b'2,"b,""c"'])
    table = read_table(data, ("code", "name"))
    assert table.mistakes == []
    assert table.rows == [
        Row(2, {"code": "1", "name": "a"}),
        Row(4, {"code": "2", "name": 'b,"c'}),
    ]


def test_columns_come_in_any_order_and_optional_ones_may_be_missing() -> None:
    (row,) = read_table(b"name,code\na,1\n", ("code", "name"), ("note",)).rows
    assert (row.cell("code"), row.cell("name"), row.cell("note")) == ("1", "a", "")


def test_file_is_read_from_disk(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"code,name\n1,a\n")
    assert len(read_table(tmp_path / "a.csv", ("code", "name")).rows) == 1


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", [("line 1", "missing_column"), ("line 1", "missing_column")]),
        (b"code\n1\n", [("line 1", "missing_column")]),
        (b"code;name\n1;a\n", [("line 1", "missing_column")] * 2 + [("line 1", "unknown_column")]),
        (b"code,name,colour\n1,a,b\n", [("line 1", "unknown_column")]),
        (b"code,name,name\n1,a,b\n", [("line 1", "duplicate_column")]),
        (b"code,name\n1\n2,b\n3,c,d\n", [("line 2", "cells"), ("line 4", "cells")]),
        (
            b"code,name\n1,\xd6\xd0\n2,b\n3,\xce\xc4\n",
            [("line 2", "encoding"), ("line 4", "encoding")],
        ),
        ("code,name\n1,a\n".encode("utf-16"), [("line 1", "encoding")]),
        (b"PK\x03\x04" + bytes(range(256)), [("line 1", "workbook")]),
        (b'code,name\n1,a\n2,"b\n3,c\n', [("line 3", "quotation")]),
        (b'code,name\n1,"a"b\n', [("line 2", "quotation")]),
    ],
)
def test_mistakes_of_form_are_found_with_their_lines(
    data: bytes, expected: list[tuple[str, str]]
) -> None:
    assert mistakes(data) == expected


def test_byte_that_is_not_utf8_is_named() -> None:
    (mistake,) = read_table(b"code,name\n1,a\xff\n", ("code", "name")).mistakes
    assert "byte 4 (0xFF)" in mistake.detail


def test_lines_after_a_bad_byte_are_read_all_the_same() -> None:
    table = read_table(b"code,name\n1,\xff\n2,b\n", ("code", "name"))
    assert [row.cell("code") for row in table.rows] == ["1", "2"]
