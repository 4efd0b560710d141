"""Asks as sets: what ends them, whoever is the cause.

Services of this part and of `requests` above it change the state of asks only
through the functions here (and the resolver's insert).
"""

from __future__ import annotations

from oneform.collection.lifecycle import TRANSITIONS, AskEvent, AskState
from oneform.kernel.context import Context
from oneform.values.cells import Cells, cells_of
from oneform.values.events import CellsRecorded


def in_states(states: tuple[AskState, ...]) -> str:
    """SQL list of states, for `state IN (…)`."""
    return "({})".format(", ".join(f"'{state.value}'" for state in states))


_FILL = """
WITH ended AS (
  UPDATE ask AS a SET state = 'answered', ended_at = statement_timestamp(), comment = NULL
  FROM {relation}
  JOIN cell_value AS v ON v.region_id = :c_region_id AND v.field_id = c.field_id
    AND v.period = c.period AND v.subject_id = c.subject_id
    AND (v.fresh_until IS NULL OR v.fresh_until >= oneform_today())
  WHERE a.region_id = :c_region_id AND a.field_id = c.field_id AND a.period = c.period
    AND a.subject_id = c.subject_id AND a.state IN {live}
  RETURNING a.id),
superseded AS (
  UPDATE answer AS w SET state = 'superseded' FROM ended
  WHERE w.region_id = :c_region_id AND w.ask_id = ended.id AND w.state = 'in_review')
DELETE FROM answer_draft AS d USING ended WHERE d.region_id = :c_region_id AND d.ask_id = ended.id
"""


def fill_asks(ctx: Context, event: CellsRecorded) -> None:
    """End the asks of cells that have a fresh value now, wherever it came from."""
    live, _ = TRANSITIONS[AskEvent.FILL]
    ctx.sql(
        _FILL.format(relation=event.cells.relation, live=in_states(live)),
        **event.cells.params,
        c_region_id=event.cells.region_id,
    )


def cells_of_asks(ctx: Context, region_id: int, ask_ids: list[int]) -> Cells:
    """The cells of some asks of a region."""
    rows = ctx.sql(
        "SELECT field_id, period, subject_id FROM ask "
        "WHERE region_id = :region AND id = ANY(:ids) ORDER BY id",
        region=region_id,
        ids=ask_ids,
    ).all()
    return cells_of(
        region_id,
        [row.field_id for row in rows],
        [row.period for row in rows],
        [row.subject_id for row in rows],
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
    return list(
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
