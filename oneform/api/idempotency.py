"""`@idempotent`: the first answer to an Idempotency-Key is the answer to its repetitions.

The key is held by an advisory lock of the request's transaction, so that it
cannot outlive a crash. A 2xx answer is committed with its effect; a 422 answer
with what its error puts on record, in a transaction of its own after the deed was
rolled back. Other answers are not kept: the client may try again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import flask

from oneform.api.bodies import fingerprint
from oneform.api.errors import (
    IdempotencyKeyInUse,
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    InvalidParameters,
)
from oneform.api.problems import answer_domain_error, status_of
from oneform.kernel.context import Context
from oneform.kernel.errors import DomainError, Mistake
from oneform.kernel.idempotency import KeptAnswer, keep_answer, try_hold
from oneform.kernel.uow import begin
from oneform.runtime.http import current_context
from oneform.values.errors import TryAgain

View = TypeVar("View", bound=Callable[..., Any])

HEADER = "Idempotency-Key"
_VISIBLE = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = ("Content-Type", "Location", "ETag")
_MARK = "_idempotent"


def idempotent(view: View) -> View:
    """Declare that a view requires an Idempotency-Key and answers repetitions from what is kept."""
    setattr(view, _MARK, True)
    return view


def is_idempotent(view: Callable[..., Any]) -> bool:
    return bool(getattr(view, _MARK, False))


def answer_once(work: Callable[[], flask.Response]) -> flask.Response:
    """The answer of `work`, or the one kept under the request's key.

    IdempotencyKeyMissing, IdempotencyKeyReused, IdempotencyKeyInUse.
    """
    ctx = current_context()
    key = _key()
    owner = f"{ctx.actor.kind.value}:{ctx.actor.id}"
    print_ = fingerprint()
    replay = _hold(ctx, owner, key, print_)
    if replay is not None:
        return replay
    try:
        response = work()
        ctx.session.flush()
    except DomainError as error:
        if status_of(error) != 422:
            raise
        return _refuse(ctx, owner, key, print_, error)
    if response.status_code // 100 == 2 or response.status_code == 422:
        _keep(ctx, owner, key, print_, response)
    return response


def _hold(ctx: Context, owner: str, key: str, print_: bytes) -> flask.Response | None:
    """Hold the key until the transaction ends, or give the answer that is kept under it."""
    locked, kept = try_hold(ctx, owner, key)
    if kept is not None:
        return _replay(kept, print_)
    if not locked:
        raise IdempotencyKeyInUse("Wait for the first answer, or repeat this request later.")
    return None


def _refuse(
    ctx: Context, owner: str, key: str, print_: bytes, error: DomainError
) -> flask.Response:
    """Undo the deed; put its refusal on record and keep the answer, in one transaction.

    No savepoint: it would cost something on the good way, too. Another request with the key may
    come in between; then its answer is the first.
    """
    ctx.session.rollback()
    begin(ctx)
    replay = _hold(ctx, owner, key, print_)
    if replay is not None:
        return replay
    record = getattr(error, "record", None)
    if record is not None:
        record(ctx)
    response = answer_domain_error(error)
    _keep(ctx, owner, key, print_, response)
    return response


def _keep(ctx: Context, owner: str, key: str, print_: bytes, response: flask.Response) -> None:
    answer = KeptAnswer(
        fingerprint=print_,
        status=response.status_code,
        headers={
            name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers
        },
        body=response.get_data(),
    )
    if not keep_answer(ctx, owner, key, answer):
        raise TryAgain("Another answer was kept first.")


def _key() -> str:
    key = flask.request.headers.get(HEADER, "")
    if not key:
        raise IdempotencyKeyMissing(
            "Send a new random key with each request, and the same one when you repeat it."
        )
    if not _VISIBLE.fullmatch(key):
        raise InvalidParameters(
            mistakes=[Mistake(HEADER, "pattern", "must have 1 to 255 visible ASCII characters")]
        )
    return key


def _replay(kept: KeptAnswer, fingerprint: bytes) -> flask.Response:
    if kept.fingerprint != fingerprint:
        raise IdempotencyKeyReused("Use a new key for another request.")
    response = flask.Response(kept.body, status=kept.status, headers=kept.headers)
    response.headers["Idempotent-Replayed"] = "true"
    return response
