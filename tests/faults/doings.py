"""What a process does before it dies, or to go on after another one has died."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass, field
from typing import Any

import flask

from oneform.kernel.clock import FixedClock
from oneform.runtime import Runtime
from workers.jobs import JOBS
from workers.leasing import lease_rows
from workers.perform import perform_with
from workers.queues import ALL
from workers.relay import Relay
from workers.schedule import tick
from workers.worker import OneformWorker, queue_names

QUEUE_OF = {name: job.queue.value for name, job in JOBS.items()}
ROOM = {queue.value: 100 for queue in ALL}


@dataclass(frozen=True, slots=True)
class Program:
    """What a process has once it has started."""

    runtime: Runtime
    app: flask.Flask

    def pass_days(self, days: int) -> None:
        assert isinstance(self.runtime.clock, FixedClock)
        self.runtime.clock.advance(dt.timedelta(days=days))


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One call over HTTP, through the whole application."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    json: Any = None
    data: Any = None
    """A form, or bytes, instead of JSON."""

    def do(self, program: Program) -> Answer:
        """The answer, and the call once more while another one holds its key."""
        while True:
            answer = self._send(program)
            if answer.status != 409 or b"idempotency-key-in-use" not in answer.body:
                return answer
            time.sleep(0.01)  # until PostgreSQL has noticed who died

    def _send(self, program: Program) -> Answer:
        given = {"json": self.json} if self.data is None else {"data": self.data}
        sent = program.app.test_client(use_cookies=False).open(
            self.path, method=self.method, headers=self.headers, **given
        )
        return Answer(sent.status_code, sent.data, "Idempotent-Replayed" in sent.headers)

    def goes_on(self) -> tuple[Doing, ...]:
        """Whoever heard nothing repeats the call."""
        return (self, RunJobs())


@dataclass(frozen=True, slots=True)
class Perform:
    """The run of a job that was handed over."""

    row_id: int
    lease: int

    def do(self, program: Program) -> None:
        perform_with(program.runtime, self.row_id, self.lease)

    def goes_on(self) -> tuple[Doing, ...]:
        return (RunJobs(),)


@dataclass(frozen=True, slots=True)
class RelayRound:
    """One round of the relay, with a real Redis."""

    def do(self, program: Program) -> int:
        return Relay(program.runtime).relay_once()

    def goes_on(self) -> tuple[Doing, ...]:
        return (CarryOn(),)


@dataclass(frozen=True, slots=True)
class WorkOnce:
    """A worker that takes one message from Redis and works on it."""

    def do(self, program: Program) -> None:
        _worker(program).work(burst=True, max_jobs=1, logging_level="CRITICAL")

    def goes_on(self) -> tuple[Doing, ...]:
        return (CarryOn(),)


@dataclass(frozen=True, slots=True)
class Tick:
    """The schedule, which makes a sweep necessary."""

    job: str

    def do(self, program: Program) -> None:
        tick(self.job)

    def goes_on(self) -> tuple[Doing, ...]:
        return (self, RunJobs())


@dataclass(frozen=True, slots=True)
class RunJobs:
    """Everything that is still to be done, also what waits for its lease to run out, or for later."""

    def do(self, program: Program) -> None:
        while True:
            _let_time_pass(program)
            rows = lease_rows(program.runtime.engine, queue_of=QUEUE_OF, room=ROOM, seconds=30)
            if not rows:
                return
            for row in rows:
                perform_with(program.runtime, row.id, row.lease)


@dataclass(frozen=True, slots=True)
class CarryOn:
    """The same, by a relay and a worker, with what the dead have left in Redis."""

    def do(self, program: Program) -> None:
        relay, worker = Relay(program.runtime), _worker(program)
        while True:
            _let_time_pass(program)
            relay.relay_once()
            if not worker.work(burst=True, logging_level="CRITICAL"):
                return


def _worker(program: Program) -> OneformWorker:
    return OneformWorker(queue_names(), connection=program.runtime.redis())


def _let_time_pass(program: Program) -> None:
    """Leases run out, and what was put off is due. Nothing fails more than once."""
    with program.runtime.context() as ctx:
        failing = ctx.sql("SELECT job, last_error FROM outbox WHERE attempts > 1").all()
        assert not failing, failing
        ctx.sql("UPDATE outbox SET leased_until = NULL, run_after = now()")


Doing = Call | Perform | RelayRound | WorkOnce | Tick | RunJobs | CarryOn
