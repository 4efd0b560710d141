"""What one cell of a file may hold: codes, levels, days, texts.

The one rule of a country in this part, the form of an area's code, is
`AREA_CODE`. Which columns a file has is in `formats`.
"""

from __future__ import annotations

import datetime as dt
import re

from oneform.areas.csvfile import Row, on_line
from oneform.areas.models import Level
from oneform.kernel.errors import Mistake

AREA_CODE = re.compile(r"[0-9]{12}")
"""Statistical area code of the National Bureau of Statistics (统计用区划代码): 12 ASCII digits."""

MAX_TEXT = 200
MAX_CLASS = 20

UNSTORABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, and halves of characters; everything else in a name is kept as it is."""

_LEVELS = {str(level.value): level for level in Level}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def text_mistake(text: str, longest: int = MAX_TEXT) -> tuple[str, str] | None:
    """Code and words of what keeps a text from being stored; None if nothing does."""
    if wrong := UNSTORABLE.search(text):
        return "control_character", f"holds the character U+{ord(wrong[0]):04X}"
    if not text.strip():
        return "empty", "is empty"
    if len(text) > longest:
        return "too_long", f"has {len(text)} characters; {longest} are the most"
    return None


class Cells:
    """Reads the cells of one row, and collects what is wrong with them."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.mistakes: list[Mistake] = []

    def wrong(self, code: str, detail: str) -> None:
        self.mistakes.append(on_line(self.row.line, code, detail))

    def text(self, column: str, longest: int = MAX_TEXT) -> str:
        text = self.row.cell(column)
        if fault := text_mistake(text, longest):
            self.wrong(fault[0], f"{column} {fault[1]}")
        return text

    def optional_text(self, column: str, longest: int = MAX_TEXT) -> str | None:
        return self.text(column, longest) if self.row.cell(column) else None

    def area(self, column: str) -> str:
        text = self.row.cell(column)
        if not AREA_CODE.fullmatch(text):
            self.wrong("code", f"{column} {text[:40]!r} is not 12 digits")
        return text

    def optional_area(self, column: str) -> str | None:
        return self.area(column) if self.row.cell(column) else None

    def level(self, column: str) -> Level:
        text = self.row.cell(column)
        if text not in _LEVELS:
            self.wrong("level", f"{column} {text[:40]!r} is not one of {', '.join(_LEVELS)}")
        return _LEVELS.get(text, Level.GRID)

    def optional_level(self, column: str) -> Level | None:
        return self.level(column) if self.row.cell(column) else None

    def day(self, column: str) -> dt.date:
        text = self.row.cell(column)
        try:
            if _DAY.fullmatch(text):
                return dt.date.fromisoformat(text)
        except ValueError:
            pass
        self.wrong("date", f"{column} {text[:40]!r} is not a day such as 2023-06-30")
        return dt.date.min

    def optional_day(self, column: str) -> dt.date | None:
        return self.day(column) if self.row.cell(column) else None
