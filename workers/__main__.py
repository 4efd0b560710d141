"""Entry of the worker processes: `python -m workers worker [QUEUE …]|relay|cron`."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Callable
from typing import NoReturn

import redis
import structlog
from rq.cron import CronScheduler
from rq.exceptions import StopRequested
from setproctitle import setproctitle

from oneform.config import SettingsError, load_settings
from oneform.runtime.lifeline import end_with_parent
from oneform.runtime.logging import configure_logging
from oneform.runtime.presence import present
from workers.perform import open_runtime
from workers.queues import ALL
from workers.relay import Relay
from workers.schedule import register
from workers.worker import JOBS_PER_PROCESS, TITLE, NotAgain, OneformWorker, queue_names

REDIS_TIMEOUT_S = 5.0
WAIT_FOR_REDIS_S = 1.0

log = structlog.get_logger(__name__)


def run_worker(wanted: list[str]) -> None:
    """Work on the queues named, or on all, until stopped."""
    setproctitle(TITLE)
    queues = queue_names(wanted)
    runtime = open_runtime()
    logging.getLogger("rq.worker").addFilter(NotAgain())
    client = runtime.redis(timeout=REDIS_TIMEOUT_S)
    with present(client, queues):
        _wait_for_redis(client)
        OneformWorker(queues, connection=runtime.redis()).work(
            logging_level="WARNING", max_jobs=JOBS_PER_PROCESS
        )
    runtime.close()


def _wait_for_redis(client: redis.Redis) -> None:
    """Until it takes what it is given: it may be away, or its disk may be full."""
    told = False
    while True:
        try:
            client.set("oneform:worker", "", ex=60)
            return
        except redis.RedisError as error:
            if not told:
                log.warning("the worker waits for Redis", error=str(error))
            told = True
            time.sleep(WAIT_FOR_REDIS_S)


def run_relay(_arguments: list[str]) -> None:
    """Hand over what is due until stopped."""
    setproctitle("oneform: relay")
    runtime = open_runtime()
    relay = Relay(runtime)
    signal.signal(signal.SIGTERM, relay.stop)
    signal.signal(signal.SIGINT, relay.stop)
    relay.run()
    runtime.close()


def run_cron(_arguments: list[str]) -> None:
    """Make the sweeps of the schedule necessary until stopped; Redis is waited for."""
    setproctitle("oneform: cron")
    runtime = open_runtime()
    told = False
    try:
        while True:
            cron = CronScheduler(
                connection=runtime.redis(timeout=REDIS_TIMEOUT_S), logging_level="WARNING"
            )
            register(cron)
            try:
                cron.start()  # type: ignore[no-untyped-call]  # RQ has no types here
                break
            except redis.RedisError as error:
                if not told:
                    log.warning("the schedule waits for Redis", error=str(error))
                told = True
                time.sleep(WAIT_FOR_REDIS_S)
    except StopRequested:
        pass
    runtime.close()


def _leave(*_: object) -> NoReturn:
    sys.exit(0)


PROCESSES: dict[str, Callable[[list[str]], None]] = {
    "worker": run_worker,
    "relay": run_relay,
    "cron": run_cron,
}
USAGE = f"usage: python -m workers relay | cron | worker [{'] ['.join(ALL)}]"


def main(arguments: list[str]) -> int:
    """Run one process until it is stopped; 1 where its servers are away, 2 for wrong usage."""
    name, rest = (arguments or [""])[0], arguments[1:]
    known = {queue.value for queue in ALL} if name == "worker" else set()
    if name not in PROCESSES or not known.issuperset(rest):
        print(USAGE, file=sys.stderr)  # noqa: T201
        return 2
    # Until the process has its own handlers, which finish the work in hand first.
    signal.signal(signal.SIGTERM, _leave)
    end_with_parent()
    try:
        configure_logging(load_settings(), name)
        PROCESSES[name](rest)
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    except redis.RedisError as error:
        # Whoever supervises starts it again; the pause keeps the log readable meanwhile.
        log.warning("Redis does not answer", error=str(error))
        time.sleep(WAIT_FOR_REDIS_S)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
