"""The three files of areas and subjects (API.md, section 7): columns, and what a cell may hold.

Only single lines are judged here; whether lines fit together and with what is
known is `importing`, `changes` and `subject_import`; single cells are read in `cells`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from oneform.areas.cells import MAX_CLASS, Cells
from oneform.areas.csvfile import Table
from oneform.areas.models import AreaChangeKind, Level

AREA_COLUMNS = ("code", "parent_code", "level", "name")
AREA_OPTIONAL = ("valid_from", "valid_to", "urban_rural_class")
CHANGE_COLUMNS = ("change", "old_code", "new_code", "parent_code", "level", "name", "on_date")
SUBJECT_COLUMNS = ("kind", "key", "name", "area")
SUBJECT_OPTIONAL = ("active_from",)


@dataclass(frozen=True, slots=True)
class AreaLine:
    line: int
    code: str
    parent_code: str | None
    level: Level
    name: str
    valid_from: dt.date | None
    valid_to: dt.date | None
    urban_rural_class: str | None


@dataclass(frozen=True, slots=True)
class ChangeLine:
    line: int
    kind: AreaChangeKind
    old_code: str | None
    new_code: str | None
    parent_code: str | None
    level: Level | None
    name: str | None
    on_date: dt.date


@dataclass(frozen=True, slots=True)
class SubjectLine:
    line: int
    kind: str
    key: str
    name: str
    area: str
    active_from: dt.date | None


@dataclass(frozen=True, slots=True)
class Broken:
    """A line with mistakes of its own, which are not held against other lines.

    `gone` is the code that it may have meant to end, `there` the one that it may
    have meant to make.
    """

    line: int
    there: str
    gone: str = ""


def area_lines(table: Table) -> tuple[list[AreaLine], list[Broken]]:
    """The lines of an areas file; what is wrong is added to the table's mistakes."""
    good, broken = [], []
    for row in table.rows:
        cells = Cells(row)
        line = AreaLine(
            row.line,
            cells.area("code"),
            cells.optional_area("parent_code"),
            cells.level("level"),
            cells.text("name"),
            cells.optional_day("valid_from"),
            cells.optional_day("valid_to"),
            cells.optional_text("urban_rural_class", MAX_CLASS),
        )
        if (
            not cells.mistakes
            and line.valid_from
            and line.valid_to
            and line.valid_to < line.valid_from
        ):
            cells.wrong("dates", f"valid_to {line.valid_to} is before valid_from {line.valid_from}")
        if _is_sound(cells, table):
            good.append(line)
        else:
            broken.append(Broken(row.line, row.cell("code")))
    return good, broken


def change_lines(table: Table) -> list[ChangeLine | Broken]:
    """The lines of a changes file in their order; what is wrong is added to the table's mistakes."""
    lines: list[ChangeLine | Broken] = []
    for row in table.rows:
        cells = Cells(row)
        word = row.cell("change")
        if word not in set(AreaChangeKind):
            known = ", ".join(AreaChangeKind)
            cells.wrong("change", f"change {word[:40]!r} is not one of {known}")
        line = ChangeLine(
            row.line,
            AreaChangeKind(word) if word in set(AreaChangeKind) else AreaChangeKind.OPEN,
            cells.optional_area("old_code"),
            cells.optional_area("new_code"),
            cells.optional_area("parent_code"),
            cells.optional_level("level"),
            cells.optional_text("name"),
            cells.day("on_date"),
        )
        if _is_sound(cells, table):
            lines.append(line)
        else:
            lines.append(Broken(row.line, there=row.cell("new_code"), gone=row.cell("old_code")))
    return lines


def subject_lines(table: Table) -> list[SubjectLine]:
    """The lines of a subjects file; what is wrong is added to the table's mistakes."""
    lines = []
    for row in table.rows:
        cells = Cells(row)
        line = SubjectLine(
            row.line,
            cells.text("kind"),
            cells.text("key"),
            cells.text("name"),
            cells.area("area"),
            cells.optional_day("active_from"),
        )
        if _is_sound(cells, table):
            lines.append(line)
    return lines


def _is_sound(cells: Cells, table: Table) -> bool:
    # Of a row with a cell too many or too few nothing can be said but that.
    if cells.row.whole:
        table.mistakes.extend(cells.mistakes)
    return cells.row.whole and not cells.mistakes
