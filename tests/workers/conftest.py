"""An outbox with the probe jobs, relays, and worker processes on real servers."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess

import pytest
import redis
from outbox_tools import Outbox
from worker_process import LEASE_S, start_process

from oneform.config import Settings
from oneform.kernel.clock import FixedClock
from oneform.runtime import Runtime
from oneform.runtime.presence import present
from workers.queues import ALL
from workers.registry import STOPPING
from workers.relay import Relay


@pytest.fixture
def clean_redis_url(redis_url: str) -> Iterator[str]:
    """Workers that were killed are seen for a while; afterwards nobody is."""
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
        yield redis_url
        client.flushall()


@pytest.fixture
def settings(settings: Settings, clean_redis_url: str) -> Settings:
    return dataclasses.replace(settings, redis_url=clean_redis_url)


@pytest.fixture
def outbox(runtime: Runtime) -> Outbox:
    return Outbox(runtime)


@pytest.fixture(autouse=True)
def not_stopping() -> Iterator[None]:
    yield
    STOPPING.clear()


@pytest.fixture
def relay(runtime: Runtime) -> Relay:
    """A relay whose rounds the test makes itself."""
    return Relay(runtime, lease_s=LEASE_S)


@pytest.fixture
def running_relay(settings: Settings, clock: FixedClock) -> Iterator[Relay]:
    """A relay at work in a thread."""
    runtime = Runtime(settings, clock=clock)
    relay = Relay(runtime, lease_s=LEASE_S)
    thread = threading.Thread(target=relay.run)
    thread.start()
    yield relay
    relay.stop()
    thread.join()
    runtime.close()


@pytest.fixture
def one_worker(runtime: Runtime) -> Iterator[None]:
    """Somebody who says to be a worker of all queues, and works on nothing."""
    with present(runtime.redis(), [queue.value for queue in ALL]):
        yield


StartWorker = Callable[..., BaseProcess]


@pytest.fixture
def start_worker(settings: Settings) -> Iterator[StartWorker]:
    """Start worker processes that know the probe jobs; none outlives the test."""
    started: list[BaseProcess] = []

    def start(*queues: str) -> BaseProcess:
        started.append(start_process(settings, "worker", *queues))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.join()
        process.close()
