"""The unit of work: the only place that commits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from oneform.kernel.actor import Actor
from oneform.kernel.calendar import WorkingCalendar
from oneform.kernel.clock import Clock
from oneform.kernel.context import Context
from oneform.kernel.events import Events
from oneform.kernel.outbox import Outbox


@contextmanager
def unit_of_work(
    sessions: sessionmaker[Session],
    actor: Actor,
    *,
    clock: Clock,
    calendar: WorkingCalendar,
    events: Events,
) -> Iterator[Context]:
    """Open a transaction, hand out its context, commit at the end or roll back on any error."""
    with sessions() as session:
        ctx = Context(
            session=session,
            actor=actor,
            clock=clock,
            calendar=calendar,
            outbox=Outbox(session),
            events=events,
        )
        begin(ctx)
        yield ctx
        session.commit()


def begin(ctx: Context) -> None:
    """Tell the database which day it is, where that is not the real one (rehearsals, tests)."""
    if ctx.clock.is_rehearsal:
        ctx.session.execute(
            sa.text("SELECT set_config('oneform.today', :day, true)"),
            {"day": ctx.clock.today().isoformat()},
        )
