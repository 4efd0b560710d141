"""Whether this installation can do its work: what `/readyz` says, and `oneform up` waits for."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from enum import StrEnum

import redis
import sqlalchemy as sa

from oneform import migrations
from oneform.kernel.db import DISK_FULL
from oneform.runtime.database_errors import sqlstate_of
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


# The database says of itself whether its disk has room: more rows than fit into the memory it is
# allowed are put into a temporary file, some 200 kB. Nothing is left of it, and nothing is changed.
_SMALL_MEMORY = sa.text("SET LOCAL work_mem = '64kB'")
_SPILL = sa.text("SELECT count(*) FROM generate_series(1, 10000)")


def _check_database(runtime: Runtime) -> dict[str, str]:
    try:
        with runtime.engine.connect() as connection:
            found = migrations.current(connection)
            connection.execute(_SMALL_MEMORY)
            connection.execute(_SPILL)
    except sa.exc.SQLAlchemyError as error:
        full = sqlstate_of(error) == DISK_FULL
        words = "has no room on its disk" if full else "does not answer"
        return {"database": words, "migrations": "unknown"}
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
    except redis.ResponseError:
        # Not even a PING is answered while its disk is full.
        return {"redis": "takes nothing", "workers": "unknown"}
    except redis.RedisError:
        return {"redis": "does not answer", "workers": "unknown"}
    return {"redis": "ok", "workers": "ok" if seen else "none seen"}
