"""What is known beside a cell: its previous value, and values of other fields that checks name.

The previous value is the one of the latest earlier period that has one; of a
standing field the stale value itself. It goes back over the `REACH` latest
periods for which the region holds the field at all: the key of `cell_value`
leads from period to period, not through a subject's periods.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from oneform.collection.views import Previous
from oneform.kernel.context import Context

REACH = 24

CellKey = tuple[int, int, str, int]
"""(region_id, field_id, period, subject_id)."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Both by cell. `held` has fresh values only."""

    previous: dict[CellKey, Previous] = field(default_factory=dict)
    held: dict[CellKey, Any] = field(default_factory=dict)


# `OFFSET 0`: cells are looked up one by one by their keys, whatever the statistics say.
_LOOK = sa.text(
    """
    WITH RECURSIVE wanted AS MATERIALIZED (
      SELECT field_id, period COLLATE "C" AS period, subject_id, is_held
      FROM unnest(CAST(:fields AS int[]), CAST(:periods AS text[]), CAST(:subjects AS bigint[]),
        CAST(:are_held AS boolean[])) AS w(field_id, period, subject_id, is_held)),
    earlier AS (
      SELECT DISTINCT field_id, period AS asked, period, 0 AS step
      FROM wanted WHERE period <> '' AND NOT is_held
      UNION ALL
      SELECT e.field_id, e.asked, p.period, e.step + 1
      FROM earlier AS e CROSS JOIN LATERAL (
        SELECT v.period FROM cell_value AS v
        WHERE v.region_id = :region AND v.field_id = e.field_id
          AND v.period < e.period AND v.period > ''
        ORDER BY v.period DESC LIMIT 1) AS p
      WHERE e.step < :reach),
    place AS MATERIALIZED (
      SELECT w.*, e.period AS found_in FROM wanted AS w
      JOIN earlier AS e ON e.field_id = w.field_id AND e.asked = w.period AND e.step > 0
      WHERE NOT w.is_held
      UNION ALL
      SELECT w.*, w.period FROM wanted AS w WHERE w.is_held OR w.period = '')
    SELECT DISTINCT ON (p.is_held, p.field_id, p.period, p.subject_id)
      p.is_held, p.field_id, p.period, p.subject_id, p.found_in, v.value, v.observed_on,
      coalesce(src.code, pv.kind) AS source
    FROM place AS p
    CROSS JOIN LATERAL (
      SELECT v.value, v.observed_on, v.provenance_id FROM cell_value AS v
      WHERE v.region_id = :region AND v.field_id = p.field_id AND v.period = p.found_in
        AND v.subject_id = p.subject_id AND v.value IS NOT NULL
        AND (NOT p.is_held OR v.fresh_until IS NULL OR v.fresh_until >= oneform_today())
      OFFSET 0) AS v
    JOIN provenance AS pv ON pv.id = v.provenance_id
    LEFT JOIN source AS src ON src.id = pv.source_id
    ORDER BY p.is_held, p.field_id, p.period, p.subject_id, p.found_in DESC
    """
)


def look_around(
    ctx: Context, *, previous: Collection[CellKey], held: Collection[CellKey] = ()
) -> Surroundings:
    """Previous values of some cells, and values of others as they are.

    One query for each region of the cells, which mostly is one.
    """
    found = Surroundings()
    wanted = [*((cell, False) for cell in previous), *((cell, True) for cell in held)]
    for region_id in {cell[0] for cell, _ in wanted}:
        mine = [(cell, is_held) for cell, is_held in wanted if cell[0] == region_id]
        for row in ctx.sql(
            _LOOK,
            region=region_id,
            fields=[cell[1] for cell, _ in mine],
            periods=[cell[2] for cell, _ in mine],
            subjects=[cell[3] for cell, _ in mine],
            are_held=[is_held for _, is_held in mine],
            reach=REACH,
        ):
            key = (region_id, row.field_id, row.period, row.subject_id)
            if row.is_held:
                found.held[key] = row.value
            else:
                found.previous[key] = Previous(
                    value=row.value,
                    period=row.found_in or None,
                    observed_on=row.observed_on,
                    source=row.source,
                )
    return found
