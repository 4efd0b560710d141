"""The processes of the row `job`: `python -m benchmarks.job_bodies relay|worker …`.

They are oneform's own relay and worker, which know two jobs more: one that says when
it began, and one that does nothing, of which backlogs are made.
"""

from __future__ import annotations

import socket
import sys
import time

from oneform.kernel.outbox import JobName
from workers.__main__ import main
from workers.queues import QueueName
from workers.registry import JobRun, job


class BenchJob(JobName):
    SAY_WHEN = "bench_say_when"
    DO_NOTHING = "bench_do_nothing"


def say(address: str, number: int, instant: int) -> None:
    """Tell whoever measures that sample `number` began at `instant` (monotonic nanoseconds)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
        wire.sendto(f"{number} {instant}".encode(), address)


@job(BenchJob.SAY_WHEN, QueueName.RESOLVE)
def say_when(run: JobRun) -> None:
    """Tell when it began."""
    now = time.monotonic_ns()
    with run.last():
        pass
    say(run.args["address"], run.args["number"], now)


@job(BenchJob.DO_NOTHING, QueueName.RESOLVE)
def do_nothing(run: JobRun) -> None:
    """End at once."""
    with run.last():
        pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
