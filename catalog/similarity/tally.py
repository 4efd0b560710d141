"""The best score of each field while several ways of finding it are tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from catalog.similarity.judge import Side, side_reasons
from catalog.similarity.model import MatchReason
from catalog.similarity.texts import NamedText


@dataclass(frozen=True, slots=True)
class Hit:
    """How well a field fits, and what found it: one of its names, or a reason that is none."""

    score: float
    how: NamedText | MatchReason

    def reasons(self, query: Side) -> list[str]:
        """Say why the field fits the query."""
        if isinstance(self.how, MatchReason):
            return [self.how.value]
        named = f"{self.how.reason}:{self.how.wording}"
        return [named, *side_reasons(query, self.how.side)]


class Tally:
    """Fields by number, each with its best hit; the first of equals stays."""

    def __init__(self) -> None:
        self._best: dict[int, Hit] = {}

    def offer(self, field: int, score: float, how: NamedText | MatchReason) -> None:
        """Keep the score if it is the field's best so far."""
        held = self._best.get(field)
        if held is None or score > held.score:
            self._best[field] = Hit(score, how)

    def get(self, field: int) -> Hit | None:
        """Return the best so far."""
        return self._best.get(field)

    def drop(self, unwanted: Callable[[int, float], bool]) -> None:
        """Forget the fields that are not wanted at their score."""
        self._best = {
            field: hit for field, hit in self._best.items() if not unwanted(field, hit.score)
        }

    def __iter__(self) -> Iterator[int]:
        return iter(self._best)

    def ranked(self, at_least: float, limit: int | None) -> list[tuple[int, Hit]]:
        """Return fields and their hits, best first and by number among equals."""
        kept = [(field, hit) for field, hit in self._best.items() if hit.score >= at_least]
        kept.sort(key=lambda item: (-item[1].score, item[0]))
        return kept[:limit]
