"""Looking answers over before they are sent, and sending them once."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import Any

from oneform.collection.commands import GivenAnswer, SubmitAnswers
from oneform.collection.errors import InvalidAnswers
from oneform.collection.service import submit_answers
from oneform.collection.views import Receipt
from oneform.kernel import locks
from oneform.kernel.context import Context
from oneform.kernel.idempotency import KeptAnswer, find_answer, keep_answer, number_of
from oneform.kernel.ids import new_id

_KEY = re.compile(r"[0-9a-f]{32}")
_PREFIX = "page:"
"""Keys of pages never meet those that programs choose."""


def look_over(ctx: Context, answers: Sequence[GivenAnswer]) -> list[dict[str, str]]:
    """What sending these answers would be told: `[{"ask", "code", "detail"}]`. Nothing is written.

    They are sent, and that is taken back: what is found is exactly what would be found.
    """
    trial = ctx.session.begin_nested()
    try:
        submit_answers(ctx, SubmitAnswers(answers=answers))
    except InvalidAnswers as refused:
        return _invalid(refused)
    finally:
        trial.rollback()
    return []


def _invalid(refused: InvalidAnswers) -> list[dict[str, str]]:
    found: list[dict[str, Any]] = refused.data["invalid"]
    return found


def new_key() -> str:
    """Goes with a page of checked answers: however often its button is touched, they are sent once."""
    return new_id().hex


def tidy_key(text: str) -> str:
    """The key that a page carried, or a new one where it is none of ours."""
    return text if _KEY.fullmatch(text) else new_key()


def send_once(ctx: Context, key: str, answers: Sequence[GivenAnswer]) -> uuid.UUID:
    """Send answers under a key that `find_sent` found unused. InvalidAnswers."""
    receipt = submit_answers(ctx, SubmitAnswers(answers=answers))
    _keep(ctx, key, receipt)
    return receipt.id


def find_sent(ctx: Context, key: str) -> uuid.UUID | None:
    """The submission that was made under a key.

    The key is held until the transaction ends: the other of two touches waits, and finds what the
    first has sent.
    """
    owner, name = ctx.actor.id, _PREFIX + key
    locks.take(ctx, locks.Space.IDEMPOTENCY, number_of(owner, name))
    kept = find_answer(ctx, owner, name)
    return uuid.UUID(bytes=kept.body) if kept else None


def _keep(ctx: Context, key: str, receipt: Receipt) -> None:
    answer = KeptAnswer(fingerprint=b"", status=201, headers={}, body=receipt.id.bytes)
    keep_answer(ctx, ctx.actor.id, _PREFIX + key, answer)
