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

import orjson


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

# One JSON text instead of arrays: the driver would write each of their elements by itself. Values are
# texts in it, since a JSON null would be no value.
_VALUES = (
    "(SELECT field_id, period, subject_id, CAST(value AS jsonb) AS value, missing, observed_on"
    " FROM json_to_recordset(CAST(:c_cells AS json)) AS"
    " c(field_id int, period text, subject_id bigint, value text, missing text, observed_on date)"
    ") AS c"
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
            "c_cells": orjson.dumps(
                [
                    {
                        "field_id": field_id,
                        "period": period,
                        "subject_id": subject_id,
                        "value": value,
                        "missing": missed,
                        "observed_on": day,
                    }
                    for field_id, period, subject_id, value, missed, day in zip(
                        fields, periods, subjects, values, missing, observed_on, strict=True
                    )
                ]
            ).decode()
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
