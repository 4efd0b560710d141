"""The same questions put to the starter catalogue, with every synonym taken off its fields.

Its synonyms are these questions' own wordings, of both parts; with them nothing would be measured.
What stays are names, English names, definitions and units. Left out are questions worded like the
name of their field and those that two fields answer together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import yaml

from benchmarks.suggestions.questions import Case, Question
from catalog.similarity import FieldText
from catalog.similarity.clean import clean

FIELDS: Final = Path(__file__).resolve().parents[2] / "catalog" / "data" / "fields"
_ASKED: Final = re.compile(r"^  # asked by: .*\((.+)\)\n  - code: (\S+)$", re.MULTILINE)
_QUESTION: Final = re.compile(r"RF[0-9]{3}")


def starter_fields() -> list[FieldText]:
    """Return the fields of the starter catalogue without synonyms."""
    return [_text_of(field) for path in _files() for field in _read(path)]


def starter_cases(questions: Iterable[Question]) -> list[Case]:
    """Return the questions that one field answers under another name."""
    names = {field.code: clean(field.names["zh"]).text for field in starter_fields()}
    answering: dict[str, list[str]] = {}
    for path in _files():
        for origins, code in _ASKED.findall(path.read_text(encoding="utf-8")):
            for question in _QUESTION.findall(origins):
                answering.setdefault(question, []).append(code)
    cases = []
    for question in questions:
        codes = answering.get(question.id, [])
        if len(codes) == 1 and clean(question.name).text != names[codes[0]]:
            cases.append(Case(question, codes[0]))
    return cases


def _files() -> list[Path]:
    return sorted(FIELDS.glob("*.yaml"))


def _read(path: Path) -> list[dict[str, Any]]:
    fields: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))["fields"]
    return fields


def _text_of(field: dict[str, Any]) -> FieldText:
    return FieldText(
        code=field["code"],
        names=field["name"],
        definitions=field["definition"],
        unit=field["unit"],
        topic=field["topic"],
        subject_kind=field["subject_kind"],
        owner=field["owner"],
        code_list=field["schema"].get("code_list"),
    )
