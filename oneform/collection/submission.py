"""Submitting answers: the path that has to be fast.

A handful of statements whatever the number of answers: lock the asks, look at
what is known beside them, write the answers, record the values. The rules of a
single answer are in `judging`.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import orjson
import sqlalchemy as sa

from oneform.audit import service as audit
from oneform.audit.tags import Tag
from oneform.collection.asks import AskKey, AskRow, by_region, hold_asks
from oneform.collection.commands import AnswerState, Mode, SubmitAnswers
from oneform.collection.drafts import keep_typed
from oneform.collection.errors import InvalidAnswers
from oneform.collection.judging import Entry, judge_entries, read_entries
from oneform.collection.reach import require_person
from oneform.collection.views import InvalidAnswer, Receipt
from oneform.identity.policy import Permission
from oneform.kernel.context import Context
from oneform.kernel.errors import Invalid, Mistake
from oneform.kernel.ids import new_id
from oneform.values.cells import values_of
from oneform.values.models import ProvenanceKind
from oneform.values.recording import Origin, open_provenance, record

MAX_ANSWERS = 5_000

_SUBMIT = sa.text(
    "INSERT INTO submission (id, unit_id, staff_id, mode, accepted, in_review, invalid) "
    "VALUES (:id, :unit, :staff, :mode, :accepted, :in_review, CAST(:invalid AS jsonb))"
)

_GIVEN = """
INSERT INTO answer (region_id, ask_id, submission_id, kind, value, missing, note, state)
SELECT :region, g.ask_id, :submission, g.kind, g.value, g.missing, g.note, :state
FROM unnest(CAST(:asks AS bigint[]), CAST(:kinds AS text[]), CAST(:values AS jsonb[]),
  CAST(:missing AS text[]), CAST(:notes AS text[])) AS g(ask_id, kind, value, missing, note)
"""

_RECORDED = sa.text(_GIVEN)

# The asks are locked, and were found open.
_SENT_TO_REVIEW = sa.text(
    f"""
    WITH given AS ({_GIVEN} RETURNING ask_id),
    sent AS (
      UPDATE ask AS a SET state = 'in_review', comment = NULL FROM given
      WHERE a.region_id = :region AND a.id = given.ask_id)
    DELETE FROM answer_draft AS d USING given WHERE d.region_id = :region AND d.ask_id = given.ask_id
    """
)


def submit_answers(ctx: Context, command: SubmitAnswers) -> Receipt:
    """Take answers in: recorded at once, or sent to review where the field says so.

    Mode `all`: InvalidAnswers with every mistake, and nothing is recorded, if one
    answer is wrong. Mode `partial`: the right ones are taken; what was typed into
    the others is kept as drafts. Either way of two who answer an ask at once one
    is told that it is `not_open`.
    """
    actor, staff_id = require_person(ctx, Permission.ANSWER)
    _require_some(command)
    entries = read_entries(command.answers)
    asks = hold_asks(ctx, {entry.key for entry in entries if entry.key is not None})
    judge_entries(ctx, entries, asks)
    wrong = [entry for entry in entries if entry.mistake]
    if wrong and command.mode is Mode.ALL:
        raise _refused(wrong)
    right = [entry for entry in entries if not entry.mistake]
    submission_id = new_id()
    reviewed = {entry.ask.key for entry in right if entry.question.needs_review}
    receipt = Receipt(
        id=submission_id,
        accepted=len(right) - len(reviewed),
        in_review=len(reviewed),
        invalid=[entry.as_invalid() for entry in wrong],
    )
    assert actor.area_id is not None
    units = {entry.ask.unit_id for entry in right}
    write_submission(
        ctx,
        receipt,
        unit_id=units.pop() if len(units) == 1 else actor.area_id,
        staff_id=staff_id,
        mode=command.mode.value,
    )
    write_answers(ctx, submission_id, right, reviewed)
    if wrong:
        keep_typed(ctx, staff_id, [(e.ask, e.given.value) for e in wrong if e.is_worth_keeping()])
    audit.append(
        ctx,
        Tag.ANSWERS_SUBMITTED,
        "submission",
        submission_id,
        accepted=receipt.accepted,
        in_review=receipt.in_review,
        invalid=len(wrong),
    )
    return receipt


def _require_some(command: SubmitAnswers) -> None:
    if not 1 <= len(command.answers) <= MAX_ANSWERS:
        detail = f"must hold 1 to {MAX_ANSWERS} answers"
        raise Invalid(mistakes=[Mistake("/answers", "length", detail)])


def _refused(wrong: Sequence[Entry]) -> InvalidAnswers:
    found = [(entry.place, entry.as_invalid()) for entry in wrong]
    return InvalidAnswers(
        f"{len(wrong)} of the answers cannot be taken; nothing was recorded.",
        mistakes=[Mistake(f"/answers/{place}", i.code.value, i.detail) for place, i in found],
        data={"invalid": [as_dict(invalid) for _, invalid in found]},
    )


def as_dict(invalid: InvalidAnswer) -> dict[str, str]:
    return {"ask": invalid.ask, "code": invalid.code.value, "detail": invalid.detail}


def write_submission(
    ctx: Context, receipt: Receipt, *, unit_id: int, staff_id: uuid.UUID, mode: str
) -> None:
    """Write the receipt down."""
    ctx.sql(
        _SUBMIT,
        id=receipt.id,
        unit=unit_id,
        staff=staff_id,
        mode=mode,
        accepted=receipt.accepted,
        in_review=receipt.in_review,
        invalid=orjson.dumps([as_dict(invalid) for invalid in receipt.invalid]).decode(),
    )


def write_answers(
    ctx: Context, submission_id: uuid.UUID, entries: Sequence[Entry], reviewed: set[AskKey]
) -> None:
    """Write answers to open asks: those to be reviewed wait, the values of the others are recorded."""
    by_ask = {entry.ask.key: entry for entry in entries}
    origin: Origin | None = None
    for region_id, asks in by_region([entry.ask for entry in entries]).items():
        waiting = [by_ask[ask.key] for ask in asks if ask.key in reviewed]
        final = [by_ask[ask.key] for ask in asks if ask.key not in reviewed]
        if waiting:
            insert_answers(ctx, _SENT_TO_REVIEW, submission_id, region_id, waiting)
        if final:
            insert_answers(ctx, _RECORDED, submission_id, region_id, final)
            if origin is None:
                origin = open_provenance(ctx, ProvenanceKind.SUBMISSION, ref=submission_id)
            _record(ctx, origin, region_id, final)


def insert_answers(
    ctx: Context,
    statement: sa.TextClause,
    submission_id: uuid.UUID,
    region_id: int,
    entries: Sequence[Entry],
) -> None:
    ctx.sql(
        statement,
        region=region_id,
        submission=submission_id,
        state=AnswerState.IN_REVIEW if statement is _SENT_TO_REVIEW else AnswerState.RECORDED,
        asks=[entry.ask.id for entry in entries],
        kinds=[entry.kind.value for entry in entries],
        values=[entry.json() for entry in entries],
        missing=[entry.missing for entry in entries],
        notes=[entry.given.note for entry in entries],
    )


def _record(ctx: Context, origin: Origin, region_id: int, entries: Sequence[Entry]) -> None:
    """Ends the asks, too: see `asks.fill_asks`."""
    asks: list[AskRow] = [entry.ask for entry in entries]
    cells = values_of(
        region_id,
        fields=[ask.field_id for ask in asks],
        periods=[ask.period for ask in asks],
        subjects=[ask.subject_id for ask in asks],
        values=[entry.json() for entry in entries],
        missing=[entry.missing for entry in entries],
        observed_on=[ctx.today()] * len(entries),
    )
    record(ctx, cells, origin)
