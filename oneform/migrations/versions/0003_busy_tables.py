"""Indexes and constraints of the tables that submissions write to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # With the place: whoever closes a unit looks for the next one that is open.
    op.drop_index("ix_request_unit_open", "request_unit")
    op.create_index(
        "ix_request_unit_open",
        "request_unit",
        ["request_id", "place_id"],
        unique=False,
        postgresql_where=sa.text("asked + pending_grant > 0"),
    )
    # Fields are never deleted. The check locked the rows of `field`, in every submission the same few.
    op.drop_constraint("fk_cell_value_field_id", "cell_value", type_="foreignkey")
