"""Rows of an import wait in blocks; which of them are done with is written beside them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_PLAIN = {
    "value_import_block": ("rows", "heads", "subjects", "values"),
    "value_import_taken": ("rows",),
}

# Imports that wait, or were half-way, go on: what is left of their rows becomes blocks, the first
# of which names all heads and subjects.
_PACK = """
WITH numbered AS MATERIALIZED (
  SELECT import_id, row, field, period, coalesce(observed_on, '') AS day, subject,
    coalesce(value, 'null') AS value,
    dense_rank() OVER (PARTITION BY import_id ORDER BY field, period, coalesce(observed_on, ''))
      AS head,
    dense_rank() OVER (PARTITION BY import_id ORDER BY subject) AS key,
    (row_number() OVER (PARTITION BY import_id ORDER BY row) - 1) / 5000 + 1 AS number
  FROM value_import_row WHERE import_id IN (SELECT id FROM value_import)),
heads AS (
  SELECT import_id, array_agg(field ORDER BY head) AS fields,
    array_agg(period ORDER BY head) AS periods, array_agg(day ORDER BY head) AS days
  FROM (SELECT DISTINCT import_id, head, field, period, day FROM numbered) AS h
  GROUP BY import_id),
subjects AS (
  SELECT import_id, array_agg(subject ORDER BY key) AS keys
  FROM (SELECT DISTINCT import_id, key, subject FROM numbered) AS s GROUP BY import_id),
packed AS (
  SELECT import_id, number, array_agg(row ORDER BY row) AS rows,
    array_agg(head ORDER BY row) AS heads, array_agg(key ORDER BY row) AS subjects,
    array_agg(value ORDER BY row) AS values
  FROM numbered GROUP BY import_id, number)
INSERT INTO value_import_block (import_id, number, first_head, fields, periods, days,
  first_subject, keys, rows, heads, subjects, values)
SELECT p.import_id, p.number, 1,
  CASE WHEN p.number = 1 THEN h.fields ELSE '{}' END,
  CASE WHEN p.number = 1 THEN h.periods ELSE '{}' END,
  CASE WHEN p.number = 1 THEN h.days ELSE '{}' END,
  1, CASE WHEN p.number = 1 THEN s.keys ELSE '{}' END,
  p.rows, p.heads, p.subjects, p.values
FROM packed AS p JOIN heads AS h USING (import_id) JOIN subjects AS s USING (import_id)
"""


def upgrade() -> None:
    many = sa.ARRAY(sa.BigInteger())
    # No row may come, or be recorded, between the packing and the end of the old table.
    op.execute("LOCK TABLE value_import, value_import_row IN ACCESS EXCLUSIVE MODE")
    op.create_table(
        "value_import_block",
        sa.Column("import_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("first_head", sa.Integer(), nullable=False),
        sa.Column("fields", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("periods", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("days", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("first_subject", sa.Integer(), nullable=False),
        sa.Column("keys", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("rows", many, nullable=False),
        sa.Column("heads", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("subjects", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("values", sa.ARRAY(sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["value_import.id"],
            name="fk_value_import_block_import_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("import_id", "number", name="pk_value_import_block"),
    )
    op.create_table(
        "value_import_taken",
        sa.Column("import_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("rows", many, nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["value_import.id"],
            name="fk_value_import_taken_import_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("import_id", "number", name="pk_value_import_taken"),
    )
    # To compress them takes longer than to write them.
    for table, columns in _PLAIN.items():
        for column in columns:
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL")
    op.execute(_PACK)
    op.drop_table("value_import_row")
