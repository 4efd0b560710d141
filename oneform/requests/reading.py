"""Reading requests: one, many, progress, fields, events, control numbers.

An agency sees its own requests; those of others do not exist for it. Supervisors read what
is on record of them elsewhere (`oneform.requests.supervision`), the operator reads all.
"""

from __future__ import annotations

import datetime as dt
import uuid

import sqlalchemy as sa

from oneform.areas.models import Level
from oneform.identity import policy
from oneform.identity.policy import Permission
from oneform.kernel.context import Context
from oneform.kernel.errors import NotFound
from oneform.kernel.ids import is_control_number, tidy_control_number
from oneform.kernel.paging import Page, decode_cursor, encode_cursor
from oneform.requests.models import RequestState
from oneform.requests.statuses import STATUSES
from oneform.requests.views import (
    AreaProgress,
    CellCounts,
    ControlNumberView,
    EventView,
    FieldProgress,
    RequestSummary,
    RequestView,
)

_SUMS = ", ".join(f"coalesce(sum(ru.{status}), 0) AS {status}" for status in STATUSES)

_ONE = sa.text(
    f"""
    SELECT r.*, a.code AS agency_code, k.code AS kind_code,
      (SELECT array_agg(x.code ORDER BY x.code) FROM request_area AS ra
       JOIN area AS x ON x.id = ra.area_id WHERE ra.request_id = r.id) AS area_codes, u.*
    FROM request AS r JOIN agency AS a ON a.id = r.agency_id
    JOIN subject_kind AS k ON k.id = r.kind_id
    CROSS JOIN LATERAL (
      SELECT coalesce(sum(new), 0) AS asks_new, coalesce(sum(joined), 0) AS asks_joined,
        count(*) AS units_total, count(*) FILTER (WHERE open = 0) AS units_complete,
        {", ".join(f"coalesce(sum({status}), 0) AS {status}" for status in STATUSES)}
      FROM (SELECT ru.unit_id, sum(ru.asks_new) AS new, sum(ru.asks_joined) AS joined,
              sum(ru.asked + ru.pending_grant) AS open, {_SUMS}
            FROM request_unit AS ru
            JOIN request_region AS rr ON rr.request_id = ru.request_id
              AND rr.region_id = ru.region_id AND rr.resolved_at IS NOT NULL
            WHERE ru.request_id = r.id GROUP BY ru.unit_id) AS per_unit) AS u
    WHERE r.id = :id
    """
)


def _own(ctx: Context, request_id: uuid.UUID, permission: Permission) -> None:
    """Refuse a request that is not the actor's, as if it did not exist."""
    actor = policy.require(ctx, permission)
    row = ctx.sql(
        "SELECT agency_id FROM request WHERE id = :id", id=request_id
    ).scalar_one_or_none()
    if row is None or (actor.area_path != "" and row != actor.agency_id):
        raise NotFound("There is no such request of your agency.")


def get_request(ctx: Context, request_id: uuid.UUID) -> RequestView:
    """A request with its books, as of this instant."""
    actor = policy.require(ctx, Permission.READ_REQUESTS)
    row = ctx.sql(_ONE, id=request_id).one_or_none()
    if row is None or (actor.area_path != "" and row.agency_id != actor.agency_id):
        raise NotFound("There is no such request of your agency.")
    return RequestView(
        id=row.id,
        control_no=row.control_no,
        state=RequestState(row.state),
        title=row.title,
        period=row.period or None,
        due=row.due_on,
        urgent=row.urgent,
        created_at=row.created_at,
        resolved_at=row.resolved_at,
        completed_at=row.completed_at,
        agency=row.agency_code,
        purpose=row.purpose,
        legal_basis=row.legal_basis,
        scope={
            "areas": row.area_codes,
            "kind": row.kind_code,
            "level": Level(row.level).word if row.level else None,
        },
        gap=row.gap,
        cells=CellCounts(**{status: int(row._mapping[status]) for status in STATUSES}),
        asks_new=int(row.asks_new),
        asks_joined=int(row.asks_joined),
        units_total=row.units_total,
        units_complete=row.units_complete,
        dropped_fields=row.dropped_fields,
    )


def list_requests(
    ctx: Context,
    *,
    state: RequestState | None = None,
    since: dt.datetime | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[RequestSummary]:
    """Requests of the actor's agency, newest first."""
    actor = policy.require(ctx, Permission.READ_REQUESTS)
    before = decode_cursor(cursor, [uuid.UUID])[0] if cursor else None
    rows = ctx.sql(
        "SELECT id, control_no, state, title, period, due_on, urgent, created_at, resolved_at, "
        "completed_at FROM request WHERE (:everything OR agency_id = :agency) "
        "AND (CAST(:state AS text) IS NULL OR state = :state) "
        "AND (CAST(:since AS timestamptz) IS NULL OR created_at >= :since) "
        "AND (CAST(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit",
        everything=actor.area_path == "",
        agency=actor.agency_id,
        state=state,
        since=since,
        before=before,
        limit=limit + 1,
    ).all()
    items = [
        RequestSummary(
            id=row.id,
            control_no=row.control_no,
            state=RequestState(row.state),
            title=row.title,
            period=row.period or None,
            due=row.due_on,
            urgent=row.urgent,
            created_at=row.created_at,
            resolved_at=row.resolved_at,
            completed_at=row.completed_at,
        )
        for row in rows[:limit]
    ]
    return Page(items, encode_cursor(items[-1].id) if len(rows) > limit else None)


_PROGRESS = f"""
WITH unit AS (
  SELECT g.id, g.code, g.name, g.level, ru.unit_id, sum(ru.asked + ru.pending_grant) AS open, {_SUMS}
  FROM request_unit AS ru
  JOIN request_region AS rr ON rr.request_id = ru.request_id AND rr.region_id = ru.region_id
    AND rr.resolved_at IS NOT NULL
  JOIN area AS p ON p.id = ru.place_id
  CROSS JOIN LATERAL unnest(string_to_array(trim(BOTH '/' FROM p.path), '/')::bigint[]) AS n(id)
  JOIN area AS g ON g.id = n.id AND g.level = :level
  WHERE ru.request_id = :id
  GROUP BY g.id, ru.unit_id)
SELECT code, name, level, count(*) AS units_total, count(*) FILTER (WHERE open = 0) AS units_complete,
  {", ".join(f"sum({status}) AS {status}" for status in STATUSES)}
FROM unit WHERE code > :after COLLATE "C" GROUP BY id, code, name, level ORDER BY code LIMIT :limit
"""


def get_progress(
    ctx: Context,
    request_id: uuid.UUID,
    *,
    level: Level,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[AreaProgress]:
    """The books of a request by area of a level, ordered by code."""
    _own(ctx, request_id, Permission.READ_REQUESTS)
    after = decode_cursor(cursor, [str])[0] if cursor else ""
    rows = ctx.sql(_PROGRESS, id=request_id, level=int(level), after=after, limit=limit + 1).all()
    items = [
        AreaProgress(
            code=row.code,
            name=row.name,
            level=Level(row.level).word,
            cells=CellCounts(**{status: int(row._mapping[status]) for status in STATUSES}),
            units_total=row.units_total,
            units_complete=row.units_complete,
        )
        for row in rows[:limit]
    ]
    return Page(items, encode_cursor(items[-1].code) if len(rows) > limit else None)


def list_request_fields(ctx: Context, request_id: uuid.UUID) -> list[FieldProgress]:
    """The fields of a request, with the versions that it was made under, ordered by code."""
    _own(ctx, request_id, Permission.READ_REQUESTS)
    return [
        FieldProgress(
            code=row.code,
            version=row.version,
            name=row.name,
            unit=row.unit,
            mode=row.mode,
            period=row.period or None,
            grant_state=row.grant_state,
        )
        for row in ctx.sql(
            "SELECT f.code, v.version, v.name, v.unit, rf.mode, rf.period, rf.grant_state "
            "FROM request_field AS rf JOIN field AS f ON f.id = rf.field_id "
            "JOIN field_version AS v ON v.id = rf.field_version_id "
            "WHERE rf.request_id = :id ORDER BY f.code",
            id=request_id,
        )
    ]


def list_events(
    ctx: Context, request_id: uuid.UUID, *, limit: int = 50, cursor: str | None = None
) -> Page[EventView]:
    """What happened to a request, oldest first."""
    _own(ctx, request_id, Permission.READ_REQUESTS)
    after = decode_cursor(cursor, [int])[0] if cursor else 0
    rows = ctx.sql(
        "SELECT id, at, kind, data FROM request_event "
        "WHERE request_id = :id AND id > :after ORDER BY id LIMIT :limit",
        id=request_id,
        after=after,
        limit=limit + 1,
    ).all()
    items = [EventView(at=row.at, kind=row.kind, data=row.data) for row in rows[:limit]]
    return Page(items, encode_cursor(rows[limit - 1].id) if len(rows) > limit else None)


def check_control_number(ctx: Context, text: str) -> ControlNumberView:
    """What anybody may know of a request, by the number that stands on every ask of it."""
    number = tidy_control_number(text)
    if not is_control_number(number):
        return ControlNumberView(valid=False, complete=False)
    row = ctx.sql(
        "SELECT r.*, a.name AS agency_name FROM request AS r JOIN agency AS a ON a.id = r.agency_id "
        "WHERE r.control_no = :number",
        number=number,
    ).one_or_none()
    if row is None:
        return ControlNumberView(valid=False)
    fields = ctx.sql(
        "SELECT f.code, v.name FROM request_field AS rf JOIN field AS f ON f.id = rf.field_id "
        "JOIN field_version AS v ON v.id = rf.field_version_id "
        "WHERE rf.request_id = :id ORDER BY f.code",
        id=row.id,
    ).all()
    return ControlNumberView(
        valid=row.state != RequestState.CANCELLED,
        agency=row.agency_name,
        title=row.title,
        legal_basis=row.legal_basis,
        fields=[{"code": field.code, "name": field.name} for field in fields],
        due=row.due_on,
        state=RequestState(row.state),
    )
