"""How the installation stands, for Prometheus: looked up in the database and in Redis when asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence

import redis
import sqlalchemy as sa
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from oneform.collection.lifecycle import LIVE
from oneform.kernel.outbox import STUCK_AFTER
from oneform.runtime.presence import count_workers
from oneform.runtime.runtime import Runtime

KEPT_S = 10.0
"""For so long an answer is given again: scrapers may be many, and some counts cost."""

TIMEOUT_MS = 5000
REDIS_TIMEOUT_S = 2.0


class Gauge:
    """One metric, and the query that brings its labels and value: `(label, …, value)` in rows."""

    def __init__(self, name: str, help: str, labels: Sequence[str], query: str) -> None:
        self.name, self.help, self.labels, self.query = name, help, labels, query


_LIVE = ", ".join(f"'{state.value}'" for state in LIVE)

MANY = 200_000
"""So many asks are counted one by one; of more it is enough to know about how many there are."""

# Entries of the index of live asks, as of its latest vacuum or analysis: it costs the same however
# many there are, where counting them would in the end outlast the time that a scrape may take.
_ESTIMATE = """(
          SELECT coalesce(sum(c.reltuples) FILTER (WHERE c.reltuples > 0), 0)::bigint AS n
          FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
          WHERE i.inhparent = 'ix_ask_unit'::regclass) AS e"""

GAUGES = (
    Gauge(
        "oneform_outbox_jobs",
        "Jobs on the outbox: due, for later, or leased to a worker.",
        ("job", "state"),
        """
        SELECT job, CASE WHEN leased_until > clock_timestamp() THEN 'leased'
                         WHEN run_after > clock_timestamp() THEN 'later' ELSE 'due' END, count(*)
        FROM outbox GROUP BY 1, 2
        """,
    ),
    Gauge(
        "oneform_outbox_oldest_seconds",
        "How long the oldest job that is due has been waiting.",
        ("job",),
        """
        SELECT job, extract(epoch FROM clock_timestamp() - min(run_after)) FROM outbox
        WHERE run_after <= clock_timestamp()
          AND (leased_until IS NULL OR leased_until <= clock_timestamp()) GROUP BY 1
        """,
    ),
    Gauge(
        "oneform_outbox_failed_attempts",
        "Failed attempts of the jobs that are on the outbox now.",
        ("job",),
        "SELECT job, sum(attempts) FROM outbox GROUP BY 1",
    ),
    Gauge(
        "oneform_outbox_stuck_jobs",
        f"Jobs that have failed {STUCK_AFTER} times or more, and are tried again.",
        ("job",),
        f"SELECT job, count(*) FROM outbox WHERE attempts >= {STUCK_AFTER} GROUP BY 1",
    ),
    Gauge(
        "oneform_requests",
        "Requests by state.",
        ("state",),
        "SELECT state, count(*) FROM request GROUP BY 1",
    ),
    Gauge(
        "oneform_asks_live",
        "Asks that are not ended; estimated, when they are many.",
        (),
        f"""
        SELECT CASE WHEN n > {MANY} THEN n
                    ELSE (SELECT count(*) FROM ask WHERE state IN ({_LIVE})) END FROM {_ESTIMATE}
        """,
    ),
    Gauge(
        "oneform_units_asked",
        "Units with at least one such ask.",
        (),
        f"""
        SELECT CASE WHEN n > {MANY}
          THEN (SELECT count(*) FROM area AS u
                WHERE EXISTS (SELECT FROM ask WHERE unit_id = u.id AND state IN ({_LIVE})))
          ELSE (SELECT count(*) FROM (
                SELECT FROM ask WHERE state IN ({_LIVE}) GROUP BY unit_id) AS u) END
        FROM {_ESTIMATE}
        """,
    ),
    Gauge(
        "oneform_source_circuit_open",
        "1 while a source is left alone after failures.",
        ("source",),
        "SELECT code, (coalesce(closed_until > clock_timestamp(), false))::int FROM source",
    ),
    Gauge(
        "oneform_source_failures",
        "Failures in a row of a source.",
        ("source",),
        "SELECT code, failures FROM source",
    ),
)


class Installation(Collector):
    """Collects the gauges. What does not answer is missing, and `oneform_server_up` says so."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._lock = threading.Lock()
        self._kept: list[GaugeMetricFamily] = []
        self._kept_until = 0.0

    def collect(self) -> Iterable[GaugeMetricFamily]:
        with self._lock:
            if time.monotonic() >= self._kept_until:
                self._kept = self._look_up()
                self._kept_until = time.monotonic() + KEPT_S
            return self._kept

    def _look_up(self) -> list[GaugeMetricFamily]:
        up = GaugeMetricFamily("oneform_server_up", "Whether a server answers.", labels=["server"])
        families = [up]
        try:
            families += self._ask_database()
            up.add_metric(["database"], 1)
        except sa.exc.SQLAlchemyError:
            up.add_metric(["database"], 0)
        try:
            families.append(self._ask_redis())
            up.add_metric(["redis"], 1)
        except (redis.RedisError, RuntimeError):
            up.add_metric(["redis"], 0)
        return families

    def _ask_database(self) -> list[GaugeMetricFamily]:
        families = []
        with self._runtime.engine.connect() as connection:
            connection.execute(sa.text(f"SET LOCAL statement_timeout = {TIMEOUT_MS}"))
            for gauge in GAUGES:
                family = GaugeMetricFamily(gauge.name, gauge.help, labels=gauge.labels)
                for *labels, value in connection.execute(sa.text(gauge.query)):
                    family.add_metric([str(label) for label in labels], float(value))
                families.append(family)
        return families

    def _ask_redis(self) -> GaugeMetricFamily:
        with self._runtime.redis(timeout=REDIS_TIMEOUT_S) as client:
            seen = count_workers(client)
        family = GaugeMetricFamily("oneform_workers", "Workers seen lately.")
        family.add_metric([], seen)
        return family
