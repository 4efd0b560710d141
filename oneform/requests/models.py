"""Tables of requests. A request is a description: there is no row per cell.

Its cells are (subjects in `request_unit.place_id` at `decided_at`) × (fields),
computed by set operations; see `oneform.requests.books`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from oneform.kernel.db import Base, BigId, Code, Json, Uuid


class RequestState(StrEnum):
    RESOLVING = "resolving"
    COLLECTING = "collecting"
    FULFILLED = "fulfilled"
    PARTIAL = "partial"
    CANCELLED = "cancelled"


class CellStatus(StrEnum):
    """Where a cell of a request stands; the books of a request are counts of these."""

    HELD = "held"
    DERIVED = "derived"
    SHARED = "shared"
    ASKED = "asked"
    ANSWERED = "answered"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    PENDING_GRANT = "pending_grant"


class GrantState(StrEnum):
    NONE = "none"  # unconditional: no grant is needed
    PENDING = "pending"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"  # of a grant: its request was cancelled before it was decided
    EXPIRED = "expired"  # of a grant: its last day has passed; the request's field is `refused`


class Request(Base):
    __tablename__ = "request"

    id: Mapped[Uuid] = mapped_column(primary_key=True)
    control_no: Mapped[Code] = mapped_column(unique=True)
    agency_id: Mapped[int] = mapped_column(sa.ForeignKey("agency.id"))
    submitted_by: Mapped[str]
    title: Mapped[str]
    purpose: Mapped[str]
    legal_basis: Mapped[str]
    kind_id: Mapped[int] = mapped_column(sa.ForeignKey("subject_kind.id"))
    level: Mapped[int | None] = mapped_column(sa.SmallInteger)
    period: Mapped[Code]
    """`''` where the request has none."""
    due_on: Mapped[dt.date]
    urgent: Mapped[bool]
    gap: Mapped[str]
    """`ask` or `leave`."""
    state: Mapped[Code]
    retrying: Mapped[bool] = mapped_column(server_default=sa.false())
    """Whether sources are still tried for cells that nobody may be asked for."""
    created_on: Mapped[dt.date]
    """The day on which force and windows were judged."""
    created_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())
    resolved_at: Mapped[dt.datetime | None]
    completed_at: Mapped[dt.datetime | None]
    dropped_fields: Mapped[Json]

    __table_args__ = (
        sa.Index(None, "agency_id", "id"),
        sa.Index(
            "ix_request_collecting", "due_on", postgresql_where=sa.text("state = 'collecting'")
        ),
    )


class RequestField(Base):
    __tablename__ = "request_field"

    request_id: Mapped[Uuid] = mapped_column(sa.ForeignKey("request.id"), primary_key=True)
    field_id: Mapped[int] = mapped_column(primary_key=True)
    field_version_id: Mapped[int]
    period: Mapped[Code]
    """The request's period, or `''` for a standing field."""
    collected_at: Mapped[int] = mapped_column(sa.SmallInteger)
    mode: Mapped[str]
    grant_state: Mapped[str]
    grant_decided_at: Mapped[dt.datetime | None]
    """By the database's clock, as are the instants of regions."""

    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["field_version_id", "field_id"], ["field_version.id", "field_version.field_id"]
        ),
        sa.Index(None, "field_id", "period"),
    )


class Grant(Base):
    """An owner's consent to an agency's use of a conditional field, asked for by a request."""

    __tablename__ = "grant"

    id: Mapped[Uuid] = mapped_column(primary_key=True)
    request_id: Mapped[Uuid] = mapped_column(sa.ForeignKey("request.id"), index=True)
    field_id: Mapped[int] = mapped_column(sa.ForeignKey("field.id"))
    agency_id: Mapped[int] = mapped_column(sa.ForeignKey("agency.id"))
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("agency.id"), index=True)
    state: Mapped[str]
    """`pending`, `granted`, `refused`, `withdrawn`, `expired`."""
    reason: Mapped[str | None]
    conditions: Mapped[str | None]
    valid_until: Mapped[dt.date | None]
    """The last day on which it counts; NULL: as long as there is the request."""
    answer_by: Mapped[dt.date]
    """Last day of the statutory clock: ten working days, once extended by ten at the most."""
    answer_by_provisional: Mapped[bool]
    extended: Mapped[bool] = mapped_column(server_default=sa.false())
    decided_by: Mapped[str | None]
    decided_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())

    __table_args__ = (
        sa.UniqueConstraint("request_id", "field_id"),
        sa.Index(None, "valid_until", postgresql_where=sa.text("state = 'granted'")),
    )


class RequestArea(Base):
    """The scope as it was written."""

    __tablename__ = "request_area"

    request_id: Mapped[Uuid] = mapped_column(sa.ForeignKey("request.id"), primary_key=True)
    area_id: Mapped[BigId] = mapped_column(sa.ForeignKey("area.id"), primary_key=True)


class RequestRegion(Base):
    """One region's part of a request: when it was decided, and whether it is resolved."""

    __tablename__ = "request_region"

    request_id: Mapped[Uuid] = mapped_column(sa.ForeignKey("request.id"), primary_key=True)
    region_id: Mapped[BigId] = mapped_column(primary_key=True)
    decided_at: Mapped[dt.datetime | None]
    decided_on: Mapped[dt.date | None]
    fetch_attempts: Mapped[int] = mapped_column(server_default="0")
    """How often its sources were tried before people are asked."""
    resolved_at: Mapped[dt.datetime | None]
    """NULL again while it waits to be resolved anew: until then its books are not kept."""
    last_resolved_at: Mapped[dt.datetime | None]
    """The latest time that it was resolved."""

    __table_args__ = (
        sa.Index(
            "ix_request_region_open",
            "request_id",
            postgresql_where=sa.text("resolved_at IS NULL"),
        ),
    )


class RequestUnit(Base):
    """Progress of a request: one row per region and place of subjects, and unit that answers.

    A subject keeps its region when it moves, so that one place can have several. Place and unit are the same where a village answers about itself. Both are
    frozen when the region is decided. The counts are of `CellStatus`.
    """

    __tablename__ = "request_unit"

    request_id: Mapped[Uuid] = mapped_column(sa.ForeignKey("request.id"), primary_key=True)
    region_id: Mapped[BigId] = mapped_column(primary_key=True)
    place_id: Mapped[BigId] = mapped_column(primary_key=True)
    unit_id: Mapped[BigId] = mapped_column(primary_key=True)
    collected_at: Mapped[list[int]] = mapped_column(sa.ARRAY(sa.SmallInteger))
    """Levels whose fields this unit answers for this place."""
    held: Mapped[int] = mapped_column(server_default="0")
    derived: Mapped[int] = mapped_column(server_default="0")
    shared: Mapped[int] = mapped_column(server_default="0")
    asked: Mapped[int] = mapped_column(server_default="0")
    answered: Mapped[int] = mapped_column(server_default="0")
    refused: Mapped[int] = mapped_column(server_default="0")
    unavailable: Mapped[int] = mapped_column(server_default="0")
    pending_grant: Mapped[int] = mapped_column(server_default="0")
    asks_new: Mapped[int] = mapped_column(server_default="0")
    asks_joined: Mapped[int] = mapped_column(server_default="0")

    __table_args__ = (
        # Rows that a new value or ask can still move; all others never change again.
        sa.Index(
            "ix_request_unit_outstanding",
            "place_id",
            postgresql_where=sa.text("asked + refused + unavailable + pending_grant > 0"),
        ),
        sa.Index(
            "ix_request_unit_open",
            "request_id",
            "place_id",
            postgresql_where=sa.text("asked + pending_grant > 0"),
        ),
        sa.CheckConstraint(
            "least(held, derived, shared, asked, answered, refused, unavailable, pending_grant) >= 0",
            name="no_count_below_zero",
        ),
    )


class RequestEvent(Base):
    """What happened to a request, for whoever follows it."""

    __tablename__ = "request_event"

    id: Mapped[BigId] = mapped_column(sa.Identity(always=True), primary_key=True)
    request_id: Mapped[Uuid] = mapped_column(sa.ForeignKey("request.id"), index=True)
    at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.clock_timestamp())
    kind: Mapped[str]
    data: Mapped[dict[str, Any]]


class Rejection(Base):
    """A request refused at the door, wholly or in part, kept for supervision."""

    __tablename__ = "rejection"

    id: Mapped[Uuid] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now(), index=True)
    agency_id: Mapped[int] = mapped_column(sa.ForeignKey("agency.id"))
    submitted_by: Mapped[str]
    title: Mapped[str]
    purpose: Mapped[str]
    legal_basis: Mapped[str]
    demand: Mapped[dict[str, Any]]
    """The body as it came."""
    rejected_fields: Mapped[Json]
    request_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("request.id"))
    """The request that went ahead without the rejected fields (`on_off_list: drop`)."""


class Release(Base):
    """Data given out: to whom, what, for what purpose, how many values."""

    __tablename__ = "release"

    id: Mapped[Uuid] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now(), index=True)
    agency_id: Mapped[int] = mapped_column(sa.ForeignKey("agency.id"), index=True)
    actor_label: Mapped[str]
    request_id: Mapped[Uuid] = mapped_column(sa.ForeignKey("request.id"), index=True)
    purpose: Mapped[str]
    format: Mapped[str]
    layout: Mapped[str]
    fields: Mapped[list[str]]
    areas: Mapped[list[str]]
    filters: Mapped[dict[str, Any]]
    values_count: Mapped[int] = mapped_column(sa.BigInteger)
    """Cells with an outcome that were let out: of the snapshot, once it is finished; before, what the
    books said when the export began."""
    finished_at: Mapped[dt.datetime | None]
    """When the last byte was handed over; NULL when the reader went away before."""
