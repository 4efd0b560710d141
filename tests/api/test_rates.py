"""The rate limit is shared through Redis, and goes on in memory while Redis is away."""

from __future__ import annotations

import contextlib

import pytest
import redis
import structlog

from oneform.api import rates
from oneform.api.errors import TooManyRequests
from oneform.api.rates import Rates
from oneform.config import Settings


class Time:
    """Stands still until it is told to go on: windows end when the test says so."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(rates, "time", time)
    return time


@pytest.fixture
def shared(redis_url: str) -> Settings:
    redis.Redis.from_url(redis_url).flushall()
    return Settings(redis_url=redis_url, rate_limit=5)


def passed(processes: list[Rates], key: str, requests: int = 20) -> int:
    """How many of so many requests got through, sent to each of the processes in turn."""
    found = 0
    for number in range(requests):
        with contextlib.suppress(TooManyRequests):
            processes[number % len(processes)].count(key)
            found += 1
    return found


def test_processes_share_one_limit_through_redis(time: Time, shared: Settings) -> None:
    processes = [Rates(shared), Rates(shared)]
    assert passed(processes, "one") == 5
    assert passed(processes, "another") == 5
    assert passed(processes, "one") == 0
    time.now += 1
    assert passed(processes, "one") == 5


def test_counts_leave_nothing_behind_in_redis(time: Time, shared: Settings) -> None:
    Rates(shared).count("one")
    assert shared.redis_url is not None
    client = redis.Redis.from_url(shared.redis_url)
    assert [client.ttl(name) for name in client.keys("oneform:rate:*")] == [2]


@pytest.mark.parametrize("redis_url", [None, "unix:///nonexistent/socket"])
def test_limit_holds_in_memory_without_redis(time: Time, redis_url: str | None) -> None:
    alone = Rates(Settings(redis_url=redis_url, rate_limit=5))
    with structlog.testing.capture_logs() as logs:
        assert passed([alone], "one") == 5
        assert passed([alone], "another") == 5
        time.now += 1
        assert passed([alone], "one") == 5
    assert [entry["event"] for entry in logs] == ["rates.redis_away"] * (redis_url is not None)


def test_while_redis_is_away_nobody_else_waits_for_whoever_tries(time: Time) -> None:
    limit = Rates(Settings(redis_url="unix:///nonexistent/socket", rate_limit=5))
    assert limit._may_ask()
    limit.count("one")
    assert not limit._may_ask()
    time.now += rates.AWAY_S
    assert [limit._may_ask() for _ in range(3)] == [True, False, False]


def test_outage_is_told_once_and_its_end(time: Time, shared: Settings) -> None:
    limit = Rates(shared)
    working, limit._redis = limit._redis, redis.Redis.from_url("unix:///nonexistent/socket")
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            limit.count("one")
            time.now += rates.AWAY_S
        limit._redis = working
        limit.count("one")
        limit.count("one")
    told = [entry["event"] for entry in logs if entry["log_level"] != "debug"]
    assert told == ["rates.redis_away", "rates.redis_back"]


def test_redis_is_asked_again_after_a_while(time: Time, shared: Settings) -> None:
    limit = Rates(shared)
    away = Rates(Settings(redis_url="unix:///nonexistent/socket"))
    working, limit._redis = limit._redis, away._redis
    assert passed([limit], "one") == 5
    limit._redis = working
    assert working is not None
    assert working.keys() == []
    time.now += rates.AWAY_S
    assert passed([limit], "one") == 5
    assert len(working.keys()) == 1


def test_refusal_says_how_long_to_wait(time: Time) -> None:
    alone = Rates(Settings(rate_limit=1))
    alone.count("one")
    with pytest.raises(TooManyRequests) as caught:
        alone.count("one")
    assert caught.value.data == {"retry_after": 1}


def test_first_requests_of_a_second_are_told_to_redis_with_the_next_one(
    time: Time, shared: Settings
) -> None:
    limit = Rates(Settings(redis_url=shared.redis_url, rate_limit=40))
    assert shared.redis_url is not None
    client = redis.Redis.from_url(shared.redis_url)
    assert passed([limit], "one", 2) == 2
    assert client.keys("oneform:rate:*") == []
    assert passed([limit], "one", 2) == 2
    (name,) = client.keys("oneform:rate:*")
    assert client.get(name) == b"4"
    assert passed([limit], "one", 100) == 36
