"""Submitting answers: the path that has to be fast.

A handful of statements whatever the number of answers: lock the asks, look at
what is known beside them (`judging`), write it all down (`writing`).
"""

from __future__ import annotations

from collections.abc import Sequence

from oneform.audit import service as audit
from oneform.audit.tags import Tag
from oneform.collection.asks import hold_asks_sent
from oneform.collection.commands import Mode, SubmitAnswers
from oneform.collection.drafts import keep_typed
from oneform.collection.errors import InvalidAnswers
from oneform.collection.judging import Entry, judge_entries, read_entries
from oneform.collection.reach import require_person
from oneform.collection.views import Receipt
from oneform.collection.writing import NewSubmission, as_dict, write_submission
from oneform.identity.policy import Permission
from oneform.kernel.context import Context
from oneform.kernel.errors import Forbidden, Invalid, Mistake
from oneform.kernel.ids import new_id

MAX_ANSWERS = 5_000


def submit_answers(ctx: Context, command: SubmitAnswers) -> Receipt:
    """Take answers in: recorded at once, or sent to review where the field says so.

    Mode `all`: InvalidAnswers with every mistake, and nothing is recorded, if one
    answer is wrong. Mode `partial`: the right ones are taken; what was typed into
    the others is kept as drafts. Either way of two who answer an ask at once one
    is told that it is `not_open`. Forbidden for a person who reaches no area at all.
    """
    actor, staff_id = require_person(ctx, Permission.ANSWER)
    if actor.area_id is None:
        raise Forbidden("You have no unit of your own: nobody can answer without one.")
    _require_some(command)
    entries = read_entries(command.answers)
    asks = hold_asks_sent(ctx, {entry.key for entry in entries if entry.key is not None})
    judge_entries(ctx, entries, asks)
    wrong = [entry for entry in entries if entry.mistake]
    if wrong and command.mode is Mode.ALL:
        raise _refused(wrong)
    right = [entry for entry in entries if not entry.mistake]
    reviewed = {entry.ask.key for entry in right if entry.question.needs_review}
    receipt = Receipt(
        id=new_id(),
        accepted=len(right) - len(reviewed),
        in_review=len(reviewed),
        invalid=[entry.as_invalid() for entry in wrong],
    )
    units = {entry.ask.unit_id for entry in right}
    new = NewSubmission(
        receipt=receipt,
        unit_id=units.pop() if len(units) == 1 else actor.area_id,
        staff_id=staff_id,
        mode=command.mode.value,
    )
    write_submission(ctx, new, right, reviewed)
    if wrong:
        keep_typed(ctx, staff_id, [(e.ask, e.given.value) for e in wrong if e.is_worth_keeping()])
    audit.append(
        ctx,
        Tag.ANSWERS_SUBMITTED,
        "submission",
        receipt.id,
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
