"""The starter catalogue as files: where they are, and what the comments in them say.

Above each field stands who asks it and in which questions: `# asked by: 民政, 统计 (RF004)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "data"

_ASKED = re.compile(r"^  # asked by: (.+) \((.+)\)\n  - code: (\S+)$", re.MULTILINE)
_QUESTION = re.compile(r"RF[0-9]{3}")


class Asked(NamedTuple):
    """Who asks for a field, and the numbers of the questions."""

    code: str
    bureaus: list[str]
    questions: list[str]


def field_files() -> list[Path]:
    """The files with fields, one for each topic."""
    return sorted((FOLDER / "fields").glob("*.yaml"))


def asked_in(text: str) -> Iterator[Asked]:
    """What the comments of a file say of its fields."""
    for names, origins, code in _ASKED.findall(text):
        yield Asked(code, names.split(", "), _QUESTION.findall(origins))
