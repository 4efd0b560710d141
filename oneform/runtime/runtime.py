"""`Runtime`: opens what a process needs, once, and hands out contexts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import redis
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from oneform.config import Settings, load_settings
from oneform.kernel.actor import SYSTEM, Actor
from oneform.kernel.calendar import get_calendar
from oneform.kernel.clock import Clock
from oneform.kernel.context import Context
from oneform.kernel.db import create_engine
from oneform.kernel.events import Events
from oneform.kernel.plans import plan_as_usual
from oneform.kernel.uow import unit_of_work
from oneform.runtime.wiring import wire


class Runtime:
    """Engine, Redis client, clock and events of one process. Connections open at first use."""

    def __init__(
        self, settings: Settings, *, clock: Clock | None = None, application: str = "oneform"
    ) -> None:
        if settings.database_url is None:
            raise ValueError("a runtime needs a database URL")
        self.settings = settings
        self.clock = clock or Clock(settings.timezone, settings.today)
        self.calendar = get_calendar(settings.calendar)
        self.engine: sa.Engine = create_engine(
            settings.database_url, application=application, timezone=self.clock.zone.key
        )
        plan_as_usual(self.engine)
        self.sessions = sessionmaker(self.engine, class_=Session, expire_on_commit=False)
        self.events = Events()
        wire(self.events)

    @classmethod
    def from_environment(cls, *, application: str = "oneform") -> Runtime:
        return cls(load_settings(), application=application)

    def redis(self, *, timeout: float | None = None) -> redis.Redis:
        """A client of the configured Redis; RuntimeError where none is configured.

        `timeout` in seconds for each call; None: as long as it takes (for blocking calls).
        """
        if self.settings.redis_url is None:
            raise RuntimeError("no Redis is configured")
        return redis.Redis.from_url(
            self.settings.redis_url,
            socket_connect_timeout=2,
            socket_timeout=timeout,
            health_check_interval=30,
        )

    @contextmanager
    def context(self, actor: Actor = SYSTEM) -> Iterator[Context]:
        """One unit of work: committed at the end, rolled back on any error."""
        with unit_of_work(
            self.sessions, actor, clock=self.clock, calendar=self.calendar, events=self.events
        ) as ctx:
            yield ctx

    def close(self) -> None:
        self.engine.dispose()
