"""An hour of load (`ONEFORM_TEST_SOAK_MINUTES`): nothing grows, nothing is left open, all is there."""

from __future__ import annotations

import os
import re
import sys

import pytest
from installation import Up, wait_for
from watching import KINDS, MASTER, MIB, Watch

from benchmarks.load.checking import check
from benchmarks.load.installation import open_load
from benchmarks.load.tally import table
from benchmarks.load.world import Plan
from oneform.engines import find_engines

pytestmark = pytest.mark.soak

MINUTES = float(os.environ.get("ONEFORM_TEST_SOAK_MINUTES", "60"))
WARM_UP_SHARE = 1 / 3
"""Of the time: caches fill, the allocator finds its size. What grows after that, leaks."""

# A process of 100 MiB that is restarted by its own limits once a day may not have doubled by then.
MEMORY_AN_HOUR = 4 * MIB
# What is seen of noise: a page cache of the allocator's, one large form. Over a third of the time
# this much is no slope yet.
MEMORY_NOISE = 2 * MIB
LONGEST_OPEN_S = 5.0
MET = {"409 request-ended", "422 invalid-answers", "422 invalid-request"}
"""What else clients may be told, since a request was cancelled a moment before: whoever cancels it
again, answers it, or reviews answers to it."""


def test_nothing_grows_and_nothing_is_left_open(up: Up) -> None:
    engines = find_engines(up.home)
    assert engines is not None
    assert engines.database_url is not None
    plan = Plan(agencies=2, villages=6, pace_s=0.5)
    load = open_load(f"http://127.0.0.1:{up.port}", up.home, plan)
    with Watch(up, engines.database_url) as watch:
        load.start()
        load.course.called_off.wait(MINUTES * 60)
        load.finish(within_s=300)
    found, met = load.tally.as_dict(), load.tally.kinds()
    check(load)
    report = [table(found), str(load.promises.as_dict())]
    grown, judged = [], set()
    for pid, series in watch.series.items():
        settled = series.after(MINUTES * 60 * WARM_UP_SHARE)
        if settled.seconds < MINUTES * 60 * (1 - WARM_UP_SHARE) / 2:
            continue  # it was replaced, or came late
        judged.add(series.kind)
        memory, descriptors = settled.slope(settled.memory), settled.slope(settled.descriptors)
        line = (
            f"{series.kind} {pid}: {series.memory[0] / MIB:.1f} MiB at first, "
            f"{settled.memory[0] / MIB:.1f} warm, {settled.memory[-1] / MIB:.1f} at last, "
            f"{memory / MIB:+.2f} an hour; descriptors {settled.descriptors[0]} to "
            f"{settled.descriptors[-1]}, at most {max(settled.descriptors)}"
        )
        report.append(line)
        allowed = MEMORY_AN_HOUR + MEMORY_NOISE * 3600 / settled.seconds
        # Half a descriptor an hour is one that was closed and opened again while we looked.
        if memory > allowed or descriptors > 0.5:
            grown.append(line)
    seconds, who = watch.longest_open()
    report.append(f"longest left in a transaction: {seconds:.2f} s, {who}")
    sys.stderr.write("\n".join(["", *report, ""]))
    # Processes that end and come back would never have had the time to grow.
    assert judged == {*KINDS, MASTER}, "kinds of which a process lived long enough to be judged"
    assert load.tally.broken == []
    assert met <= MET
    assert grown == []
    assert seconds < LONGEST_OPEN_S
    wait_for(lambda: not waiting_jobs(up), "the outbox is empty but for sweeps")


def waiting_jobs(up: Up) -> list[str]:
    """The jobs on the outbox, without those that the schedule puts there every few seconds."""
    jobs = re.findall(r'^oneform_outbox_jobs\{job="(\w+)"', up.metrics(), re.MULTILINE)
    return [job for job in jobs if not job.startswith(("sweep_", "retry_", "clean_up"))]
