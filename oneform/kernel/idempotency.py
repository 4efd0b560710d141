"""Answers kept under an Idempotency-Key, committed together with their effect."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from oneform.kernel import locks
from oneform.kernel.context import Context
from oneform.kernel.db import Base, Code

KEPT_DAYS = 8
"""Seven days are promised; one more for clocks and time zones."""


class IdempotencyKey(Base):
    __tablename__ = "idempotency_key"

    owner: Mapped[Code] = mapped_column(primary_key=True)
    """The client or person that the key belongs to."""
    key: Mapped[Code] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes]
    """SHA-256 of method, path and canonical body."""
    status: Mapped[int] = mapped_column(sa.SmallInteger)
    headers: Mapped[dict[str, str]] = mapped_column(sa.JSON)
    body: Mapped[bytes]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now(), index=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """An answer as it was sent first."""

    fingerprint: bytes
    status: int
    headers: dict[str, str]
    body: bytes


def number_of(owner: str, key: str) -> int:
    """The key's number in the space of advisory locks."""
    return int.from_bytes(hashlib.sha256(f"{owner}\0{key}".encode()).digest()[:7])


def find_answer(ctx: Context, owner: str, key: str) -> KeptAnswer | None:
    """What was answered under the key; None when nothing was."""
    row = ctx.sql(_FIND, owner=owner, key=key).one_or_none()
    return None if row is None else _kept(row)


def try_hold(ctx: Context, owner: str, key: str) -> tuple[bool, KeptAnswer | None]:
    """Whether the key is ours until the transaction ends, and what was answered under it.

    Never waits. Of a key that somebody gave free while this looked, the answer may not be seen
    yet: then `keep_answer` says so.
    """
    number = locks.number_in(locks.Space.IDEMPOTENCY, number_of(owner, key))
    row = ctx.sql(_TRY_HOLD, number=number, owner=owner, key=key).one()
    return row.locked, None if row.fingerprint is None else _kept(row)


def _kept(row: Any) -> KeptAnswer:
    return KeptAnswer(
        fingerprint=bytes(row.fingerprint),
        status=row.status,
        headers=row.headers,
        body=bytes(row.body),
    )


def keep_answer(ctx: Context, owner: str, key: str, answer: KeptAnswer) -> bool:
    """Keep an answer in this transaction; False when another one is kept under the key already."""
    kept = ctx.sql(
        _KEEP,
        owner=owner,
        key=key,
        fingerprint=answer.fingerprint,
        status=answer.status,
        headers=json.dumps(answer.headers),
        body=answer.body,
    )
    return kept.rowcount == 1


_FIND = sa.text(
    "SELECT fingerprint, status, headers, body FROM idempotency_key "
    "WHERE owner = :owner AND key = :key"
)
_TRY_HOLD = sa.text(
    "SELECT pg_try_advisory_xact_lock(:number) AS locked, fingerprint, status, headers, body "
    "FROM (SELECT) AS one LEFT JOIN idempotency_key ON owner = :owner AND key = :key"
)
_KEEP = sa.text(
    "INSERT INTO idempotency_key (owner, key, fingerprint, status, headers, body) "
    "VALUES (:owner, :key, :fingerprint, :status, CAST(:headers AS json), :body) "
    "ON CONFLICT DO NOTHING"
)


def forget_old_answers(ctx: Context) -> int:
    """Delete answers past their time; how many."""
    return ctx.sql(
        "DELETE FROM idempotency_key WHERE created_at < now() - make_interval(days => :days)",
        days=KEPT_DAYS,
    ).rowcount
