"""The servers that a command works with: those configured, or embedded ones of the data folder."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import structlog

from oneform.cli.supervisor import Signals
from oneform.config import Settings
from oneform.engines import EngineError, Engines, start_engines

log = structlog.get_logger(__name__)

LONGEST_PAUSE_S = 10.0


@contextlib.contextmanager
def running_engines(
    settings: Settings, *, redis: bool = True
) -> Iterator[tuple[Settings, Engines | None]]:
    """The settings with the URLs of servers: the configured ones, or embedded ones started here.

    EngineError when somebody else has started them in this data folder. Without `redis` no Redis
    is started.
    """
    own_database = settings.database_url is None
    own_redis = redis and settings.redis_url is None
    if not (own_database or own_redis):
        yield settings, None
        return
    with start_engines(settings.home, postgres=own_database, redis=own_redis) as engines:
        yield (
            replace(
                settings,
                database_url=engines.database_url if own_database else settings.database_url,
                redis_url=engines.redis_url if own_redis else settings.redis_url,
            ),
            engines,
        )


class Reviver:
    """Starts engines that died again, for as long as it takes: a full disk may get room again."""

    def __init__(self, engines: Engines | None, signals: Signals) -> None:
        self._engines = engines
        self._signals = signals
        self._pause = 0.0
        self._not_before = 0.0

    def look(self, meanwhile: Callable[[], None]) -> None:
        """Look once; KeyboardInterrupt when we are told to stop meanwhile.

        A recovery can take long: `meanwhile` is called every now and then.
        """
        if self._engines is None or self._engines.is_alive():
            return
        if time.monotonic() < self._not_before:
            return
        try:
            with self._signals.interrupting():
                self._engines.revive(meanwhile)
        except EngineError as error:
            self._pause = min(max(1.0, self._pause * 2), LONGEST_PAUSE_S)
            self._not_before = time.monotonic() + self._pause
            log.error("an engine cannot be started; it is tried again", error=str(error))
        else:
            self._pause = 0.0
