"""Areas as identity sees them: a code in, id and path out. Everything else about them is above."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from oneform.kernel.context import Context


@dataclass(frozen=True, slots=True)
class Place:
    id: int
    code: str
    name: str
    path: str


def find_places(ctx: Context, codes: Iterable[str]) -> dict[str, Place]:
    """The living areas with these codes; unknown ones are left out."""
    rows = ctx.sql(
        "SELECT id, code, name, path FROM area WHERE code = ANY(:codes) AND valid_to IS NULL",
        codes=sorted(set(codes)),
    )
    return {row.code: Place(row.id, row.code, row.name, row.path) for row in rows}


@dataclass(frozen=True, slots=True)
class AgencyPlace:
    """An agency and the area that is its reach, if it has one."""

    id: int
    code: str
    area: str | None
    path: str | None


def find_agencies(ctx: Context, codes: Iterable[str]) -> dict[str, AgencyPlace]:
    """The agencies with these codes; unknown ones are left out."""
    rows = ctx.sql(
        "SELECT g.id, g.code, area.code AS area, area.path "
        "FROM agency AS g LEFT JOIN area ON area.id = g.area_id WHERE g.code = ANY(:codes)",
        codes=sorted(set(codes)),
    )
    return {row.code: AgencyPlace(row.id, row.code, row.area, row.path) for row in rows}
