"""Asking a Valkey whether it serves."""

from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

_SECONDS = 3


def valkey_answers(socket: Path) -> bool:
    """Tell whether a Valkey behind this socket takes commands (not: is loading its file)."""
    client = redis.Redis(
        unix_socket_path=str(socket), socket_timeout=_SECONDS, retry=Retry(NoBackoff(), 0)
    )
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
