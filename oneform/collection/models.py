"""Tables of asking and answering: asks, drafts, submissions, answers, refusals."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from oneform.collection.lifecycle import ANSWERABLE, HOLDING, LIVE, AskState
from oneform.kernel.db import BY_REGION, Base, BigId, Code, Json, Uuid

ask_ids = sa.Sequence("ask_id_seq", metadata=Base.metadata, cache=200)
answer_ids = sa.Sequence("answer_id_seq", metadata=Base.metadata, cache=50)


def _state_in(states: tuple[AskState, ...]) -> sa.TextClause:
    return sa.text("state IN ({})".format(", ".join(f"'{state.value}'" for state in states)))


class Ask(Base):
    """An open question for one cell, put to one unit."""

    __tablename__ = "ask"

    region_id: Mapped[BigId] = mapped_column(primary_key=True)
    id: Mapped[BigId] = mapped_column(
        ask_ids, server_default=ask_ids.next_value(), primary_key=True
    )
    field_version_id: Mapped[int]
    field_id: Mapped[int]
    period: Mapped[Code]
    """`''`, never NULL, for standing fields: NULLs would not collide."""
    subject_id: Mapped[BigId]
    unit_id: Mapped[BigId]
    due_on: Mapped[dt.date]
    """Earliest due date of those who still wait."""
    live_until: Mapped[dt.date]
    """Last day on which an answer is taken: 30 days past the last due date, and `stood_days` more."""
    stood_days: Mapped[int] = mapped_column(server_default="0")
    """How long the clock stood still for refusals that were overturned."""
    state: Mapped[Code] = mapped_column(server_default=AskState.OPEN.value)
    comment: Mapped[str | None]
    """The reviewer's, while the ask is `returned`."""
    created_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.clock_timestamp())
    ended_at: Mapped[dt.datetime | None]

    __table_args__ = (
        # The version must belong to the field, so both columns point together.
        sa.ForeignKeyConstraint(
            ["field_version_id", "field_id"], ["field_version.id", "field_version.field_id"]
        ),
        # Asked once, and never again after a refusal was upheld.
        sa.Index(
            "uq_ask_cell",
            "region_id",
            "field_id",
            "period",
            "subject_id",
            unique=True,
            postgresql_where=_state_in(HOLDING),
        ),
        sa.Index("ix_ask_unit", "unit_id", postgresql_where=_state_in(LIVE)),
        sa.Index("ix_ask_due_on", "due_on", postgresql_where=_state_in(ANSWERABLE)),
        BY_REGION,
    )


class AnswerDraft(Base):
    """What somebody has typed but not sent. Gone when the ask ends or is sent."""

    __tablename__ = "answer_draft"

    region_id: Mapped[BigId] = mapped_column(primary_key=True)
    ask_id: Mapped[BigId] = mapped_column(primary_key=True)
    value: Mapped[Json] = mapped_column(nullable=True)
    etag: Mapped[str]
    staff_id: Mapped[Uuid]
    updated_at: Mapped[dt.datetime]


class Submission(Base):
    """Answers given in one go; the receipt."""

    __tablename__ = "submission"

    id: Mapped[Uuid] = mapped_column(primary_key=True)
    unit_id: Mapped[BigId] = mapped_column(index=True)
    staff_id: Mapped[Uuid]
    mode: Mapped[str]
    accepted: Mapped[int]
    in_review: Mapped[int]
    invalid: Mapped[Json]
    """`[{"ask", "code", "detail"}]` of what was left out (mode `partial`)."""
    created_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())


class Answer(Base):
    """One answer of a submission."""

    __tablename__ = "answer"

    region_id: Mapped[BigId] = mapped_column(primary_key=True)
    id: Mapped[BigId] = mapped_column(
        answer_ids, server_default=answer_ids.next_value(), primary_key=True
    )
    ask_id: Mapped[BigId]
    submission_id: Mapped[Uuid]
    kind: Mapped[str]
    """`value`, `confirm`, `unknown`, `not_applicable`, `amendment`."""
    value: Mapped[Json] = mapped_column(nullable=True)
    missing: Mapped[str | None]
    note: Mapped[str | None]
    state: Mapped[str]
    """`in_review`, `recorded`, `returned`, `superseded`, `withdrawn`."""
    comment: Mapped[str | None]
    decided_by: Mapped[str | None]
    decided_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.clock_timestamp())
    answered_on: Mapped[dt.date | None]
    """The day that it was then, also in a rehearsal; None: that of `created_at` (before 0011)."""

    __table_args__ = (
        sa.Index("ix_answer_ask", "region_id", "ask_id"),
        sa.Index("ix_answer_submission", "region_id", "submission_id"),
        sa.Index(
            "ix_answer_in_review",
            "region_id",
            "ask_id",
            postgresql_where=sa.text("state = 'in_review'"),
        ),
        BY_REGION,
    )


class Refusal(Base):
    """Staff say that asks are not theirs to answer; somebody decides."""

    __tablename__ = "refusal"

    id: Mapped[Uuid] = mapped_column(primary_key=True)
    unit_id: Mapped[BigId] = mapped_column(index=True)
    staff_id: Mapped[Uuid]
    reason: Mapped[str]
    comment: Mapped[str | None]
    state: Mapped[str]
    """`undecided`, `upheld`, `overturned`."""
    scope: Mapped[str | None]
    decision_reason: Mapped[str | None]
    decided_by: Mapped[str | None]
    decided_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())


class RefusalAsk(Base):
    __tablename__ = "refusal_ask"

    refusal_id: Mapped[Uuid] = mapped_column(sa.ForeignKey("refusal.id"), primary_key=True)
    region_id: Mapped[BigId] = mapped_column(primary_key=True)
    ask_id: Mapped[BigId] = mapped_column(primary_key=True)


class Exemption(Base):
    """Nobody is asked this field for this period: a refusal upheld for all units."""

    __tablename__ = "exemption"

    field_id: Mapped[int] = mapped_column(sa.ForeignKey("field.id"), primary_key=True)
    period: Mapped[Code] = mapped_column(primary_key=True)
    refusal_id: Mapped[Uuid] = mapped_column(sa.ForeignKey("refusal.id"))
