"""Slips of the pen in English words and in codes; Chinese has none that letters could mend."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from catalog.similarity.lexicon import LEXICON
from catalog.similarity.stems import STOP_WORDS, stem_words

_LETTERS: Final = re.compile(r"[A-Za-z]{5,}")
ALIKE: Final = 84.0
ALIKE_CODE: Final = 82.0
LONG: Final = 6
"""Letters from which one slip, two neighbours changed places included, is taken for one."""


class Speller:
    """Knows the words of the lexicon and of one catalogue."""

    def __init__(self, features: Iterable[str]) -> None:
        """Learn from features of the index: those in Latin letters are words."""
        words = {name for name in features if name.isascii() and name.isalpha() and len(name) > 3}
        for group in LEXICON.english.values():
            words.update(word for phrase, _ in group for word in phrase)
        self._known = words | STOP_WORDS
        self._words = sorted(word for word in words if len(word) > 3)

    def correct(self, text: str) -> str:
        """Return the text with every unknown English word replaced by the one most like it."""
        return _LETTERS.sub(self._nearest, text)

    def _nearest(self, found: re.Match[str]) -> str:
        word = found[0].casefold()
        if word in self._known or stem_words(word)[0] in self._known:
            return found[0]
        best = process.extractOne(word, self._words, scorer=fuzz.ratio, score_cutoff=ALIKE)
        if best:
            return best[0]
        if len(word) < LONG:
            return found[0]
        slip = process.extractOne(
            stem_words(word)[0], self._words, scorer=OSA.distance, score_cutoff=1
        )
        return slip[0] if slip else found[0]


def near_codes(code: str, codes: Sequence[str]) -> Iterator[tuple[int, float]]:
    """Yield number and likeness (0 to 1) of the codes that differ by a slip."""
    for _, score, number in process.extract(
        code, codes, scorer=fuzz.ratio, score_cutoff=ALIKE_CODE, limit=20
    ):
        yield number, score / 100
