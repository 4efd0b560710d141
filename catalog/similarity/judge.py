"""How well one wording fits another, beyond the words they share, and why.

Contrasts (男/女, 60岁/80岁, 户籍/常住, 户/人) pull apart what shares almost every character.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rapidfuzz import fuzz

from catalog.similarity.model import MatchReason
from catalog.similarity.postings import Overlap
from catalog.similarity.units import Agreement, agreement, dimensions_agree
from catalog.similarity.wording import Wording

Marks = frozenset[tuple[str, str]]

VERBATIM: Final = 1.0
"""Letter for letter, whatever else the words say: a name finds the field that bears it."""
SAME_WORDS: Final = 0.99
"""The same words once numbering, years and asides are off; less than letter for letter."""
SPELLING: Final = 0.15
"""Share of plain spelling in a score; the rest is shared features."""
CONTRAST: Final = 0.55
ONE_SIDED: Final = 0.94
OTHER_DIMENSION: Final = 0.7
OTHER_UNIT: Final = 0.96
BARE: Final = 0.6
"""About what a name can reach that does not say the same words as a query that asks for nothing by
itself (合计, 面积): less than strong, the better of two still before the other."""


@dataclass(frozen=True, slots=True)
class Side:
    """What is kept of a wording in the index: enough to judge it without its features."""

    raw: str
    text: str
    asides: tuple[str, ...]
    marks: Marks
    unit: str | None
    dimension: str | None
    bare: bool

    @classmethod
    def of(cls, wording: Wording) -> Side:
        """Return the side of a wording."""
        return cls(
            wording.raw,
            wording.text,
            wording.asides,
            wording.marks,
            wording.unit,
            wording.dimension,
            wording.bare,
        )


def fit(query: Side, other: Side, overlap: Overlap) -> float:
    """Return 0 to 1: how well two wordings that overlap so stand for the same."""
    if query.raw == other.raw and query.raw:
        return VERBATIM
    if not query.text or contradicted(query.asides, other.asides):
        spelled = fuzz.ratio(query.raw, other.raw) / 100
    else:
        spelled = fuzz.ratio(query.text, other.text) / 100
    if query.text and spelled == 1.0:
        score = SAME_WORDS
    else:
        score = min(SAME_WORDS, (1 - SPELLING) * balance(overlap) + SPELLING * spelled)
        if query.bare:
            score = min(score, BARE + score / 40)
    return score * contrast_factor(query.marks, other.marks) * unit_factor(query, other)


def contradicted(asides: tuple[str, ...], others: tuple[str, ...]) -> bool:
    """Whether both say something in brackets and not the same: 人户分离（户在本村）, （人在本村）."""
    return bool(asides and others) and set(asides) != set(others)


def balance(overlap: Overlap) -> float:
    """Return what is shared over the mean of the two wholes (the Dice coefficient)."""
    return 2 / (1 / overlap.of_query + 1 / overlap.of_text)


def contrast_factor(query: Marks, other: Marks) -> float:
    """Return what contrasting marks leave of a score."""
    factor = CONTRAST ** len(contrasts(query, other))
    one_sided = {axis for axis, _ in query} ^ {axis for axis, _ in other}
    return float(factor * ONE_SIDED ** len(one_sided))


def contrasts(query: Marks, other: Marks) -> list[tuple[str, str]]:
    """Return the values that contradict each other, the query's first, by axis."""
    found = []
    for axis in sorted({axis for axis, _ in query} & {axis for axis, _ in other}):
        mine = sorted(value for name, value in query if name == axis)
        theirs = sorted(value for name, value in other if name == axis)
        if not set(mine) & set(theirs):
            found.append((mine[0], theirs[0]))
    return found


def unit_factor(query: Side, other: Side) -> float:
    """Return what different units leave of a score: little for 户 and 人, most for 亩 and 公顷."""
    if query.unit and other.unit and agreement(query.unit, other.unit) is Agreement.SAME_DIMENSION:
        return OTHER_UNIT
    if dimensions_agree(query.dimension, other.dimension) is Agreement.DIFFERENT:
        return OTHER_DIMENSION
    return 1.0


def side_reasons(query: Side, other: Side) -> list[str]:
    """Say what speaks for and against, apart from the words."""
    reasons = [
        f"{MatchReason.DIFFERS}:{mine}/{theirs}"
        for mine, theirs in contrasts(query.marks, other.marks)
    ]
    if query.unit and query.unit == other.unit:
        reasons.append(f"{MatchReason.UNIT}:{query.unit}")
    elif unit_factor(query, other) < 1.0:
        mine, theirs = query.unit or query.dimension, other.unit or other.dimension
        reasons.append(f"{MatchReason.UNIT_DIFFERS}:{mine}/{theirs}")
    return reasons
