"""Writing a submission down: receipt, answers, values. Few statements, whatever the number of answers.

What is right and what is not has been decided, and the asks are locked.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import orjson
import sqlalchemy as sa

from oneform.collection.asks import AskKey, by_region
from oneform.collection.commands import AnswerKind, AnswerState
from oneform.collection.judging import Entry
from oneform.collection.views import InvalidAnswer, Receipt
from oneform.kernel.context import Context
from oneform.values.cells import values_of
from oneform.values.models import ProvenanceKind
from oneform.values.recording import Origin, record, together


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSubmission:
    """A receipt on its way: who sends it, for which unit, and how."""

    receipt: Receipt
    unit_id: int
    staff_id: uuid.UUID
    mode: str


_ANSWERS = """
INSERT INTO answer (region_id, ask_id, submission_id, kind, value, missing, note, state, answered_on)
SELECT :region, g.ask_id, :submission, g.kind, CAST(g.value AS jsonb), g.missing, g.note, g.state,
  CAST(:today AS date)
FROM json_to_recordset(CAST(:answers AS json))
  AS g(ask_id bigint, kind text, value text, missing text, note text, state text)
"""

_MORE_ANSWERS = sa.text(_ANSWERS)

# Receipt, answers and provenance (as `recording.open_provenance` writes it) in one round trip.
_SUBMIT = sa.text(
    f"""
    WITH submitted AS (
      INSERT INTO submission (id, unit_id, staff_id, mode, accepted, in_review, invalid)
      VALUES (:submission, :unit, :staff, :mode, :accepted, :in_review, CAST(:invalid AS jsonb))),
    given AS ({_ANSWERS})
    INSERT INTO provenance (kind, actor_kind, actor_id, actor_label, ref)
    SELECT 'submission', :actor_kind, :actor_id, :actor_label, :submission
    WHERE CAST(:accepted AS int) > 0
    RETURNING id
    """
)

_SEND_TO_REVIEW = sa.text(
    """
    WITH dropped AS (
      DELETE FROM answer_draft WHERE region_id = :region AND ask_id = ANY(:asks))
    UPDATE ask SET state = 'in_review', comment = NULL
    WHERE region_id = :region AND id = ANY(:asks)
    """
)


def write_submission(
    ctx: Context, new: NewSubmission, entries: Sequence[Entry], reviewed: Collection[AskKey]
) -> None:
    """Write a submission with its answers; record those whose asks are not to be `reviewed`.

    Recording ends the asks (`asks.fill_asks`). Amendments leave asks alone and are authoritative.
    """
    by_ask = {entry.ask.key: entry for entry in entries}
    regions = {
        region_id: [by_ask[ask.key] for ask in asks]
        for region_id, asks in by_region(entry.ask for entry in entries).items()
    } or {0: []}
    # One region's answers are one change, and are booked with it.
    with together(ctx) if len(regions) > 1 else nullcontext():
        _write_regions(ctx, new, regions, reviewed)


def _write_regions(
    ctx: Context,
    new: NewSubmission,
    regions: Mapping[int, Sequence[Entry]],
    reviewed: Collection[AskKey],
) -> None:
    origin: Origin | None = None
    for place, (region_id, mine) in enumerate(regions.items()):
        answers = _answers(new.receipt.id, region_id, mine, reviewed)
        if place == 0:
            origin = _submit(ctx, new, answers)
        else:
            ctx.sql(_MORE_ANSWERS, **answers, today=ctx.today())
        waiting = [e for e in mine if e.ask.key in reviewed and e.kind is not AnswerKind.AMENDMENT]
        if waiting:
            ctx.sql(_SEND_TO_REVIEW, region=region_id, asks=[entry.ask.id for entry in waiting])
        final = [entry for entry in mine if entry.ask.key not in reviewed]
        if final:
            assert origin is not None
            _record(ctx, origin, region_id, final)


def _answers(
    submission_id: uuid.UUID, region_id: int, entries: Sequence[Entry], reviewed: Collection[AskKey]
) -> dict[str, object]:
    return {
        "submission": submission_id,
        "region": region_id,
        "answers": orjson.dumps(
            [
                {
                    "ask_id": entry.ask.id,
                    "kind": entry.kind.value,
                    "value": entry.json(),
                    "missing": entry.missing,
                    "note": entry.given.note,
                    "state": (
                        AnswerState.IN_REVIEW if entry.ask.key in reviewed else AnswerState.RECORDED
                    ).value,
                }
                for entry in entries
            ]
        ).decode(),
    }


def _submit(ctx: Context, new: NewSubmission, answers: dict[str, object]) -> Origin | None:
    receipt = new.receipt
    number = ctx.sql(
        _SUBMIT,
        **answers,
        today=ctx.today(),
        unit=new.unit_id,
        staff=new.staff_id,
        mode=new.mode,
        accepted=receipt.accepted,
        in_review=receipt.in_review,
        invalid=orjson.dumps([as_dict(invalid) for invalid in receipt.invalid]).decode(),
        actor_kind=ctx.actor.kind.value,
        actor_id=ctx.actor.id,
        actor_label=ctx.actor.label,
    ).scalar_one_or_none()
    return None if number is None else Origin(number, ProvenanceKind.SUBMISSION)


def as_dict(invalid: InvalidAnswer) -> dict[str, str]:
    """An answer that was not taken, as receipts and problems list it."""
    return {"ask": invalid.ask, "code": invalid.code.value, "detail": invalid.detail}


def _record(ctx: Context, origin: Origin, region_id: int, entries: Sequence[Entry]) -> None:
    asks = [entry.ask for entry in entries]
    cells = values_of(
        region_id,
        fields=[ask.field_id for ask in asks],
        periods=[ask.period for ask in asks],
        subjects=[ask.subject_id for ask in asks],
        values=[entry.json() for entry in entries],
        missing=[entry.missing for entry in entries],
        observed_on=[ctx.today()] * len(entries),
    )
    # Only an amendment comes alone, so a batch is one or the other.
    record(ctx, cells, origin, authoritative=entries[0].kind is AnswerKind.AMENDMENT)
