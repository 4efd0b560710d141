"""A wording as weighted features: concepts of the lexicon, pieces of other words, ages.

Features are strings: `=低保` a concept (named or of which a named one is a kind), `60+` an age, and bare
pieces (`宗教`, `tonnage`) of what the lexicon does not know. Weights here say how much a kind
of feature tells; how rare it is in a catalogue is the index's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from catalog.similarity.ages import Ages, take_ages
from catalog.similarity.clean import LONGEST, clean
from catalog.similarity.lexicon import LEXICON, Concept
from catalog.similarity.lexicon.headings import ENGLISH_HEADINGS, HEADINGS
from catalog.similarity.plain_text import plain
from catalog.similarity.stems import STOP_WORDS, stem_words
from catalog.similarity.units import DIMENSION

CONCEPT: Final = 1.6
LIGHT: Final = 0.35
BROADER: Final = 0.5
WORD: Final = 1.2
PAIR: Final = 1.0
SINGLE: Final = 0.4
ASIDE: Final = 0.35
AGE: Final = 1.4
DURATION: Final = 0.5
THRESHOLD: Final = 1.0

_RUN: Final = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]+|[a-z0-9][a-z0-9 ._%-]*")
_PREPOSITIONS: Final = """
of with without in on at by for from to per who that whose under above over and
"""
_HEAD_ENDS: Final = frozenset(_PREPOSITIONS.split())
"""English says what is counted before these; Chinese says it last."""
_VILLAGES: Final = re.compile(r"(?<![乡农])村(?:数|个数|数量)?$")
"""A wording that ends so counts villages, whatever they have: 有体育健身场所的村."""
_TOTAL: Final = "=总"
_COUNTED: Final = frozenset({"人", "户"})
_EMPTY: Final = frozenset("的及和与或等在为按中内其以所之者数个名被将对由从")


@dataclass(frozen=True, slots=True)
class Wording:
    """Features with weights, contrasting marks as (axis, value), and what is counted in which unit."""

    raw: str
    text: str
    asides: tuple[str, ...]
    features: dict[str, float]
    marks: frozenset[tuple[str, str]]
    unit: str | None
    dimension: str | None
    bare: bool
    """Whether it asks for nothing by itself: light words and headings only (合计, 面积, 代码), and
    not for all people or all households (总户数)."""

    @property
    def tells(self) -> dict[str, float]:
        """The features that say what it is about: no light word."""
        return {name: weight for name, weight in self.features.items() if weight > LIGHT}


class _Builder:
    def __init__(self) -> None:
        self.features: dict[str, float] = {}
        self.marks: set[tuple[str, str]] = set()
        self.measure: str | None = None

    def add(self, feature: str, weight: float) -> None:
        if weight > self.features.get(feature, 0.0):
            self.features[feature] = weight

    def concept(self, concept: Concept, factor: float) -> None:
        if concept.silent:
            return
        self.add("=" + concept.name, factor * (LIGHT if concept.light else CONCEPT))
        if concept.broader is not None:
            self.add("=" + concept.broader, factor * BROADER)
        if concept.axis is not None and factor == 1.0:
            self.marks.add((concept.axis, concept.name))
        if concept.measure is not None and factor == 1.0:
            self.measure = concept.measure

    def ages(self, found: Ages, factor: float) -> None:
        for age in found.ages:
            self.add(age, factor * AGE)
            self.marks.add(("age", age))
        for duration in found.durations:
            self.add(duration, factor * DURATION)
        for threshold in found.thresholds:
            self.add(threshold, factor * THRESHOLD)
            self.marks.add(("threshold", threshold))
        if found.old:
            self.add("=老年", factor * BROADER)
        if found.young:
            self.add("=儿童", factor * BROADER)

    def text(self, text: str, factor: float) -> None:
        found = take_ages(text)
        self.ages(found, factor)
        for run in _RUN.findall(found.text):
            if run[0].isascii():
                self.english(run, factor)
            else:
                self.chinese(run, factor)

    def chinese(self, run: str, factor: float) -> None:
        self._chinese_pieces(run, factor)
        if factor == 1.0 and _VILLAGES.search(run):
            self.measure = "件"

    def _chinese_pieces(self, run: str, factor: float) -> None:
        for piece in _segment(run):
            if isinstance(piece, tuple):
                concept, counted = piece
                self.concept(concept, factor)
                if counted is not None and factor == 1.0:
                    self.measure = counted.measure
                continue
            for one, two in pairwise(piece):
                self.add(one + two, factor * PAIR)
            for character in piece:
                self.add(character, factor * (SINGLE if len(piece) > 1 else PAIR))

    def english(self, run: str, factor: float) -> None:
        words = stem_words(run)
        before, self.measure = self.measure, None
        head = None
        at = 0
        while at < len(words):
            for phrase, concept in LEXICON.english.get(words[at], ()):
                if tuple(words[at : at + len(phrase)]) == phrase:
                    self.concept(concept, factor)
                    at += len(phrase)
                    break
            else:
                if words[at] in _HEAD_ENDS:
                    head = head or self.measure
                elif words[at] not in STOP_WORDS:
                    self.add(words[at], factor * WORD)
                at += 1
        self.measure = head or self.measure or before


def read_wording(raw: str, unit: str | None = None) -> Wording:
    """Read one wording of a question; `unit` is the unit that is known anyway, else the printed one."""
    cleaned = clean(raw)
    builder = _Builder()
    builder.text(cleaned.text, 1.0)
    for aside in cleaned.asides:
        builder.text(aside, ASIDE)
    unit = unit or cleaned.unit
    dimension = DIMENSION.get(unit) if unit else builder.measure
    return Wording(
        plain(raw[:LONGEST]).strip(),
        cleaned.text,
        cleaned.asides,
        builder.features,
        frozenset(builder.marks),
        unit,
        dimension,
        not cleaned.asides
        and _says_no_more_than_forms_do(cleaned.text)
        and not (_TOTAL in builder.features and dimension in _COUNTED),
    )


def _says_no_more_than_forms_do(text: str) -> bool:
    return all(
        word in _BARE_STEMS if word.isascii() else _BARE.fullmatch(word)
        for run in text.split()
        for word in (stem_words(run) if run.isascii() else [run])
    )


def _one_of(words: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(words, key=len, reverse=True)
    # Possessive: 人口数 can be read in two ways, and 100 of them in a row shall not be in 2^100.
    return re.compile(f"(?:{'|'.join(map(re.escape, longest_first))})*+")


_BARE: Final = _one_of(
    {
        *(
            wording
            for group in LEXICON.chinese.values()
            for wording, concept, _ in group
            if concept.light or concept.silent
        ),
        *HEADINGS.split(),
        *_EMPTY,
    }
)
_BARE_STEMS: Final = frozenset(
    {
        *(
            phrase[0]
            for group in LEXICON.english.values()
            for phrase, concept in group
            if len(phrase) == 1 and (concept.light or concept.silent)
        ),
        *stem_words(ENGLISH_HEADINGS),
        *STOP_WORDS,
    }
)


def _segment(run: str) -> Iterator[tuple[Concept, Concept | None] | str]:
    """Cut a Chinese run into known wordings, longest first, and what lies between them."""
    at = rest = 0
    while at < len(run):
        for wording, concept, counted in LEXICON.chinese.get(run[at], ()):
            if run.startswith(wording, at):
                if rest < at:
                    yield run[rest:at]
                yield concept, counted
                at = rest = at + len(wording)
                break
        else:
            if run[at] in _EMPTY:
                if rest < at:
                    yield run[rest:at]
                rest = at + 1
            at += 1
    if rest < len(run):
        yield run[rest:]
