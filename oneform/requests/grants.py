"""Grants: an agency's use of a conditional field awaits its owner's consent.

The statutory clock is ten working days (政务数据共享条例: conditional sharing is
answered within 10 working days, once extended by 10 at the most, with notice).
A clock that runs out never consents (DESIGN.md §4, point 11). A consent that runs
out ends (`expiring.py`); until that is booked, nothing is let out by it any more.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from catalog.models import Sharing
from catalog.whitelist import FieldInForce
from oneform.audit import service as audit
from oneform.audit.tags import Tag
from oneform.identity import policy
from oneform.identity.policy import Permission
from oneform.kernel import locks
from oneform.kernel.context import Context
from oneform.kernel.errors import Conflict, Invalid, Mistake, NotFound
from oneform.kernel.ids import new_id
from oneform.kernel.paging import Page, decode_cursor, encode_cursor
from oneform.requests.jobs import RequestJob
from oneform.requests.models import Grant, GrantState
from oneform.requests.settlement import settle

ANSWER_WORKING_DAYS = 10
EXTENSION_WORKING_DAYS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantView:
    id: uuid.UUID
    state: GrantState
    field: str
    agency: str
    owner: str
    request_id: uuid.UUID
    purpose: str
    legal_basis: str
    reason: str | None
    conditions: str | None
    valid_until: dt.date | None
    answer_by: dt.date
    provisional: bool
    extended: bool
    created_at: dt.datetime
    decided_at: dt.datetime | None


_VIEW = """
SELECT g.id, g.state, f.code AS field, a.code AS agency, o.code AS owner, g.request_id,
  r.purpose, r.legal_basis, g.reason, g.conditions, g.valid_until, g.answer_by,
  g.answer_by_provisional AS provisional, g.extended, g.created_at, g.decided_at
FROM "grant" AS g JOIN field AS f ON f.id = g.field_id JOIN agency AS a ON a.id = g.agency_id
JOIN agency AS o ON o.id = g.owner_id JOIN request AS r ON r.id = g.request_id
"""


def first_grant_state(field: FieldInForce, agency_id: int) -> GrantState:
    """Of a field in a new request: whether its owner's consent is awaited. Owners need none."""
    is_owner = field.owner_id == agency_id
    is_free = field.sharing_category != Sharing.CONDITIONAL or is_owner
    return GrantState.NONE if is_free else GrantState.PENDING


def ask_for_grants(
    ctx: Context, request_id: uuid.UUID, agency_id: int, fields: Sequence[FieldInForce]
) -> None:
    """Ask the owners of those fields that need their consent; the statutory clock starts today."""
    fields = [f for f in fields if first_grant_state(f, agency_id) is GrantState.PENDING]
    if not fields:
        return
    deadline = ctx.calendar.add_working_days(ctx.today(), ANSWER_WORKING_DAYS)
    ctx.session.execute(
        sa.insert(Grant),
        [
            {
                "id": new_id(),
                "request_id": request_id,
                "field_id": field.field_id,
                "agency_id": agency_id,
                "owner_id": field.owner_id,
                "state": GrantState.PENDING.value,
                "answer_by": deadline.day,
                "answer_by_provisional": deadline.provisional,
            }
            for field in fields
        ],
    )


def list_grants(
    ctx: Context, *, state: str | None = None, limit: int = 50, cursor: str | None = None
) -> Page[GrantView]:
    """Grants that the actor's agency gives or awaits, newest first."""
    policy.require(ctx, Permission.READ_AREAS)
    agency_id = policy.require_agency(ctx)
    before = decode_cursor(cursor, [uuid.UUID])[0] if cursor else None
    rows = ctx.sql(
        _VIEW + " WHERE :agency IN (g.owner_id, g.agency_id) "
        "AND (CAST(:state AS text) IS NULL OR g.state = :state) "
        "AND (CAST(:before AS uuid) IS NULL OR g.id < :before) ORDER BY g.id DESC LIMIT :limit",
        agency=agency_id,
        state=state,
        before=before,
        limit=limit + 1,
    ).all()
    items = [_shown(row) for row in rows[:limit]]
    return Page(items, encode_cursor(items[-1].id) if len(rows) > limit else None)


def decide_grant(
    ctx: Context,
    grant_id: uuid.UUID,
    *,
    decision: str,
    reason: str | None,
    valid_until: dt.date | None,
    conditions: str | None,
) -> GrantView:
    """The owner grants or refuses; a grant sets the waiting cells to work."""
    grant = _for_owner(ctx, grant_id, alone=True)
    if valid_until is not None and valid_until < ctx.today():
        raise Invalid(mistakes=[Mistake("/valid_until", "past", "must not be in the past")])
    state = GrantState.GRANTED if decision == "grant" else GrantState.REFUSED
    grant.state = state
    grant.reason = reason
    grant.valid_until = valid_until
    grant.conditions = conditions
    grant.decided_by = ctx.actor.label
    grant.decided_at = ctx.clock.now()
    ctx.session.flush()
    _set_to_work(ctx, grant, state)
    audit.append(ctx, Tag.GRANT_DECIDED, "grant", grant.id, decision=decision)
    return _view(ctx, grant_id)


def _set_to_work(ctx: Context, grant: Grant, state: GrantState) -> None:
    """Have the request resolved anew in all its regions, which the actor holds alone.

    Until then its cells are undecided: nobody books them.
    """
    ctx.sql(
        "UPDATE request_field SET grant_state = :state, grant_decided_at = clock_timestamp() "
        "WHERE request_id = :request AND field_id = :field",
        state=state.value,
        request=grant.request_id,
        field=grant.field_id,
    )
    regions = ctx.sql(
        "UPDATE request_region SET resolved_at = NULL, fetch_attempts = 0 "
        "WHERE request_id = :request RETURNING region_id",
        request=grant.request_id,
    ).scalars()
    settle(ctx, [grant.request_id])
    ctx.outbox.enqueue(
        RequestJob.RESOLVE_REQUEST,
        agency_id=grant.agency_id,
        request_id=grant.request_id,
        region_ids=sorted(regions),
    )


RUN_OUT = "(g.state = 'granted' AND g.valid_until < oneform_today())"
"""Condition on grants `g`: the last day has passed."""


def fields_run_out(ctx: Context, request_id: uuid.UUID) -> list[int]:
    """Fields of a request whose owner consented until a day that has passed."""
    return list(
        ctx.sql(
            f'SELECT g.field_id FROM "grant" AS g WHERE g.request_id = :request AND {RUN_OUT} '
            "ORDER BY 1",
            request=request_id,
        ).scalars()
    )


def withdraw_grants(ctx: Context, request_id: uuid.UUID) -> None:
    """A request that is cancelled awaits nothing any more."""
    ctx.sql(
        'UPDATE "grant" SET state = :state WHERE request_id = :request AND state = :pending',
        state=GrantState.WITHDRAWN.value,
        pending=GrantState.PENDING.value,
        request=request_id,
    )
    ctx.sql(
        "UPDATE request_field SET grant_state = :state "
        "WHERE request_id = :request AND grant_state = :pending",
        state=GrantState.REFUSED.value,
        pending=GrantState.PENDING.value,
        request=request_id,
    )


def extend_grant(ctx: Context, grant_id: uuid.UUID, *, reason: str | None) -> GrantView:
    """Give the owner up to ten more working days, once, with notice to the agency."""
    grant = _for_owner(ctx, grant_id)
    if grant.extended:
        raise Conflict("The time to answer has been extended already; the law allows it once.")
    deadline = ctx.calendar.add_working_days(grant.answer_by, EXTENSION_WORKING_DAYS)
    grant.answer_by = deadline.day
    grant.answer_by_provisional = deadline.provisional
    grant.extended = True
    grant.reason = reason
    ctx.session.flush()
    audit.append(ctx, Tag.GRANT_DECIDED, "grant", grant.id, decision="extend")
    return _view(ctx, grant_id)


def _for_owner(ctx: Context, grant_id: uuid.UUID, *, alone: bool = False) -> Grant:
    """The grant, locked, if it is the actor's agency's to decide and still open.

    `alone`: its request and that request's regions are taken first, in the order of all locks.
    """
    policy.require(ctx, Permission.DECIDE_GRANTS)
    agency_id = policy.require_agency(ctx)
    if alone:
        parts = ctx.sql(
            'SELECT rr.request_id, rr.region_id FROM request_region AS rr JOIN "grant" AS g '
            "ON g.request_id = rr.request_id WHERE g.id = :id AND g.owner_id = :agency",
            id=grant_id,
            agency=agency_id,
        ).all()
        for request_id in {part.request_id for part in parts}:
            locks.take_request(ctx, request_id, [part.region_id for part in parts])
    grant = ctx.session.get(Grant, grant_id, with_for_update=True)
    if grant is None or grant.owner_id != agency_id:
        raise NotFound("There is no such grant for your agency to decide.")
    if grant.state != GrantState.PENDING:
        raise Conflict(f"This grant is {grant.state} already.")
    return grant


def _view(ctx: Context, grant_id: uuid.UUID) -> GrantView:
    row = ctx.sql(_VIEW + " WHERE g.id = :id", id=grant_id).one()
    return _shown(row)


def _shown(row: sa.Row[Any]) -> GrantView:
    return GrantView(**{**row._mapping, "state": GrantState(row.state)})
