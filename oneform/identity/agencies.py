"""Agencies (部门): adding them one by one or from a file. Their keys are in `keys`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from oneform.audit.service import append
from oneform.audit.tags import Tag
from oneform.identity import policy
from oneform.identity.errors import AlreadyThere
from oneform.identity.models import Agency
from oneform.identity.places import find_places
from oneform.identity.policy import Permission
from oneform.identity.tables import Line, doubles, read_table, refuse
from oneform.kernel.context import Context
from oneform.kernel.errors import Invalid, Mistake, NotFound

CODE = re.compile(r"[\w.-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AddAgency:
    code: str
    name: str
    area: str
    """Code of the area that is its reach."""
    parent: str | None = None
    """Code of the agency above it."""


def add_agency(ctx: Context, command: AddAgency) -> Agency:
    """Add an agency, or give its reach to one that only a bundle has named so far.

    Invalid with every mistake; AlreadyThere for one that has an area.
    """
    policy.require(ctx, Permission.OPERATE)
    mistakes = []
    if not CODE.fullmatch(command.code):
        mistakes.append(Mistake("/code", "pattern", _CODE_WORDS))
    if not command.name.strip():
        mistakes.append(Mistake("/name", "required", "is empty"))
    place = find_places(ctx, [command.area]).get(command.area)
    if place is None:
        mistakes.append(Mistake("/area", "unknown-area", f"there is no area {command.area}"))
    parent = None
    if command.parent is not None:
        parent = ctx.session.scalar(sa.select(Agency).where(Agency.code == command.parent))
        if parent is None:
            mistakes.append(
                Mistake("/parent", "unknown-agency", f"there is no agency {command.parent}")
            )
    if mistakes or place is None:
        raise Invalid("The agency cannot be added.", mistakes=mistakes)
    # Two who add the same one at once: the second waits here for the first.
    ctx.sql(
        "INSERT INTO agency (code, name) VALUES (:code, '{}') ON CONFLICT (code) DO NOTHING",
        code=command.code,
    )
    agency = ctx.session.scalars(
        sa.select(Agency).where(Agency.code == command.code).with_for_update()
    ).one()
    if agency.area_id is not None:
        raise AlreadyThere(f"There is an agency {command.code} already.")
    agency.name = {**agency.name, "zh": command.name.strip()}
    agency.area_id = place.id
    agency.parent_id = None if parent is None else parent.id
    ctx.session.flush()
    append(ctx, Tag.AGENCY_CREATED, "agency", agency.code, area=place.code)
    return agency


def is_known(ctx: Context, code: str) -> bool:
    """Whether there is such an agency, with a reach or without."""
    return bool(ctx.session.scalar(sa.select(sa.exists().where(Agency.code == code))))


def find_agency(ctx: Context, code: str) -> Agency:
    """The agency with this code; NotFound."""
    agency = ctx.session.scalar(sa.select(Agency).where(Agency.code == code))
    if agency is None:
        raise NotFound(f"There is no agency {code}.")
    return agency


def import_agencies(ctx: Context, path: Path) -> dict[str, int]:
    """Bring the agencies of a CSV file in (`code,name,area,parent`): all of them or none.

    Known ones are brought to the file's state; a file imported twice changes nothing. Gives the
    counts `created`, `updated`, `unchanged`; Invalid with the line of every mistake.
    """
    policy.require(ctx, Permission.OPERATE)
    lines, mistakes = read_table(path, required=("code", "name"), optional=("area", "parent"))
    places = find_places(ctx, (line["area"] for line in lines if line.is_whole))
    parents: dict[str, str | None] = {row.code: row.parent for row in ctx.sql(_ABOVE)}
    mistakes += doubles(lines, "code")
    parents |= {line["code"]: line["parent"] or None for line in lines}
    for line in lines:
        if not line.is_whole:
            continue
        if line["code"] and not CODE.fullmatch(line["code"]):
            mistakes.append(line.mistake("pattern", f"code {line['code']!r} {_CODE_WORDS}"))
        if line["area"] and line["area"] not in places:
            mistakes.append(line.mistake("unknown-area", f"there is no area {line['area']}"))
        if line["parent"] and line["parent"] not in parents:
            mistakes.append(line.mistake("unknown-agency", f"there is no agency {line['parent']}"))
        elif _is_below_itself(line["code"], parents):
            mistakes.append(line.mistake("cycle", f"{line['code']} would be above itself"))
    refuse(mistakes)
    area_ids = {code: place.id for code, place in places.items()}
    counts = _write(ctx, lines, area_ids)
    if counts["created"] or counts["updated"]:
        append(ctx, Tag.AGENCIES_IMPORTED, **counts)
    return counts


_CODE_WORDS = "must be 1 to 64 letters, digits, dots, hyphens or underscores"


def _is_below_itself(code: str, parents: dict[str, str | None]) -> bool:
    seen = {code}
    above = parents.get(code)
    while above is not None:
        if above == code:
            return True
        if above in seen:
            return False  # a cycle further up; its own lines are named
        seen.add(above)
        above = parents.get(above)
    return False


def _write(ctx: Context, lines: list[Line], area_ids: dict[str, int]) -> dict[str, int]:
    columns: dict[str, Any] = {
        "codes": [line["code"] for line in lines],
        "names": [line["name"] for line in lines],
        "areas": [area_ids.get(line["area"]) for line in lines],
        "parents": [line["parent"] or None for line in lines],
    }
    before = {row.code: row for row in ctx.sql(_STATE, codes=columns["codes"])}
    ctx.sql(_UPSERT, codes=columns["codes"], names=columns["names"], areas=columns["areas"])
    # Parents come second: one may be further down in the same file.
    ctx.sql(_PARENTS, codes=columns["codes"], parents=columns["parents"])
    after = {row.code: row for row in ctx.sql(_STATE, codes=columns["codes"])}
    updated = sum(1 for code, row in before.items() if after[code] != row)
    return {
        "created": len(after) - len(before),
        "updated": updated,
        "unchanged": len(before) - updated,
    }


_ABOVE = """
SELECT child.code, parent.code AS parent
FROM agency AS child LEFT JOIN agency AS parent ON parent.id = child.parent_id
"""
_STATE = "SELECT code, name, area_id, parent_id FROM agency WHERE code = ANY(:codes)"
_UPSERT = """
INSERT INTO agency (code, name, area_id)
SELECT code, jsonb_build_object('zh', name), area_id
FROM unnest(CAST(:codes AS text[]), CAST(:names AS text[]), CAST(:areas AS bigint[]))
  AS given (code, name, area_id)
ORDER BY code
ON CONFLICT (code) DO UPDATE
SET name = agency.name || EXCLUDED.name, area_id = EXCLUDED.area_id
"""
_PARENTS = """
UPDATE agency AS child
SET parent_id = parent.id
FROM unnest(CAST(:codes AS text[]), CAST(:parents AS text[])) AS given (code, parent)
LEFT JOIN agency AS parent ON parent.code = given.parent
WHERE child.code = given.code AND child.parent_id IS DISTINCT FROM parent.id
"""
