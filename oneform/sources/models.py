"""Tables of shared sources: what they answer for, and what their runs brought."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from oneform.kernel.db import Base, BigId, Code, Json, Uuid


class Source(Base):
    __tablename__ = "source"

    id: Mapped[int] = mapped_column(sa.Identity(), primary_key=True)
    code: Mapped[Code] = mapped_column(unique=True)
    name: Mapped[Json] = mapped_column(nullable=True)
    """What people call it, by language; NULL: as its agency."""
    agency_id: Mapped[int] = mapped_column(sa.ForeignKey("agency.id"))
    kind: Mapped[str]
    """Name of a connector (entry points of the group `oneform.connectors`)."""
    settings: Mapped[dict[str, Any]]
    secrets: Mapped[bytes | None]
    """Encrypted JSON object; never shown again."""
    keys: Mapped[dict[str, Any]]
    """How rows map to subjects and periods."""
    fresh_for: Mapped[str | None]
    limits: Mapped[dict[str, Any]]
    enabled: Mapped[bool] = mapped_column(server_default=sa.true())
    failures: Mapped[int] = mapped_column(server_default="0")
    """Failures in a row, for the circuit breaker."""
    closed_until: Mapped[dt.datetime | None]
    """While the circuit is open: no call before this instant."""
    version: Mapped[int] = mapped_column(server_default="1")


class SourceField(Base):
    """The mapping of one column to one field."""

    __tablename__ = "source_field"

    source_id: Mapped[int] = mapped_column(
        sa.ForeignKey("source.id", ondelete="CASCADE"), primary_key=True
    )
    field_id: Mapped[int] = mapped_column(sa.ForeignKey("field.id"), primary_key=True, index=True)
    column: Mapped[str]
    code_map: Mapped[Json] = mapped_column(nullable=True)


class SourceArea(Base):
    """An area at or below which the source answers."""

    __tablename__ = "source_area"

    source_id: Mapped[int] = mapped_column(
        sa.ForeignKey("source.id", ondelete="CASCADE"), primary_key=True
    )
    area_id: Mapped[BigId] = mapped_column(sa.ForeignKey("area.id"), primary_key=True)


class SourceRun(Base):
    __tablename__ = "source_run"

    id: Mapped[Uuid] = mapped_column(primary_key=True)
    source_id: Mapped[int] = mapped_column(sa.ForeignKey("source.id", ondelete="CASCADE"))
    request_id: Mapped[uuid.UUID | None]
    state: Mapped[str]
    """`waiting`, `running`, `done`, `failed`."""
    counts: Mapped[dict[str, Any]]
    error: Mapped[str | None]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())
    finished_at: Mapped[dt.datetime | None]

    # Before each call its source's calls of the last minute are counted.
    __table_args__ = (sa.Index(None, "source_id", "created_at"),)


class SourceRefused(Base):
    """A value of a run that was put aside, and why."""

    __tablename__ = "source_refused"

    id: Mapped[BigId] = mapped_column(sa.Identity(always=True), primary_key=True)
    run_id: Mapped[Uuid] = mapped_column(
        sa.ForeignKey("source_run.id", ondelete="CASCADE"), index=True
    )
    subject: Mapped[str]
    field: Mapped[str]
    period: Mapped[str]
    value: Mapped[Json] = mapped_column(nullable=True)
    code: Mapped[str]
    detail: Mapped[str]
