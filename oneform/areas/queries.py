"""Reading areas: lists, single areas on a day, their changes.

Every descendant search is a range of `area.path`, which costs what it finds.
The functions without a permission are for other parts, whose callers have been
checked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from oneform.areas.cells import AREA_CODE, UNSTORABLE
from oneform.areas.errors import UnknownArea
from oneform.areas.models import AreaChangeKind, Level
from oneform.identity import policy
from oneform.identity.policy import Permission
from oneform.kernel.context import Context
from oneform.kernel.paging import Page, decode_cursor, encode_cursor

BELOW = "{area}.path >= {path} AND {area}.path < {path} || '~'"
"""SQL: the area lies at or below a path (`~` sorts after digits and `/` in the C collation)."""


@dataclass(frozen=True, slots=True)
class AreaView:
    """An area as it is, or was on a day."""

    id: int
    code: str
    name: str
    level: Level
    parent: str | None
    """Code of the area above it, as it was called then."""
    region_id: int
    path: str
    """Where it hangs today."""
    urban_rural_class: str | None
    valid_from: dt.date | None
    """First day under this code, name and parent; None: since ever."""
    valid_to: dt.date | None
    """First day on which that is no more; None: it is so today."""


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A change in which an area had a part. `old_…` is empty for `open`, `new_…` for `close`."""

    kind: AreaChangeKind
    on_date: dt.date
    old_code: str | None
    old_name: str | None
    new_code: str | None
    new_name: str | None
    recorded_at: dt.datetime


_VIEW = """
SELECT a.id, a.code, a.name, a.level, p.code AS parent, a.region_id, a.path,
  a.urban_rural_class, a.valid_from, a.valid_to
FROM area AS a LEFT JOIN area AS p ON p.id = a.parent_id
"""

_ON = "({t}.valid_from IS NULL OR {t}.valid_from <= :on) AND ({t}.valid_to IS NULL OR {t}.valid_to > :on)"

_VIEW_ON = f"""
WITH state AS (
  SELECT id, code, name, level, parent_id, urban_rural_class, valid_from, valid_to
  FROM area WHERE code = ANY(:codes)
  UNION ALL
  SELECT area_id, code, name, level, parent_id, urban_rural_class, valid_from, valid_to
  FROM area_history WHERE code = ANY(:codes))
SELECT s.id, s.code, s.name, s.level, coalesce(h.code, p.code) AS parent, a.region_id, a.path,
  s.urban_rural_class, s.valid_from, s.valid_to
FROM state AS s JOIN area AS a ON a.id = s.id
LEFT JOIN area AS p ON p.id = s.parent_id
LEFT JOIN area_history AS h ON h.area_id = s.parent_id AND {_ON.format(t="h")}
WHERE {_ON.format(t="s")}
"""


def areas_by_code(
    ctx: Context, codes: Iterable[str], on: dt.date | None = None
) -> dict[str, AreaView]:
    """The areas that have these codes today, or had them on a day; others are left out.

    For other parts. One query.
    """
    given = [code for code in codes if AREA_CODE.fullmatch(code)]
    if on is None:
        rows = ctx.sql(_VIEW + "WHERE a.valid_to IS NULL AND a.code = ANY(:codes)", codes=given)
    else:
        rows = ctx.sql(_VIEW_ON, codes=given, on=on)
    return {row.code: _view(row) for row in rows}


def area_by_code(ctx: Context, code: str, on: dt.date | None = None) -> AreaView:
    """The area that has this code today, or had it on a day. For other parts. UnknownArea."""
    found = areas_by_code(ctx, [code], on).get(code)
    if found is None:
        raise UnknownArea(code)
    return found


def _view(row: Any) -> AreaView:
    return AreaView(**{**row._mapping, "level": Level(row.level)})


def get_area(ctx: Context, code: str, on: dt.date | None = None) -> AreaView:
    """One area, today or on a day. UnknownArea."""
    policy.require(ctx, Permission.READ_AREAS)
    return area_by_code(ctx, code, on)


def list_areas(
    ctx: Context,
    *,
    parent: str | None = None,
    level: Level | None = None,
    q: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[AreaView]:
    """Existing areas, by code.

    `parent`: those directly below it, or, with `level`, those of that level
    anywhere below it. `q`: part of a name, or the beginning of a code.
    UnknownArea for the parent; BadCursor.
    """
    policy.require(ctx, Permission.READ_AREAS)
    (after,) = decode_cursor(cursor, [str]) if cursor else ("",)
    where = ["a.valid_to IS NULL", "a.code > :after"]
    given: dict[str, object] = {"after": after, "limit": limit + 1}
    if parent is not None:
        above = area_by_code(ctx, parent)
        given["parent"] = above.id if level is None else above.path
        where.append(
            "a.parent_id = :parent"
            if level is None
            else BELOW.format(area="a", path="CAST(:parent AS text)")
        )
    if level is not None:
        where.append("a.level = :level")
        given["level"] = level.value
    if q:
        where.append(r"(a.name LIKE '%' || :q || '%' OR a.code LIKE :q || '%')")
        given["q"] = _literal(q)
    rows = ctx.sql(
        f"{_VIEW} WHERE {' AND '.join(where)} ORDER BY a.code LIMIT :limit", **given
    ).all()
    items = [_view(row) for row in rows[:limit]]
    return Page(items, encode_cursor(items[-1].code) if len(rows) > limit else None)


def _literal(q: str) -> str:
    """Text for LIKE that means itself. What cannot be stored cannot be found either."""
    return UNSTORABLE.sub("\ufffd", q).translate(
        {ord(sign): "\\" + sign for sign in ("\\", "%", "_")}
    )


# Those who have, or ever had, the code; and the changes in which they had a part.
_CHANGES = """
WITH named AS (
  SELECT id FROM area WHERE code = :code
  UNION SELECT area_id FROM area_history WHERE code = :code)
SELECT c.id, c.kind, c.on_date, c.old_code, c.old_name, c.new_code, c.new_name, c.recorded_at
FROM area_change AS c
WHERE (c.from_id IN (SELECT id FROM named) OR c.to_id IN (SELECT id FROM named))
  AND (c.on_date, c.id) > (:day, :id)
ORDER BY c.on_date, c.id LIMIT :limit
"""


def list_changes(
    ctx: Context, code: str, *, limit: int = 50, cursor: str | None = None
) -> Page[ChangeView]:
    """What became of the areas that have or had this code, oldest first. UnknownArea; BadCursor."""
    policy.require(ctx, Permission.READ_AREAS)
    day, last = decode_cursor(cursor, [dt.date, int]) if cursor else (dt.date.min, 0)
    known = (
        AREA_CODE.fullmatch(code)
        and ctx.sql(
            "SELECT EXISTS (SELECT FROM area WHERE code = :code) "
            "OR EXISTS (SELECT FROM area_history WHERE code = :code)",
            code=code,
        ).scalar_one()
    )
    if not known:
        raise UnknownArea(code)
    rows = ctx.sql(_CHANGES, code=code, day=day, id=last, limit=limit + 1).all()
    items = [
        ChangeView(
            AreaChangeKind(row.kind),
            row.on_date,
            row.old_code,
            row.old_name,
            row.new_code,
            row.new_name,
            row.recorded_at,
        )
        for row in rows[:limit]
    ]
    more = len(rows) > limit
    return Page(items, encode_cursor(rows[limit - 1].on_date, rows[limit - 1].id) if more else None)
