"""Tables of those who use oneform: agencies, their clients, people, sessions."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from oneform.kernel.db import Base, BigId, Code, Uuid


class Agency(Base):
    __tablename__ = "agency"

    id: Mapped[int] = mapped_column(sa.Identity(), primary_key=True)
    code: Mapped[Code] = mapped_column(unique=True)
    name: Mapped[dict[str, Any]]
    """`{"zh": …, "en": …}`; `zh` is always there."""
    area_id: Mapped[int | None] = mapped_column(sa.BigInteger, sa.ForeignKey("area.id"))
    """Its reach; NULL (owners named by a bundle only) reaches nothing."""
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("agency.id"))


class ApiClient(Base):
    """A key of an agency. The secret itself is never stored."""

    __tablename__ = "api_client"

    id: Mapped[Uuid] = mapped_column(primary_key=True)
    key_id: Mapped[Code] = mapped_column(unique=True)
    """Public part of the key, to find and to revoke it by."""
    key_hash: Mapped[bytes]
    """SHA-256 of the secret part (256 random bits: no slow hash is needed)."""
    agency_id: Mapped[int] = mapped_column(sa.ForeignKey("agency.id"), index=True)
    name: Mapped[str]
    scopes: Mapped[list[str]]
    expires_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())


class Staff(Base):
    """A person with an account, of the grassroots or of an agency."""

    __tablename__ = "staff"

    id: Mapped[Uuid] = mapped_column(primary_key=True)
    username: Mapped[Code] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str | None]
    area_id: Mapped[BigId] = mapped_column(sa.ForeignKey("area.id"), index=True)
    agency_id: Mapped[int | None] = mapped_column(sa.ForeignKey("agency.id"))
    disabled_at: Mapped[dt.datetime | None]
    failed_attempts: Mapped[int] = mapped_column(server_default="0")
    locked_until: Mapped[dt.datetime | None]
    language: Mapped[str] = mapped_column(server_default="zh")
    created_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())


class StaffRole(Base):
    __tablename__ = "staff_role"

    staff_id: Mapped[Uuid] = mapped_column(
        sa.ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[Code] = mapped_column(primary_key=True)


class SessionToken(Base):
    """A person's session, of the API or of the pages. Only its hash is kept."""

    __tablename__ = "session_token"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    staff_id: Mapped[Uuid] = mapped_column(
        sa.ForeignKey("staff.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)


class AccessToken(Base):
    """An OAuth 2 access token of a client (client credentials)."""

    __tablename__ = "access_token"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    client_id: Mapped[Uuid] = mapped_column(
        sa.ForeignKey("api_client.id", ondelete="CASCADE"), index=True
    )
    scopes: Mapped[list[str]]
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)
