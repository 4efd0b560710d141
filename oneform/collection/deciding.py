"""Deciding on refusals: for the unit that refused, or once for all units."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from contextlib import ExitStack
from typing import Any

from oneform.audit import service as audit
from oneform.audit.tags import Tag
from oneform.collection.asks import (
    AskRow,
    by_region,
    cells_in,
    drop_drafts,
    hold_asks,
    in_states,
    move_asks,
)
from oneform.collection.commands import DecideRefusal, Decision, RefusalScope, RefusalState
from oneform.collection.errors import AlreadyDecided, OwnDeed
from oneform.collection.lifecycle import LIVE, AskEvent, AskState
from oneform.collection.refusals import get_refusal
from oneform.collection.views import RefusalView
from oneform.identity import policy
from oneform.identity.policy import Permission, Principal
from oneform.kernel import locks
from oneform.kernel.context import Context
from oneform.kernel.errors import Invalid, Mistake
from oneform.values.cells import Cells
from oneform.values.recording import changing, together


def decide_refusal(ctx: Context, command: DecideRefusal) -> RefusalView:
    """Uphold a refusal, and its asks are over for good; or overturn it, and they are open again.

    An ask that was filled or withdrawn meanwhile stays what it is. With the scope
    `all` (catalogue administrators only) nobody anywhere is asked these fields for
    these periods any more. NotFound outside the reach, OwnDeed, AlreadyDecided.
    """
    actor = policy.require(ctx, Permission.DECIDE_REFUSAL)
    refusal = ctx.sql(_FIND, id=command.id).one_or_none()
    policy.require_reach(ctx, refusal.path if refusal else None, secret=True)
    assert refusal is not None
    _check(ctx, command, actor, refusal)
    everywhere = _hold_everywhere(ctx) if command.scope is RefusalScope.ALL else []
    keys = {(row.region_id, row.ask_id) for row in ctx.sql(_ASKS_OF, id=command.id)}
    asks = hold_asks(ctx, keys).values()
    _write_decision(ctx, command, actor)
    refused = [ask for ask in asks if ask.state is AskState.REFUSED]
    if command.decision is Decision.OVERTURN:
        with together(ctx):
            _overturn(ctx, refused, stood=ctx.today() - ctx.clock.day_of(refusal.created_at))
    elif command.scope is RefusalScope.ALL:
        with together(ctx):
            _uphold_everywhere(ctx, command.id, asks, everywhere)
    else:
        # The status of the cells stays `refused`: no books to keep.
        for region_id, rows in by_region(refused).items():
            moved = move_asks(ctx, region_id, [ask.id for ask in rows], AskEvent.UPHOLD)
            drop_drafts(ctx, region_id, moved)
    audit.append(
        ctx,
        Tag.REFUSAL_DECIDED,
        "refusal",
        command.id,
        decision=command.decision.value,
        scope=command.scope.value,
    )
    return get_refusal(ctx, command.id)


_FIND = """
SELECT r.staff_id, r.state, r.created_at, u.path
FROM refusal AS r JOIN area AS u ON u.id = r.unit_id WHERE r.id = :id
"""

_ASKS_OF = "SELECT region_id, ask_id FROM refusal_ask WHERE refusal_id = :id"


def _hold_everywhere(ctx: Context) -> list[int]:
    """Hold all regions alone: no resolver may ask while it is decided that nobody is to be asked.

    The areas before, so that no region comes in meanwhile.
    """
    locks.take(ctx, locks.Space.AREAS)
    regions = sorted(ctx.sql("SELECT DISTINCT region_id FROM area").scalars())
    locks.take_regions(ctx, regions)
    return regions


def _check(ctx: Context, command: DecideRefusal, actor: Principal, refusal: Any) -> None:
    if str(refusal.staff_id) == actor.id:
        raise OwnDeed("You refused these asks yourself.")
    if command.scope is RefusalScope.ALL:
        policy.require(ctx, Permission.MANAGE_CATALOG)
    if not command.reason.strip():
        raise Invalid(mistakes=[Mistake("/reason", "required", "a decision needs its reason")])
    if command.scope is RefusalScope.ALL and command.decision is Decision.OVERTURN:
        detail = "what is overturned is overturned for the unit that refused"
        raise Invalid(mistakes=[Mistake("/scope", "scope", detail)])
    if refusal.state != RefusalState.UNDECIDED:
        raise AlreadyDecided("Somebody has decided on this refusal already.")


def _write_decision(ctx: Context, command: DecideRefusal, actor: Principal) -> None:
    upheld = command.decision is Decision.UPHOLD
    decided = ctx.sql(
        "UPDATE refusal SET state = :state, scope = :scope, decision_reason = :reason, "
        "decided_by = :by, decided_at = :now WHERE id = :id AND state = 'undecided'",
        id=command.id,
        state=(RefusalState.UPHELD if upheld else RefusalState.OVERTURNED).value,
        scope=command.scope.value,
        reason=command.reason.strip(),
        by=actor.label,
        now=ctx.clock.now(),
    ).rowcount
    if not decided:
        raise AlreadyDecided("Somebody has decided on this refusal at this moment.")


def _overturn(ctx: Context, refused: Collection[AskRow], stood: dt.timedelta) -> None:
    """Open the asks again; their last day moves by as long as the clock stood still."""
    for region_id, rows in by_region(refused).items():
        ids = [ask.id for ask in rows]
        with changing(ctx, cells_in(region_id, rows)):
            moved = move_asks(ctx, region_id, ids, AskEvent.OVERTURN)
        ctx.sql(
            "UPDATE ask SET live_until = live_until + CAST(:days AS int), "
            "stood_days = stood_days + CAST(:days AS int) "
            "WHERE region_id = :region AND id = ANY(:ids)",
            region=region_id,
            ids=moved,
            days=max(0, stood.days),
        )


# Cells whose status an exemption can move: of subjects of the field's kind, without a fresh value.
_OPEN_CELLS = """(
  SELECT x.field_id, x.period, s.id AS subject_id
  FROM unnest(CAST(:c_fields AS int[]), CAST(:c_periods AS text[])) AS x(field_id, period)
  JOIN (SELECT DISTINCT field_id, kind_id FROM field_version) AS k ON k.field_id = x.field_id
  JOIN subject AS s ON s.region_id = :c_region AND s.kind_id = k.kind_id
  WHERE NOT EXISTS (
    SELECT FROM cell_value AS v
    WHERE v.region_id = :c_region AND v.field_id = x.field_id AND v.period = x.period
      AND v.subject_id = s.id AND (v.fresh_until IS NULL OR v.fresh_until >= oneform_today()))
) AS c"""

_EXEMPT = """
INSERT INTO exemption (field_id, period, refusal_id)
SELECT x.field_id, x.period, :refusal
FROM unnest(CAST(:c_fields AS int[]), CAST(:c_periods AS text[])) AS x(field_id, period)
ON CONFLICT DO NOTHING
"""

_SAME_ASKS = f"""
SELECT a.region_id, a.id FROM ask AS a
JOIN unnest(CAST(:c_fields AS int[]), CAST(:c_periods AS text[])) AS x(field_id, period)
  ON x.field_id = a.field_id AND x.period = a.period
WHERE a.state IN {in_states(LIVE)} ORDER BY a.region_id, a.id
"""


def _uphold_everywhere(
    ctx: Context, refusal_id: uuid.UUID, asks: Collection[AskRow], regions: Collection[int]
) -> None:
    """Nobody is asked these fields for these periods any more. `regions`: all, each held alone.

    The exemption is one row that all regions see at once, so all their books are
    read before it is written and brought up to date after it.
    """
    pairs = sorted({(ask.field_id, ask.period) for ask in asks})
    same = {"c_fields": [field for field, _ in pairs], "c_periods": [period for _, period in pairs]}
    found: dict[int, list[int]] = {}
    for row in ctx.sql(_SAME_ASKS, **same):
        found.setdefault(row.region_id, []).append(row.id)
    with ExitStack() as books:
        for region_id in regions:
            cells = Cells(region_id, _OPEN_CELLS, {**same, "c_region": region_id})
            books.enter_context(changing(ctx, cells))
        ctx.sql(_EXEMPT, refusal=refusal_id, **same)
        for region_id, ids in found.items():
            drop_drafts(ctx, region_id, move_asks(ctx, region_id, ids, AskEvent.EXEMPT))
