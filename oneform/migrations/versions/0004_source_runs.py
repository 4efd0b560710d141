"""Runs of a source are found by their time: there are many, and each call asks for the latest."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_index(
        "ix_source_run_source_id_created_at", "source_run", ["source_id", "created_at"]
    )
    op.drop_index("ix_source_run_source_id", "source_run")
