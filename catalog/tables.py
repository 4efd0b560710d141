"""The whitelist as a table, for people with spreadsheets: CSV and XLSX. Pure.

A row for each field; what has parts (schema, derivation, soft checks) stands as JSON.
It is for reading and sorting; what can be imported again is the bundle.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]

from catalog.definition import FieldDefinition

COLUMNS = (
    *("code", "version", "name_zh", "name_en", "definition_zh", "definition_en", "synonyms"),
    *("topic", "subject_kind", "levels", "schema", "unit", "period_type", "valid_for", "mode"),
    *("collected_at", "review", "owner", "sharing_category", "sharing_conditions"),
    *("sharing_basis", "legal_basis", "sensitivity", "personal", "rollup", "derivation"),
    *("soft_checks", "seconds", "window_from", "window_to", "effective_from", "expires_on"),
)
_WIDTHS = {"definition_zh": 60, "definition_en": 60, "name_zh": 24, "name_en": 30, "code": 32}
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

Cell = str | int


def neutralised(text: str) -> str:
    """A text that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return "'" + text if text.startswith(_FORMULA_STARTS) else text


def write_csv(fields: Iterable[tuple[int, FieldDefinition]]) -> Iterator[str]:
    """Versions with their numbers as CSV (RFC 4180), in pieces of whole lines.

    Begins with a byte order mark: without one, spreadsheets take the Chinese for something else.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow(COLUMNS)
    for version, field in fields:
        writer.writerow(_cells(version, field))
        if buffer.tell() > 32_768:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def write_xlsx(fields: Iterable[tuple[int, FieldDefinition]]) -> bytes:
    """The same as a workbook with one sheet."""
    file = io.BytesIO()
    # Rows go to disk as they are written; nothing in a cell becomes a formula or a link.
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        sheet = book.add_worksheet("catalog")
        bold = book.add_format({"bold": True})
        sheet.freeze_panes(1, 1)
        for column, name in enumerate(COLUMNS):
            sheet.set_column(column, column, _WIDTHS.get(name, 16))
            sheet.write_string(0, column, name, bold)
        for row, (version, field) in enumerate(fields, start=1):
            for column, cell in enumerate(_cells(version, field)):
                if isinstance(cell, int):
                    sheet.write_number(row, column, cell)
                elif cell:
                    sheet.write_string(row, column, cell)
    return file.getvalue()


def _cells(version: int, field: FieldDefinition) -> list[Cell]:
    """The cells of a field, in the order of `COLUMNS`."""
    member = field.as_bundle()
    flat: dict[str, Any] = {**member, "version": version}
    for words in ("name", "definition"):
        flat |= {f"{words}_{language}": member[words].get(language) for language in ("zh", "en")}
    flat |= {f"sharing_{name}": part for name, part in member["sharing"].items()}
    flat |= {f"window_{end}": part for end, part in (member["window"] or {}).items()}
    flat["synonyms"] = "；".join(member["synonyms"])
    flat["levels"] = " ".join(member["levels"])
    return [_cell(flat.get(column)) for column in COLUMNS]


def _cell(value: Any) -> Cell:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            return value
        case str():
            return neutralised(value)
    return neutralised(json.dumps(value, ensure_ascii=False)) if value else ""
