"""Sets of cells, named to the database instead of being looped over.

A set lies in one region. Small sets travel as arrays, large ones wait in the
temporary table `staged_value`; SQL that works on either takes `relation` and
`params` as they are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells of one region.

    `relation` is a FROM item with the columns `field_id, period, subject_id` at least.
    """

    region_id: int
    relation: str
    params: dict[str, Any] = field(default_factory=dict)
    are_final: bool = False
    """Few cells with their values, all of a period: once recorded they never go stale."""


_KEYS = (
    "unnest(CAST(:c_fields AS int[]), CAST(:c_periods AS text[]), CAST(:c_subjects AS bigint[]))"
    " AS c(field_id, period, subject_id)"
)

_VALUES = (
    "unnest(CAST(:c_fields AS int[]), CAST(:c_periods AS text[]), CAST(:c_subjects AS bigint[]),"
    " CAST(:c_values AS jsonb[]), CAST(:c_missing AS text[]), CAST(:c_observed AS date[]))"
    " AS c(field_id, period, subject_id, value, missing, observed_on)"
)


def cells_of(
    region_id: int, fields: Sequence[int], periods: Sequence[str], subjects: Sequence[int]
) -> Cells:
    """A small set, given as parallel lists."""
    return Cells(
        region_id,
        _KEYS,
        {"c_fields": list(fields), "c_periods": list(periods), "c_subjects": list(subjects)},
    )


def values_of(
    region_id: int,
    *,
    fields: Sequence[int],
    periods: Sequence[str],
    subjects: Sequence[int],
    values: Sequence[str | None],
    missing: Sequence[str | None],
    observed_on: Sequence[dt.date],
) -> Cells:
    """A small set with its values (JSON texts), given as parallel lists."""
    return Cells(
        region_id,
        _VALUES,
        {
            "c_fields": list(fields),
            "c_periods": list(periods),
            "c_subjects": list(subjects),
            "c_values": list(values),
            "c_missing": list(missing),
            "c_observed": list(observed_on),
        },
        are_final=all(periods),
    )


STAGE = "staged_value"

CREATE_STAGE = (
    f"CREATE TEMPORARY TABLE IF NOT EXISTS {STAGE} (region_id bigint NOT NULL,"
    " field_id int NOT NULL, period text NOT NULL, subject_id bigint NOT NULL, value jsonb,"
    " missing text, observed_on date NOT NULL) ON COMMIT DELETE ROWS"
)


def staged(region_id: int) -> Cells:
    """The rows of one region in `staged_value` (see `CREATE_STAGE`); each cell once."""
    return Cells(
        region_id,
        f"(SELECT * FROM {STAGE} WHERE region_id = :c_region) AS c",
        {"c_region": region_id},
    )
