"""What the tests of the workers do with the outbox and the table of the probe jobs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from probe_jobs import TABLE, ProbeJob

from oneform.runtime import Runtime

PATIENCE_S = 60.0


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Wait until something holds; the limit only ends a test that has failed."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"still waiting: {what}")
        time.sleep(0.02)
    return found


class Outbox:
    """What the tests do with the outbox and the table of the probe jobs."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.sql(TABLE)

    def enqueue(self, job: ProbeJob, *, times: int = 1, **options: Any) -> None:
        with self.runtime.context() as ctx:
            for _ in range(times):
                ctx.outbox.enqueue(job, **options)

    def sql(self, statement: str, **params: Any) -> sa.CursorResult[Any]:
        with self.runtime.engine.begin() as connection:
            return connection.execute(sa.text(statement), params)

    def tags(self) -> list[str]:
        return list(self.sql("SELECT tag FROM probe ORDER BY id").scalars())

    def rows(self) -> list[Any]:
        return list(self.sql("SELECT * FROM outbox ORDER BY id"))

    def row(self) -> Any:
        """The only row there is."""
        [row] = self.rows()
        return row

    def hand_over(self) -> tuple[int, int]:
        """Lease the only row as the relay does, whatever there is room for; its id and number."""
        row = self.sql(
            "UPDATE outbox SET lease = lease + 1, "
            "leased_until = clock_timestamp() + interval '30 s' RETURNING id, lease"
        ).one()
        return row.id, row.lease
