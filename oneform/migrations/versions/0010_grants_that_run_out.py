"""Grants are looked for that have run out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_index(
        "ix_grant_valid_until",
        "grant",
        ["valid_until"],
        unique=False,
        postgresql_where=sa.text("state = 'granted'"),
    )
