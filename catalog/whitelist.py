"""The whitelist check (API.md, section 4): what of a demand may be requested today.

The rules are in `catalog.judging`; here the fields are fetched, and what is rejected gets
the nearest fields that are on the list. Permission is checked by whoever demands.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from dataclasses import field as member
from itertools import groupby
from typing import Any

from catalog import store
from catalog.formula import FIELD_CODE
from catalog.judging import NEVER_SUGGESTED, Demand, Reason, Verdict, judge
from catalog.similarity.clean import LONGEST
from catalog.snapshot import Snapshot, snapshot
from catalog.views import FieldVersionView
from oneform.kernel.context import Context

__all__ = ["Admission", "Demand", "FieldInForce", "Reason", "RejectedField", "Suggestion", "admit"]

MAX_SUGGESTIONS = 3
_LOOKED_AT = 12
"""Near fields that are looked at to find the suggestions: some may not be told."""

_COMPARISONS = 2_000_000
"""Strings times fields that one demand may have compared. A list of 500 strings gets all its
suggestions up to 4,000 fields; of a larger catalogue, those that come later get none."""

_CODE = re.compile(FIELD_CODE)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldInForce:
    """What a request needs of a field that it may have. `collected_at` is a level."""

    field_id: int
    version_id: int
    code: str
    name: Mapping[str, str]
    unit: str | None
    period_type: str
    valid_for: str | None
    mode: str
    collected_at: int
    review: str
    owner_id: int
    sharing_category: str
    seconds: int
    personal: bool


@dataclass(frozen=True, slots=True)
class Suggestion:
    field: str
    name: Mapping[str, str]
    score: float
    reasons: list[str]
    """As in `catalog.similarity.Match`."""


@dataclass(frozen=True, slots=True)
class RejectedField:
    """`field` is the string that was demanded."""

    field: str
    reason: Reason
    detail: str
    suggestions: list[Suggestion] = member(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """As in the answer `off-whitelist`."""
        return {
            "field": self.field,
            "reason": self.reason.value,
            "detail": self.detail,
            "suggestions": [asdict(suggestion) for suggestion in self.suggestions],
        }


@dataclass(frozen=True, slots=True)
class Admission:
    """Both in the order of the demand."""

    accepted: list[FieldInForce]
    rejected: list[RejectedField]


def admit(ctx: Context, demand: Demand, on: dt.date) -> Admission:
    """Judge each field of a demand by the versions of a day."""
    admission = Admission([], [])
    refused: list[tuple[str, Verdict]] = []
    # What cannot be a code is not asked for: it may hold what no database takes.
    codes = [code for code in demand.fields if _CODE.fullmatch(code)]
    found = store.versions_of(ctx, codes)
    versions = {code: list(some) for code, some in groupby(found, key=lambda v: v.code)}
    for code in demand.fields:
        verdict = judge(versions.get(code, ()), demand, on)
        if verdict.reason is None and verdict.version is not None:
            admission.accepted.append(field_in_force(verdict.version))
        else:
            refused.append((code, verdict))
    if refused:
        state = snapshot(ctx)
        helped = _COMPARISONS // max(1, len(state.in_force(on)))
        for place, (code, verdict) in enumerate(refused):
            assert verdict.reason is not None
            near = _suggestions(code, verdict, state, demand, on) if place < helped else []
            admission.rejected.append(RejectedField(code, verdict.reason, verdict.detail, near))
    return admission


def field_in_force(version: FieldVersionView) -> FieldInForce:
    """What requests take from a version."""
    definition = version.definition
    return FieldInForce(
        field_id=version.field_id,
        version_id=version.version_id,
        code=version.code,
        name=definition.name,
        unit=definition.unit,
        period_type=definition.period_type,
        valid_for=definition.valid_for,
        mode=definition.mode,
        collected_at=definition.collected_at,
        review=definition.review,
        owner_id=version.owner_id,
        sharing_category=definition.sharing["category"],
        seconds=definition.seconds,
        personal=definition.personal,
    )


def _suggestions(
    code: str, verdict: Verdict, state: Snapshot, demand: Demand, on: dt.date
) -> list[Suggestion]:
    """The nearest fields in force that would not be rejected for what they are."""
    # A field that is known is better found by its name than by its code.
    query = verdict.version.definition.name["zh"] if verdict.version else code
    in_force = state.in_force(on)
    suggestions: list[Suggestion] = []
    for match in state.near(query[:LONGEST], on, _LOOKED_AT):
        if match.code == code:
            continue
        if judge(state.by_code[match.code], demand, on).reason not in NEVER_SUGGESTED:
            name = in_force[match.code].definition.name
            suggestions.append(Suggestion(match.code, name, match.score, match.reasons))
    return suggestions[:MAX_SUGGESTIONS]
