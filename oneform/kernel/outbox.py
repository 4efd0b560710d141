"""The outbox: work that a transaction makes necessary, written in that transaction.

A row stays until the job's own transaction deletes it (`finish`); Redis only
carries it. Each part names its jobs in a subclass of `JobName`; `workers/`
holds their bodies, and a test holds the two together.
"""

from __future__ import annotations

import datetime as dt
import json
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from oneform.kernel.db import Base, BigId, Code

CHANNEL = "oneform_outbox"
"""NOTIFY channel on which the relay listens."""


STUCK_AFTER = 10
"""So many failed attempts, a quarter of an hour: somebody has to look."""


class JobName(StrEnum):
    """Base of the enums in which parts name their jobs: imperatives."""


class OutboxRow(Base):
    __tablename__ = "outbox"

    id: Mapped[BigId] = mapped_column(sa.Identity(always=True), primary_key=True)
    job: Mapped[Code]
    args: Mapped[dict[str, Any]]
    key: Mapped[str | None] = mapped_column(sa.Text(collation="C"), unique=True)
    """Of two waiting rows with the same key one is enough."""
    agency_id: Mapped[int] = mapped_column(server_default="0")
    """Whose fair share this counts against; 0 for the house itself."""
    run_after: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())
    leased_until: Mapped[dt.datetime | None]
    lease: Mapped[int] = mapped_column(server_default="0")
    """Grows with every hand-over; a job with an older number knows that it was replaced."""
    attempts: Mapped[int] = mapped_column(server_default="0")
    last_error: Mapped[str | None]
    created_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.clock_timestamp())

    __table_args__ = (
        sa.Index(None, "agency_id", "job", "run_after", "id"),
        sa.Index(None, "leased_until", postgresql_where=sa.text("leased_until IS NOT NULL")),
    )


_ENQUEUE = sa.text(
    """
    WITH added AS (
      INSERT INTO outbox (job, args, key, agency_id, run_after)
      VALUES (:job, CAST(:args AS jsonb), :key, :agency_id,
              clock_timestamp() + make_interval(secs => :delay))
      ON CONFLICT (key) DO NOTHING
      RETURNING id)
    SELECT pg_notify(:channel, '') FROM added
    """
)


class Outbox:
    """Writes outbox rows in the session's transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def enqueue(
        self,
        job: JobName,
        *,
        agency_id: int = 0,
        delay_s: float = 0,
        key: str | None = None,
        **args: Any,
    ) -> None:
        """Make `job` run after this transaction commits, `delay_s` seconds later.

        `args` are ids, as JSON scalars. With `key`, a row that waits already under
        the same key is enough.
        """
        self._session.execute(
            _ENQUEUE,
            {
                "job": job.value,
                "args": _dumps(args),
                "key": key,
                "agency_id": agency_id,
                "delay": delay_s,
                "channel": CHANNEL,
            },
        )

    def finish(self, row_id: int) -> None:
        """Delete the row: the job's work is in this transaction."""
        self._session.execute(sa.delete(OutboxRow).where(OutboxRow.id == row_id))


def _dumps(args: dict[str, Any]) -> str:
    return json.dumps(args, default=str)
