"""Deciding reviews: accepted answers are recorded, returned ones go back with a comment."""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from oneform.audit import service as audit
from oneform.audit.tags import Tag
from oneform.collection.amendment import still_held, supersede
from oneform.collection.asks import (
    AskRow,
    by_region,
    cells_in,
    end_asks,
    hold_asks_sent,
    live_beside,
    move_asks,
)
from oneform.collection.commands import AnswerKind, AnswerState, DecideReviews
from oneform.collection.drafts import put_drafts
from oneform.collection.lifecycle import AskEvent, AskState, earliest_due
from oneform.collection.who_asks import WhoAsks
from oneform.identity import policy
from oneform.identity.policy import Permission, Principal
from oneform.kernel.actor import Actor, ActorKind
from oneform.kernel.context import Context
from oneform.kernel.errors import Invalid, Mistake
from oneform.kernel.ids import new_id, unpack_id
from oneform.values.cells import values_of
from oneform.values.models import ProvenanceKind
from oneform.values.recording import Origin, hold_cells, open_provenance, record, together

MAX_ANSWERS = 2_000

AnswerKey = tuple[int, int]
"""(region_id, id)."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An answer as it stood when it was locked."""

    id: int
    ask: AskRow
    submission_id: uuid.UUID
    kind: AnswerKind
    value: Any
    missing: str | None
    state: AnswerState
    staff_id: uuid.UUID
    username: str
    answered_on: dt.date

    @property
    def is_amendment(self) -> bool:
        return self.kind is AnswerKind.AMENDMENT


@dataclass(frozen=True, slots=True)
class Reviewed:
    """How many answers were accepted and returned."""

    accepted: int
    returned: int


def decide_reviews(ctx: Context, command: DecideReviews) -> Reviewed:
    """Accept some answers and return others, each with its comment; all or none.

    Invalid with every mistake: an answer that is not there or out of reach, not
    in review (any more), the reviewer's own, named twice; a comment missing; an
    amendment of a value that was replaced meanwhile.
    """
    actor = policy.require(ctx, Permission.REVIEW_ANSWERS)
    named = [(f"/accept/{n}", text) for n, text in enumerate(command.accept)]
    named += [(f"/return/{n}/answer", r.answer) for n, r in enumerate(command.give_back)]
    keys = [_parse(text) for _, text in named]
    waiting = _hold(ctx, [key for key in keys if key is not None])
    accepts = len(command.accept)
    mistakes = _mistakes(ctx, actor, [pointer for pointer, _ in named], keys, waiting, accepts)
    mistakes += [
        Mistake(f"/return/{n}/comment", "required", "say what is to be done about it")
        for n, each in enumerate(command.give_back)
        if not each.comment.strip()
    ]
    if mistakes:
        raise Invalid("The reviews cannot be decided so.", mistakes=mistakes)
    found = [waiting[key] for key in keys if key is not None]
    with together(ctx):
        _accept(ctx, actor, found[:accepts])
    comments = [each.comment.strip() for each in command.give_back]
    _give_back(ctx, actor, list(zip(found[accepts:], comments, strict=True)))
    audit.append(ctx, Tag.ANSWERS_REVIEWED, accepted=accepts, returned=len(comments))
    return Reviewed(accepts, len(comments))


def _parse(text: str) -> AnswerKey | None:
    try:
        return unpack_id(text)
    except ValueError:
        return None


_ASKS_OF = sa.text(
    """
    SELECT w.region_id, w.ask_id, w.kind
    FROM unnest(CAST(:regions AS bigint[]), CAST(:ids AS bigint[])) AS k(region_id, id)
    JOIN answer AS w USING (region_id, id)
    """
)

_HOLD = sa.text(
    """
    SELECT w.id, w.ask_id, w.submission_id, w.kind, w.value, w.missing, w.state, w.answered_on,
      w.created_at, b.staff_id, p.username
    FROM answer AS w JOIN submission AS b ON b.id = w.submission_id
    JOIN staff AS p ON p.id = b.staff_id
    WHERE w.region_id = :region AND w.id = ANY(:ids) AND w.ask_id = ANY(:asks)
    ORDER BY w.id FOR UPDATE OF w
    """
)


def _hold(ctx: Context, keys: Collection[AnswerKey]) -> dict[AnswerKey, _Waiting]:
    """Lock the asks of some answers, the answers, and the values that amendments are to replace;
    those out of reach are left out."""
    rows = ctx.sql(
        _ASKS_OF, regions=[region for region, _ in keys], ids=[number for _, number in keys]
    ).all()
    amended = {(row.region_id, row.ask_id) for row in rows if row.kind == AnswerKind.AMENDMENT}
    answered = {(row.region_id, row.ask_id) for row in rows}
    asks = hold_asks_sent(ctx, answered, beside=live_beside(ctx, amended))
    reaches = policy.principal(ctx).reaches
    found: dict[AnswerKey, _Waiting] = {}
    for region_id, mine in by_region(ask for ask in asks.values() if reaches(ask.path)).items():
        ours = {ask.id: ask for ask in mine}
        ids = [number for region, number in keys if region == region_id]
        for row in ctx.sql(_HOLD, region=region_id, ids=ids, asks=list(ours)):
            found[region_id, row.id] = _Waiting(
                id=row.id,
                ask=ours[row.ask_id],
                submission_id=row.submission_id,
                kind=AnswerKind(row.kind),
                value=row.value,
                missing=row.missing,
                state=AnswerState(row.state),
                staff_id=row.staff_id,
                username=row.username,
                answered_on=row.answered_on or ctx.clock.day_of(row.created_at),
            )
    for region_id, held in by_region(w.ask for w in found.values() if w.is_amendment).items():
        hold_cells(ctx, cells_in(region_id, held))
    return found


def _mistakes(
    ctx: Context,
    actor: Principal,
    pointers: Sequence[str],
    keys: Sequence[AnswerKey | None],
    waiting: Mapping[AnswerKey, _Waiting],
    accepts: int,
) -> list[Mistake]:
    if not 1 <= len(keys) <= MAX_ANSWERS:
        return [Mistake("", "length", f"decide on 1 to {MAX_ANSWERS} answers at once")]
    times = Counter(keys)
    accepted = [waiting[key] for key in keys[:accepts] if key is not None and key in waiting]
    amended = {answer.ask.key: answer.ask for answer in accepted if answer.is_amendment}
    replaced = amended.keys() - still_held(ctx, amended.values())
    found = []
    for place, (pointer, key) in enumerate(zip(pointers, keys, strict=True)):
        answer = waiting.get(key) if key is not None else None
        if answer is None:
            found.append(Mistake(pointer, "unknown_answer", "there is no such answer in reach"))
        elif wrong := _wrong(actor, answer):
            found.append(Mistake(pointer, *wrong))
        elif place < accepts and answer.is_amendment and answer.ask.key in replaced:
            detail = "amends a value that has been replaced; return it"
            found.append(Mistake(pointer, "replaced", detail))
        if key is not None and times[key] > 1:
            found.append(Mistake(pointer, "double", "is named more than once"))
    return found


def _wrong(actor: Principal, answer: _Waiting) -> tuple[str, str] | None:
    waits = answer.is_amendment or answer.ask.state is AskState.IN_REVIEW
    if answer.state is not AnswerState.IN_REVIEW or not waits:
        return "not_in_review", "does not wait for a review (any more)"
    if str(answer.staff_id) == actor.id:
        return "own_answer", "was given by yourself; somebody else has to look at it"
    return None


_DECIDE = sa.text(
    """
    UPDATE answer AS w SET state = :state, comment = d.comment, decided_by = :by, decided_at = :now
    FROM unnest(CAST(:ids AS bigint[]), CAST(:comments AS text[])) AS d(id, comment)
    WHERE w.region_id = :region AND w.id = d.id
    """
)

_RETURN_ASKS = sa.text(
    """
    UPDATE ask AS a SET state = 'returned', comment = d.comment
    FROM unnest(CAST(:ids AS bigint[]), CAST(:comments AS text[])) AS d(id, comment)
    WHERE a.region_id = :region AND a.id = d.id AND a.state = 'in_review'
    """
)


def _regions(answers: Iterable[_Waiting]) -> list[int]:
    return sorted({answer.ask.region_id for answer in answers})


def _decide(
    ctx: Context,
    actor: Principal,
    state: AnswerState,
    region_id: int,
    answers: Sequence[tuple[_Waiting, str | None]],
) -> None:
    ctx.sql(
        _DECIDE,
        state=state.value,
        by=actor.label,
        now=ctx.clock.now(),
        region=region_id,
        ids=[answer.id for answer, _ in answers],
        comments=[comment for _, comment in answers],
    )


def _accept(ctx: Context, actor: Principal, answers: Sequence[_Waiting]) -> None:
    """Record what is accepted, as from whoever answered."""
    origins: dict[uuid.UUID, Origin] = {}
    for region_id in _regions(answers):
        mine = [answer for answer in answers if answer.ask.region_id == region_id]
        if amended := [answer.ask.id for answer in mine if answer.is_amendment]:
            supersede(ctx, region_id, amended, AnswerState.RECORDED)
        # Before the values: whoever fills an ask supersedes the answers that still wait.
        _decide(ctx, actor, AnswerState.RECORDED, region_id, [(each, None) for each in mine])
        for submission_id in sorted({answer.submission_id for answer in mine}):
            batch = [answer for answer in mine if answer.submission_id == submission_id]
            if submission_id not in origins:
                origins[submission_id] = open_provenance(
                    ctx,
                    ProvenanceKind.SUBMISSION,
                    ref=submission_id,
                    actor=Actor(
                        kind=ActorKind.PERSON, id=str(batch[0].staff_id), label=batch[0].username
                    ),
                )
            _record(ctx, origins[submission_id], region_id, batch)


def _record(ctx: Context, origin: Origin, region_id: int, batch: Sequence[_Waiting]) -> None:
    cells = values_of(
        region_id,
        fields=[answer.ask.field_id for answer in batch],
        periods=[answer.ask.period for answer in batch],
        subjects=[answer.ask.subject_id for answer in batch],
        values=[
            None if answer.missing else orjson.dumps(answer.value).decode() for answer in batch
        ],
        missing=[answer.missing for answer in batch],
        observed_on=[answer.answered_on for answer in batch],
    )
    # An amendment has a submission of its own, so a batch is one or the other.
    record(ctx, cells, origin, authoritative=batch[0].is_amendment)
    if not cells.are_final:
        _end_lapsed(ctx, region_id, [answer.ask.id for answer in batch])


_LAPSED = sa.text(
    "SELECT id, field_id, period, subject_id, stood_days FROM ask "
    "WHERE region_id = :region AND id = ANY(:ids) AND state = 'in_review' ORDER BY id"
)


def _end_lapsed(ctx: Context, region_id: int, ask_ids: list[int]) -> None:
    """Asks whose answers, standing values, were too old to end them when they were accepted.

    They are asked once more of those who still wait, since these were decided when the value was
    stale already; with none of them, the ask is answered.
    """
    lapsed = {
        (region_id, row.field_id, row.period, row.subject_id): row
        for row in ctx.sql(_LAPSED, region=region_id, ids=ask_ids)
    }
    if not lapsed:
        return
    today = ctx.today()
    who = WhoAsks(
        {cell: earliest_due(AskState.OPEN, row.stood_days, today) for cell, row in lapsed.items()}
    )
    ctx.emit(who)
    wanted = [row.id for cell, row in lapsed.items() if who.askers.get(cell)]
    over = [row.id for cell, row in lapsed.items() if not who.askers.get(cell)]
    if wanted:
        # No books to keep: what is asked for stays so.
        move_asks(ctx, region_id, wanted, AskEvent.LAPSE)
    end_asks(ctx, region_id, over, AskEvent.ACCEPT)


def _give_back(
    ctx: Context, actor: Principal, answers: Sequence[tuple[_Waiting, str | None]]
) -> None:
    """Open the asks again, each with the comment and with what had been typed as a draft."""
    for region_id in _regions(answer for answer, _ in answers):
        mine = [pair for pair in answers if pair[0].ask.region_id == region_id]
        _decide(ctx, actor, AnswerState.RETURNED, region_id, mine)
        reopened = [pair for pair in mine if not pair[0].is_amendment]
        ctx.sql(
            _RETURN_ASKS,
            region=region_id,
            ids=[answer.ask.id for answer, _ in reopened],
            comments=[comment for _, comment in reopened],
        )
        for staff_id in {answer.staff_id for answer, _ in reopened}:
            put_drafts(
                ctx,
                region_id,
                staff_id,
                [
                    (answer.ask.id, answer.value, new_id().hex)
                    for answer, _ in reopened
                    if answer.staff_id == staff_id and not answer.missing
                ],
                now=ctx.clock.now(),
            )
