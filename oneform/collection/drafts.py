"""Drafts: what was typed and not sent. One for each ask; the newer never overwrites unseen."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

import orjson
import sqlalchemy as sa

from oneform.collection.asks import (
    AskKey,
    AskRow,
    by_region,
    drop_drafts,
    hold_asks_sent,
    parse_ask,
    why_not,
)
from oneform.collection.commands import DraftOutcome, MistakeCode, SaveDraft
from oneform.collection.reach import require_person
from oneform.collection.views import Draft, SavedDraft
from oneform.identity.policy import Permission, Principal
from oneform.kernel.context import Context
from oneform.kernel.errors import Invalid, Mistake
from oneform.kernel.ids import new_id
from oneform.kernel.jsonvalues import is_json

MAX_DRAFTS = 2_000
MAX_BYTES = 20_000
"""Of the JSON text of one draft."""

_PUT = sa.text(
    """
    INSERT INTO answer_draft (region_id, ask_id, value, etag, staff_id, updated_at)
    SELECT :region, d.ask_id, d.value, d.etag, :staff, :now
    FROM unnest(CAST(:asks AS bigint[]), CAST(:values AS jsonb[]), CAST(:etags AS text[]))
      AS d(ask_id, value, etag)
    ON CONFLICT (region_id, ask_id) DO UPDATE SET value = excluded.value, etag = excluded.etag,
      staff_id = excluded.staff_id, updated_at = excluded.updated_at
    """
)

_READ = sa.text(
    """
    SELECT d.region_id, d.ask_id, d.value, d.etag, d.updated_at, d.staff_id, s.name
    FROM unnest(CAST(:regions AS bigint[]), CAST(:asks AS bigint[])) AS k(region_id, ask_id)
    JOIN answer_draft AS d USING (region_id, ask_id)
    JOIN staff AS s ON s.id = d.staff_id
    """
)


def save_drafts(ctx: Context, drafts: Sequence[SaveDraft]) -> list[SavedDraft]:
    """Save what was typed, each draft by itself; the outcomes in the order of the drafts.

    Where somebody else's draft is newer than `base`, nothing is changed, and both
    come back. A draft may be anything that is JSON, also what could not be sent.
    """
    actor, staff_id = require_person(ctx, Permission.ANSWER)
    if not 1 <= len(drafts) <= MAX_DRAFTS:
        detail = f"must hold 1 to {MAX_DRAFTS} drafts"
        raise Invalid(mistakes=[Mistake("/drafts", "length", detail)])
    keys = [parse_ask(draft.ask) for draft in drafts]
    asks = hold_asks_sent(ctx, {key for key in keys if key is not None})
    stored = _read_drafts(ctx, asks)
    outcomes: list[SavedDraft] = []
    changed: dict[AskKey, tuple[Any, str]] = {}
    for key, draft in zip(keys, drafts, strict=True):
        ask = asks.get(key) if key is not None else None
        outcome = (
            _refusal(ask, draft, actor)
            or _conflict(ask, draft, stored, staff_id)
            or SavedDraft(
                ask=draft.ask,
                outcome=DraftOutcome.REMOVED if draft.value is None else DraftOutcome.SAVED,
                etag=None if draft.value is None else new_id().hex,
            )
        )
        outcomes.append(outcome)
        if ask is not None and outcome.outcome in (DraftOutcome.SAVED, DraftOutcome.REMOVED):
            changed[ask.key] = (draft.value, outcome.etag or "")
            stored.pop(ask.key, None)
            if outcome.etag:
                now = ctx.clock.now()
                mine = Draft(value=draft.value, etag=outcome.etag, updated_at=now, by=actor.label)
                stored[ask.key] = (staff_id, mine)
    _write(ctx, staff_id, asks, changed)
    return outcomes


def _read_drafts(ctx: Context, asks: dict[AskKey, AskRow]) -> dict[AskKey, tuple[uuid.UUID, Draft]]:
    rows = ctx.sql(
        _READ, regions=[region for region, _ in asks], asks=[ask_id for _, ask_id in asks]
    )
    return {
        (row.region_id, row.ask_id): (
            row.staff_id,
            Draft(value=row.value, etag=row.etag, updated_at=row.updated_at, by=row.name),
        )
        for row in rows
    }


def _refusal(ask: AskRow | None, draft: SaveDraft, actor: Principal) -> SavedDraft | None:
    why = why_not(ask, actor)
    if why is None and not is_storable(draft.value):
        why = MistakeCode.SCHEMA, f"A draft is JSON of at most {MAX_BYTES} bytes."
    if why is None:
        return None
    return SavedDraft(ask=draft.ask, outcome=DraftOutcome.REFUSED, code=why[0], detail=why[1])


def is_storable(value: Any) -> bool:
    """Whether a value can be kept as a draft."""
    return is_json(value) and len(orjson.dumps(value)) <= MAX_BYTES


def _conflict(
    ask: AskRow | None,
    draft: SaveDraft,
    stored: dict[AskKey, tuple[uuid.UUID, Draft]],
    staff_id: uuid.UUID,
) -> SavedDraft | None:
    assert ask is not None
    owner, theirs = stored.get(ask.key, (None, None))
    if draft.base == (theirs.etag if theirs else None):
        return None
    if draft.over_own and owner in (None, staff_id):
        return None
    if theirs and owner == staff_id and theirs.value == draft.value:
        # The same once more: the answer to the first attempt was lost on its way.
        return SavedDraft(ask=draft.ask, outcome=DraftOutcome.SAVED, etag=theirs.etag)
    return SavedDraft(ask=draft.ask, outcome=DraftOutcome.CONFLICT, mine=draft.value, theirs=theirs)


def _write(
    ctx: Context,
    staff_id: uuid.UUID,
    asks: dict[AskKey, AskRow],
    changed: dict[AskKey, tuple[Any, str]],
) -> None:
    for region_id, rows in by_region([asks[key] for key in changed]).items():
        gone = [ask.id for ask in rows if changed[ask.key][0] is None]
        kept = [ask for ask in rows if changed[ask.key][0] is not None]
        drop_drafts(ctx, region_id, gone)
        if kept:
            put_drafts(
                ctx,
                region_id,
                staff_id,
                [(ask.id, *changed[ask.key]) for ask in kept],
                now=ctx.clock.now(),
            )


def put_drafts(
    ctx: Context,
    region_id: int,
    staff_id: uuid.UUID,
    drafts: Sequence[tuple[int, Any, str]],
    *,
    now: dt.datetime,
) -> None:
    """Write drafts (ask, value, etag) of a person, over whatever is there."""
    ctx.sql(
        _PUT,
        region=region_id,
        staff=staff_id,
        now=now,
        asks=[ask_id for ask_id, _, _ in drafts],
        values=[orjson.dumps(value).decode() for _, value, _ in drafts],
        etags=[etag for _, _, etag in drafts],
    )


def keep_typed(ctx: Context, staff_id: uuid.UUID, typed: Sequence[tuple[AskRow, Any]]) -> None:
    """Keep what could not be taken as drafts, unless somebody else has one there.

    The asks are locked.
    """
    worth = {ask.key: (ask, value) for ask, value in typed if value is not None}
    worth = {key: pair for key, pair in worth.items() if is_storable(pair[1])}
    if not worth:
        return
    stored = _read_drafts(ctx, {key: ask for key, (ask, _) in worth.items()})
    changed = {
        key: (value, new_id().hex)
        for key, (_, value) in worth.items()
        if key not in stored or stored[key][0] == staff_id
    }
    _write(ctx, staff_id, {key: ask for key, (ask, _) in worth.items()}, changed)
