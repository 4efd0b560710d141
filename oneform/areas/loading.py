"""Loading a part of the area tree into memory (`tree`): a few set-based statements.

The caller holds the lock of `Space.AREAS`, so that the tree stays as it is until
`writing` is done.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import fields

from oneform.areas.tree import Node, Tree
from oneform.kernel.context import Context

_COLUMNS = ", ".join(column.name for column in fields(Node))
_BLOCK = 2000
"""Ids fetched at once."""


def load_tree(ctx: Context, codes: Iterable[str], *, children_of: Iterable[str] = ()) -> Tree:
    """The existing areas with these codes, all above them, and the living children of some."""
    named = ctx.sql(
        "SELECT path FROM area WHERE valid_to IS NULL AND code = ANY(:codes) "
        "UNION ALL SELECT c.path FROM area AS p JOIN area AS c ON c.parent_id = p.id "
        "WHERE p.valid_to IS NULL AND c.valid_to IS NULL AND p.code = ANY(:parents)",
        codes=(codes := list(codes)),
        parents=list(children_of),
    ).scalars()
    ids = {int(part) for path in named for part in path.strip("/").split("/")}
    rows = ctx.sql(f"SELECT {_COLUMNS} FROM area WHERE id = ANY(:ids)", ids=list(ids))
    return Tree([Node(**row._mapping) for row in rows], new_ids(ctx), _released(ctx, codes))


def load_ended(ctx: Context, codes: Iterable[str]) -> dict[tuple[str, dt.date], Node]:
    """Areas that are no more and had these codes in the end, by code and last day."""
    rows = ctx.sql(
        f"SELECT {_COLUMNS} FROM area WHERE valid_to IS NOT NULL AND code = ANY(:codes)",
        codes=list(codes),
    )
    return {
        (node.code, node.valid_to): node
        for node in (Node(**row._mapping) for row in rows)
        if node.valid_to
    }


def new_ids(ctx: Context) -> Iterator[int]:
    """Numbers for new areas, which are those of their subjects too."""
    while True:
        yield from ctx.sql(
            "SELECT nextval('subject_id_seq') FROM generate_series(1, :n)", n=_BLOCK
        ).scalars()


def _released(ctx: Context, codes: list[str]) -> dict[str, dt.date]:
    rows = ctx.sql(
        "SELECT code, max(valid_to) AS until FROM ("
        "  SELECT code, valid_to FROM area WHERE valid_to IS NOT NULL AND code = ANY(:codes)"
        "  UNION ALL SELECT code, valid_to FROM area_history WHERE code = ANY(:codes)) AS ended "
        "GROUP BY code",
        codes=codes,
    )
    return {row.code: row.until for row in rows}
