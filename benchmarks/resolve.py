"""resolve: accepted → asks exist, beside the same classification and inserts written by hand.

Ours runs on one worker's path (jobs done in this process, one after another);
an installation has two workers or more.
"""

from __future__ import annotations

from benchmarks.province import FIELDS, PERIOD, Province
from benchmarks.rounds import in_turn, timed
from benchmarks.rows import Row
from workers.jobs import JOBS
from workers.leasing import lease_rows
from workers.perform import perform_with
from workers.queues import ALL

BAR = 3.0

# Everything at once, as somebody would write it who needs it once: the asks, and the counts.
_BARE_ASKS = """
INSERT INTO ask (region_id, field_version_id, field_id, period, subject_id, unit_id, due_on, live_until)
SELECT a.region_id, v.id, v.field_id, :period, a.id, a.id, oneform_today() + 30, oneform_today() + 60
FROM area AS a JOIN area AS top ON top.code = :scope AND a.path LIKE top.path || '%'
CROSS JOIN field_version AS v
LEFT JOIN cell_value AS c ON c.region_id = a.region_id AND c.field_id = v.field_id
  AND c.period = :period AND c.subject_id = a.id
LEFT JOIN ask AS k ON k.region_id = a.region_id AND k.field_id = v.field_id AND k.period = :period
  AND k.subject_id = a.id AND k.state IN ('open', 'returned', 'in_review', 'refused', 'upheld')
WHERE a.level = 5 AND a.valid_to IS NULL AND c.field_id IS NULL AND k.id IS NULL
ORDER BY 1, 3, 4, 5
"""
_BARE_COUNTS = """
CREATE TEMPORARY TABLE bare_unit ON COMMIT DROP AS
SELECT a.id AS unit_id, count(c.field_id) AS held, count(k.id) AS asked
FROM area AS a JOIN area AS top ON top.code = :scope AND a.path LIKE top.path || '%'
CROSS JOIN field_version AS v
LEFT JOIN cell_value AS c ON c.region_id = a.region_id AND c.field_id = v.field_id
  AND c.period = :period AND c.subject_id = a.id
LEFT JOIN ask AS k ON k.region_id = a.region_id AND k.field_id = v.field_id AND k.period = :period
  AND k.subject_id = a.id AND k.state = 'open'
WHERE a.level = 5 AND a.valid_to IS NULL GROUP BY a.id
"""


def run_jobs(province: Province) -> None:
    """Do every job that is due, as the relay and one worker would."""
    queue_of = {name: job.queue.value for name, job in JOBS.items()}
    room = {queue.value: 3 for queue in ALL}
    engine = province.runtime.engine
    while rows := lease_rows(engine, queue_of=queue_of, room=room, seconds=30):
        for row in rows:
            perform_with(province.runtime, row.id, row.lease)


def run(province: Province) -> list[Row]:
    """In turn; what one side has asked is taken away before the other begins."""
    made: set[tuple[int, int]] = set()

    def bare() -> float:
        _forget(province)
        seconds = timed(lambda: _by_hand(province))
        made.add((_cells(province), province.count("SELECT count(*) FROM ask")))
        return seconds

    def ours() -> float:
        _forget(province)
        seconds = timed(lambda: (province.submit(), run_jobs(province)))
        cells = province.count("SELECT sum(held + asked) FROM request_unit")
        made.add((cells, province.count("SELECT sum(asks_new) FROM request_unit")))
        return seconds

    by_hand, seconds = in_turn(bare, ours)
    if len(made) != 1:
        raise RuntimeError(f"both must have asked the same: {made}")
    [(cells, _)] = made
    return [Row("resolve", cells, seconds, by_hand, BAR)]


def _forget(province: Province) -> None:
    with province.runtime.context() as ctx:
        ctx.sql("TRUNCATE ask, request, outbox CASCADE")
    province.settle_down()


def _by_hand(province: Province) -> None:
    with province.runtime.context() as ctx:
        ctx.sql(_BARE_ASKS, period=PERIOD, scope=province.scope)
        ctx.sql(_BARE_COUNTS, period=PERIOD, scope=province.scope)


def _cells(province: Province) -> int:
    with province.runtime.context() as ctx:
        villages = ctx.sql(
            "SELECT count(*) FROM area AS a JOIN area AS top ON top.code = :scope "
            "AND a.path LIKE top.path || '%' WHERE a.level = 5 AND a.valid_to IS NULL",
            scope=province.scope,
        ).scalar_one()
    return int(villages) * FIELDS
