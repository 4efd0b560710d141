"""`@idempotent`: the first answer to an Idempotency-Key is the answer to its repetitions.

The key is held by an advisory lock of the request's transaction, so that it
cannot outlive a crash. A 2xx answer is committed with its effect; a 422 answer
with what its error puts on record, after the deed itself was rolled back to a
savepoint. Other answers are not kept: the client may try again.
"""

from __future__ import annotations

import hashlib
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
from oneform.kernel import locks
from oneform.kernel.context import Context
from oneform.kernel.errors import DomainError, Mistake
from oneform.kernel.idempotency import KeptAnswer, find_answer, keep_answer
from oneform.runtime.http import current_context
from oneform.values.errors import TryAgain

View = TypeVar("View", bound=Callable[..., Any])

HEADER = "Idempotency-Key"
_VISIBLE = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = ("Content-Type", "Location", "ETag")
_MARK = "_idempotent"
_SAVEPOINT = "deed"


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
    # First the lock, then a statement begun after it: whoever has it sees what was kept.
    locked = locks.try_take(ctx, locks.Space.IDEMPOTENCY, _number(owner, key))
    kept = find_answer(ctx, owner, key)
    if kept is not None:
        return _replay(kept, print_)
    if not locked:
        raise IdempotencyKeyInUse("Wait for the first answer, or repeat this request later.")
    response = _attempt(ctx, work)
    if response.status_code // 100 == 2 or response.status_code == 422:
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
    return response


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


def _number(owner: str, key: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{owner}\0{key}".encode()).digest()[:7])


def _attempt(ctx: Context, work: Callable[[], flask.Response]) -> flask.Response:
    # By hand instead of `begin_nested`, which would cost a RELEASE on the good way too.
    ctx.sql(f"SAVEPOINT {_SAVEPOINT}")
    try:
        response = work()
        ctx.session.flush()
        return response
    except DomainError as error:
        if status_of(error) != 422:
            raise
        ctx.session.expunge_all()
        ctx.sql(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
        record = getattr(error, "record", None)
        if record is not None:
            record(ctx)
        return answer_domain_error(error)


def _replay(kept: KeptAnswer, fingerprint: bytes) -> flask.Response:
    if kept.fingerprint != fingerprint:
        raise IdempotencyKeyReused("Use a new key for another request.")
    response = flask.Response(kept.body, status=kept.status, headers=kept.headers)
    response.headers["Idempotent-Replayed"] = "true"
    return response
