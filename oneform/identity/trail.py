"""Reading the audit trail: what supervisors see of it. It is written by `oneform.audit`."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from oneform.identity import policy
from oneform.identity.policy import Permission
from oneform.kernel.context import Context
from oneform.kernel.paging import Page, decode_cursor, encode_cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailFilter:
    """Everything that is given must hold."""

    tag: str | None = None
    agency: str | None = None
    actor: str | None = None
    target_type: str | None = None
    target: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    id: int
    at: dt.datetime
    tag: str
    actor_kind: str
    actor: str
    agency: str | None
    target_type: str | None
    target: str | None
    data: dict[str, Any]


# A deed belongs to the area of its agency, or of the person who did it. What the operator and the
# jobs did belongs to none, and is for those who supervise a whole tree.
_TRAIL = """
SELECT e.id, e.at, e.tag, e.actor_kind, e.actor_label AS actor, g.code AS agency,
  e.target_type, e.target_id AS target, e.data
FROM audit_event AS e
LEFT JOIN agency AS g ON g.id = e.agency_id
LEFT JOIN staff AS s ON e.actor_kind = 'person' AND s.id::text = e.actor_id
LEFT JOIN area AS a ON a.id = coalesce(g.area_id, s.area_id)
WHERE (CAST(:everything AS boolean) OR a.path LIKE :prefix || '%')
  AND (CAST(:tag AS text) IS NULL OR e.tag = :tag)
  AND (CAST(:agency AS text) IS NULL OR g.code = :agency)
  AND (CAST(:actor AS text) IS NULL OR e.actor_label = :actor)
  AND (CAST(:target_type AS text) IS NULL OR e.target_type = :target_type)
  AND (CAST(:target AS text) IS NULL OR e.target_id = :target)
  AND (CAST(:since AS timestamptz) IS NULL OR e.at >= :since)
  AND (CAST(:until AS timestamptz) IS NULL OR e.at < :until)
  AND (CAST(:before AS bigint) IS NULL OR e.id < :before)
ORDER BY e.id DESC LIMIT :limit
"""


def read_trail(
    ctx: Context, wanted: TrailFilter, *, limit: int = 50, cursor: str | None = None
) -> Page[EventView]:
    """What was done within one's area, the latest first."""
    actor = policy.require(ctx, Permission.SUPERVISE)
    if actor.area_path is None:
        return Page([], None)
    everything = ctx.sql(
        "SELECT :path = '' OR EXISTS (SELECT FROM area WHERE path = :path AND parent_id IS NULL)",
        path=actor.area_path,
    ).scalar_one()
    rows = ctx.sql(
        _TRAIL,
        everything=everything,
        prefix=actor.area_path,
        tag=wanted.tag,
        agency=wanted.agency,
        actor=wanted.actor,
        target_type=wanted.target_type,
        target=wanted.target,
        since=wanted.since,
        until=wanted.until,
        before=decode_cursor(cursor, [int])[0] if cursor is not None else None,
        limit=limit + 1,
    ).mappings()
    found = [EventView(**row) for row in rows]
    items = found[:limit]
    return Page(items, encode_cursor(items[-1].id) if len(found) > limit else None)
