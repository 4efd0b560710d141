"""Refusing asks: staff say that they are not theirs to answer. Deciding on it is in `deciding`."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from oneform.audit import service as audit
from oneform.audit.tags import Tag
from oneform.collection.asks import (
    AskKey,
    AskRow,
    by_region,
    cells_in,
    hold_asks_sent,
    move_asks,
    parse_ask,
    why_not,
)
from oneform.collection.commands import (
    RefusalReason,
    RefusalScope,
    RefusalState,
    RefuseAsks,
)
from oneform.collection.form import subject_ref
from oneform.collection.lifecycle import AskEvent, AskState
from oneform.collection.questions import in_language
from oneform.collection.reach import find_unit, require_person
from oneform.collection.views import RefusalView, RefusedAsk
from oneform.identity import policy
from oneform.identity.policy import Permission, Principal
from oneform.kernel.context import Context
from oneform.kernel.errors import Invalid, Mistake, NotFound
from oneform.kernel.ids import new_id, pack_id
from oneform.kernel.paging import Page, decode_cursor, encode_cursor
from oneform.values.recording import changing, together

MAX_ASKS = 500
"""Asks in one refusal."""

_REFUSE = sa.text(
    "INSERT INTO refusal (id, unit_id, staff_id, reason, comment, state, created_at) "
    "VALUES (:id, :unit, :staff, :reason, :comment, 'undecided', :now)"
)
_REFUSED_ASKS = sa.text(
    "INSERT INTO refusal_ask (refusal_id, region_id, ask_id) "
    "SELECT :id, :region, unnest(CAST(:asks AS bigint[]))"
)


def refuse_asks(ctx: Context, command: RefuseAsks) -> RefusalView:
    """Refuse asks of one unit, all or none; the clock stands until somebody decides.

    Invalid with every mistake: asks that do not exist, are not open or outside
    the reach, are named twice or put to different units; a missing comment for
    the reason `other`. Drafts are kept: the asks may come back.
    """
    actor, staff_id = require_person(ctx, Permission.REFUSE_ASK)
    keys = [parse_ask(text) for text in command.asks]
    asks = hold_asks_sent(ctx, {key for key in keys if key is not None})
    mistakes = _mistakes(command, keys, asks, actor)
    if mistakes:
        raise Invalid("The asks cannot be refused so.", mistakes=mistakes)
    refusal_id = new_id()
    unit_id = next(iter(asks.values())).unit_id
    ctx.sql(
        _REFUSE,
        id=refusal_id,
        unit=unit_id,
        staff=staff_id,
        reason=command.reason.value,
        comment=command.comment,
        now=ctx.clock.now(),
    )
    with together(ctx):
        for region_id, rows in by_region(asks.values()).items():
            ids = [ask.id for ask in rows]
            with changing(ctx, cells_in(region_id, rows)):
                move_asks(ctx, region_id, ids, AskEvent.REFUSE)
            ctx.sql(_REFUSED_ASKS, id=refusal_id, region=region_id, asks=ids)
    audit.append(
        ctx,
        Tag.ASKS_REFUSED,
        "refusal",
        refusal_id,
        unit=unit_id,
        reason=command.reason.value,
        asks=len(asks),
    )
    return get_refusal(ctx, refusal_id)


def _mistakes(
    command: RefuseAsks,
    keys: Sequence[AskKey | None],
    asks: Mapping[AskKey, AskRow],
    actor: Principal,
) -> list[Mistake]:
    found = []
    if not 1 <= len(keys) <= MAX_ASKS:
        found.append(Mistake("/asks", "length", f"must hold 1 to {MAX_ASKS} asks"))
    if command.reason is RefusalReason.OTHER and not (command.comment or "").strip():
        found.append(Mistake("/comment", "required", "the reason “other” needs a comment"))
    times = Counter(keys)
    units = set()
    for place, key in enumerate(keys):
        ask = asks.get(key) if key is not None else None
        if closed := why_not(ask, actor):
            found.append(Mistake(f"/asks/{place}", closed[0].value, closed[1]))
        elif ask is not None:
            units.add(ask.unit_id)
        if key is not None and times[key] > 1:
            found.append(Mistake(f"/asks/{place}", "double", "is named more than once"))
    if len(units) > 1:
        found.append(Mistake("/asks", "several_units", "refuse the asks of one unit at a time"))
    return found


_REFUSALS = """
SELECT r.id, u.code AS unit, u.name AS unit_name, u.path, r.unit_id, r.staff_id, r.reason,
  r.comment, r.state, r.scope, r.decision_reason, r.decided_at, r.created_at
FROM refusal AS r JOIN area AS u ON u.id = r.unit_id
"""

_ASKS_OF = """
SELECT ra.refusal_id, a.region_id, a.id, f.code AS field, v.name AS field_name, a.subject_id,
  s.key, s.name, k.personal, a.period, a.state
FROM refusal_ask AS ra
JOIN ask AS a ON a.region_id = ra.region_id AND a.id = ra.ask_id
JOIN field_version AS v ON v.id = a.field_version_id
JOIN field AS f ON f.id = a.field_id
JOIN subject AS s ON s.region_id = a.region_id AND s.id = a.subject_id
JOIN subject_kind AS k ON k.id = s.kind_id
WHERE ra.refusal_id = ANY(:ids) ORDER BY ra.refusal_id, f.code, a.region_id, a.id
"""


def require_reader(ctx: Context) -> Principal:
    """Refusals are read by those who refuse and by those who decide."""
    actor = policy.principal(ctx)
    if actor.may(Permission.DECIDE_REFUSAL):
        return actor
    return policy.require(ctx, Permission.REFUSE_ASK)


def get_refusal(ctx: Context, refusal_id: uuid.UUID, *, language: str = "zh") -> RefusalView:
    """One refusal, with its asks as they stand today. NotFound, also outside the reach."""
    require_reader(ctx)
    row = ctx.sql(_REFUSALS + "WHERE r.id = :id", id=refusal_id).one_or_none()
    policy.require_reach(ctx, row.path if row else None, secret=True)
    assert row is not None
    return _views(ctx, [row], language)[0]


def list_refusals(
    ctx: Context,
    *,
    unit: str | None = None,
    state: RefusalState | None = None,
    limit: int = 50,
    cursor: str | None = None,
    language: str = "zh",
) -> Page[RefusalView]:
    """Refusals of a unit and all below it (the actor's reach by default), the newest first."""
    actor = require_reader(ctx)
    path = find_unit(ctx, unit).path if unit is not None else actor.area_path
    if path is None:
        raise NotFound("You have no area of your own: name a unit.")
    (before,) = decode_cursor(cursor, [uuid.UUID]) if cursor else (None,)
    rows = ctx.sql(
        _REFUSALS + "WHERE u.path >= :path AND u.path < :path || '~' "
        "AND (CAST(:state AS text) IS NULL OR r.state = :state) "
        "AND (CAST(:before AS uuid) IS NULL OR r.id < :before) ORDER BY r.id DESC LIMIT :limit",
        path=path,
        state=state.value if state else None,
        before=before,
        limit=limit + 1,
    ).all()
    items = _views(ctx, rows[:limit], language)
    return Page(items, encode_cursor(items[-1].id) if len(rows) > limit else None)


def _views(ctx: Context, rows: Iterable[Any], language: str) -> list[RefusalView]:
    rows = list(rows)
    asks: dict[uuid.UUID, list[RefusedAsk]] = {row.id: [] for row in rows}
    for row in ctx.sql(_ASKS_OF, ids=list(asks)):
        asks[row.refusal_id].append(
            RefusedAsk(
                id=pack_id(row.region_id, row.id),
                field=row.field,
                field_name=in_language(row.field_name, language),
                subject=subject_ref(row),
                period=row.period or None,
                state=AskState(row.state),
            )
        )
    return [
        RefusalView(
            id=row.id,
            unit=row.unit,
            unit_name=row.unit_name,
            reason=RefusalReason(row.reason),
            comment=row.comment,
            state=RefusalState(row.state),
            scope=RefusalScope(row.scope) if row.scope else None,
            decision_reason=row.decision_reason,
            decided_at=row.decided_at,
            created_at=row.created_at,
            asks=asks[row.id],
        )
        for row in rows
    ]
