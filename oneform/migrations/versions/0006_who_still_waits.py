"""Who still waits for an ask, and what of a request that is resolved anew was counted before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column(
        "ask", sa.Column("stood_days", sa.Integer(), server_default="0", nullable=False)
    )
    # Whoever is past their last day is past the late days of their due date, too: one index for both.
    op.drop_index("ix_ask_live_until", "ask")
    op.create_index(
        "ix_ask_due_on",
        "ask",
        ["due_on"],
        unique=False,
        postgresql_where=sa.text("state IN ('open', 'returned')"),
    )
    op.add_column(
        "request_region", sa.Column("last_resolved_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.execute("UPDATE request_region SET last_resolved_at = resolved_at")
    op.add_column(
        "request_field", sa.Column("grant_decided_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.execute(
        "UPDATE request_field AS rf SET grant_decided_at = g.decided_at "
        'FROM "grant" AS g WHERE g.request_id = rf.request_id AND g.field_id = rf.field_id'
    )
