"""The whitelist check of one field: may it be requested, and if not, why? Pure.

Reasons as in API.md, section 4. Of several that apply the first of this order is told:
whether the field is on the list at all (`unknown`, `not_in_force`, `retired`, `expired`),
whether the demand fits it (`wrong_kind`, `wrong_level`, `wrong_period`, `outside_window`),
whether this agency may have it (`restricted`, `outside_agency_area`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from catalog.definition import AREA_KIND
from catalog.force import VersionState, speaking, state_on
from catalog.models import Sharing
from catalog.periods import PeriodError, PeriodType, Window, parse_period
from catalog.views import FieldVersionView
from oneform.areas.models import Level


class Reason(StrEnum):
    """Why a field is rejected, in the order in which reasons go before each other."""

    UNKNOWN = "unknown"
    NOT_IN_FORCE = "not_in_force"
    RETIRED = "retired"
    EXPIRED = "expired"
    WRONG_KIND = "wrong_kind"
    WRONG_LEVEL = "wrong_level"
    WRONG_PERIOD = "wrong_period"
    OUTSIDE_WINDOW = "outside_window"
    RESTRICTED = "restricted"
    OUTSIDE_AGENCY_AREA = "outside_agency_area"


NEVER_SUGGESTED = frozenset({Reason.WRONG_KIND, Reason.RESTRICTED})
"""A field that would be rejected for one of these is no help to whoever asks."""


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What an agency asks for. `fields` are any strings; `level` goes with areas only;
    `period` is "" where there is none. The scope is given by the paths of its areas, the
    agency's reach by the path of its own (None: it has none)."""

    fields: Sequence[str]
    kind: str
    level: int | None
    period: str
    area_paths: Sequence[str]
    agency_id: int | None
    agency_path: str | None

    @cached_property
    def period_type(self) -> PeriodType | None:
        """None for a text that is no period: it fits no field that has periods."""
        try:
            return parse_period(self.period).type
        except PeriodError:
            return None

    @cached_property
    def is_within_reach(self) -> bool:
        reach = self.agency_path
        return reach is not None and all(path.startswith(reach) for path in self.area_paths)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`version` speaks for the field where there is one; accepted if there is no `reason`."""

    version: FieldVersionView | None
    reason: Reason | None = None
    detail: str = ""


_GONE = {
    VersionState.RETIRED: Reason.RETIRED,
    VersionState.EXPIRED: Reason.EXPIRED,
    VersionState.APPROVED: Reason.NOT_IN_FORCE,
}


def judge(versions: Sequence[FieldVersionView], demand: Demand, on: dt.date) -> Verdict:
    """Judge one field by all its versions (none: there is no such field) on a day."""
    if not versions:
        return Verdict(None, Reason.UNKNOWN, "There is no such field on the whitelist.")
    version = speaking(versions, on)
    state = state_on(version, on)
    if state is not VersionState.EFFECTIVE:
        later = [v for v in versions if state_on(v, on) is VersionState.APPROVED]
        return Verdict(version, *_gone(version, state, later))
    for reason, detail in (
        _kind_and_level(version, demand),
        _period(version, demand),
        _window(version, on),
        _sharing(version, demand),
        _area(demand),
    ):
        if reason is not None:
            return Verdict(version, reason, detail)
    return Verdict(version)


_Objection = tuple[Reason | None, str]
_NONE: _Objection = (None, "")


def _gone(
    version: FieldVersionView, state: VersionState, later: Sequence[FieldVersionView]
) -> tuple[Reason, str]:
    # Nothing but a retirement ends a version without another in its place.
    reason = _GONE.get(state, Reason.RETIRED)
    begins = min((v.effective_from for v in later), default=None)
    if reason is Reason.NOT_IN_FORCE:
        return reason, f"In force from {version.effective_from.isoformat()}."
    if reason is Reason.EXPIRED:
        detail = f"Expired after {version.expires_on.isoformat()}."
    else:
        detail = (
            "Retired." if version.ends_on is None else f"Retired on {version.ends_on.isoformat()}."
        )
    return reason, f"{detail} In force again from {begins.isoformat()}." if begins else detail


def _kind_and_level(version: FieldVersionView, demand: Demand) -> _Objection:
    field = version.definition
    if field.subject_kind != demand.kind:
        return Reason.WRONG_KIND, f"It is about {field.subject_kind}, not {demand.kind}."
    if field.subject_kind == AREA_KIND and demand.level not in field.levels:
        words = ", ".join(Level(level).word for level in field.levels)
        return Reason.WRONG_LEVEL, f"It is there at these levels: {words}."
    return _NONE


def _period(version: FieldVersionView, demand: Demand) -> _Objection:
    field = version.definition
    if field.is_standing or demand.period_type == field.period_type:
        return _NONE
    if not demand.period:
        return Reason.WRONG_PERIOD, f"It needs a {field.period_type} as the period."
    return Reason.WRONG_PERIOD, f"Its period is a {field.period_type}; {demand.period} is none."


def _window(version: FieldVersionView, on: dt.date) -> _Objection:
    window = version.definition.window
    if window is None or Window.parse(window).is_open(on):
        return _NONE
    detail = f"It is collected from {window['from']} to {window['to']} of each year only."
    return Reason.OUTSIDE_WINDOW, detail


def _sharing(version: FieldVersionView, demand: Demand) -> _Objection:
    sharing = version.definition.sharing
    if sharing["category"] != Sharing.RESTRICTED or version.owner_id == demand.agency_id:
        return _NONE
    return Reason.RESTRICTED, f"It is not shared: {sharing['basis']}"


def _area(demand: Demand) -> _Objection:
    if demand.is_within_reach:
        return _NONE
    return Reason.OUTSIDE_AGENCY_AREA, "The scope reaches beyond the agency's area."
