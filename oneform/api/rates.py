"""Rate limit of each client: shared through Redis, in this process's memory while Redis is away.

Uses `limits`, the engine of Flask-Limiter; the extension itself looks at a
request before it is known whose it is, and the limit here is the client's.
"""

from __future__ import annotations

import time

import flask
import redis
import structlog
from limits import RateLimitItemPerSecond
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter

from oneform.api.errors import TooManyRequests
from oneform.config import Settings

log = structlog.get_logger(__name__)

EXTENSION = "oneform-rates"
AWAY_S = 5.0
"""How long Redis is left alone after it did not answer."""


class Rates:
    """Counts requests in windows of a second."""

    def __init__(self, settings: Settings) -> None:
        self._item = RateLimitItemPerSecond(settings.rate_limit, namespace="oneform")
        self._memory = FixedWindowRateLimiter(storage_from_string("memory://"))
        self._shared: FixedWindowRateLimiter | None = None
        if settings.redis_url is not None:
            url = settings.redis_url
            self._shared = FixedWindowRateLimiter(
                storage_from_string(
                    "redis+" + url if url.startswith("unix://") else url,
                    socket_connect_timeout=1,
                    socket_timeout=1,
                )
            )
        self._away_until = 0.0

    def count(self, key: str) -> None:
        """One more request of the client; TooManyRequests when it was one too many."""
        if not self._hit(key):
            raise TooManyRequests(
                f"At most {self._item.amount} requests a second are answered.",
                data={"retry_after": 1},
            )

    def _hit(self, key: str) -> bool:
        if self._shared is not None and time.monotonic() >= self._away_until:
            try:
                return self._shared.hit(self._item, key)
            except redis.RedisError as error:
                self._away_until = time.monotonic() + AWAY_S
                log.warning("rates.redis_away", error=str(error))
        return self._memory.hit(self._item, key)


def count_request(key: str | None = None) -> None:
    """Count the request in hand for `key`, or for the address that it came from."""
    rates = flask.current_app.extensions[EXTENSION]
    assert isinstance(rates, Rates)
    rates.count(key or f"address:{flask.request.remote_addr}")


def init_app(app: flask.Flask, settings: Settings) -> None:
    app.extensions[EXTENSION] = Rates(settings)
