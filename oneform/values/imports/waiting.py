"""The rows of an import that wait: what came in blocks, less what was taken off since.

Blocks are never changed. Which of their rows are done with, recorded or refused, is
written beside them, in the transaction that did it; all of it goes when the import ends.
"""

from __future__ import annotations

import uuid

from oneform.kernel.context import Context

# What had been taken off when the run began.
_GONE = """
CREATE TEMPORARY TABLE import_gone AS
SELECT DISTINCT t.row FROM value_import_taken AS n CROSS JOIN LATERAL unnest(n.rows) AS t(row)
WHERE n.import_id = :id
"""

# Not unpacked where they are joined: how many rows a block has is not known to the planner, and if
# it takes them for a few, it looks through all subjects for each block.
_UNPACK = """
CREATE TEMPORARY TABLE import_row AS
SELECT u.row, u.head, u.subject, u.value FROM value_import_block AS b
CROSS JOIN LATERAL unnest(b.rows, b.heads, b.subjects, b.values) AS u(row, head, subject, value)
WHERE b.import_id = :id AND NOT EXISTS (SELECT FROM import_gone AS gone WHERE gone.row = u.row)
"""

HEADS = """
SELECT b.first_head + h.place - 1, h.field, h.period, h.day FROM value_import_block AS b
CROSS JOIN LATERAL unnest(b.fields, b.periods, b.days) WITH ORDINALITY AS h(field, period, day, place)
WHERE b.import_id = %(id)s
"""

SUBJECTS = """(
  SELECT CAST(b.first_subject + k.place - 1 AS int) AS number, k.subject FROM value_import_block AS b
  CROSS JOIN LATERAL unnest(b.keys) WITH ORDINALITY AS k(subject, place)
  WHERE b.import_id = :id) AS k"""
"""A FROM item, for `:id`: the keys of subjects by their numbers."""


def unpack(ctx: Context, import_id: uuid.UUID) -> None:
    """Fill `import_row` with the rows that wait, by the numbers of their heads and subjects."""
    ctx.sql(_GONE, id=import_id)
    ctx.sql("ANALYZE import_gone")
    ctx.sql(_UNPACK, id=import_id)


_LATEST = "SELECT coalesce(max(number), 0) FROM value_import_taken WHERE import_id = :id"

_LEAVE_OUT = """
DELETE FROM import_cell AS c
USING (SELECT unnest(rows) AS row FROM value_import_taken
       WHERE import_id = :id AND number > :seen) AS gone
WHERE c.row = gone.row
"""


def latest_taken(ctx: Context, import_id: uuid.UUID) -> int:
    """The number under which rows of an import were last taken off; 0 for none."""
    return int(ctx.sql(_LATEST, id=import_id).scalar_one())


def leave_out(ctx: Context, import_id: uuid.UUID, seen: int) -> int:
    """Drop from `import_cell` what other runs have taken off since `seen`. The latest number."""
    latest = latest_taken(ctx, import_id)
    if latest > seen:
        ctx.sql(_LEAVE_OUT, id=import_id, seen=seen)
    return latest


# Whoever takes rows off holds the import, so that numbers do not meet.
_TAKE_REGION = """
INSERT INTO value_import_taken (import_id, number, rows)
SELECT :id, :number, array_agg(row) FROM import_cell WHERE region_id = :region HAVING count(*) > 0
"""

_TAKE_REFUSED = """
INSERT INTO value_import_taken (import_id, number, rows)
SELECT :id, :number, array_agg(row) FROM import_refused HAVING count(*) > 0
RETURNING cardinality(rows)
"""


def take_region(ctx: Context, import_id: uuid.UUID, number: int, region_id: int) -> bool:
    """Take off the rows of a region in `import_cell`; whether there are any."""
    given = {"id": import_id, "number": number, "region": region_id}
    return ctx.sql(_TAKE_REGION, **given).rowcount > 0


def take_refused(ctx: Context, import_id: uuid.UUID, number: int) -> int:
    """Take off the rows of `import_refused`. How many."""
    return ctx.sql(_TAKE_REFUSED, id=import_id, number=number).scalar_one_or_none() or 0
