"""An inverted index over weighted features: which texts share the most with a query.

Knows features, weights and numbers of texts; nothing of fields. Built once, then only read.
"""

from __future__ import annotations

from array import array
from collections.abc import KeysView, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from math import log, sqrt
from typing import Final

ENOUGH: Final = 4_000
"""Texts taken into account; once there are so many, more common features admit no others."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """What a text shares with the query: the part of either's weight."""

    text: int
    of_query: float
    of_text: float


class Postings:
    """Texts (numbered from 0) by their features."""

    def __init__(self, texts: Sequence[Mapping[str, float]], groups: Sequence[int]) -> None:
        """Index `texts`; `groups` says to which field each belongs, since rarity counts fields."""
        self._postings: dict[str, dict[float, array[int]]] = {}
        counted: dict[str, int] = {}
        last: dict[str, int] = {}
        for number, (features, group) in enumerate(zip(texts, groups, strict=True)):
            for feature, weight in features.items():
                by_weight = self._postings.setdefault(feature, {})
                if weight not in by_weight:
                    by_weight[weight] = array("l")
                by_weight[weight].append(number)
                if last.get(feature) != group:
                    last[feature] = group
                    counted[feature] = counted.get(feature, 0) + 1
        total = len(set(groups))
        self._rarity = {feature: _rarity(count, total) for feature, count in counted.items()}
        self._unknown = _rarity(0, total)
        rarity = self._rarity
        self._size = array(
            "d", (sum(weight * rarity[name] for name, weight in text.items()) for text in texts)
        )

    def rarity(self, feature: str) -> float:
        """How much a feature tells; one that no text has tells most."""
        return self._rarity.get(feature, self._unknown)

    def size(self, features: Mapping[str, float]) -> float:
        """Return the whole weight of a set of features."""
        return sum(weight * self.rarity(feature) for feature, weight in features.items())

    @property
    def features(self) -> KeysView[str]:
        """All features of all texts."""
        return self._postings.keys()

    def nearest(
        self, query: Mapping[str, float], count: int, enough: int = ENOUGH
    ) -> list[Overlap]:
        """Return the `count` texts most alike: what is shared, over all that either has (Dice)."""
        whole, size = self.size(query), self._size
        return [
            Overlap(number, shared / whole, shared / size[number])
            for number, shared in nlargest(
                count,
                self._shared(query, enough).items(),
                key=lambda item: (item[1] / (whole + size[item[0]]), -item[0]),
            )
        ]

    def covering(
        self, query: Mapping[str, float], at_least: float, enough: int = ENOUGH
    ) -> dict[int, float]:
        """Return the texts that hold this part of the query or more, whatever else they hold."""
        whole = self.size(query)
        return {
            number: shared / whole
            for number, shared in self._shared(query, enough).items()
            if shared >= at_least * whole
        }

    def _shared(self, query: Mapping[str, float], enough: int) -> dict[int, float]:
        """Return the weight that each text shares with the query.

        The rarest features go first; when `enough` texts have been met, the others only add to
        these. That bounds the time of a query of common words (人数) and loses only texts that
        share nothing rarer.
        """
        found: dict[int, float] = {}
        known = [feature for feature in query if feature in self._postings]
        for feature in sorted(known, key=lambda name: (-self._rarity[name], name)):
            wanted, rarity = query[feature], self._rarity[feature]
            full = len(found) >= enough
            for weight, numbers in self._postings[feature].items():
                gain = min(weight, wanted) * rarity
                if full:
                    for number in numbers:
                        if number in found:
                            found[number] += gain
                else:
                    for number in numbers:
                        found[number] = found.get(number, 0.0) + gain
        return found


def _rarity(count: int, total: int) -> float:
    """Return a damped inverse document frequency; never nil, however common a feature is."""
    return sqrt(1.0 + log((total + 1) / (count + 0.5)))
