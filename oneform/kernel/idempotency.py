"""Answers kept under an Idempotency-Key, committed together with their effect."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

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
