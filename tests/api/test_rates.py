"""The rate limit is shared through Redis, and goes on in memory while Redis is away."""

from __future__ import annotations

import contextlib

import structlog

from oneform.api import rates
from oneform.api.errors import TooManyRequests
from oneform.api.rates import Rates
from oneform.config import Settings


def passed(limits: list[Rates], key: str, requests: int = 40) -> int:
    """How many of so many requests got through, sent to each of the processes in turn."""
    found = 0
    for number in range(requests):
        with contextlib.suppress(TooManyRequests):
            limits[number % len(limits)].count(key)
            found += 1
    return found


def test_processes_share_one_limit_through_redis(redis_url: str) -> None:
    settings = Settings(redis_url=redis_url, rate_limit=5)
    processes = [Rates(settings), Rates(settings)]
    # A window of a second may end meanwhile, and another begin; not seven of them.
    assert 5 <= passed(processes, "one") <= 15
    assert passed(processes, "another") >= 5


def test_limit_holds_in_memory_while_redis_is_away() -> None:
    limit = Rates(Settings(redis_url="unix:///nonexistent/socket", rate_limit=5))
    with structlog.testing.capture_logs() as logs:
        assert 5 <= passed([limit], "one") <= 15
    assert [entry["event"] for entry in logs] == ["rates.redis_away"]


def test_redis_is_asked_again_after_a_while(redis_url: str) -> None:
    limit = Rates(Settings(redis_url=redis_url, rate_limit=1_000_000))
    limit._away_until = rates.time.monotonic() + 3600
    limit.count("later")
    assert limit._shared is not None
    assert limit._shared.get_window_stats(limit._item, "later").remaining == 1_000_000
    limit._away_until = 0
    limit.count("later")
    assert limit._shared.get_window_stats(limit._item, "later").remaining == 999_999
