"""Where a cell of a request stands, and whether the request waits for it: the definitions that every
statement shares.

Each is a piece of SQL. The relations that it speaks of are named by its arguments, which stand for
themselves where nothing else is said:

    cell   region_id, field_id, period, subject_id; of the request there decided_at, decided_on;
           of its field grant_state, asks, exempt
    v      the cell's row of `cell_value`, or NULL
    a      the ask that holds the cell, or NULL
    r      the request: gap, state
    rf     its row of `request_field`
    rr     its row of `request_region`
    p      a row of `PLACED`
"""

from __future__ import annotations

from oneform.collection.asks import in_states
from oneform.collection.lifecycle import HOLDING
from oneform.requests.models import CellStatus

STATUSES = tuple(status.value for status in CellStatus)

COUNTS = ", ".join(
    f"count(*) FILTER (WHERE status = '{status}')::int AS {status}" for status in STATUSES
)
"""A column for each status: how many of the rows have it."""

HOLDS = f"state IN {in_states(HOLDING)}"
"""Condition on asks: the ask holds its cell."""

PLACED = """(
    SELECT s.region_id, s.id AS subject_id, s.kind_id, s.area_id, s.active_from, s.active_to,
      s.recorded_at, 'infinity'::timestamptz AS superseded_at FROM subject AS s
    UNION ALL
    SELECT s.region_id, s.subject_id, s.kind_id, s.area_id, s.active_from, s.active_to,
      s.recorded_at, s.superseded_at FROM subject_history AS s)"""
"""Every placement that a subject has, or had until it was superseded."""


def in_place(rr: str = "rr") -> str:
    """Whether a placement `p` is the one that the request's decision in the region saw."""
    return f"""(p.recorded_at <= {rr}.decided_at AND {rr}.decided_at < p.superseded_at
    AND (p.active_from IS NULL OR p.active_from <= {rr}.decided_on)
    AND (p.active_to IS NULL OR p.active_to > {rr}.decided_on))"""


def demands(region: str) -> str:
    """Joins from subjects `s` (subject_id) of a region to the requests that want something about
    their places: `p`, `ru` (a row of `request_unit` that can still move), `r`, `rr`.

    In that order (`OFFSET 0`), whatever the statistics say. Also requests that are to be resolved
    anew in the region, whose books are not kept until then.
    """
    return f"""
  CROSS JOIN LATERAL (SELECT * FROM {PLACED} AS p
    WHERE p.region_id = {region} AND p.subject_id = s.subject_id OFFSET 0) AS p
  CROSS JOIN LATERAL (SELECT * FROM request_unit AS ru
    WHERE ru.place_id = p.area_id AND ru.region_id = {region}
      AND ru.asked + ru.refused + ru.unavailable + ru.pending_grant > 0 OFFSET 0) AS ru
  JOIN request AS r ON r.id = ru.request_id AND r.kind_id = p.kind_id
  JOIN request_region AS rr ON rr.request_id = r.id AND rr.region_id = {region}
    AND {in_place()}"""


def state_of_cell(region: str, *, values: str = "cell_value", asks: str = "ask") -> str:
    """Joins that find out about `cell`: its value `v` and the ask `a` that holds it.

    `region` is a parameter where there is one region, so that one partition is
    read, or `cell.region_id`. `values` and `asks` may narrow the tables.
    """
    return f"""
  LEFT JOIN {values} AS v ON v.region_id = {region} AND v.field_id = cell.field_id
    AND v.period = cell.period AND v.subject_id = cell.subject_id
  LEFT JOIN {asks} AS a ON a.region_id = {region} AND a.field_id = cell.field_id
    AND a.period = cell.period AND a.subject_id = cell.subject_id AND a.{HOLDS}
"""


def may_ask(r: str = "r") -> str:
    """Whether the gap of a request's field `rf` may be asked at all."""
    return f"({r}.gap = 'ask' AND rf.mode = 'collect' AND {r}.state <> 'cancelled')"


def is_permitted(rf: str = "rf") -> str:
    """Whether no grant is awaited or refused for a request's field (its `grant_state`)."""
    return f"{rf}.grant_state IN ('none', 'granted')"


def is_exempt(rf: str = "rf") -> str:
    """Whether everybody is spared the question of a request's field (field_id, period)."""
    return f"""EXISTS (SELECT FROM exemption AS e
    WHERE e.field_id = {rf}.field_id AND e.period = {rf}.period)"""


def _status(ask_state: str, exempt: str) -> str:
    return f"""CASE WHEN v.refilled
    THEN refilled_cell_status(cell.grant_state, cell.asks, cell.region_id, cell.field_id,
      cell.period, cell.subject_id, cell.decided_at, cell.decided_on, {ask_state}, {exempt})
    ELSE cell_status(cell.grant_state, cell.asks, v.since, v.since_kind, v.fresh_until,
      cell.decided_at, cell.decided_on, {ask_state}, {exempt}) END"""


STATUS = _status("a.state", "cell.exempt")
"""Status of `cell`, of its value `v` and the ask `a` that holds it."""

WAITS = "({} = 'asked')".format(_status("'open'", "false"))
"""Whether a request waits for the ask of `cell` while it is live: were it open, the cell would count
as asked. It does not where it holds a value `v` that was fresh on its day, or may not ask."""
