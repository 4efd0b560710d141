"""Table of the audit trail: append only."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from oneform.kernel.db import Base, BigId, Code


class AuditEvent(Base):
    __tablename__ = "audit_event"

    id: Mapped[BigId] = mapped_column(sa.Identity(always=True), primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now(), index=True)
    tag: Mapped[Code] = mapped_column(index=True)
    actor_kind: Mapped[str]
    actor_id: Mapped[str]
    actor_label: Mapped[str]
    agency_id: Mapped[int | None]
    target_type: Mapped[str | None]
    target_id: Mapped[str | None]
    data: Mapped[dict[str, Any]]

    __table_args__ = (sa.Index(None, "target_type", "target_id"),)
