"""The revisions, in their order; Alembic finds them by their files."""
