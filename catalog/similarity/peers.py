"""Whether two fields say the same: how names and definitions are weighed with the rest.

For the evidence of proposals. Finding the fields to compare is the index's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from catalog.similarity.judge import Side, side_reasons
from catalog.similarity.model import FieldText, MatchReason
from catalog.similarity.texts import NamedText

DEFINED: Final = 0.85
"""Most that two fields can be alike by their definitions alone."""
TOLD: Final = 0.4
"""From here on a definition is told as a reason and supports a name that fits as well."""
SUPPORT: Final = 0.15
OTHER_KIND: Final = 0.75
OTHER_LIST: Final = 0.85
SAME_LIST: Final = 0.12
LIST_ALONE: Final = 0.3
"""Likeness of two fields of the same kind that share nothing but their code list."""


@dataclass(slots=True)
class Likeness:
    """What is known of a proposed field and one that is there, while they are compared."""

    name: float = 0.0
    mine: Side | None = None
    theirs: NamedText | None = None
    definition: float = 0.0

    def named(self, score: float, mine: Side, theirs: NamedText) -> None:
        """Keep the best pair of names."""
        if score > self.name:
            self.name, self.mine, self.theirs = score, mine, theirs

    def score(self, field: FieldText, other: FieldText) -> float:
        """Return 0 to 1: how likely the two ask for the same."""
        score = max(self.name, DEFINED * self.definition)
        if min(self.name, self.definition) >= TOLD:
            score += SUPPORT * (1 - score)
        if field.code_list and other.code_list:
            if field.code_list == other.code_list:
                score += SAME_LIST * (1 - score)
                if field.subject_kind == other.subject_kind:
                    score = max(score, LIST_ALONE)
            else:
                score *= OTHER_LIST
        if field.subject_kind and other.subject_kind and field.subject_kind != other.subject_kind:
            score *= OTHER_KIND
        return score

    def reasons(self, field: FieldText, other: FieldText) -> list[str]:
        """Say what is alike, and what differs."""
        reasons = []
        if self.mine is not None and self.theirs is not None:
            reasons.append(f"{self.theirs.reason}:{self.theirs.wording}")
            reasons.extend(side_reasons(self.mine, self.theirs.side))
        if self.definition >= TOLD:
            reasons.append(MatchReason.DEFINITION.value)
        if field.code_list and field.code_list == other.code_list:
            reasons.append(f"{MatchReason.CODE_LIST}:{field.code_list}")
        if field.subject_kind and field.subject_kind == other.subject_kind:
            reasons.append(f"{MatchReason.SUBJECT_KIND}:{field.subject_kind}")
        return reasons
