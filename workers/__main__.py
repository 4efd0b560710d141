"""Entry of the worker processes: `python -m workers worker|relay|cron`."""

from __future__ import annotations

import signal
import sys
import time

import redis
import structlog
from rq.cron import CronScheduler
from setproctitle import setproctitle

from oneform.config import SettingsError, load_settings
from oneform.runtime.logging import configure_logging
from workers.perform import open_runtime
from workers.relay import Relay
from workers.schedule import register
from workers.worker import JOBS_PER_PROCESS, TITLE, OneformWorker, queue_names

log = structlog.get_logger()


def run_worker() -> None:
    setproctitle(TITLE)
    runtime = open_runtime()
    OneformWorker(queue_names(), connection=runtime.redis()).work(
        logging_level="WARNING", max_jobs=JOBS_PER_PROCESS
    )
    runtime.close()


def run_relay() -> None:
    setproctitle("oneform: relay")
    runtime = open_runtime()
    relay = Relay(runtime)
    signal.signal(signal.SIGTERM, relay.stop)
    signal.signal(signal.SIGINT, relay.stop)
    relay.run()
    runtime.close()


def run_cron() -> None:
    setproctitle("oneform: cron")
    runtime = open_runtime()
    cron = CronScheduler(connection=runtime.redis(), logging_level="WARNING")
    register(cron)
    cron.start()
    runtime.close()


PROCESSES = {"worker": run_worker, "relay": run_relay, "cron": run_cron}


def main(arguments: list[str]) -> int:
    """Run one process until it is stopped; 1 where its servers are away, 2 for wrong usage."""
    if len(arguments) != 1 or arguments[0] not in PROCESSES:
        print(f"usage: python -m workers {'|'.join(PROCESSES)}", file=sys.stderr)  # noqa: T201
        return 2
    name = arguments[0]
    try:
        configure_logging(load_settings(), name)
        PROCESSES[name]()
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    except redis.RedisError as error:
        # Whoever supervises starts it again; the pause keeps the log readable meanwhile.
        log.warning("Redis does not answer", error=str(error))
        time.sleep(1)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
