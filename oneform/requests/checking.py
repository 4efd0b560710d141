"""`POST /requests/check`: what a request would meet, without making one."""

from __future__ import annotations

from catalog.models import Mode
from oneform.areas.answering import join_above, unit_of
from oneform.identity import policy
from oneform.identity.policy import Permission
from oneform.kernel.context import Context
from oneform.requests.admission import (
    Admitted,
    count_cells,
    examine,
    scope_params,
    subjects_in_scope,
)
from oneform.requests.commands import SubmitRequest
from oneform.requests.grants import first_grant_state
from oneform.requests.statuses import STATUS, is_exempt, state_of_cell
from oneform.requests.views import CheckedRequest, Coverage

# The same judgement as the resolver's, over a scope that is nobody's request yet. What a source
# answers for counts as shareable before anybody would be asked; cells refused for good are
# unavailable.
_JUDGE = f"""
WITH wanted AS (
  SELECT * FROM unnest(CAST(:fields AS int[]), CAST(:periods AS text[]), CAST(:levels AS int[]),
    CAST(:grants AS text[]), CAST(:asks AS boolean[]), CAST(:seconds AS int[]))
    AS w(field_id, period, collected_at, grant_state, asks, seconds)),
offered AS (
  SELECT sf.field_id, x.path FROM source_field AS sf
  JOIN source AS o ON o.id = sf.source_id AND o.enabled
  JOIN source_area AS sa ON sa.source_id = o.id JOIN area AS x ON x.id = sa.area_id),
cell AS (
  SELECT s.region_id, s.id AS subject_id, a.id AS area_id, a.path, w.field_id, w.period, w.grant_state, w.asks,
    w.collected_at, w.seconds, clock_timestamp() AS decided_at,
    CAST(:today AS date) AS decided_on,
    {is_exempt("w")} AS exempt
  {{scope}}),
judged AS (
  SELECT cell.*, {STATUS} AS status FROM cell {state_of_cell("cell.region_id")}),
told AS (
  SELECT j.seconds, j.area_id, j.collected_at,
    CASE WHEN j.status = 'asked' THEN 'already_asked'
         WHEN j.status = 'refused' THEN 'unavailable'
         WHEN j.status <> 'unavailable' THEN j.status
         WHEN j.grant_state = 'none' AND EXISTS (
           SELECT FROM offered AS o WHERE o.field_id = j.field_id AND j.path LIKE o.path || '%')
           THEN 'shareable'
         WHEN j.asks THEN 'to_ask' ELSE 'unavailable' END AS fate
  FROM judged AS j),
unit AS (
  SELECT DISTINCT {unit_of("p")} AS id
  FROM (SELECT DISTINCT area_id, collected_at FROM told WHERE fate = 'to_ask') AS d
  JOIN area AS p ON p.id = d.area_id
  {join_above("p", "d.collected_at")})
SELECT count(*) AS total,
  count(*) FILTER (WHERE fate = 'held') AS held,
  count(*) FILTER (WHERE fate = 'derived') AS derived,
  count(*) FILTER (WHERE fate = 'shareable') AS shareable,
  count(*) FILTER (WHERE fate = 'already_asked') AS already_asked,
  count(*) FILTER (WHERE fate = 'to_ask') AS to_ask,
  count(*) FILTER (WHERE fate = 'unavailable') AS unavailable,
  count(*) FILTER (WHERE fate = 'pending_grant') AS pending_grant,
  coalesce(sum(seconds) FILTER (WHERE fate = 'to_ask'), 0) AS seconds_to_answer,
  (SELECT count(*) FROM unit) AS units_to_ask
FROM told
"""


def check_request(ctx: Context, command: SubmitRequest) -> CheckedRequest:
    """Judge a demand and count where its cells stand today. Nothing is written.

    Raises what `submit_request` raises for a demand with mistakes, and
    RequestTooLarge for one whose accepted fields alone have too many cells; fields
    off the list are in the answer. Coverage is that of the accepted fields.
    """
    policy.require(ctx, Permission.SUBMIT_REQUEST)
    agency_id = policy.require_agency(ctx)
    admitted = examine(ctx, command)
    rejected = admitted.admission.rejected
    if admitted.fields and not admitted.cells_per_region:
        # A demand that is refused for some of its fields was not measured at the door.
        count_cells(ctx, admitted)
    coverage, units, seconds = _coverage(ctx, command, admitted, agency_id)
    return CheckedRequest(
        accepted=bool(admitted.fields) and (not rejected or command.on_off_list == "drop"),
        rejected_fields=rejected,
        coverage=coverage,
        units_to_ask=units,
        seconds_to_answer=seconds,
    )


def _coverage(
    ctx: Context, command: SubmitRequest, admitted: Admitted, agency_id: int
) -> tuple[Coverage, int, int]:
    fields = admitted.fields
    if not fields:
        return Coverage(**dict.fromkeys(Coverage.__dataclass_fields__, 0)), 0, 0
    scope = subjects_in_scope(admitted.place).replace(
        "JOIN subject AS s", "CROSS JOIN wanted AS w JOIN subject AS s"
    )
    row = ctx.sql(
        _JUDGE.format(scope=scope),
        **scope_params(ctx, admitted.place),
        fields=[field.field_id for field in fields],
        periods=[command.period if field.period_type != "none" else "" for field in fields],
        levels=[int(field.collected_at) for field in fields],
        grants=[first_grant_state(field, agency_id) for field in fields],
        asks=[command.gap == "ask" and field.mode == Mode.COLLECT for field in fields],
        seconds=[field.seconds for field in fields],
    ).one()
    counts = {name: row._mapping[name] for name in Coverage.__dataclass_fields__}
    return Coverage(**counts), row.units_to_ask, int(row.seconds_to_answer)
