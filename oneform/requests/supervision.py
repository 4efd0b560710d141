"""What supervisors see of requests: rejections and releases of the agencies within their area."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from oneform.identity import policy
from oneform.identity.policy import Permission
from oneform.kernel.context import Context
from oneform.kernel.paging import Page, decode_cursor, encode_cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectionView:
    id: uuid.UUID
    at: dt.datetime
    agency: str
    title: str
    purpose: str
    legal_basis: str
    demand: dict[str, Any]
    rejected_fields: list[dict[str, Any]]
    request_id: uuid.UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseView:
    id: uuid.UUID
    at: dt.datetime
    agency: str
    request_id: uuid.UUID
    purpose: str
    format: str
    layout: str
    fields: list[str]
    areas: list[str]
    filters: dict[str, Any]
    values: int
    finished_at: dt.datetime | None


# Ids are time-sorted. `prefix` is the supervisor's path; agencies without an area are the operator's.
_WITHIN = """
  JOIN agency AS g ON g.id = x.agency_id LEFT JOIN area AS a ON a.id = g.area_id
  WHERE coalesce(a.path, '') LIKE :prefix || '%'
    AND (CAST(:agency AS text) IS NULL OR g.code = :agency)
    AND (CAST(:before AS uuid) IS NULL OR x.id < :before) ORDER BY x.id DESC LIMIT :limit
"""

_REJECTIONS = f"""
SELECT x.id, x.at, g.code AS agency, x.title, x.purpose, x.legal_basis, x.demand,
  x.rejected_fields, x.request_id FROM rejection AS x {_WITHIN}
"""

_RELEASES = f"""
SELECT x.id, x.at, g.code AS agency, x.request_id, x.purpose, x.format, x.layout, x.fields,
  x.areas, x.filters, x.values_count AS values, x.finished_at FROM release AS x {_WITHIN}
"""


def list_rejections(
    ctx: Context, *, agency: str | None = None, limit: int = 50, cursor: str | None = None
) -> Page[RejectionView]:
    """Requests refused at the door, newest first."""
    rows = _rows(ctx, _REJECTIONS, agency, limit, cursor)
    items = [RejectionView(**row) for row in rows[:limit]]
    return Page(items, encode_cursor(items[-1].id) if len(rows) > limit else None)


def list_releases(
    ctx: Context, *, agency: str | None = None, limit: int = 50, cursor: str | None = None
) -> Page[ReleaseView]:
    """Data given out, newest first."""
    rows = _rows(ctx, _RELEASES, agency, limit, cursor)
    items = [ReleaseView(**row) for row in rows[:limit]]
    return Page(items, encode_cursor(items[-1].id) if len(rows) > limit else None)


def _rows(
    ctx: Context, query: str, agency: str | None, limit: int, cursor: str | None
) -> list[dict[str, Any]]:
    actor = policy.require(ctx, Permission.SUPERVISE)
    if actor.area_path is None:
        return []
    before = decode_cursor(cursor, [uuid.UUID])[0] if cursor else None
    found = ctx.sql(
        query, prefix=actor.area_path, agency=agency, before=before, limit=limit + 1
    ).mappings()
    return [dict(row) for row in found]
