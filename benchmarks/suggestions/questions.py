"""The questions of real forms, split by a fixed rule into what may be tuned on and what may not."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Final

from catalog.similarity import FieldText

DATA: Final = Path(__file__).parent / "data" / "real_fields.csv"

OFF_LIST: Final = DATA.with_name("off_list.csv")

NOT_GROUPED: Final = frozenset({"卫健", "应急", "计生协", "交通"})
"""Bureaus whose questions nobody has compared with the rest; their blank `same_as` says nothing."""


class Part(StrEnum):
    """Which half a question belongs to."""

    TUNE = "tune"
    TEST = "test"


class Relation(StrEnum):
    """How a question relates to the fact of its group, as the list says."""

    EXACT = "exact"
    DEFINITION_DIFFERS = "definition_differs"
    UNIT_DIFFERS = "unit_differs"
    PERIOD_DIFFERS = "period_differs"
    NARROWER = "narrower"
    BROADER = "broader"
    COMPLEMENT = "complement"
    AGGREGATE = "aggregate_of_yesno"


SAME: Final = frozenset(
    {
        Relation.EXACT,
        Relation.DEFINITION_DIFFERS,
        Relation.UNIT_DIFFERS,
        Relation.PERIOD_DIFFERS,
    }
)
"""Relations under which the indexed field is what the asker should have asked for.

The others ask for a part of the fact, for more than it, for its opposite or for a share of villages.
"""


@dataclass(frozen=True, slots=True)
class Question:
    """One question of one form; `group` is empty where no other question is known to mean the same."""

    id: str
    name: str
    unit: str
    topic: str
    bureau: str
    group: str
    relation: Relation | None

    @property
    def part(self) -> Part:
        """Even SHA-256 of the group (of the question where it has none): tune; odd: test."""
        key = self.group or self.id
        return Part.TEST if sha256(key.encode()).digest()[-1] % 2 else Part.TUNE


@dataclass(frozen=True, slots=True)
class Case:
    """A question to ask the index, and the code of the field that answers it."""

    question: Question
    expected: str


def read_questions(path: Path = DATA) -> list[Question]:
    """Read the list, in its order."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [
            Question(
                id=row["id"],
                name=row["name_zh"],
                unit=row["unit"],
                topic=row["subject"],
                bureau=row["bureau"],
                group=row["same_as"],
                relation=Relation(row["relation"]) if row["relation"] else None,
            )
            for row in csv.DictReader(file)
        ]


def indexed_rows(questions: Iterable[Question]) -> dict[str, Question]:
    """Return for each group the one question its field is made of: the first exact one, else the first."""
    chosen: dict[str, Question] = {}
    for question in questions:
        if not question.group:
            continue
        held = chosen.setdefault(question.group, question)
        if held.relation is not Relation.EXACT and question.relation is Relation.EXACT:
            chosen[question.group] = question
    return chosen


def field_of(question: Question) -> FieldText:
    """Return the field: the name, unit and topic of that one row, no synonym, no definition, no label."""
    return FieldText(
        code=f"x.{question.group.lower()}",
        names={"zh": question.name},
        unit=question.unit or None,
        topic=question.topic,
        subject_kind="area",
    )


def cases(questions: Iterable[Question]) -> list[Case]:
    """Return all other rows of the groups; a row that repeats the indexed name counts as well."""
    questions = list(questions)
    chosen = indexed_rows(questions)
    return [
        Case(question, field_of(chosen[question.group]).code)
        for question in questions
        if question.group and question is not chosen[question.group]
    ]


def off_list(questions: Iterable[Question]) -> list[Question]:
    """Return the questions with no group, of all bureaus."""
    return [question for question in questions if not question.group]


def read_off_list(path: Path = OFF_LIST) -> dict[str, list[str]]:
    """Read the wordings that no list of fields answers, by their kind: headings, nonsense."""
    kinds: dict[str, list[str]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            kinds.setdefault(row["kind"], []).append(row["wording"])
    return kinds
