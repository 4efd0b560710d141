"""How far people reach: their own area, and no further than the agency that they act for."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from oneform.identity.places import AgencyPlace, Place
from oneform.identity.policy import AGENCY_ROLES, Role
from oneform.kernel.context import Context
from oneform.kernel.errors import Mistake


def area_mistakes(
    roles: Collection[str], place: Place | None, agency: AgencyPlace | None, pointer: str
) -> list[Mistake]:
    """Whether somebody who acts for an agency would reach beyond it. What is unknown has been said."""
    if place is None or agency is None or not AGENCY_ROLES.intersection(roles):
        return []
    if agency.path is None:
        words = f"the agency {agency.code} has no area yet: give it one with `agencies add`"
    elif place.path.startswith(agency.path):
        return []
    else:
        words = f"{place.code} is outside the area {agency.area} of the agency {agency.code}"
    return [Mistake(pointer, "outside-agency", words)]


@dataclass(frozen=True, slots=True)
class Reach:
    """The area that somebody reaches; both None where that is none."""

    area_id: int | None
    path: str | None


NOWHERE = Reach(None, None)


def reach_of(own: Reach, agency: Reach, roles: Collection[Role]) -> Reach:
    """What a person reaches: their own area, and within it no more than the agency's where they
    act for one, as it is today."""
    if not AGENCY_ROLES.intersection(roles):
        return own
    if own.path is None or agency.path is None:
        return NOWHERE
    if own.path.startswith(agency.path):
        return own
    return agency if agency.path.startswith(own.path) else NOWHERE


REACH_COLUMNS = """
  s.area_id, own.path, agency.area_id AS agency_area_id, of_agency.path AS agency_path,
  ARRAY(SELECT role FROM staff_role WHERE staff_id = s.id) AS roles
"""
REACH_JOINS = """
  JOIN area AS own ON own.id = s.area_id
  LEFT JOIN agency ON agency.id = s.agency_id
  LEFT JOIN area AS of_agency ON of_agency.id = agency.area_id
"""


def reach_in(row: Any) -> Reach:
    """The reach of the person in a row of `REACH_COLUMNS`."""
    own, agency = Reach(row.area_id, row.path), Reach(row.agency_area_id, row.agency_path)
    return reach_of(own, agency, [Role(role) for role in row.roles])


def reach_of_person(ctx: Context, person: uuid.UUID | str) -> Reach:
    """What the person with this id reaches today; nothing where there is no such person."""
    row = ctx.sql(
        f"SELECT {REACH_COLUMNS} FROM staff AS s {REACH_JOINS} WHERE s.id = CAST(:id AS uuid)",
        id=person,
    ).one_or_none()
    return NOWHERE if row is None else reach_in(row)
