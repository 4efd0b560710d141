"""What a cell may hold, and what names keep."""

from __future__ import annotations

import pytest

from oneform.areas.csvfile import read_table
from oneform.areas.formats import (
    AREA_COLUMNS,
    AREA_OPTIONAL,
    CHANGE_COLUMNS,
    SUBJECT_COLUMNS,
    SUBJECT_OPTIONAL,
    area_lines,
    change_lines,
    subject_lines,
)

A, B = "420100000000", "420102000000"


def of_areas(line: str) -> list[str]:
    header = ",".join((*AREA_COLUMNS, *AREA_OPTIONAL))
    table = read_table(f"{header}\n{line}\n".encode(), AREA_COLUMNS, AREA_OPTIONAL)
    area_lines(table)
    assert all(mistake.pointer == "line 2" for mistake in table.mistakes)
    return [mistake.code for mistake in table.mistakes]


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        (f"{B},{A},3,江岸区,,,", []),
        (f"{B},{A},3,江岸区,2020-01-01,2024-02-29,111", []),
        (f"{B},{A},3,江岸区,2020-01-01,2020-01-01,", []),
        (f"42010200000,{A},3,江岸区,,,", ["code"]),
        (f"4201020000000,{A},3,江岸区,,,", ["code"]),
        (f"42010200000a,{A},3,江岸区,,,", ["code"]),
        (f"４２０１０２００００００,{A},3,江岸区,,,", ["code"]),
        (f" {B},{A},3,江岸区,,,", ["code"]),
        (f",{A},3,江岸区,,,", ["code"]),
        (f"{B},武汉,3,江岸区,,,", ["code"]),
        (f"{B},{A},0,江岸区,,,", ["level"]),
        (f"{B},{A},7,江岸区,,,", ["level"]),
        (f"{B},{A},3.0,江岸区,,,", ["level"]),
        (f"{B},{A},３,江岸区,,,", ["level"]),
        (f"{B},{A},,江岸区,,,", ["level"]),
        (f"{B},{A},county,江岸区,,,", ["level"]),
        (f"{B},{A},3,,,,", ["empty"]),
        (f"{B},{A},3,　,,,", ["empty"]),
        (f"{B},{A},3,江\x00岸区,,,", ["control_character"]),
        (f"{B},{A},3,江\t岸区,,,", ["control_character"]),
        (f'{B},{A},3,"江\n岸区",,,', ["control_character"]),
        (f"{B},{A},3,{'江' * 201},,,", ["too_long"]),
        (f"{B},{A},3,江岸区,2020-02-30,,", ["date"]),
        (f"{B},{A},3,江岸区,20200101,,", ["date"]),
        (f"{B},{A},3,江岸区,2020-W01-1,,", ["date"]),
        (f"{B},{A},3,江岸区,,2020/01/01,", ["date"]),
        (f"{B},{A},3,江岸区,2021-01-01,2020-12-31,", ["dates"]),
        (f"{B},{A},3,江岸区,,,{'1' * 21}", ["too_long"]),
        ("x,y,z,,a,b,", ["code", "code", "level", "empty", "date", "date"]),
        (f"{B},{A},3", ["cells"]),
    ],
)
def test_every_wrong_cell_of_an_area_is_told(line: str, codes: list[str]) -> None:
    assert of_areas(line) == codes


@pytest.mark.parametrize(
    "name", ["\ue5cf村", "𬒗社区", "（大）〇村", "701社区居委会", " 村 ", '"村"', "=1+1"]
)
def test_names_are_kept_as_they_are(name: str) -> None:
    cell = name.replace('"', '""')
    data = f'code,parent_code,level,name\n{A},,2,"{cell}"\n'.encode()
    (line,), _ = area_lines(read_table(data, AREA_COLUMNS))
    assert line.name == name


def test_row_with_a_cell_too_many_names_its_code_and_nothing_else() -> None:
    table = read_table(f"code,parent_code,level,name\n{A},,9,a,b\n".encode(), AREA_COLUMNS)
    lines, broken = area_lines(table)
    assert [mistake.code for mistake in table.mistakes] == ["cells"]
    assert lines == []
    assert [line.there for line in broken] == [A]


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        (f"close,{A},,,,,2023-06-30", []),
        (f"closed,{A},,,,,2023-06-30", ["change"]),
        (f"CLOSE,{A},,,,,2023-06-30", ["change"]),
        (f"close,{A},,,,,", ["date"]),
        (
            "rename,1,2,3,9,\x07,soon",
            ["code", "code", "code", "level", "control_character", "date"],
        ),
    ],
)
def test_every_wrong_cell_of_a_change_is_told(line: str, codes: list[str]) -> None:
    table = read_table(f"{','.join(CHANGE_COLUMNS)}\n{line}\n".encode(), CHANGE_COLUMNS)
    change_lines(table)
    assert [mistake.code for mistake in table.mistakes] == codes


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        (f"household,H1,张家,{A},", []),
        (f"household,H1,张家,{A},2020-01-01", []),
        (",,,,yesterday", ["empty", "empty", "empty", "code", "date"]),
    ],
)
def test_every_wrong_cell_of_a_subject_is_told(line: str, codes: list[str]) -> None:
    header = ",".join((*SUBJECT_COLUMNS, *SUBJECT_OPTIONAL))
    table = read_table(f"{header}\n{line}\n".encode(), SUBJECT_COLUMNS, SUBJECT_OPTIONAL)
    subject_lines(table)
    assert [mistake.code for mistake in table.mistakes] == codes
