"""A server on a runtime, with a thread that does its jobs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.serving import make_server

from oneform.app import create_app
from oneform.runtime import Runtime
from workers.jobs import JOBS
from workers.leasing import lease_rows
from workers.perform import perform_with
from workers.queues import ALL


def _do_jobs(runtime: Runtime) -> bool:
    """Do the jobs that are due, as the relay and a worker would; whether there were any."""
    rows = lease_rows(
        runtime.engine,
        queue_of={name: job.queue.value for name, job in JOBS.items()},
        room={queue.value: 100 for queue in ALL},
        seconds=30,
    )
    for row in rows:
        perform_with(runtime, row.id, row.lease)
    return bool(rows)


@contextmanager
def working(runtime: Runtime) -> Iterator[None]:
    """Jobs are done as they become due."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            if not _do_jobs(runtime):
                over.wait(0.05)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def serving(runtime: Runtime) -> Iterator[str]:
    """The application over HTTP; its address."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, create_app(runtime), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
