"""Which workers are there: each tells Redis every few seconds, and is forgotten when it does not.

RQ's own list of workers keeps one that was killed for minutes, and none after
Redis has lost its data; the relay's limit and `/readyz` need the truth sooner.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress

import redis

PREFIX = "oneform:workers"
TELL_EVERY_S = 3.0
SEEN_WITHIN_S = 12.0


def _key(queue: str | None) -> str:
    return PREFIX if queue is None else f"{PREFIX}:{queue}"


def tell(client: redis.Redis, name: str, queues: Iterable[str]) -> None:
    """Say that the worker `name` is there, and works on `queues`."""
    seconds = _now(client)
    with client.pipeline(transaction=False) as pipe:
        for queue in (None, *queues):
            pipe.zadd(_key(queue), {name: seconds})
            pipe.zremrangebyscore(_key(queue), "-inf", seconds - 60 * SEEN_WITHIN_S)
        pipe.execute()


def leave(client: redis.Redis, name: str, queues: Iterable[str]) -> None:
    """Say that it is not there any more."""
    with client.pipeline(transaction=False) as pipe:
        for queue in (None, *queues):
            pipe.zrem(_key(queue), name)
        pipe.execute()


def count_workers(client: redis.Redis) -> int:
    """How many workers have been seen lately, on whatever queue."""
    return int(client.zcount(_key(None), _now(client) - SEEN_WITHIN_S, "+inf"))


def workers_by_queue(client: redis.Redis, queues: Iterable[str]) -> Mapping[str, int]:
    """How many workers of each queue have been seen lately."""
    names = list(queues)
    since = _now(client) - SEEN_WITHIN_S
    with client.pipeline(transaction=False) as pipe:
        for queue in names:
            pipe.zcount(_key(queue), since, "+inf")
        return dict(zip(names, map(int, pipe.execute()), strict=True))


@contextmanager
def present(client: redis.Redis, queues: Iterable[str]) -> Iterator[None]:
    """Be there, told from a thread, as long as the block lasts. Redis may be away meanwhile."""
    name, queues, over = f"{socket.gethostname()}:{os.getpid()}", tuple(queues), threading.Event()

    def keep_telling() -> None:
        while not over.wait(TELL_EVERY_S):
            with suppress(redis.RedisError):
                tell(client, name, queues)

    thread = threading.Thread(target=keep_telling, name="presence", daemon=True)
    try:
        with suppress(redis.RedisError):
            tell(client, name, queues)
        thread.start()
        yield
    finally:
        # Also when it is told to stop at the very first moment.
        over.set()
        if thread.ident is not None:
            thread.join()
        with suppress(redis.RedisError):
            leave(client, name, queues)


def _now(client: redis.Redis) -> float:
    """Seconds by the clock of Redis: machines' own may differ."""
    seconds, micros = client.time()
    return float(seconds) + float(micros) / 1e6
