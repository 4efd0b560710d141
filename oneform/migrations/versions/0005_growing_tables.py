"""What a submission does to `provenance` and `answer` costs the same however many rows they have."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    # Twenty checks of one row that the same transaction has just written; each with a plan that a
    # connection made when the table was small, and kept: it read all of it.
    op.drop_constraint("fk_cell_value_provenance_id", "cell_value", type_="foreignkey")
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON provenance "
        "FOR EACH ROW EXECUTE FUNCTION append_only()"
    )
    # What waits for review is little; without it a plan from when the table was empty read a region.
    op.create_index(
        "ix_answer_in_review",
        "answer",
        ["region_id", "ask_id"],
        unique=False,
        postgresql_where=sa.text("state = 'in_review'"),
    )
