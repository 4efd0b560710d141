"""Tables of the whitelist: fields, their versions, code lists.

A published version is immutable: a trigger refuses every change of it but its
end (`ends_on`, `ended_as`).
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.orm import Mapped, mapped_column

from oneform.kernel.db import Base, Code, Json


class Mode(StrEnum):
    """How a value may be had."""

    COLLECT = "collect"  # may be asked
    SHARE = "share"  # only from sources
    DERIVE = "derive"  # computed


class Sharing(StrEnum):
    """Category under 政务数据共享条例."""

    UNCONDITIONAL = "unconditional"
    CONDITIONAL = "conditional"
    RESTRICTED = "restricted"


class Review(StrEnum):
    NONE = "none"
    TOWNSHIP = "township"


class EndedAs(StrEnum):
    SUPERSEDED = "superseded"
    RETIRED = "retired"


class Origin(StrEnum):
    """Who put a version in force; a bundle never touches what the workflow changed."""

    OPERATOR = "operator"
    WORKFLOW = "workflow"


class Field(Base):
    __tablename__ = "field"

    id: Mapped[int] = mapped_column(sa.Identity(), primary_key=True)
    code: Mapped[Code] = mapped_column(unique=True)


class FieldVersion(Base):
    __tablename__ = "field_version"

    id: Mapped[int] = mapped_column(sa.Identity(), primary_key=True)
    field_id: Mapped[int] = mapped_column(sa.ForeignKey("field.id"))
    version: Mapped[int]
    name: Mapped[dict[str, Any]]
    definition: Mapped[dict[str, Any]]
    synonyms: Mapped[list[str]]
    topic: Mapped[Code]
    kind_id: Mapped[int] = mapped_column(sa.ForeignKey("subject_kind.id"))
    levels: Mapped[list[int]] = mapped_column(pg.ARRAY(sa.SmallInteger))
    """Levels of the areas that it is about; empty for other kinds."""
    value_schema: Mapped[Json]
    """JSON Schema as in the bundle (`code_list` not yet resolved)."""
    unit: Mapped[str | None]
    period_type: Mapped[str]
    valid_for: Mapped[str | None]
    """ISO 8601 duration; standing fields only. NULL there: fresh for ever."""
    mode: Mapped[str]
    collected_at: Mapped[int] = mapped_column(sa.SmallInteger)
    review: Mapped[str]
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("agency.id"))
    sharing_category: Mapped[str]
    sharing: Mapped[dict[str, Any]]
    legal_basis: Mapped[str]
    sensitivity: Mapped[int] = mapped_column(sa.SmallInteger)
    personal: Mapped[bool]
    rollup: Mapped[str]
    derivation: Mapped[Json] = mapped_column(nullable=True)
    soft_checks: Mapped[Json]
    seconds: Mapped[int]
    """Estimated seconds that an answer takes."""
    window: Mapped[Json] = mapped_column(nullable=True)
    effective_from: Mapped[dt.date]
    expires_on: Mapped[dt.date]
    """Last day in force."""
    ends_on: Mapped[dt.date | None]
    """First day no longer in force, where it was superseded or retired before it expired."""
    ended_as: Mapped[str | None]
    origin: Mapped[str]
    published_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())

    __table_args__ = (
        sa.UniqueConstraint("field_id", "version"),
        sa.UniqueConstraint("id", "field_id"),
        sa.CheckConstraint("expires_on >= effective_from", name="term"),
        sa.CheckConstraint(
            "expires_on <= (effective_from + interval '3 years')::date", name="three_years"
        ),
        sa.CheckConstraint("(ends_on IS NULL) = (ended_as IS NULL)", name="end"),
        sa.CheckConstraint("mode <> 'collect' OR seconds > 0", name="seconds"),
        sa.CheckConstraint("sensitivity BETWEEN 1 AND 4", name="sensitivity"),
    )


class CodeList(Base):
    __tablename__ = "code_list"

    id: Mapped[int] = mapped_column(sa.Identity(), primary_key=True)
    code: Mapped[Code] = mapped_column(unique=True)
    name: Mapped[dict[str, Any]]


class CodeListItem(Base):
    __tablename__ = "code_list_item"

    list_id: Mapped[int] = mapped_column(sa.ForeignKey("code_list.id"), primary_key=True)
    code: Mapped[Code] = mapped_column(primary_key=True)
    name: Mapped[dict[str, Any]]
    position: Mapped[int]
    retired_on: Mapped[dt.date | None]
    """Items are never deleted: values that hold them stay readable."""
