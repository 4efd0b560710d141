"""The figures as one JSON document and as a text table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

from benchmarks.suggestions.measure import (
    MEANING,
    Answered,
    Setting,
    answer,
    quiet,
    quiet_starter,
    recall,
    same_recall,
    timing,
)
from benchmarks.suggestions.questions import Part, Question, Relation, indexed_rows, read_off_list
from catalog.similarity import STRONG

RECALL_BAR: Final = 0.85
STRONG_BAR: Final = 0.5
"""Least part of the questions whose field comes first and strong: a threshold that nothing reaches
would keep quiet about everything."""
STRONG_BAR_OF_STARTER: Final = 0.45
QUIET_BAR: Final = 0.95
"""Of wordings that were all seen before (`data/README.md`)."""
LATENCY_BAR_MS: Final = 50.0

Document = dict[str, Any]


def build_report(questions: Sequence[Question], size: int | None) -> Document:
    """Measure everything; `size` is the number of fields to time with, None for no timing."""
    answered = {setting: answer(questions, setting) for setting in Setting}
    plain = answered[Setting.PLAIN]
    document: Document = {
        "indexed_fields": len(indexed_rows(questions)),
        "strong": STRONG,
        "recall": [
            {
                "setting": setting,
                "part": part,
                "same": asdict(same_recall(answered[setting], part)),
                "all": asdict(recall(answered[setting], part)),
            }
            for setting in Setting
            for part in Part
        ],
        "relations": [
            {"part": part, "relation": relation, **asdict(recall(plain, part, [relation]))}
            for part in Part
            for relation in Relation
        ],
        "off_list": [
            {
                "part": part,
                "bureaus": "compared" if compared else "not compared",
                **asdict(quiet(questions, part, compared=compared)),
            }
            for compared in (True, False)
            for part in Part
        ],
        "off_starter": [
            {"what": what, **asdict(found)} for what, found in quiet_starter(questions).items()
        ],
    }
    bars = [
        ("recall at 3, test part, same fact", same_recall(plain, Part.TEST).at_3, RECALL_BAR),
        ("recall at 3, test part, every relation", recall(plain, Part.TEST).at_3, RECALL_BAR),
        (
            "first and strong, test part, same fact",
            same_recall(plain, Part.TEST).strong_at_1,
            STRONG_BAR,
        ),
        (
            "first and strong, test part, starter",
            recall(answered[Setting.STARTER], Part.TEST).strong_at_1,
            STRONG_BAR_OF_STARTER,
        ),
    ]
    bars += [
        (f"off the starter catalogue, not strong, {row['what']}", row["rate"], QUIET_BAR)
        for row in document["off_starter"]
        if row["what"] in read_off_list()
    ]
    document["bars"] = [
        {"name": name, "value": value, "bar": bar, "holds": value >= bar}
        for name, value, bar in bars
    ]
    if size is not None:
        timed = timing(questions, size)
        document["timing"] = asdict(timed)
        document["bars"] += [
            {
                "name": f"{name} p95 ms, {timed.fields} fields",
                "value": value,
                "bar": LATENCY_BAR_MS,
                "holds": value < LATENCY_BAR_MS,
            }
            for name, value in timed.p95_ms.items()
        ]
    return document


def text_table(document: Document) -> Iterator[str]:
    """Yield the lines of a table for people."""
    yield f"{document['indexed_fields']} fields, one row of each group; strong from {document['strong']}"
    yield ""
    yield "how it is asked / relation              part  cases  recall@1  recall@3  strong@1"
    for row in document["recall"]:
        for kind in ("same", "all"):
            yield _recall_line(f"{row['setting']}, {kind}", row["part"], row[kind])
    for row in document["relations"]:
        if row["cases"]:
            yield _recall_line(f"  plain, {row['relation']}", row["part"], row)
    yield ""
    for setting, meaning in MEANING.items():
        yield f"{setting}: {meaning}"
    yield ""
    yield "off the list: no strong suggestion      part  cases      rate"
    for row in document["off_list"]:
        yield f"bureaus {row['bureaus']:<30}  {row['part']}  {row['questions']:5}  {row['rate']:8.3f}"
    for row in document["off_starter"]:
        yield f"starter as shipped, {row['what']:<25}  {row['questions']:5}  {row['rate']:8.3f}"
    if timed := document.get("timing"):
        yield ""
        yield f"{timed['fields']} fields built in {timed['build_s']:.1f} s"
        for name in timed["p50_ms"]:
            yield f"{name}: p50 {timed['p50_ms'][name]:.1f} ms, p95 {timed['p95_ms'][name]:.1f} ms"
    yield ""
    for bar in document["bars"]:
        verdict = "holds" if bar["holds"] else "MISSED"
        yield f"{verdict}: {bar['name']}: {bar['value']:.3f} (bar {bar['bar']})"


def _recall_line(name: str, part: str, row: Document) -> str:
    return (
        f"{name:<38}  {part}  {row['cases']:5}  {row['at_1']:8.3f}  {row['at_3']:8.3f}"
        f"  {row['strong_at_1']:8.3f}"
    )


def tune_failures(answered: Sequence[Answered], questions: Sequence[Question]) -> Iterator[str]:
    """Yield what the tune part misses; names of the test part are hidden, so that none is learnt."""
    rows = indexed_rows(questions)
    shown = {
        f"x.{group.lower()}": row.name if row.part is Part.TUNE else "(test part)"
        for group, row in rows.items()
    }
    for one in answered:
        if one.case.question.part is Part.TUNE and one.rank is None:
            given = ", ".join(f"{shown[match.code]} {match.score:.2f}" for match in one.matches)
            yield f"{one.case.question.name} → {shown[one.case.expected]}; given: {given}"
