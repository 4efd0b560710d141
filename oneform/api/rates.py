"""Rate limit of each client: shared through Redis, in this process's memory while Redis is away.

Requests are counted in windows of a second, after it is known whose they are. The first few of
a client are not told to Redis until there are more, so that who sends few costs no round trip.
(Flask-Limiter counts before that, and the memory of its engine starts a thread
for every request.)
"""

from __future__ import annotations

import threading
import time
from collections import Counter

import flask
import redis
import structlog

from oneform.api.errors import TooManyRequests
from oneform.config import Settings

log = structlog.get_logger(__name__)

EXTENSION = "oneform-rates"
AWAY_S = 5.0
"""How long Redis is left alone after it did not answer."""


class Rates:
    """The counts of one process, and those that it shares with others."""

    def __init__(self, settings: Settings) -> None:
        self._limit = settings.rate_limit
        self._untold = self._limit // 16
        self._redis: redis.Redis | None = None
        if settings.redis_url is not None:
            # Nothing is tried again: memory counts on at once.
            self._redis = redis.Redis.from_url(
                settings.redis_url, socket_connect_timeout=1, socket_timeout=1, retry=None
            )
        self._is_away = False
        self._away_until = 0.0
        self._lock = threading.Lock()
        self._window = 0
        self._counts: Counter[str] = Counter()

    def count(self, key: str) -> None:
        """One more request of the client; TooManyRequests when it was one too many."""
        window = int(time.time())
        alone = self._count_alone(key, window)
        seen = alone
        if alone > self._untold:
            # With the first that is told come those that were not.
            told = alone if alone == self._untold + 1 else 1
            seen = self._count_shared(key, window, told) or alone
        if seen > self._limit:
            raise TooManyRequests(
                f"At most {self._limit} requests a second are answered.",
                data={"retry_after": 1},
            )

    def _count_shared(self, key: str, window: int, requests: int) -> int | None:
        if self._redis is None or not self._may_ask():
            return None
        name = f"oneform:rate:{key}:{window}"
        try:
            with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.incrby(name, requests)
                pipeline.expire(name, 2)
                seen = int(pipeline.execute()[0])
        except redis.RedisError as error:
            with self._lock:
                tell = log.debug if self._is_away else log.warning
                self._is_away, self._away_until = True, time.monotonic() + AWAY_S
            tell("rates.redis_away", error=str(error))
            return None
        if self._is_away:
            self._is_away = False
            log.info("rates.redis_back")
        return seen

    def _may_ask(self) -> bool:
        """Whether to ask Redis. While it is away one thread at a time tries, and none waits for it."""
        if not self._is_away:
            return True
        with self._lock:
            now = time.monotonic()
            if now < self._away_until:
                return False
            self._away_until = now + AWAY_S
            return True

    def _count_alone(self, key: str, window: int) -> int:
        with self._lock:
            if window != self._window:
                self._window = window
                self._counts.clear()
            self._counts[key] += 1
            return self._counts[key]


def count_request(key: str | None = None) -> None:
    """Count the request in hand for `key`, or for the address that it came from."""
    rates = flask.current_app.extensions[EXTENSION]
    assert isinstance(rates, Rates)
    rates.count(key or f"address:{flask.request.remote_addr}")


def init_app(app: flask.Flask, settings: Settings) -> None:
    app.extensions[EXTENSION] = Rates(settings)
