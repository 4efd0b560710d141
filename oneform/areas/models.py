"""Tables of areas and subjects.

An area row is one area through all its recodings and renamings, so that
everything that points at it stays right; what it was called before is in
`area_history`. Every area has a subject of kind `area` with the same id.
"""

from __future__ import annotations

import datetime as dt
from enum import IntEnum, StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from oneform.kernel.db import BY_REGION, Base, BigId, Code, Json

subject_ids = sa.Sequence("subject_id_seq", metadata=Base.metadata, cache=50)
"""Shared by areas and subjects, so that an area and its subject have one number."""


class Level(IntEnum):
    """Level of an area, as in the statistical area codes; 6 is below them."""

    PROVINCE = 1
    PREFECTURE = 2
    COUNTY = 3
    TOWNSHIP = 4
    VILLAGE = 5
    GRID = 6

    @property
    def word(self) -> str:
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Level:
        """`village` → `Level.VILLAGE`; KeyError for anything else."""
        return cls[word.upper()]


REGION_LEVEL = Level.COUNTY
"""Subjects are sharded by the area of this level above them."""


class AreaChangeKind(StrEnum):
    OPEN = "open"
    RECODE = "recode"
    RENAME = "rename"
    MOVE = "move"
    MERGE = "merge"
    SPLIT = "split"
    CLOSE = "close"


class Area(Base):
    __tablename__ = "area"

    id: Mapped[BigId] = mapped_column(
        subject_ids, server_default=subject_ids.next_value(), primary_key=True
    )
    code: Mapped[Code]
    name: Mapped[str]
    level: Mapped[int] = mapped_column(sa.SmallInteger)
    parent_id: Mapped[int | None] = mapped_column(sa.BigInteger, sa.ForeignKey("area.id"))
    region_id: Mapped[BigId]
    path: Mapped[Code]
    """Ids from the root to the area itself, `/1/23/456/`: descendants share it as a prefix."""
    urban_rural_class: Mapped[str | None]
    valid_from: Mapped[dt.date | None]
    """First day under the present code, name and parent; NULL: since ever."""
    valid_to: Mapped[dt.date | None]
    """First day on which the area is no more; NULL while it exists."""

    __table_args__ = (
        sa.Index(
            "uq_area_code_live", "code", unique=True, postgresql_where=sa.text("valid_to IS NULL")
        ),
        sa.Index(None, "code"),
        sa.Index(None, "path"),
        sa.Index(None, "parent_id", "code"),
        sa.Index(None, "region_id"),
        sa.CheckConstraint("id <> parent_id", name="not_its_own_parent"),
        sa.CheckConstraint("level BETWEEN 1 AND 6", name="level"),
    )


class AreaHistory(Base):
    """What an area was called, and where it hung, until a day."""

    __tablename__ = "area_history"

    id: Mapped[BigId] = mapped_column(sa.Identity(always=True), primary_key=True)
    area_id: Mapped[BigId] = mapped_column(sa.ForeignKey("area.id"), index=True)
    code: Mapped[Code] = mapped_column(index=True)
    name: Mapped[str]
    level: Mapped[int] = mapped_column(sa.SmallInteger)
    parent_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    urban_rural_class: Mapped[str | None]
    valid_from: Mapped[dt.date | None]
    valid_to: Mapped[dt.date]


class AreaChange(Base):
    """One line of an area changes file, as it was applied."""

    __tablename__ = "area_change"

    id: Mapped[BigId] = mapped_column(sa.Identity(always=True), primary_key=True)
    kind: Mapped[str]
    on_date: Mapped[dt.date]
    from_id: Mapped[int | None] = mapped_column(sa.BigInteger, sa.ForeignKey("area.id"), index=True)
    to_id: Mapped[int | None] = mapped_column(sa.BigInteger, sa.ForeignKey("area.id"), index=True)
    old_code: Mapped[str | None]
    new_code: Mapped[str | None]
    old_name: Mapped[str | None]
    new_name: Mapped[str | None]
    recorded_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())


class SubjectKind(Base):
    """A kind of thing that values are about. `area` is always there."""

    __tablename__ = "subject_kind"

    id: Mapped[int] = mapped_column(sa.Identity(), primary_key=True)
    code: Mapped[Code] = mapped_column(unique=True)
    name: Mapped[dict[str, Any]]
    key_schema: Mapped[Json] = mapped_column(nullable=True)
    """JSON Schema of the keys of its subjects; NULL: any string."""
    personal: Mapped[bool] = mapped_column(server_default=sa.false())
    """Keys identify people: outside, such a subject is named by its id, never by its key."""


class Subject(Base):
    """Present state of a subject; earlier placements are in `subject_history`."""

    __tablename__ = "subject"

    region_id: Mapped[BigId] = mapped_column(primary_key=True)
    id: Mapped[BigId] = mapped_column(
        subject_ids, server_default=subject_ids.next_value(), primary_key=True
    )
    kind_id: Mapped[int] = mapped_column(sa.ForeignKey("subject_kind.id"))
    key: Mapped[Code]
    name: Mapped[str]
    area_id: Mapped[BigId]
    active_from: Mapped[dt.date | None]
    active_to: Mapped[dt.date | None]
    """First day on which it is no more; NULL while it is active."""
    recorded_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.clock_timestamp())
    """Since when it is known to be so placed."""

    __table_args__ = (
        sa.Index("ix_subject_place", "area_id", "kind_id"),
        sa.Index(
            "uq_subject_key",
            "region_id",
            "kind_id",
            "key",
            unique=True,
            postgresql_where=sa.text("active_to IS NULL"),
        ),
        BY_REGION,
    )


class SubjectHistory(Base):
    """A placement of a subject that was superseded."""

    __tablename__ = "subject_history"

    region_id: Mapped[BigId] = mapped_column(primary_key=True)
    subject_id: Mapped[BigId] = mapped_column(primary_key=True)
    superseded_at: Mapped[dt.datetime] = mapped_column(
        server_default=sa.func.clock_timestamp(), primary_key=True
    )
    kind_id: Mapped[int]
    key: Mapped[Code]
    name: Mapped[str]
    area_id: Mapped[BigId]
    active_from: Mapped[dt.date | None]
    active_to: Mapped[dt.date | None]
    recorded_at: Mapped[dt.datetime]

    __table_args__ = (
        sa.Index("ix_subject_history_place", "area_id", "kind_id"),
        BY_REGION,
    )
