"""Asks as sets: what ends them, whoever is the cause.

Services of this part and of `requests` above it change the state of asks only
through the functions here (and the resolver's insert).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import nullcontext
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from oneform.collection.commands import MistakeCode
from oneform.collection.lifecycle import ANSWERABLE, HOLDING, LIVE, TRANSITIONS, AskEvent, AskState
from oneform.identity import policy
from oneform.identity.policy import Principal
from oneform.kernel import locks
from oneform.kernel.context import Context
from oneform.kernel.ids import pack_id, unpack_id
from oneform.values.cells import STAGE, Cells, cells_of
from oneform.values.events import CellsLocking, CellsRecorded, CellsRecordingAtOnce
from oneform.values.recording import changing

AskKey = tuple[int, int]
"""(region_id, id)."""

FEW = 1000
"""So many asks are looked up by their keys; areas that close may have hundreds of thousands."""


def in_states(states: tuple[AskState, ...]) -> str:
    """SQL list of states, for `state IN (…)`."""
    return "({})".format(", ".join(f"'{state.value}'" for state in states))


_LOCK = """
WITH locked AS MATERIALIZED (
  SELECT a.id FROM {relation} JOIN ask AS a ON a.region_id = :c_region_id
    AND a.field_id = c.field_id AND a.period = c.period AND a.subject_id = c.subject_id
    AND a.state IN {live}
  ORDER BY a.id FOR UPDATE OF a)
SELECT count(*) FROM locked
"""


def lock_asks(ctx: Context, event: CellsLocking) -> None:
    """Lock the live asks of cells that get values otherwise, in the order of their keys."""
    ctx.sql(
        _LOCK.format(relation=event.cells.relation, live=in_states(LIVE)),
        **event.cells.params,
        c_region_id=event.cells.region_id,
    )


# Sets of ids travel as arrays: a join could be planned as a scan of the whole region.
_FILL = """
WITH found AS MATERIALIZED (
  SELECT a.id, a.state FROM {relation}
  CROSS JOIN LATERAL (
    SELECT a.id, a.state FROM ask AS a
    WHERE a.region_id = :c_region_id AND a.field_id = c.field_id AND a.period = c.period
      AND a.subject_id = c.subject_id AND a.state IN {live} {fence}) AS a
  CROSS JOIN LATERAL (
    SELECT FROM cell_value AS v
    WHERE v.region_id = :c_region_id AND v.field_id = c.field_id AND v.period = c.period
      AND v.subject_id = c.subject_id
      AND (v.fresh_until IS NULL OR v.fresh_until >= oneform_today()) {fence}) AS v),
ended AS (
  UPDATE ask SET state = 'answered', ended_at = statement_timestamp(), comment = NULL
  WHERE region_id = :c_region_id AND id = ANY(ARRAY(SELECT id FROM found)) AND state IN {live}
  RETURNING id),
superseded AS (
  UPDATE answer SET state = 'superseded'
  WHERE region_id = :c_region_id AND state = 'in_review'
    AND ask_id = ANY(ARRAY(SELECT id FROM found WHERE state = 'in_review')))
DELETE FROM answer_draft
WHERE region_id = :c_region_id AND ask_id = ANY(ARRAY(SELECT id FROM ended))
"""


@lru_cache(maxsize=64)
def _fill_statement(relation: str) -> sa.TextClause:
    live, _ = TRANSITIONS[AskEvent.FILL]
    # A few cells are looked up one by one whatever the statistics say: where they are old, the
    # planner would read the whole region instead. For staged cells it has to choose.
    fence = "" if STAGE in relation else "OFFSET 0"
    return sa.text(_FILL.format(relation=relation, live=in_states(live), fence=fence))


def fill_asks(ctx: Context, event: CellsRecorded) -> None:
    """End the asks of cells that have a fresh value now, wherever it came from."""
    ctx.sql(
        _fill_statement(event.cells.relation),
        **event.cells.params,
        c_region_id=event.cells.region_id,
    )


_LIVE, _ = TRANSITIONS[AskEvent.FILL]

# `found`: every ask that holds one of the cells, as it was; also for parts that follow.
END_AT_ONCE = f"""
found AS MATERIALIZED (
  SELECT m.field_id, m.period, m.subject_id, a.id, a.state FROM matched AS m
  CROSS JOIN LATERAL (
    SELECT a.id, a.state FROM ask AS a
    WHERE a.region_id = :c_region_id AND a.field_id = m.field_id AND a.period = m.period
      AND a.subject_id = m.subject_id AND a.state IN {in_states(HOLDING)} OFFSET 0) AS a),
ended AS (
  UPDATE ask SET state = 'answered', ended_at = statement_timestamp(), comment = NULL
  WHERE region_id = :c_region_id AND id = ANY(ARRAY(SELECT id FROM found))
    AND state IN {in_states(_LIVE)}),
superseded AS (
  UPDATE answer SET state = 'superseded'
  WHERE region_id = :c_region_id AND state = 'in_review'
    AND ask_id = ANY(ARRAY(SELECT id FROM found WHERE state = 'in_review'))),
undrafted AS (
  DELETE FROM answer_draft
  WHERE region_id = :c_region_id AND ask_id = ANY(ARRAY(SELECT id FROM found)))"""


def end_asks_at_once(_ctx: Context, event: CellsRecordingAtOnce) -> None:
    """End the asks of cells in the statement that gives them their final values."""
    event.parts.append(END_AT_ONCE)


class AskRow(NamedTuple):
    """An ask as it stood when it was locked; `path` is its unit's."""

    region_id: int
    id: int
    field_version_id: int
    field_id: int
    period: str
    subject_id: int
    unit_id: int
    state: AskState
    path: str

    @property
    def key(self) -> AskKey:
        return self.region_id, self.id

    @property
    def public_id(self) -> str:
        return pack_id(self.region_id, self.id)


# The path comes by a subquery, not a join: when the row had to be waited for, PostgreSQL looks at
# the new row again, but would join it to the old unit.
_COLUMNS = """a.region_id, a.id, a.field_version_id, a.field_id, a.period, a.subject_id, a.unit_id,
  a.state, (SELECT u.path FROM area AS u WHERE u.id = a.unit_id) AS path"""

_HOLD = f"""
SELECT {_COLUMNS} FROM ask AS a WHERE a.region_id = :region AND a.id = ANY(:ids) {{which}}
ORDER BY a.id FOR UPDATE OF a
"""

_HOLD_OURS = sa.text(_HOLD.format(which=""))

# Mostly it is the actor's own unit, which needs no look at its path.
_REACHED = """(a.unit_id = CAST(:own AS bigint)
    OR starts_with((SELECT u.path FROM area AS u WHERE u.id = a.unit_id), :reach))"""

_HOLD_REACHED = sa.text(_HOLD.format(which=f"AND ({_REACHED} OR a.id = ANY(:beside))"))

_SEE = sa.text(
    f"SELECT {_COLUMNS} FROM unnest(CAST(:regions AS bigint[]), CAST(:ids AS bigint[])) "
    "AS k(region_id, id) JOIN ask AS a ON a.region_id = k.region_id AND a.id = k.id"
)


def parse_ask(text: str) -> AskKey | None:
    """The key in a public id of an ask; None where it cannot be one."""
    try:
        return unpack_id(text)
    except ValueError:
        return None


def hold_asks(ctx: Context, keys: Collection[AskKey]) -> dict[AskKey, AskRow]:
    """Share the regions of some asks, then lock those asks, in the order of their keys.

    Whatever is decided on the rows holds until the transaction ends. Ids that do
    not exist are left out.
    """
    found: dict[AskKey, AskRow] = {}
    regions = {region_id for region_id, _ in keys}
    locks.share_regions(ctx, regions, for_few_rows=len(keys) <= FEW)
    for region_id in sorted(regions):
        rows = ctx.sql(_HOLD_OURS, region=region_id, ids=_ids_in(region_id, keys))
        found.update((row.key, row) for row in map(_row, rows))
    return found


def hold_asks_sent(
    ctx: Context, keys: Collection[AskKey], *, beside: Collection[AskKey] = ()
) -> dict[AskKey, AskRow]:
    """The same with keys that somebody sent: those outside the actor's reach come back unlocked.

    Nobody makes us lock what they have nothing to do with. `beside`: of asks that have to be locked
    with them, whose reach they are in or not.
    """
    actor = policy.principal(ctx)
    strange: dict[AskKey, AskRow] = {}
    held: dict[AskKey, AskRow] = {}
    regions = {region_id for region_id, _ in keys}
    if len(regions) > 1:
        seen = _see(ctx, keys)
        strange = {row.key: row for row in seen if not actor.reaches(row.path)}
        regions = {row.region_id for row in seen if row.key not in strange}
    locks.share_regions(ctx, regions, for_few_rows=len(keys) + len(beside) <= FEW)
    for region_id in sorted(regions):
        also = _ids_in(region_id, beside)
        rows = ctx.sql(
            _HOLD_REACHED,
            region=region_id,
            ids=[*_ids_in(region_id, keys), *also],
            own=actor.area_id,
            reach=actor.area_path,
            beside=also,
        )
        held.update((row.key, row) for row in map(_row, rows))
    if absent := set(keys) - held.keys() - strange.keys():
        # Not those that have just come within reach: they are not locked.
        seen = _see(ctx, absent)
        strange.update((row.key, row) for row in seen if not actor.reaches(row.path))
    return strange | held


def _ids_in(region_id: int, keys: Collection[AskKey]) -> list[int]:
    return [id for region, id in keys if region == region_id]


def _see(ctx: Context, keys: Collection[AskKey]) -> list[AskRow]:
    return [_row(row) for row in ctx.sql(_SEE, **_arrays(keys))]


_BESIDE = sa.text(
    f"""
    SELECT b.region_id, b.id FROM unnest(CAST(:regions AS bigint[]), CAST(:ids AS bigint[]))
      AS k(region_id, id)
    JOIN ask AS a ON a.region_id = k.region_id AND a.id = k.id AND {_REACHED}
    JOIN ask AS b ON b.region_id = a.region_id AND b.field_id = a.field_id
      AND b.period = a.period AND b.subject_id = a.subject_id AND b.state IN {in_states(LIVE)}
    """
)


def live_beside(ctx: Context, keys: Collection[AskKey]) -> set[AskKey]:
    """The live asks of the same cells as asks within reach: whoever amends what was answered to
    an ask fills those, and has to lock them together with it."""
    if not keys:
        return set()
    actor = policy.principal(ctx)
    rows = ctx.sql(_BESIDE, **_arrays(keys), own=actor.area_id, reach=actor.area_path)
    return {(row.region_id, row.id) for row in rows}


def _arrays(keys: Collection[AskKey]) -> dict[str, list[int]]:
    return {"regions": [region for region, _ in keys], "ids": [id for _, id in keys]}


_STATES = {state.value: state for state in AskState}


def _row(row: Any) -> AskRow:
    """A row of `_COLUMNS`."""
    return AskRow._make((*row[:-2], _STATES[row.state], row.path))


def why_not(ask: AskRow | None, actor: Principal) -> tuple[MistakeCode, str] | None:
    """Why the actor cannot answer or refuse an ask; None where they can."""
    if ask is None:
        return MistakeCode.UNKNOWN_ASK, "There is no such ask."
    if not actor.reaches(ask.path):
        return MistakeCode.OUTSIDE_REACH, "This ask was put to a unit outside your reach."
    if ask.state not in ANSWERABLE:
        return MistakeCode.NOT_OPEN, f"This ask is not open: it is {ask.state.value}."
    return None


def by_region(asks: Iterable[AskRow]) -> dict[int, list[AskRow]]:
    """Asks by their region, regions in order."""
    found: dict[int, list[AskRow]] = {}
    for ask in sorted(asks, key=lambda ask: ask.key):
        found.setdefault(ask.region_id, []).append(ask)
    return found


def cells_in(region_id: int, asks: Sequence[AskRow]) -> Cells:
    """The cells of some asks of one region."""
    return cells_of(
        region_id,
        [ask.field_id for ask in asks],
        [ask.period for ask in asks],
        [ask.subject_id for ask in asks],
    )


def move_asks(
    ctx: Context,
    region_id: int,
    ask_ids: list[int],
    event: AskEvent,
    *,
    comment: str | None = None,
) -> list[int]:
    """Let `event` happen to asks in a state that allows it; the ids of those it happened to.

    The caller wraps it in `values.recording.changing` where statuses can move.
    """
    allowed, target = TRANSITIONS[event]
    over = target in (AskState.WITHDRAWN, AskState.EXPIRED, AskState.UPHELD, AskState.ANSWERED)
    moved = list(
        ctx.sql(
            f"UPDATE ask SET state = :target, comment = :comment, "
            f"ended_at = CASE WHEN :over THEN statement_timestamp() END "
            f"WHERE region_id = :region AND id = ANY(:ids) AND state IN {in_states(allowed)} "
            "RETURNING id",
            target=target.value,
            comment=comment,
            over=over,
            region=region_id,
            ids=ask_ids,
        ).scalars()
    )
    if event in (AskEvent.WITHDRAW, AskEvent.EXEMPT):
        # What was answered meanwhile and waits for its review has nobody to wait for.
        ctx.sql(_WITHDRAW_ANSWERS, region=region_id, ids=moved)
    return moved


_DROP_DRAFTS = sa.text("DELETE FROM answer_draft WHERE region_id = :region AND ask_id = ANY(:ids)")

_WITHDRAW_ANSWERS = sa.text(
    "UPDATE answer SET state = 'withdrawn' WHERE region_id = :region AND ask_id = ANY(:ids) "
    "AND state = 'in_review' AND kind <> 'amendment'"
)


def drop_drafts(ctx: Context, region_id: int, ask_ids: Sequence[int]) -> None:
    """Delete the drafts of some asks."""
    if ask_ids:
        ctx.sql(_DROP_DRAFTS, region=region_id, ids=list(ask_ids))


_CELLS_OF = (
    "(SELECT field_id, period, subject_id FROM ask "
    "WHERE region_id = :c_region AND id = ANY(:c_asks)) AS c"
)


def end_asks(
    ctx: Context,
    region_id: int,
    ask_ids: list[int],
    event: AskEvent = AskEvent.WITHDRAW,
    *,
    moves_books: bool = True,
) -> int:
    """Withdraw asks of a region, or end them otherwise, with what hangs on them; how many there were.

    Keeps the books, but where the caller knows that none moves. The caller has locked the asks, or
    holds the region alone.
    """
    if not ask_ids:
        return 0
    cells = Cells(region_id, _CELLS_OF, {"c_region": region_id, "c_asks": ask_ids})
    with changing(ctx, cells) if moves_books else nullcontext():
        moved = move_asks(ctx, region_id, ask_ids, event)
        drop_drafts(ctx, region_id, moved)
    return len(moved)
