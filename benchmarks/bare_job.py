"""The bare side of the row `job`: `python -m benchmarks.bare_job relay|worker DATABASE REDIS`.

What somebody would write by hand: rows of a table, NOTIFY, a process that takes them
from there to a Redis list, and one that waits on it. No fairness, no leases; a job is
lost with whoever had it.
"""

from __future__ import annotations

import sys
import time
from typing import NoReturn

import psycopg
import redis

from benchmarks.job_bodies import say

CHANNEL = QUEUE = "bare_job"
TABLE = "CREATE TABLE bare_job (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, args text)"
ENQUEUE = (
    f"WITH added AS (INSERT INTO bare_job (args) VALUES (%s)) SELECT pg_notify('{CHANNEL}', '')"
)


def relay(database: str, client: redis.Redis) -> NoReturn:
    """Hand over what is there, whenever it is told."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"LISTEN {CHANNEL}")
        while True:
            rows = connection.execute("DELETE FROM bare_job RETURNING args").fetchall()
            if rows:
                client.rpush(QUEUE, *(args for (args,) in rows))
            for _ in connection.notifies(timeout=1, stop_after=1):
                pass


def work(client: redis.Redis) -> NoReturn:
    """Do the jobs."""
    while True:
        found = client.blpop([QUEUE], timeout=1)
        now = time.monotonic_ns()
        if found is not None:
            number, address = found[1].decode().split(" ", 1)
            say(address, int(number), now)


if __name__ == "__main__":
    process, database, server = sys.argv[1:]
    client = redis.Redis.from_url(server)
    if process == "relay":
        relay(database, client)
    work(client)
