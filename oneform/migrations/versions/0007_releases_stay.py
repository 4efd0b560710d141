"""A release stays as it was put on record; only its end is added, once."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute(
        "CREATE TRIGGER append_only BEFORE DELETE ON release "
        "FOR EACH ROW EXECUTE FUNCTION append_only()"
    )
    op.execute(
        "CREATE TRIGGER finished_once BEFORE UPDATE ON release FOR EACH ROW "
        "WHEN (OLD.finished_at IS NOT NULL"
        "  OR to_jsonb(NEW) - 'finished_at' <> to_jsonb(OLD) - 'finished_at') "
        "EXECUTE FUNCTION append_only()"
    )
