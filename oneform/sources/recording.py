"""Recording what a call brought: one transaction for each region, all of it set-based.

Staged by COPY; doubles and conflicts are put aside in `source_refused`; the rest
is recorded by `oneform.values`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from oneform.kernel import locks
from oneform.kernel.context import Context
from oneform.kernel.plans import plan_afresh
from oneform.sources.authority import DETAIL, OWNERS, reason
from oneform.sources.plans import Call
from oneform.sources.spool import NOWHERE, Pile, Spool
from oneform.values.cells import STAGE, staged
from oneform.values.errors import TryAgain
from oneform.values.models import ProvenanceKind
from oneform.values.recording import Counts, open_provenance, prepare_stage, record

_CREATE_FETCHED = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS fetched_value (region_id bigint, field_id int,"
    ' period text, key text COLLATE "C", home_id bigint, value jsonb, missing text,'
    " observed_on date) ON COMMIT DELETE ROWS"
)
_COPY_STAGED = (
    "COPY staged_value (region_id, field_id, period, subject_id, value, missing, observed_on) "
    "FROM STDIN"
)
_COPY_FETCHED = "COPY fetched_value FROM STDIN"
_COPY_REFUSED = (
    "COPY source_refused (run_id, subject, field, period, value, code, detail) FROM STDIN"
)

_MATCH = """
INSERT INTO staged_value (region_id, field_id, period, subject_id, value, observed_on)
SELECT f.region_id, f.field_id, f.period, s.id, f.value, f.observed_on
FROM fetched_value AS f
JOIN subject AS s ON s.region_id = :region AND s.kind_id = :kind AND s.key = f.key
  AND s.active_to IS NULL
"""

# A row of another region's area is another region's business; it is only here because subjects
# of this region have moved there.
_UNKNOWN_SUBJECTS = """
INSERT INTO source_refused (run_id, subject, field, period, value, code, detail)
SELECT :run, f.key, '', '', NULL, 'unknown_subject', 'no subject of the ledger has this key'
FROM (SELECT DISTINCT key FROM fetched_value WHERE home_id = :region) AS f
WHERE NOT EXISTS (SELECT FROM subject AS s WHERE s.region_id = :region AND s.kind_id = :kind
                  AND s.key = f.key AND s.active_to IS NULL)
ORDER BY f.key
"""

# Areas that ended while the source was called.
_DROP_ENDED = """
DELETE FROM staged_value AS s
WHERE NOT EXISTS (SELECT FROM area AS a WHERE a.id = s.subject_id AND a.valid_to IS NULL)
"""

_HAS_DOUBLES = """
SELECT EXISTS (SELECT FROM staged_value GROUP BY field_id, period, subject_id HAVING count(*) > 1)
"""

# The latest observation of a cell stays if it is one value; what differs from it is refused.
_DROP_DOUBLES = """
WITH cell AS (
  SELECT field_id, period, subject_id, max(observed_on) AS newest
  FROM staged_value GROUP BY field_id, period, subject_id HAVING count(*) > 1),
best AS (
  SELECT s.field_id, s.period, s.subject_id, min(s.ctid) AS place,
    count(DISTINCT s.value) = 1 AS clear, (array_agg(s.value))[1] AS value
  FROM staged_value AS s JOIN cell AS c USING (field_id, period, subject_id)
  WHERE s.observed_on = c.newest GROUP BY s.field_id, s.period, s.subject_id),
gone AS (
  DELETE FROM staged_value AS s USING best AS b
  WHERE s.field_id = b.field_id AND s.period = b.period AND s.subject_id = b.subject_id
    AND NOT (b.clear AND s.ctid = b.place)
  RETURNING s.*, b.clear AND b.value = s.value AS harmless)
INSERT INTO source_refused (run_id, subject, field, period, value, code, detail)
SELECT :run, n.key, f.code, g.period, g.value, 'duplicate',
  'the source gives this cell more than once, and not the same'
FROM gone AS g JOIN field AS f ON f.id = g.field_id
JOIN subject AS n ON n.region_id = g.region_id AND n.id = g.subject_id
WHERE NOT g.harmless ORDER BY f.code, n.key, g.period
"""

_DROP_CONFLICTS = f"""
WITH judged AS (
  SELECT s.ctid AS place, v.observed_on AS held_on, {reason("v")} AS reason
  FROM staged_value AS s
  JOIN {OWNERS} ON owner.field_id = s.field_id
  JOIN cell_value AS v ON v.region_id = :region AND v.field_id = s.field_id
    AND v.period = s.period AND v.subject_id = s.subject_id
  JOIN provenance AS p ON p.id = v.provenance_id),
gone AS (
  DELETE FROM staged_value AS s USING judged AS j
  WHERE s.ctid = j.place AND j.reason IS NOT NULL RETURNING s.*, j.reason, j.held_on)
INSERT INTO source_refused (run_id, subject, field, period, value, code, detail)
SELECT :run, n.key, f.code, g.period, g.value, 'conflict', {DETAIL}
FROM gone AS g JOIN field AS f ON f.id = g.field_id
JOIN subject AS n ON n.region_id = g.region_id AND n.id = g.subject_id
ORDER BY f.code, n.key, g.period
"""

# What was replaced although it may not be: somebody wrote it after the conflicts were looked for.
_OVERTAKEN = f"""
SELECT EXISTS (
  SELECT FROM staged_value AS s
  JOIN {OWNERS} ON owner.field_id = s.field_id
  JOIN cell_value AS v ON v.region_id = :region AND v.field_id = s.field_id
    AND v.period = s.period AND v.subject_id = s.subject_id AND v.provenance_id = :provenance
  JOIN cell_value_history AS h ON h.region_id = :region AND h.field_id = s.field_id
    AND h.period = s.period AND h.subject_id = s.subject_id AND h.superseded_at = v.recorded_at
  JOIN provenance AS p ON p.id = h.provenance_id
  WHERE ({reason("h")}) IS NOT NULL)
"""

# Areas that exist, only not among those that the source answers for, are no mistake of anybody's.
_DROP_ELSEWHERE = """
DELETE FROM source_refused AS r
WHERE r.run_id = :run AND r.code = 'unknown_area'
  AND EXISTS (SELECT FROM area AS a WHERE a.code = r.subject)
"""


def record_region(
    ctx: Context, call: Call, run_id: uuid.UUID, region_id: int, spool: Spool, *, doubled: bool
) -> tuple[Counts, int, int]:
    """Record the spooled values of a region, under its shared lock.

    (what became of cells, values and rows refused here, conflicts). TryAgain when
    somebody else wrote one of the cells at the same instant.
    """
    plan_afresh(ctx)
    locks.share_regions(ctx, [region_id])
    _copy(ctx, _COPY_REFUSED, spool.blocks(Pile.REFUSED, region_id))
    prepare_stage(ctx)
    given = {"run": run_id, "region": region_id}
    refused = _stage(ctx, call, region_id, spool, given)
    if (doubled or not call.about_areas) and ctx.sql(_HAS_DOUBLES).scalar_one():
        refused += ctx.sql(_DROP_DOUBLES, run=run_id).rowcount
    terms = {
        "region": region_id,
        "source": call.source_id,
        "agency": call.agency_id,
        "dated": call.keys.observed_on is not None,
        "owned_fields": [field.id for field in call.fields],
        "owner_ids": [field.owner_id for field in call.fields],
    }
    conflicts = ctx.sql(_DROP_CONFLICTS, run=run_id, **terms).rowcount
    origin = open_provenance(
        ctx,
        ProvenanceKind.SOURCE,
        ref=run_id,
        agency_id=call.agency_id,
        source_id=call.source_id,
    )
    # What must not be replaced is gone from the stage: what is there is to be written.
    counts = record(ctx, staged(region_id), origin, authoritative=True)
    if counts.updated and ctx.sql(_OVERTAKEN, provenance=origin.id, **terms).scalar_one():
        raise TryAgain()
    return counts, refused, conflicts


def record_strays(ctx: Context, run_id: uuid.UUID, spool: Spool) -> int:
    """Report the rows that are in no known area; how many were none of the source's areas."""
    _copy(ctx, _COPY_REFUSED, spool.blocks(Pile.REFUSED, NOWHERE))
    return ctx.sql(_DROP_ELSEWHERE, run=run_id).rowcount


def _stage(ctx: Context, call: Call, region_id: int, spool: Spool, given: dict[str, object]) -> int:
    """Fill `staged_value` with what has a subject; the number of subjects unknown."""
    lines = spool.blocks(Pile.VALUES, region_id)
    if call.about_areas:
        _copy(ctx, _COPY_STAGED, lines)
        ctx.sql(f"ANALYZE {STAGE}")
        ctx.sql(_DROP_ENDED)
        return 0
    ctx.sql(_CREATE_FETCHED)
    _copy(ctx, _COPY_FETCHED, lines)
    ctx.sql("ANALYZE fetched_value")
    unknown = ctx.sql(_UNKNOWN_SUBJECTS, kind=call.subject_kind_id, **given).rowcount
    ctx.sql(_MATCH, kind=call.subject_kind_id, region=region_id)
    ctx.sql(f"ANALYZE {STAGE}")
    return unknown


def _copy(ctx: Context, statement: str, blocks: Iterator[bytes]) -> None:
    connection = ctx.session.connection().connection.driver_connection
    assert connection is not None
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for block in blocks:
            copy.write(block)
