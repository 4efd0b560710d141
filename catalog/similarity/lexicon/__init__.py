"""The words of grassroots forms: which ones mean the same, which ones must not be taken for another.

Here belongs how the word lists beside this file are read and looked up; the words themselves are
in `people`, `places` and `money`. No scoring here. A line of a list is one concept:

    [~|-]name [@axis] [<broader] [#measure] [: Chinese wordings …] [| English phrases, …]

`~` marks a light word, which every form is full of, `-` one that says nothing; concepts of one `@axis` contrast with each
other (男 and 女); `<broader` names the concept of which this is a kind; `#measure` says what
a wording that ends so counts or measures.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from catalog.similarity.lexicon.money import GENERAL, MONEY
from catalog.similarity.lexicon.people import PEOPLE
from catalog.similarity.lexicon.places import PLACES
from catalog.similarity.stems import stem_words

_Key = TypeVar("_Key", str, tuple[str, ...])

_HEAD: Final = re.compile(
    r"(?P<kind>[~-]?)(?P<name>\S+)"
    r"(?:\s+@(?P<axis>\S+))?(?:\s+<(?P<broader>\S+))?(?:\s+#(?P<measure>\S+))?"
)


@dataclass(frozen=True, slots=True)
class Concept:
    """One meaning, known by its first Chinese wording."""

    name: str
    light: bool = False
    silent: bool = False
    axis: str | None = None
    broader: str | None = None
    measure: str | None = None


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Wordings by their first character (longest first) and English phrases by their first stem.

    With a wording stands what it counts besides, if it ends in such a word: 户 in 低保户.
    """

    concepts: Mapping[str, Concept]
    chinese: Mapping[str, tuple[tuple[str, Concept, Concept | None], ...]]
    english: Mapping[str, tuple[tuple[tuple[str, ...], Concept], ...]]


def read_lexicon(lines: Iterable[str]) -> Lexicon:
    """Read concept lines.

    Raises ValueError for a line that cannot be read, for a wording claimed by two concepts and
    for a broader concept that does not exist: each would silently conflate or lose a meaning.
    """
    concepts: dict[str, Concept] = {}
    chinese: dict[str, Concept] = {}
    english: dict[tuple[str, ...], Concept] = {}
    for line in filter(None, (line.strip() for line in lines)):
        rest, _, phrases = line.partition("|")
        head, _, wordings = rest.partition(":")
        match = _HEAD.fullmatch(head.strip())
        if match is None:
            raise ValueError(f"not a concept: {line!r}")
        concept = Concept(
            match["name"],
            match["kind"] == "~",
            match["kind"] == "-",
            match["axis"],
            match["broader"],
            match["measure"],
        )
        concepts[concept.name] = concept
        for wording in (concept.name, *wordings.split()):
            _claim(chinese, wording, concept)
        for phrase in filter(None, (phrase.strip() for phrase in phrases.split(","))):
            _claim(english, tuple(stem_words(phrase)), concept)
    for concept in concepts.values():
        if concept.broader is not None and concept.broader not in concepts:
            raise ValueError(f"{concept.name}: no concept {concept.broader}")
    return Lexicon(
        concepts,
        {
            key: tuple((wording, concept, _counted(chinese, wording)) for wording, concept in group)
            for key, group in _by_first(chinese).items()
        },
        {key: tuple(group) for key, group in _by_first(english).items()},
    )


def _claim(table: dict[_Key, Concept], wording: _Key, concept: Concept) -> None:
    if table.setdefault(wording, concept) is not concept:
        raise ValueError(f"{wording!r} is claimed by {table[wording].name} and {concept.name}")


def _counted(table: dict[str, Concept], wording: str) -> Concept | None:
    """Return what a wording counts by its last word, unless its own concept says so."""
    if table[wording].measure is None:
        for start in range(1, len(wording)):
            tail = table.get(wording[start:])
            if tail is not None and tail.measure is not None:
                return tail
    return None


def _by_first(table: dict[_Key, Concept]) -> dict[str, list[tuple[_Key, Concept]]]:
    groups: dict[str, list[tuple[_Key, Concept]]] = {}
    for wording in sorted(table, key=len, reverse=True):
        groups.setdefault(wording[0], []).append((wording, table[wording]))
    return groups


LEXICON: Final = read_lexicon((PEOPLE + PLACES + MONEY + GENERAL).splitlines())
