"""What is measured: recall, quiet about what is off the list, and time. Nothing is printed here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from rapidfuzz import fuzz, process

from benchmarks.suggestions.padding import padded_fields
from benchmarks.suggestions.questions import (
    NOT_GROUPED,
    SAME,
    Case,
    Part,
    Question,
    Relation,
    cases,
    field_of,
    indexed_rows,
    off_list,
    read_off_list,
)
from benchmarks.suggestions.starter import (
    shipped_fields,
    starter_cases,
    starter_fields,
    unanswered,
)
from catalog.similarity import STRONG, FieldIndex, FieldText, Match


class Setting(StrEnum):
    """How the questions are put."""

    PLAIN = "plain"
    DRESSED = "dressed"
    CROWDED = "crowded"
    SEARCH = "search"
    STARTER = "starter"
    SPELLING = "spelling"
    SPELLING_CROWDED = "spelling_crowded"


MEANING: dict[Setting, str] = {
    Setting.PLAIN: "suggest(name as the form prints it)",
    Setting.DRESSED: "suggest(with numbering, year and unit around it)",
    Setting.CROWDED: "suggest, with every question without a group in the index as well",
    Setting.SEARCH: "search(name as the form prints it)",
    Setting.STARTER: "suggest, of the starter catalogue without its synonyms",
    Setting.SPELLING: "none of our code: rapidfuzz's ratio of the printed names, to compare with",
    Setting.SPELLING_CROWDED: "the same in the crowded index",
}


@dataclass(frozen=True, slots=True)
class Recall:
    """Of `cases` questions, the parts whose field came first and among the first three."""

    cases: int
    at_1: float
    at_3: float
    strong_at_1: float
    """The part whose field came first with a strong score."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """Of `questions` that are off the list, the part given no strong suggestion."""

    questions: int
    rate: float


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds to build, and milliseconds of a call over all questions of the list, one thread."""

    fields: int
    build_s: float
    p50_ms: dict[str, float]
    p95_ms: dict[str, float]


@dataclass(frozen=True, slots=True)
class Answered:
    """A case with what was answered."""

    case: Case
    matches: list[Match]

    @property
    def rank(self) -> int | None:
        """Place of the right field, from 1; None if it is not there."""
        codes = [match.code for match in self.matches]
        return codes.index(self.case.expected) + 1 if self.case.expected in codes else None


def answer(questions: Sequence[Question], setting: Setting) -> list[Answered]:
    """Put every case to the index of its setting."""
    if setting is Setting.STARTER:
        starter = FieldIndex(starter_fields())
        return [
            Answered(case, starter.suggest(case.question.name)) for case in starter_cases(questions)
        ]
    fields = [field_of(question) for question in indexed_rows(questions).values()]
    if setting in (Setting.CROWDED, Setting.SPELLING_CROWDED):
        fields += [
            FieldText(
                code=f"y.{other.id.lower()}",
                names={"zh": other.name},
                unit=other.unit or None,
                topic=other.topic,
                subject_kind="area",
            )
            for other in off_list(questions)
        ]
    index = FieldIndex(fields)
    names = {field.code: field.names["zh"] for field in fields}
    ask: Callable[[str], list[Match]] = index.suggest
    if setting is Setting.SEARCH:
        ask = partial(index.search, limit=3)
    elif setting in (Setting.SPELLING, Setting.SPELLING_CROWDED):
        ask = partial(spelled_like, names)
    dress = dressed if setting is Setting.DRESSED else (lambda question: question.name)
    return [Answered(case, ask(dress(case.question))) for case in cases(questions)]


def spelled_like(names: dict[str, str], query: str) -> list[Match]:
    """Return the three fields whose names are spelled most alike."""
    return [
        Match(code, score / 100, [])
        for _, score, code in process.extract(query, names, scorer=fuzz.ratio, limit=3)
    ]


def dressed(question: Question) -> str:
    """Return the name as it stands in a printed table."""
    unit = f"（{question.unit}）" if question.unit else ""
    return f"{int(question.id[2:]) % 30 + 1}、2025年末{question.name}{unit}"


def recall(
    answered: Iterable[Answered], part: Part, relations: Iterable[Relation] | None = None
) -> Recall:
    """Count one part, and only these relations if any are given."""
    wanted = None if relations is None else set(relations)
    chosen = [
        one
        for one in answered
        if one.case.question.part is part
        and (wanted is None or one.case.question.relation in wanted)
    ]
    ranks = [one.rank for one in chosen]
    total = len(ranks) or 1
    return Recall(
        cases=len(ranks),
        at_1=sum(rank == 1 for rank in ranks) / total,
        at_3=sum(rank is not None and rank <= 3 for rank in ranks) / total,
        strong_at_1=sum(one.rank == 1 and one.matches[0].score >= STRONG for one in chosen) / total,
    )


def same_recall(answered: Iterable[Answered], part: Part) -> Recall:
    """Count the relations under which the indexed field is the one that was meant."""
    return recall(answered, part, SAME)


def quiet(questions: Sequence[Question], part: Part, *, compared: bool) -> Quiet:
    """Count questions without a group, of the bureaus that were compared or of the others."""
    index = FieldIndex(field_of(question) for question in indexed_rows(questions).values())
    asked = [
        question
        for question in off_list(questions)
        if question.part is part and (question.bureau not in NOT_GROUPED) is compared
    ]
    return _quiet(index, (question.name for question in asked))


def quiet_starter(questions: Sequence[Question]) -> dict[str, Quiet]:
    """Count what is off the starter catalogue as shipped: questions that no field answers, by part,
    and wordings made up, by kind."""
    index = FieldIndex(shipped_fields())
    asked = {
        f"questions, {part}": [one.name for one in unanswered(questions) if one.part is part]
        for part in Part
    }
    return {what: _quiet(index, wordings) for what, wordings in (asked | read_off_list()).items()}


def _quiet(index: FieldIndex, wordings: Iterable[str]) -> Quiet:
    silent = [not _strong(index.suggest(wording, limit=1)) for wording in wordings]
    return Quiet(len(silent), sum(silent) / (len(silent) or 1))


def _strong(matches: list[Match]) -> bool:
    return bool(matches) and matches[0].score >= STRONG


def timing(questions: Sequence[Question], size: int) -> Timing:
    """Build an index of `size` fields and ask it everything that is on the list."""
    fields = [field_of(question) for question in indexed_rows(questions).values()]
    fields += padded_fields(questions, size - len(fields))
    started = time.perf_counter()
    index = FieldIndex(fields)
    build_s = time.perf_counter() - started
    p50: dict[str, float] = {}
    p95: dict[str, float] = {}
    for name, ask in (("suggest", index.suggest), ("search", index.search)):
        spent = sorted(_milliseconds(ask, question.name) for question in questions)
        p50[name] = spent[len(spent) // 2]
        p95[name] = spent[int(len(spent) * 0.95)]
    return Timing(len(index), build_s, p50, p95)


def _milliseconds(ask: Callable[[str], list[Match]], query: str) -> float:
    started = time.perf_counter()
    ask(query)
    return (time.perf_counter() - started) * 1000
