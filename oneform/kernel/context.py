"""The context: first argument of every service."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from oneform.kernel.actor import Actor
from oneform.kernel.calendar import WorkingCalendar
from oneform.kernel.clock import Clock
from oneform.kernel.db import driver_text
from oneform.kernel.events import Events
from oneform.kernel.outbox import Outbox


@dataclass(frozen=True, slots=True)
class Context:
    """One unit of work: who does it, when, and where it is written down.

    Services write through `session` and never commit; `outbox` takes what must
    happen after the commit; `events` tells upper parts within it.
    """

    session: Session
    actor: Actor
    clock: Clock
    calendar: WorkingCalendar
    outbox: Outbox
    events: Events

    def acting_as(self, actor: Actor) -> Context:
        return replace(self, actor=actor)

    def emit(self, event: object) -> None:
        self.events.emit(self, event)

    def today(self) -> dt.date:
        return self.clock.today()

    def sql(self, statement: str | sa.Executable, /, **params: Any) -> sa.CursorResult[Any]:
        """Execute one statement with named parameters in this unit of work."""
        if isinstance(statement, sa.TextClause):
            statement = statement.text
        if isinstance(statement, str):
            # Past the session and the compiler: they do nothing with a text, which takes their
            # time. But what the session has not written yet is to be seen by the statement.
            session = self.session
            if session.new or session.dirty or session.deleted:
                session.flush()
            return session.connection().exec_driver_sql(driver_text(statement), params)
        result = self.session.execute(statement, params)
        assert isinstance(result, sa.CursorResult)
        return result
