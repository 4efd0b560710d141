"""The whitelist as CSV and XLSX: everything is there, and nothing runs when it is opened."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from catalog.bundle import read_bundle
from catalog.check import check_bundle
from catalog.definition import FieldDefinition
from catalog.tables import COLUMNS, write_csv, write_xlsx

FIELDS = check_bundle(read_bundle(Path(__file__).parent / "sample_bundle.yaml")).definitions
TOTAL = FIELDS["population.resident_total"]


def csv_rows(*fields: FieldDefinition) -> list[dict[str, str]]:
    text = "".join(write_csv((3, field) for field in fields))
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline="")))


def xlsx_rows(*fields: FieldDefinition) -> list[dict[str, Any]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(write_xlsx((3, field) for field in fields)))
    head, *rows = book.get_sheet_by_index(0).to_python()
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_csv_has_a_row_for_each_field_and_a_cell_for_each_member() -> None:
    rows = csv_rows(*FIELDS.values())
    assert [row["code"] for row in rows] == list(FIELDS)
    total = rows[0]
    assert tuple(total) == COLUMNS
    assert total["version"] == "3"
    assert total["name_zh"] == "常住人口数"
    assert total["synonyms"] == "常住人口；常住人数"
    assert total["levels"] == "township village"
    assert total["schema"] == '{"type": "integer", "minimum": 0}'
    assert total["sharing_category"] == "unconditional"
    assert total["personal"] == "false"
    assert total["valid_for"] == ""
    assert rows[1]["window_from"] == "11-01"
    assert rows[2]["derivation"].startswith('{"formula": ')


def test_workbook_has_the_same_cells_and_numbers_are_numbers() -> None:
    rows = xlsx_rows(*FIELDS.values())
    assert [row["code"] for row in rows] == list(FIELDS)
    assert rows[0]["seconds"] == 15.0
    assert [{k: str(v) for k, v in row.items() if isinstance(v, str)} for row in rows] == [
        {k: v for k, v in row.items() if k not in ("version", "seconds", "sensitivity")}
        for row in csv_rows(*FIELDS.values())
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_begins_like_a_formula(start: str) -> None:
    hostile = replace(
        TOTAL,
        name={"zh": start + "cmd()", "en": start},
        synonyms=(start + "1",),
        unit=start,
        legal_basis=start + "HYPERLINK()",
    )
    for row in (*csv_rows(hostile), *xlsx_rows(hostile)):
        for column in ("name_zh", "name_en", "synonyms", "unit", "legal_basis"):
            assert row[column].startswith("'" + start)


def test_quotation_marks_and_lines_in_a_definition_survive() -> None:
    definition = {"zh": '他说"好",\n第二行'}
    (row,) = csv_rows(replace(TOTAL, definition=definition))
    assert row["definition_zh"] == definition["zh"]
