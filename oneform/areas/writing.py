"""Writing what became of the area tree in memory, set-based, and telling upper parts.

The caller holds the lock of `Space.AREAS`; the regions concerned are taken here,
before the first statement that they protect.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from operator import attrgetter

from oneform.areas.events import AreasClosed, AreasClosing, AreasMoved
from oneform.areas.placements import instant, supersede
from oneform.areas.staging import copy_rows, stage
from oneform.areas.tree import Change, Node, Outcome, Past, Tree
from oneform.kernel import locks
from oneform.kernel.context import Context
from oneform.kernel.errors import Conflict

MANY = 1000
"""From so many new areas on, the planner's statistics are renewed at once."""


def write_outcome(ctx: Context, tree: Tree) -> None:
    """Write what was done to the tree, under the locks of the regions concerned, and tell others."""
    outcome = tree.outcome
    regions = lock_regions(ctx, tree)
    merged = outcome.successors()
    if outcome.closed:
        ctx.emit(AreasClosing(tuple(sorted(outcome.closed)), tuple(regions), merged))
    _write_areas(ctx, tree)
    _write_subjects(ctx, outcome)
    if merged:
        _move_subjects(ctx, merged)
    if outcome.closed:
        ctx.emit(AreasClosed(tuple(sorted(outcome.closed))))
    if outcome.moved:
        ctx.emit(AreasMoved(tuple(sorted(outcome.moved))))
    if len(outcome.opened) >= MANY:
        ctx.sql("ANALYZE area, subject")


# Regions of the areas themselves, of all below those that move, and of whoever lives in an area
# that ends or moves: it may have come from another region.
_CONCERNED = """
SELECT region_id FROM area WHERE id = ANY(:changed)
UNION SELECT below.region_id FROM area AS moved
  JOIN area AS below ON below.path >= moved.path AND below.path < moved.path || '~'
  WHERE moved.id = ANY(:moved)
UNION SELECT region_id FROM subject WHERE area_id = ANY(:ending) AND active_to IS NULL
UNION SELECT s.region_id FROM area AS moved
  JOIN area AS below ON below.path >= moved.path AND below.path < moved.path || '~'
  JOIN subject AS s ON s.area_id = below.id AND s.active_to IS NULL
  WHERE moved.id = ANY(:moved)
"""


def lock_regions(ctx: Context, tree: Tree) -> list[int]:
    """Take every region that the outcome concerns, and give their numbers.

    Regions that are only being made are nobody else's yet. Conflict if somebody moved a
    subject of a further region into an area that ends or moves.
    """
    outcome = tree.outcome
    concerned = {
        "changed": list(outcome.changed),
        "moved": list(outcome.moved),
        "ending": list(outcome.closed),
    }
    known = {node.id for node in tree.nodes.values() if node.path is not None}
    regions = known & {node.region_id for node in outcome.opened}
    regions.update(ctx.sql(_CONCERNED, **concerned).scalars())
    locks.take_regions(ctx, regions)
    if not regions.issuperset(ctx.sql(_CONCERNED, **concerned).scalars()):
        raise Conflict(
            "Somebody moved subjects into an area that ends or moves meanwhile. Try again."
        )
    return sorted(regions)


_STATE = {
    "id": "bigint PRIMARY KEY",
    "code": 'text COLLATE "C"',
    "name": "text",
    "level": "smallint",
    "parent_id": "bigint",
    "region_id": "bigint",
    "path": 'text COLLATE "C"',
    "urban_rural_class": "text",
    "valid_from": "date",
    "valid_to": "date",
}


def _states(tree: Tree, nodes: Iterable[Node]) -> Iterator[tuple[object, ...]]:
    """Present states as rows of `_STATE`, with the path that each has now."""
    for n in nodes:
        place = (n.level, n.parent_id, n.region_id, tree.path(n))
        yield n.id, n.code, n.name, *place, n.urban_rural_class, n.valid_from, n.valid_to


def _write_areas(ctx: Context, tree: Tree) -> None:
    outcome = tree.outcome
    if outcome.changed:
        stage(ctx, "area_state", _STATE, _states(tree, outcome.changed.values()))
        # Codes may change places among these areas: all that change give theirs up first.
        ctx.sql(
            "UPDATE area AS a SET valid_to = s.valid_to, "
            "  code = CASE WHEN a.code = s.code THEN a.code ELSE '~' || a.id END "
            "FROM area_state AS s "
            "WHERE a.id = s.id AND (a.code, a.valid_to) IS DISTINCT FROM (s.code, s.valid_to)"
        )
    copy_rows(ctx, "area", list(_STATE), _states(tree, outcome.opened))
    if outcome.changed:
        ctx.sql(
            "UPDATE area AS a SET code = s.code, name = s.name, parent_id = s.parent_id, "
            "  urban_rural_class = s.urban_rural_class, valid_from = s.valid_from "
            "FROM area_state AS s WHERE a.id = s.id"
        )
    if outcome.moved:
        ctx.sql(_MOVE_PATHS, moved=list(outcome.moved))
    for table, kind, records in (
        ("area_history", Past, outcome.history),
        ("area_change", Change, outcome.changes),
    ):
        columns = [column.name for column in fields(kind)]
        copy_rows(ctx, table, columns, map(attrgetter(*columns), records))


# What lies below an area that moved takes the path of the nearest such area above it.
_MOVE_PATHS = """
UPDATE area AS a SET path = new.path
FROM (
  SELECT DISTINCT ON (below.id)
    below.id, s.path || substr(below.path, length(moved.path) + 1) AS path
  FROM area AS moved
  JOIN area_state AS s ON s.id = moved.id
  JOIN area AS below ON below.path >= moved.path AND below.path < moved.path || '~'
  WHERE moved.id = ANY(:moved)
  ORDER BY below.id, length(moved.path) DESC) AS new
WHERE a.id = new.id AND a.path <> new.path
"""

_OUTDATED = """
FROM area_state AS changed JOIN area AS a ON a.id = changed.id
WHERE s.region_id = a.region_id AND s.id = a.id
  AND (s.key, s.name, s.active_to) IS DISTINCT FROM (a.code, a.name, a.valid_to)
"""


def _write_subjects(ctx: Context, outcome: Outcome) -> None:
    """Each area's subject follows it: key the code, the same name, ended with it."""
    if outcome.changed:
        at = instant(ctx)
        supersede(ctx, _OUTDATED, at=at)
        # As with the areas, keys may change places.
        for key in ("'~' || a.id", "a.code"):
            ctx.sql(
                f"UPDATE subject AS s SET key = {key}, name = a.name, active_to = a.valid_to,"
                f"  recorded_at = :at {_OUTDATED}",
                at=at,
            )
    if outcome.opened:
        ctx.sql(
            "INSERT INTO subject"
            " (region_id, id, kind_id, key, name, area_id, active_from, active_to) "
            "SELECT a.region_id, a.id, k.id, a.code, a.name, a.id, a.valid_from, a.valid_to "
            "FROM area AS a JOIN subject_kind AS k ON k.code = 'area' "
            "WHERE a.id = ANY(:opened) ORDER BY 1, 2",
            opened=[node.id for node in outcome.opened],
        )


def _move_subjects(ctx: Context, merged: Mapping[int, int]) -> None:
    """Whoever lives in an area that was merged lives in the other one now."""
    at = instant(ctx)
    stage(ctx, "area_merged", {"old_id": "bigint", "new_id": "bigint"}, merged.items())
    placed = (
        "FROM area_merged AS m "
        "WHERE s.area_id = m.old_id AND s.id <> m.old_id AND s.active_to IS NULL"
    )
    supersede(ctx, placed, at=at)
    ctx.sql(f"UPDATE subject AS s SET area_id = m.new_id, recorded_at = :at {placed}", at=at)
