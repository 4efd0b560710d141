"""job: from the commit that makes a job necessary to the start of its body, beside NOTIFY and BLPOP.

Real relay and worker processes, as many as `oneform up` runs. Each sample is one
transaction; the clock starts when its commit is sent. Once with nothing else to do,
and once while another agency has a backlog of small jobs that keeps all workers busy.

The bar is 50 ms for the median, whatever the bare engine needs: as a ratio it is 50 ms
in units of this run's bare median, so that `ratio <= bar` says just that.
"""

from __future__ import annotations

import os
import random
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from benchmarks.bare_job import ENQUEUE, TABLE
from benchmarks.job_bodies import BenchJob
from benchmarks.progress import tell
from benchmarks.province import Province
from benchmarks.rows import Row
from oneform.cli.up import child_environment, queues_of_worker
from oneform.config import Settings
from oneform.engines import ValkeyServer
from oneform.runtime import Runtime
from oneform.runtime.presence import count_workers

BAR_S = 0.050
SAMPLES = {"full": 400, "small": 60}
BACKLOG = {"full": 30_000, "small": 5_000}
WARM_UP = 5
WORKERS = 2
PATIENCE_S = 60.0
OWN, OTHER = 1, 2
"""Agencies."""

Enqueue = Callable[[int], int]
"""Makes sample `number` necessary; the instant at which its commit was sent."""


def run(province: Province) -> list[Row]:
    """The bare side before and after ours."""
    samples = SAMPLES[province.size]
    home = province.runtime.settings.home
    with ValkeyServer(home) as valkey, _Clock(home) as clock:
        settings = replace(province.runtime.settings, redis_url=valkey.url)
        bare = _bare(settings, clock, samples // 2)
        runtime = Runtime(settings)
        with _oneform(settings, runtime):
            enqueue = _enqueue_with(runtime, clock.address)
            idle = clock.measure(enqueue, samples)
            _make_backlog(runtime, BACKLOG[province.size])
            busy = clock.measure(enqueue, samples)
            left = _drop_backlog(runtime)
        runtime.close()
        bare += _bare(settings, clock, samples - samples // 2)
    if not left:
        raise RuntimeError("the backlog came to its end before the samples did")
    plain = statistics.median(bare)
    for name, times in (("bare", bare), ("job", idle), ("job backlog", busy)):
        tell(f"{name}: {_spread(times)}")
    return [
        Row(name, samples, statistics.median(times), plain, BAR_S / plain)
        for name, times in (("job", idle), ("job backlog", busy))
    ]


def _spread(times: Sequence[float]) -> str:
    cuts = statistics.quantiles(times, n=100)
    return ", ".join(f"p{at} {cuts[at - 1] * 1000:.1f} ms" for at in (50, 90, 99))


@dataclass
class _Clock:
    """Hears when samples begin."""

    home: Path

    def __enter__(self) -> _Clock:
        self.address = str(self.home / "starts")
        self._wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._wire.bind(self.address)
        self._wire.settimeout(PATIENCE_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._wire.close()
        os.unlink(self.address)

    def measure(self, enqueue: Enqueue, samples: int) -> list[float]:
        """Seconds of each sample, one after another, at moments that nothing else keeps time with.

        The first ones, which find processes that have just started, do not count.
        """
        pause = random.Random(1)
        times = []
        for number in range(samples + WARM_UP):
            time.sleep(pause.uniform(0.02, 0.06))
            sent = enqueue(number)
            told, began = self._wire.recv(100).split()
            if int(told) != number:
                raise RuntimeError(f"sample {told.decode()} began instead of {number}")
            times.append((int(began) - sent) / 1e9)
        return times[WARM_UP:]


def _enqueue_with(runtime: Runtime, address: str) -> Enqueue:
    def enqueue(number: int) -> int:
        with runtime.context() as ctx:
            ctx.outbox.enqueue(BenchJob.SAY_WHEN, agency_id=OWN, number=number, address=address)
            sent = time.monotonic_ns()
        return sent

    return enqueue


@contextmanager
def _oneform(settings: Settings, runtime: Runtime) -> Iterator[None]:
    """Relay and workers with an installation's environment."""
    module = [sys.executable, "-m", "benchmarks.job_bodies"]
    environment = child_environment(settings, web_workers=1)
    environment["ONEFORM_LOG_LEVEL"] = "warning"
    with ExitStack() as stack:
        for number in range(WORKERS):
            command = [*module, "worker", *queues_of_worker(number, WORKERS)]
            stack.enter_context(_process(command, environment))
        stack.enter_context(_process([*module, "relay"], environment))
        deadline = time.monotonic() + PATIENCE_S
        with runtime.redis() as client:
            while count_workers(client) < WORKERS:
                if time.monotonic() > deadline:
                    raise RuntimeError("the workers do not come")
                time.sleep(0.1)
        time.sleep(2)  # the relay counts workers once a second
        yield


@contextmanager
def _process(command: list[str], environment: dict[str, str] | None = None) -> Iterator[None]:
    process = subprocess.Popen(command, env=environment, stdout=sys.stderr.fileno())
    try:
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def _make_backlog(runtime: Runtime, jobs: int) -> None:
    with runtime.context() as ctx:
        ctx.sql(
            "INSERT INTO outbox (job, args, agency_id) "
            "SELECT :job, '{}', :agency FROM generate_series(1, :jobs)",
            job=BenchJob.DO_NOTHING,
            agency=OTHER,
            jobs=jobs,
        )


def _drop_backlog(runtime: Runtime) -> int:
    with runtime.context() as ctx:
        return ctx.sql("DELETE FROM outbox WHERE job = :job", job=BenchJob.DO_NOTHING).rowcount


def _bare(settings: Settings, clock: _Clock, samples: int) -> list[float]:
    database = str(settings.database_url).replace("+psycopg", "")
    module = [sys.executable, "-m", "benchmarks.bare_job"]
    with ExitStack() as stack:
        connection = stack.enter_context(psycopg.connect(database))
        connection.execute(TABLE)
        connection.commit()
        for process in ("relay", *["worker"] * WORKERS):
            command = [*module, process, database, str(settings.redis_url)]
            stack.enter_context(_process(command))
        time.sleep(2)

        def enqueue(number: int) -> int:
            connection.execute(ENQUEUE, (f"{number} {clock.address}",))
            sent = time.monotonic_ns()
            connection.commit()
            return sent

        times = clock.measure(enqueue, samples)
        connection.execute("DROP TABLE bare_job")
        connection.commit()
    return times
