"""Which state of the catalogue it is: every change leaves one entry in the audit trail, and
the number of the last one is the stamp.

That costs no table of its own and cannot be forgotten, since a change must be on record
anyway. Numbers are never given twice, also when a transaction is rolled back; and since
changes take the lock of the catalogue, they are committed in the order of their numbers.
"""

from __future__ import annotations

from typing import Any

from oneform.audit import service as audit
from oneform.audit.tags import Tag
from oneform.kernel.context import Context

TARGET = ("catalog", "whitelist")

Stamp = tuple[int, int]

# The sum keeps the planner from walking the whole trail backwards in search of a rare target.
# Agencies count because their names are searched for; they are changed without the lock.
_STAMP = """
SELECT (SELECT coalesce(max(id + 0), 0) FROM audit_event
        WHERE target_type = 'catalog' AND target_id = 'whitelist') AS last,
       (SELECT count(*) FROM audit_event
        WHERE tag IN ('agencies.imported', 'agency.created')) AS agencies
"""


def record_change(ctx: Context, tag: Tag, **data: Any) -> None:
    """Put a change of the catalogue on record. The caller holds `Space.CATALOG`."""
    audit.append(ctx, tag, *TARGET, **data)
    # Statements of this transaction that look for the stamp are to see it.
    ctx.session.flush()


def current_stamp(ctx: Context) -> Stamp:
    """Equal stamps, equal catalogues."""
    row = ctx.sql(_STAMP).one()
    return row.last, row.agencies
