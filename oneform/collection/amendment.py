"""Amending what was sent: staff correct their own unit's recorded answers, with history."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

import sqlalchemy as sa

from oneform.audit import service as audit
from oneform.audit.tags import Tag
from oneform.collection.asks import (
    AskKey,
    AskRow,
    by_region,
    cells_in,
    hold_asks_sent,
    live_beside,
)
from oneform.collection.commands import AmendAnswer, AnswerKind, AnswerState, GivenAnswer
from oneform.collection.errors import InvalidAnswers, NotAmendable
from oneform.collection.judging import Entry, has_note, judge_values
from oneform.collection.lifecycle import LIVE
from oneform.collection.questions import questions_of
from oneform.collection.reach import require_person
from oneform.collection.receipts import ANSWER_COLUMNS, ANSWER_JOINS, answer_members
from oneform.collection.views import AnswerView, Receipt
from oneform.collection.writing import NewSubmission, as_dict, write_submission
from oneform.identity import policy
from oneform.identity.policy import Permission
from oneform.kernel.context import Context
from oneform.kernel.errors import Mistake, NotFound
from oneform.kernel.ids import new_id, unpack_id
from oneform.values.recording import hold_cells

MODE = "amendment"
"""`submission.mode` of an amendment: it has a receipt of its own."""


def amend_answer(ctx: Context, command: AmendAnswer, *, language: str = "zh") -> AnswerView:
    """Put another value in the place of a recorded answer; where its field is reviewed, it waits.

    NotFound, also outside the reach; NotAmendable when the answer is not recorded,
    or its ask is live once more (`AskEvent.LAPSE`: then that is answered), or the cell holds
    something else by now (then a correction is the way); InvalidAnswers. A note also says yes to what a soft check warns of.
    """
    _, staff_id = require_person(ctx, Permission.ANSWER)
    region_id, answer_id = _parse(command.answer)
    ask_id = ctx.sql(
        "SELECT ask_id FROM answer WHERE region_id = :region AND id = :id",
        region=region_id,
        id=answer_id,
    ).scalar_one_or_none()
    keys = {(region_id, ask_id)} if ask_id is not None else set()
    asks = hold_asks_sent(ctx, keys, beside=live_beside(ctx, keys))
    ask = asks.get((region_id, ask_id or 0))
    policy.require_reach(ctx, ask.path if ask else None, secret=True)
    assert ask is not None
    hold_cells(ctx, cells_in(region_id, [ask]))
    state = ctx.sql(
        "SELECT state FROM answer WHERE region_id = :region AND id = :id FOR UPDATE",
        region=region_id,
        id=answer_id,
    ).scalar_one()
    if state != AnswerState.RECORDED:
        raise NotAmendable(f"Only recorded answers can be amended; this one is {state}.")
    if ask.state in LIVE:
        # An amendment would supersede what was answered since, and nobody could answer any more.
        raise NotAmendable("This is asked once more: answer it in the form instead.")
    if not still_held(ctx, [ask]):
        raise NotAmendable("The value has been replaced since. Ask for a correction instead.")
    entry = _judge(ctx, command, ask)
    submission_id = _write(ctx, staff_id, entry)
    audit.append(
        ctx,
        Tag.ANSWER_AMENDED,
        "answer",
        command.answer,
        field=entry.question.code,
        period=ask.period or None,
    )
    return _read(ctx, region_id, submission_id, language)


def _parse(text: str) -> tuple[int, int]:
    try:
        return unpack_id(text)
    except ValueError:
        raise NotFound("There is no such answer within your reach.") from None


# Some answer of the ask brought the value; not always the last one, which may have said the same
# once more, and then changed nothing. Looked up one by one (`LIMIT`), whatever the statistics say.
_HELD = sa.text(
    """
    SELECT k.ask_id
    FROM unnest(CAST(:asks AS bigint[]), CAST(:fields AS int[]), CAST(:periods AS text[]),
      CAST(:subjects AS bigint[])) AS k(ask_id, field_id, period, subject_id)
    CROSS JOIN LATERAL (
      SELECT FROM cell_value AS v JOIN provenance AS p ON p.id = v.provenance_id
      JOIN answer AS w ON w.region_id = :region AND w.ask_id = k.ask_id AND w.submission_id = p.ref
      WHERE v.region_id = :region AND v.field_id = k.field_id AND v.period = k.period
        AND v.subject_id = k.subject_id
      LIMIT 1) AS answered
    """
)


def still_held(ctx: Context, asks: Iterable[AskRow]) -> set[AskKey]:
    """Those of the asks whose cells still hold what was answered to them."""
    found: set[AskKey] = set()
    for region_id, mine in by_region(asks).items():
        rows = ctx.sql(
            _HELD,
            region=region_id,
            asks=[ask.id for ask in mine],
            fields=[ask.field_id for ask in mine],
            periods=[ask.period for ask in mine],
            subjects=[ask.subject_id for ask in mine],
        )
        found.update((region_id, row.ask_id) for row in rows)
    return found


def _judge(ctx: Context, command: AmendAnswer, ask: AskRow) -> Entry:
    given = GivenAnswer(
        ask=ask.public_id,
        value=command.value,
        note=command.note,
        accept_warning=has_note(command.note),
    )
    entry = Entry(0, given, ask.key, kind=AnswerKind.AMENDMENT, value=command.value)
    entry.answers(ask, questions_of(ctx, [ask.field_version_id])[ask.field_version_id])
    judge_values(ctx, [entry])
    if entry.mistake:
        invalid = entry.as_invalid()
        raise InvalidAnswers(
            "The amendment cannot be taken; nothing was recorded.",
            mistakes=[Mistake("/value", invalid.code.value, invalid.detail)],
            data={"invalid": [as_dict(invalid)]},
        )
    return entry


_SUPERSEDE = sa.text(
    "UPDATE answer SET state = 'superseded' "
    "WHERE region_id = :region AND ask_id = ANY(:asks) AND state = :state"
)


def supersede(ctx: Context, region_id: int, ask_ids: list[int], state: AnswerState) -> None:
    """The answers in a state, of asks of a region, are superseded."""
    ctx.sql(_SUPERSEDE, region=region_id, asks=ask_ids, state=state.value)


def _write(ctx: Context, staff_id: uuid.UUID, entry: Entry) -> uuid.UUID:
    """The submission that the amendment makes."""
    ask, waits = entry.ask, entry.question.needs_review
    receipt = Receipt(id=new_id(), accepted=int(not waits), in_review=int(waits))
    supersede(ctx, ask.region_id, [ask.id], AnswerState.IN_REVIEW)
    if not waits:
        supersede(ctx, ask.region_id, [ask.id], AnswerState.RECORDED)
    new = NewSubmission(receipt=receipt, unit_id=ask.unit_id, staff_id=staff_id, mode=MODE)
    write_submission(ctx, new, [entry], {ask.key} if waits else set())
    return receipt.id


def _read(ctx: Context, region_id: int, submission_id: uuid.UUID, language: str) -> AnswerView:
    row = ctx.sql(
        f"SELECT {ANSWER_COLUMNS} FROM answer AS w {ANSWER_JOINS} "
        "WHERE w.region_id = :region AND w.submission_id = :submission",
        region=region_id,
        submission=submission_id,
    ).one()
    return AnswerView(**answer_members(row, language))
