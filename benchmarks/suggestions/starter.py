"""The same questions put to the starter catalogue, with every synonym taken off its fields, and what is
off the list put to it as it is.

Its synonyms are these questions' own wordings, of both parts; with them nothing would be measured.
What stays is what the product's index holds: names, definitions, units, topics, owners and their
names. Left out are questions worded like the name of their field and those that two fields answer
together. What is off the list is put to the index as shipped, synonyms and all: there every word of
theirs can be taken for a question.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from benchmarks.suggestions.questions import Case, Question
from catalog.bundle import read_bundle
from catalog.definition import FieldDefinition, text_of
from catalog.similarity import FieldText
from catalog.similarity.clean import clean
from catalog.starter import FOLDER, asked_in, field_files


@cache
def shipped_fields() -> tuple[FieldText, ...]:
    """Return the fields of the starter catalogue as oneform indexes them, synonyms and all."""
    bundle = read_bundle(FOLDER)
    owners = {agency.value["code"]: agency.value["name"] for agency in bundle.agencies}
    return tuple(
        text_of(definition, owners[definition.owner])
        for definition in (FieldDefinition.from_bundle(field.value) for field in bundle.fields)
    )


@cache
def starter_fields() -> tuple[FieldText, ...]:
    """Return the same fields without synonyms."""
    return tuple(replace(field, synonyms=()) for field in shipped_fields())


def starter_cases(questions: Iterable[Question]) -> list[Case]:
    """Return the questions that one field answers under another name."""
    names = {field.code: clean(field.names["zh"]).text for field in starter_fields()}
    answering = _answering()
    cases = []
    for question in questions:
        codes = answering.get(question.id, [])
        if len(codes) == 1 and clean(question.name).text != names[codes[0]]:
            cases.append(Case(question, codes[0]))
    return cases


def unanswered(questions: Iterable[Question]) -> list[Question]:
    """Return the questions that no field answers, but those worded like a name of one."""
    answering = _answering()
    names = {
        clean(name).text
        for field in shipped_fields()
        for name in (*field.names.values(), *field.synonyms)
    }
    return [
        question
        for question in questions
        if question.id not in answering and clean(question.name).text not in names
    ]


@cache
def _answering() -> dict[str, list[str]]:
    """Codes of the fields that answer a question, by its id."""
    answering: dict[str, list[str]] = {}
    for path in field_files():
        for asked in asked_in(path.read_text(encoding="utf-8")):
            for question in asked.questions:
                answering.setdefault(question, []).append(asked.code)
    return answering
