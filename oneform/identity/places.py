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
