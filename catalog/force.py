"""When a version of a field is in force, and which one speaks for the field. Pure.

A version is in force from `effective_from` to `expires_on`, both included, or until the
day before `ends_on`, where it was superseded or retired before it expired.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol, TypeVar

from catalog.models import EndedAs


class VersionState(StrEnum):
    APPROVED = "approved"  # its day has not come
    EFFECTIVE = "effective"
    SUPERSEDED = "superseded"
    RETIRED = "retired"
    EXPIRED = "expired"


class Term(Protocol):
    """The dates of a version."""

    @property
    def effective_from(self) -> dt.date: ...
    @property
    def expires_on(self) -> dt.date: ...
    @property
    def ends_on(self) -> dt.date | None: ...
    @property
    def ended_as(self) -> str | None: ...


V = TypeVar("V", bound=Term)

_ENDED = {
    EndedAs.SUPERSEDED: VersionState.SUPERSEDED,
    EndedAs.RETIRED: VersionState.RETIRED,
}


def state_on(version: Term, day: dt.date) -> VersionState:
    """Where a version stands on a day. What ended before it began never was in force."""
    ends_on, ended_as = version.ends_on, version.ended_as
    if (
        ends_on is not None
        and ended_as is not None
        and ends_on <= min(version.expires_on, max(day, version.effective_from))
    ):
        return _ENDED[EndedAs(ended_as)]
    if day < version.effective_from:
        return VersionState.APPROVED
    return VersionState.EXPIRED if version.expires_on < day else VersionState.EFFECTIVE


def in_force(versions: Sequence[V], day: dt.date) -> V | None:
    """The version in force on a day, of a field's versions in their order."""
    effective = (v for v in reversed(versions) if state_on(v, day) is VersionState.EFFECTIVE)
    return next(effective, None)


def speaking(versions: Sequence[V], day: dt.date) -> V:
    """The version that tells what has become of a field: the one in force; else the last that
    began, or was to begin and was ended before; else the first that will. ValueError for none."""
    if not versions:
        raise ValueError("a field without versions")
    if (effective := in_force(versions, day)) is not None:
        return effective
    past = [v for v in versions if state_on(v, day) is not VersionState.APPROVED]
    return past[-1] if past else versions[0]
