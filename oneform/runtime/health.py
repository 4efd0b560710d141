"""Whether this installation can do its work: what `/readyz` says, and `oneform up` waits for."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from enum import StrEnum

import redis
import sqlalchemy as sa

from oneform import migrations
from oneform.runtime.presence import count_workers
from oneform.runtime.runtime import Runtime

REDIS_TIMEOUT_S = 2.0


class Condition(StrEnum):
    OK = "ok"
    DEGRADED = "degraded"
    """Answers and requests still go in; work on them waits."""
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Readiness:
    condition: Condition
    checks: dict[str, str]
    """`database`, `migrations`, `redis`, `workers`: `ok`, or what is wrong in words."""


def readiness(runtime: Runtime) -> Readiness:
    """Look at every server once, with short time-outs."""
    checks = {**_check_database(runtime), **_check_redis(runtime)}
    if checks["database"] != "ok" or checks["migrations"] != "ok":
        return Readiness(Condition.UNAVAILABLE, checks)
    if all(words == "ok" for words in checks.values()):
        return Readiness(Condition.OK, checks)
    return Readiness(Condition.DEGRADED, checks)


_head = functools.cache(migrations.head)
"""Does not change while the program runs, and takes a while to be read."""


def _check_database(runtime: Runtime) -> dict[str, str]:
    try:
        with runtime.engine.connect() as connection:
            found = migrations.current(connection)
    except sa.exc.SQLAlchemyError:
        return {"database": "does not answer", "migrations": "unknown"}
    wanted = _head()
    if found != wanted:
        return {"database": "ok", "migrations": f"at {found or 'nothing'}, wanted {wanted}"}
    return {"database": "ok", "migrations": "ok"}


def _check_redis(runtime: Runtime) -> dict[str, str]:
    if runtime.settings.redis_url is None:
        return {"redis": "not configured", "workers": "unknown"}
    try:
        with runtime.redis(timeout=REDIS_TIMEOUT_S) as client:
            seen = count_workers(client)
    except redis.RedisError:
        return {"redis": "does not answer", "workers": "unknown"}
    return {"redis": "ok", "workers": "ok" if seen else "none seen"}
