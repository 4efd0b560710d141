"""Verbs on the area tree: importing, changing, exporting. Reading is in `queries`.

The tree has one writer at a time (`Space.AREAS`, taken first), which then takes
the regions concerned, alone, before it writes: see `oneform.kernel.locks`.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from oneform.areas import formats
from oneform.areas.changes import Changes
from oneform.areas.csvfile import read_table
from oneform.areas.errors import BrokenFile
from oneform.areas.formats import Broken
from oneform.areas.importing import AreaImport, ImportReport
from oneform.areas.loading import load_ended, load_tree
from oneform.areas.writing import write_outcome
from oneform.audit import service as audit
from oneform.audit.tags import Tag
from oneform.identity import policy
from oneform.identity.policy import Permission
from oneform.kernel import locks
from oneform.kernel.context import Context
from oneform.kernel.locks import Space

CHUNK = 1000
"""Lines written at once."""


def import_areas(ctx: Context, file: bytes | Path) -> ImportReport:
    """Take in an areas file (API.md, section 7), all or nothing; a second time changes nothing.

    What a file states and what it cannot is told in `importing`. BrokenFile with
    every mistake and its line.
    """
    policy.require(ctx, Permission.OPERATE)
    table = read_table(file, formats.AREA_COLUMNS, formats.AREA_OPTIONAL)
    lines, broken = formats.area_lines(table)
    locks.take(ctx, Space.AREAS)
    codes = {code for line in lines for code in (line.code, line.parent_code) if code}
    tree = load_tree(ctx, codes)
    ended = load_ended(ctx, [line.code for line in lines if line.valid_to])
    work = AreaImport(lines, broken, tree, ended, ctx.today())
    if mistakes := table.mistakes + work.judge():
        raise BrokenFile(mistakes)
    report = work.apply()
    if report.created or report.updated:
        write_outcome(ctx, tree)
        audit.append(
            ctx,
            Tag.AREAS_IMPORTED,
            created=report.created,
            updated=report.updated,
            unchanged=report.unchanged,
        )
    return report


def apply_changes(ctx: Context, file: bytes | Path) -> dict[str, int]:
    """Apply an area changes file in its order, all or nothing; the number of lines of each kind.

    The rules are in `changes`. BrokenFile with every mistake and its line;
    Conflict if something else got in between.
    """
    policy.require(ctx, Permission.OPERATE)
    table = read_table(file, formats.CHANGE_COLUMNS)
    lines = formats.change_lines(table)
    locks.take(ctx, Space.AREAS)
    good = [line for line in lines if not isinstance(line, Broken)]
    tree = load_tree(
        ctx,
        {
            code
            for line in good
            for code in (line.old_code, line.new_code, line.parent_code)
            if code
        },
        children_of={line.old_code for line in good if line.old_code},
    )
    work = Changes(tree, ctx.today())
    work.run(lines)
    if mistakes := table.mistakes + work.mistakes:
        raise BrokenFile(mistakes)
    counts = dict(Counter(line.kind.value for line in good))
    if counts:
        write_outcome(ctx, tree)
        audit.append(ctx, Tag.AREAS_CHANGED, **counts)
    return counts


# A day on which a change took effect belongs to the changes; only what a file said itself is given.
_HAS_OPTIONAL = """
SELECT coalesce(bool_or(a.valid_from IS NOT NULL AND NOT EXISTS (
    SELECT FROM area_change AS c WHERE c.to_id = a.id AND c.on_date = a.valid_from)), false)
    AS valid_from,
  coalesce(bool_or(a.urban_rural_class IS NOT NULL), false) AS urban_rural_class
FROM area AS a WHERE a.valid_to IS NULL
"""


def export_areas(ctx: Context) -> Iterator[bytes]:
    """The areas that exist, as an areas file: ordered by code, lines end in CR LF, no BOM.

    Equal trees give equal bytes. `urban_rural_class` is there if an area has one,
    `valid_from` if an area has a first day that no change accounts for.
    """
    policy.require(ctx, Permission.READ_AREAS)
    given = ctx.sql(_HAS_OPTIONAL).one()
    columns = {"code": "a.code", "parent_code": "p.code", "level": "a.level", "name": "a.name"}
    if given.valid_from:
        columns["valid_from"] = "a.valid_from"
    if given.urban_rural_class:
        columns["urban_rural_class"] = "a.urban_rural_class"
    rows = ctx.sql(
        f"SELECT {', '.join(columns.values())} FROM area AS a "
        "LEFT JOIN area AS p ON p.id = a.parent_id WHERE a.valid_to IS NULL ORDER BY a.code"
    )

    def written() -> Iterator[bytes]:
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(columns)
        for part in rows.partitions(CHUNK):
            writer.writerows(part)
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
        yield text.getvalue().encode()

    return written()
