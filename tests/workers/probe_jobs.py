"""Jobs of these tests, which leave a line for each step in the table `probe`."""

from __future__ import annotations

import time

from oneform.kernel.outbox import JobName
from oneform.values.errors import TryAgain
from workers.queues import QueueName
from workers.registry import JobRun, job

TABLE = "CREATE TABLE probe (id int GENERATED ALWAYS AS IDENTITY, tag text NOT NULL)"
_NOTE = "INSERT INTO probe (tag) VALUES (:tag)"
_COUNT = "SELECT count(*) FROM probe WHERE tag = :tag"


class ProbeJob(JobName):
    NOTE_IT = "probe_note"
    FETCH_IT = "probe_fetch"
    TAKE_STEPS = "probe_steps"
    FAIL_FIRST = "probe_fail_first"
    MEET_ANOTHER = "probe_meet"
    UNKNOWN = "probe_unknown"
    """Has no body: the job of another version of the program."""


@job(ProbeJob.NOTE_IT, QueueName.RESOLVE)
def note_it(run: JobRun) -> None:
    """One unit of work."""
    with run.last() as ctx:
        ctx.sql(_NOTE, tag=run.args["tag"])


@job(ProbeJob.FETCH_IT, QueueName.FETCH)
def fetch_it(run: JobRun) -> None:
    """The same on another queue."""
    note_it(run)


@job(ProbeJob.TAKE_STEPS, QueueName.RESOLVE)
def take_steps(run: JobRun) -> None:
    """Several units; looks what is done already, as every job does. May wait between them."""
    for step in range(run.args["steps"]):
        tag = f"{run.args['tag']} {step}"
        with run.context() as ctx:
            if not ctx.sql(_COUNT, tag=tag).scalar_one():
                ctx.sql(_NOTE, tag=tag)
        time.sleep(run.args.get("pause", 0))
    with run.last() as ctx:
        ctx.sql(_NOTE, tag=f"{run.args['tag']} done")


@job(ProbeJob.FAIL_FIRST, QueueName.MAINTAIN)
def fail_first(run: JobRun) -> None:
    """Fails when it is run for the first time."""
    with run.context() as ctx:
        first = not ctx.sql(_COUNT, tag="tried").scalar_one()
        ctx.sql(_NOTE, tag="tried")
    if first:
        raise ValueError("no such luck\0")
    with run.last() as ctx:
        ctx.sql(_NOTE, tag="done")


@job(ProbeJob.MEET_ANOTHER, QueueName.RESOLVE)
def meet_another(run: JobRun) -> None:
    """Has to give way once."""
    with run.context() as ctx:
        ctx.sql(_NOTE, tag="tried")
        tried = ctx.sql(_COUNT, tag="tried").scalar_one()
    if tried < 2:
        raise TryAgain("another one was there")
    with run.last():
        pass
