"""Which requests wait for an ask: the answer to `oneform.collection`'s question `WhoAsks`."""

from __future__ import annotations

import sqlalchemy as sa

from oneform.collection.who_asks import Asker, WhoAsks
from oneform.kernel.context import Context
from oneform.requests.statuses import WAITS, demands, may_ask

# From the few subjects to the requests that want something about their places, then to the cells.
# `OFFSET 0` keeps that order whatever the statistics say. The asks are live, as the event says.
_WHO = sa.text(
    f"""
    WITH demand AS MATERIALIZED (
      SELECT p.region_id, p.subject_id, r.id AS request_id, rr.decided_at, rr.decided_on,
        ru.collected_at, r.gap, r.state
      FROM unnest(CAST(:subjects AS bigint[])) AS s(subject_id) {demands(":region")}
      WHERE r.due_on >= :earliest),
    cell AS MATERIALIZED (
      SELECT r.region_id, r.request_id, r.subject_id, rf.field_id, rf.period, r.decided_at,
        r.decided_on, rf.grant_state, {may_ask()} AS asks
      FROM demand AS r
      CROSS JOIN LATERAL (SELECT * FROM request_field AS rf
        WHERE rf.request_id = r.request_id AND rf.field_id = ANY(:fields)
          AND rf.collected_at = ANY(r.collected_at) OFFSET 0) AS rf),
    waiting AS (
      SELECT cell.request_id, cell.subject_id, array_agg(cell.field_id) AS fields,
        array_agg(cell.period) AS periods
      FROM cell
      LEFT JOIN LATERAL (SELECT * FROM cell_value AS v WHERE v.region_id = :region
        AND v.field_id = cell.field_id AND v.period = cell.period
        AND v.subject_id = cell.subject_id OFFSET 0) AS v ON true
      WHERE {WAITS}
      GROUP BY cell.request_id, cell.subject_id)
    SELECT g.code AS agency, g.name AS agency_name, r.control_no, r.purpose, r.legal_basis,
      r.due_on AS due, w.subject_id, w.fields, w.periods
    FROM waiting AS w JOIN request AS r ON r.id = w.request_id
    JOIN agency AS g ON g.id = r.agency_id
    ORDER BY r.due_on, r.control_no
    """
)


def tell_who_asks(ctx: Context, event: WhoAsks) -> None:
    """Handler: name the requests that wait for each cell, the most urgent first.

    One query for each region of the cells, which mostly is one.
    """
    shown = event.cells
    for region_id in {region_id for region_id, *_ in shown}:
        mine = [cell for cell in shown if cell[0] == region_id]
        for row in ctx.sql(
            _WHO,
            region=region_id,
            fields=sorted({field_id for _, field_id, _, _ in mine}),
            subjects=sorted({subject_id for _, _, _, subject_id in mine}),
            earliest=min(shown[cell] for cell in mine),
        ):
            asker = Asker(
                agency=row.agency,
                agency_name=row.agency_name,
                control_no=row.control_no,
                purpose=row.purpose,
                legal_basis=row.legal_basis,
                due=row.due,
            )
            for field_id, period in zip(row.fields, row.periods, strict=True):
                cell = (region_id, field_id, period, row.subject_id)
                if cell in shown and row.due >= shown[cell]:
                    event.askers.setdefault(cell, []).append(asker)
