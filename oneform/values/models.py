"""Tables of values: what is held, what was held, and where it came from."""

from __future__ import annotations

import datetime as dt
import uuid
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from oneform.kernel.db import BY_REGION, Base, BigId, Code, Json, Uuid


class ProvenanceKind(StrEnum):
    SUBMISSION = "submission"
    SOURCE = "source"
    IMPORT = "import"
    COMPUTATION = "computation"
    CORRECTION = "correction"


class SinceKind(StrEnum):
    """How a cell was first filled; the status that it has for requests decided before."""

    ANSWERED = "answered"
    SHARED = "shared"
    DERIVED = "derived"


SINCE_KIND = {
    ProvenanceKind.SUBMISSION: SinceKind.ANSWERED,
    ProvenanceKind.SOURCE: SinceKind.SHARED,
    ProvenanceKind.IMPORT: SinceKind.SHARED,
    ProvenanceKind.CORRECTION: SinceKind.SHARED,
    ProvenanceKind.COMPUTATION: SinceKind.DERIVED,
}


class Missing(StrEnum):
    """An answer without a value."""

    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"


class Provenance(Base):
    """Where a batch of values came from: one row per batch, not per value."""

    __tablename__ = "provenance"

    id: Mapped[BigId] = mapped_column(sa.Identity(always=True), primary_key=True)
    kind: Mapped[str]
    actor_kind: Mapped[str]
    actor_id: Mapped[str]
    actor_label: Mapped[str]
    agency_id: Mapped[int | None]
    source_id: Mapped[int | None]
    """The source, where `kind` is `source`."""
    ref: Mapped[uuid.UUID | None]
    """The submission, run, import or correction."""
    at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())


class CellValue(Base):
    """The current value of a cell. Columns: DESIGN.md §5.

    `value` is NULL exactly when `missing` says why. `fresh_until` is the last
    day on which the value counts as fresh (NULL: final for its period).
    `since` and `since_kind` tell when and how the cell was filled and has been
    fresh without a gap; `refilled` that there was such a stretch before, to be
    found in the history.
    """

    __tablename__ = "cell_value"

    region_id: Mapped[BigId] = mapped_column(primary_key=True)
    field_id: Mapped[int] = mapped_column(primary_key=True)
    """No foreign key: fields are never deleted (their versions cannot be), and to check it all
    submissions would lock the rows of the same few fields, for each of their answers (ADR 0009)."""
    period: Mapped[Code] = mapped_column(primary_key=True)
    subject_id: Mapped[BigId] = mapped_column(primary_key=True)
    value: Mapped[Json] = mapped_column(nullable=True)
    missing: Mapped[str | None]
    observed_on: Mapped[dt.date]
    provenance_id: Mapped[BigId]
    """No foreign key either: `provenance` is append only."""
    recorded_at: Mapped[dt.datetime]
    since: Mapped[dt.datetime]
    since_kind: Mapped[str]
    fresh_until: Mapped[dt.date | None]
    refilled: Mapped[bool] = mapped_column(server_default=sa.false())

    __table_args__ = (
        sa.CheckConstraint("(value IS NULL) = (missing IS NOT NULL)", name="value_or_missing"),
        BY_REGION,
    )


class CellValueHistory(Base):
    """A value that was superseded."""

    __tablename__ = "cell_value_history"

    region_id: Mapped[BigId] = mapped_column(primary_key=True)
    field_id: Mapped[int] = mapped_column(primary_key=True)
    period: Mapped[Code] = mapped_column(primary_key=True)
    subject_id: Mapped[BigId] = mapped_column(primary_key=True)
    superseded_at: Mapped[dt.datetime] = mapped_column(primary_key=True)
    value: Mapped[Json] = mapped_column(nullable=True)
    missing: Mapped[str | None]
    observed_on: Mapped[dt.date]
    provenance_id: Mapped[BigId]
    recorded_at: Mapped[dt.datetime]
    since: Mapped[dt.datetime]
    since_kind: Mapped[str]
    fresh_until: Mapped[dt.date | None]

    __table_args__ = (BY_REGION,)


class ValueImport(Base):
    """A file of values that an owner pushed; its rows wait in `value_import_block`."""

    __tablename__ = "value_import"

    id: Mapped[Uuid] = mapped_column(primary_key=True)
    agency_id: Mapped[int | None] = mapped_column(sa.ForeignKey("agency.id"))
    actor_kind: Mapped[str]
    actor_id: Mapped[str]
    actor_label: Mapped[str]
    dry_run: Mapped[bool]
    state: Mapped[str]
    """`waiting`, `running`, `done`, `stopped`."""
    created: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")
    updated: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")
    unchanged: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")
    invalid: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")
    created_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())
    finished_at: Mapped[dt.datetime | None]


class ValueImportBlock(Base):
    """Some thousand rows as they came; all are deleted when the import ends.

    The n-th row is `rows[n]` (its line), `heads[n]`, `subjects[n]`, `values[n]` (JSON text).
    Heads and subjects are numbered throughout the import, and named in the block in which
    they come first: `first_head` is (`fields[1]`, `periods[1]`, `days[1]`), and so on;
    `first_subject` is `keys[1]`.
    """

    __tablename__ = "value_import_block"

    import_id: Mapped[Uuid] = mapped_column(
        sa.ForeignKey("value_import.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    first_head: Mapped[int]
    fields: Mapped[list[str]]
    periods: Mapped[list[str]]
    days: Mapped[list[str]]
    first_subject: Mapped[int]
    keys: Mapped[list[str]]
    rows: Mapped[list[int]] = mapped_column(sa.ARRAY(sa.BigInteger))
    heads: Mapped[list[int]] = mapped_column(sa.ARRAY(sa.Integer))
    subjects: Mapped[list[int]] = mapped_column(sa.ARRAY(sa.Integer))
    values: Mapped[list[str]]


class ValueImportTaken(Base):
    """Rows of an import that are done with, recorded or refused, by the transaction that did it."""

    __tablename__ = "value_import_taken"

    import_id: Mapped[Uuid] = mapped_column(
        sa.ForeignKey("value_import.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    """From 1, in the order of the transactions."""
    rows: Mapped[list[int]] = mapped_column(sa.ARRAY(sa.BigInteger))


class ValueConflict(Base):
    """A row of an import that was refused, and why."""

    __tablename__ = "value_conflict"

    import_id: Mapped[Uuid] = mapped_column(
        sa.ForeignKey("value_import.id", ondelete="CASCADE"), primary_key=True
    )
    row: Mapped[BigId] = mapped_column(primary_key=True)
    pointer: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    detail: Mapped[str]
