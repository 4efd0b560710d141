"""English words of a text, stemmed lightly.

Only plurals go: a field list is nouns, and heavier stemming would make `new` of `news` and
`organ` of `organisation`.
"""

from __future__ import annotations

import re
from typing import Final

_WORD: Final = re.compile(r"[a-z][a-z0-9]*|\d+(?:\.\d+)?")
_IRREGULAR: Final = {"children": "child", "persons": "person", "kids": "kid"}
_KEPT: Final = frozenset({"gas", "bus", "status", "census", "address", "business", "diabetes"})

_STOP: Final = """
a an and are as at by each for from have having in is it its of on or per that the their this to
who whose with number num no count quantity amount how many much year annual yearly current end
data value field
"""
STOP_WORDS: Final = frozenset(_STOP.split())


def stem_words(text: str) -> list[str]:
    """Return the words of a lower-case text, in order, singular."""
    return [_stem(word) for word in _WORD.findall(text)]


def _stem(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) < 4 or word in _KEPT or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    return word[:-1] if word.endswith("s") else word
