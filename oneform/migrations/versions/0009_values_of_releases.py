"""When a release is finished, the number of its values is put right."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.execute("DROP TRIGGER finished_once ON release")
    op.execute(
        "CREATE TRIGGER finished_once BEFORE UPDATE ON release FOR EACH ROW "
        "WHEN (OLD.finished_at IS NOT NULL OR NEW.finished_at IS NULL"
        "  OR to_jsonb(NEW) - 'finished_at' - 'values_count'"
        "    <> to_jsonb(OLD) - 'finished_at' - 'values_count') "
        "EXECUTE FUNCTION append_only()"
    )
