"""Who answers for a place: the area of the wanted level above it, or the place itself where there
is none. Trees need not begin at the province, nor have every level.

SQL for statements of other parts, which join `area` as `place`.
"""

from __future__ import annotations


def join_above(place: str, level: str) -> str:
    """SQL: a join that finds the area of a level at or above a place, for `unit_of`.

    Some look-ups for each row: of many subjects in few places it is joined to the places.
    """
    return f"""LEFT JOIN LATERAL (
    SELECT u.id FROM unnest(string_to_array(trim(BOTH '/' FROM {place}.path), '/')::bigint[]) AS n(id)
    JOIN area AS u ON u.id = n.id WHERE u.level = {level}) AS above ON true"""


def unit_of(place: str) -> str:
    """SQL: number of the unit that answers for a place; with `join_above`."""
    return f"coalesce(above.id, {place}.id)"
