"""Which requests wait for an ask: the answer to `oneform.collection`'s question `WhoAsks`."""

from __future__ import annotations

import sqlalchemy as sa

from oneform.collection.lifecycle import LATE_DAYS
from oneform.collection.who_asks import Asker, WhoAsks
from oneform.kernel.context import Context
from oneform.requests.books import ASKS, EXEMPT, IN_PLACE, PLACED, STATUS, state_of_cell

# A request waits for a live ask if its own cell is still asked (or refused, undecided): one that
# holds an older value, which was fresh on its day, does not.
_WHO = sa.text(
    f"""
    WITH cell AS (
      SELECT t.n, r.id AS request_id, p.region_id, t.field_id, t.period, t.subject_id,
        rr.decided_at, rr.decided_on, rf.grant_state, {ASKS} AS asks, {EXEMPT} AS exempt
      FROM unnest(CAST(:numbers AS int[]), CAST(:regions AS bigint[]), CAST(:fields AS int[]),
          CAST(:periods AS text[]), CAST(:subjects AS bigint[]))
          AS t(n, region_id, field_id, period, subject_id)
      JOIN {PLACED} AS p ON p.region_id = t.region_id AND p.subject_id = t.subject_id
      JOIN request_unit AS ru ON ru.place_id = p.area_id
        AND ru.asked + ru.refused + ru.unavailable + ru.pending_grant > 0
      JOIN request AS r ON r.id = ru.request_id AND r.kind_id = p.kind_id
        AND r.due_on + :late_days >= :today
      JOIN request_field AS rf ON rf.request_id = r.id AND rf.field_id = t.field_id
        AND rf.period = t.period AND rf.collected_at = ANY(ru.collected_at)
      JOIN request_region AS rr ON rr.request_id = r.id AND rr.region_id = p.region_id
        AND rr.resolved_at IS NOT NULL AND {IN_PLACE}),
    waiting AS (
      SELECT cell.request_id, array_agg(DISTINCT cell.n) AS numbers
      FROM cell {state_of_cell("cell.region_id")}
      WHERE cell.asks AND {STATUS} IN ('asked', 'refused')
      GROUP BY cell.request_id)
    SELECT g.code AS agency, g.name AS agency_name, r.control_no, r.purpose, r.legal_basis,
      r.due_on AS due, w.numbers
    FROM waiting AS w JOIN request AS r ON r.id = w.request_id
    JOIN agency AS g ON g.id = r.agency_id
    ORDER BY r.due_on, r.control_no
    """
)


def tell_who_asks(ctx: Context, event: WhoAsks) -> None:
    """Handler: name the requests that wait for each cell, the most urgent first. One query."""
    if not event.cells:
        return
    regions, fields, periods, subjects = zip(*event.cells, strict=True)
    for row in ctx.sql(
        _WHO,
        numbers=list(range(len(event.cells))),
        regions=list(regions),
        fields=list(fields),
        periods=list(periods),
        subjects=list(subjects),
        late_days=LATE_DAYS,
        today=ctx.today(),
    ):
        asker = Asker(
            agency=row.agency,
            agency_name=row.agency_name,
            control_no=row.control_no,
            purpose=row.purpose,
            legal_basis=row.legal_basis,
            due=row.due,
        )
        for number in row.numbers:
            event.askers.setdefault(event.cells[number], []).append(asker)
