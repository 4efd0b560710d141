"""Files of text that are not UTF-8: which lines, and whether it is the whole file."""

from __future__ import annotations

import pytest

from oneform.kernel.textfiles import MANY, decode

HEADER = b"code,name\n"
BROKEN = "1,村\n".encode("gbk")


def told(data: bytes) -> list[str]:
    return [mistake.pointer for mistake in decode(data)[1]]


def test_file_in_the_encoding_of_chinese_excel_is_one_mistake_with_the_way_out() -> None:
    text, [mistake] = decode(HEADER + "1,秭归县\n".encode("gbk") * (MANY + 1))
    assert mistake.pointer == "line 2"
    assert "GBK" in mistake.detail
    assert "“Save as” → “CSV UTF-8”" in mistake.detail
    assert text.endswith("1,秭归县\n"), "so that its other mistakes are found too"


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1"])
def test_workbook_is_told_as_such_and_nothing_of_it_is_shown(start: bytes) -> None:
    text, [mistake] = decode(start + bytes(range(256)))
    assert text == ""
    assert (mistake.pointer, mistake.code) == ("line 1", "workbook")
    assert "“CSV UTF-8”" in mistake.detail


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(HEADER + BROKEN * MANY, id="few lines"),
        pytest.param(
            HEADER + BROKEN * (MANY + 5) + "1,村\n".encode() * (MANY + 5), id="as many in UTF-8"
        ),
        pytest.param(HEADER + BROKEN * (MANY + 5) + b"1,\xff\n", id="one that is no GB18030"),
    ],
)
def test_other_files_have_every_such_line_named(data: bytes) -> None:
    lines = data.split(b"\n")
    expected = [
        n for n, line in enumerate(lines, start=1) if b"\xb4\xe5" in line or b"\xff" in line
    ]
    assert told(data) == [f"line {number}" for number in expected]
