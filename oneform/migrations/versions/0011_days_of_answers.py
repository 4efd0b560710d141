"""On which day an answer was given: what is accepted after a review was observed then."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    # Empty for answers of before, whose day is that of `created_at`: no table is written anew.
    op.add_column("answer", sa.Column("answered_on", sa.Date(), nullable=True))
