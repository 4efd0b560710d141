"""The processes of the storm: gunicorn, and workers that are killed while they resolve."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx
from installation import free_port, wait_for
from worker_process import environment_of, start_process

from oneform.config import Settings
from oneform.runtime import Runtime
from oneform.runtime.presence import count_workers

KILL_EVERY_S = 0.2


@contextmanager
def web(settings: Settings, log: Path) -> Iterator[str]:
    """Gunicorn as `oneform up` starts it; its address."""
    port = free_port()
    kept = {name: text for name, text in os.environ.items() if not name.startswith("ONEFORM_")}
    told = {**kept, **environment_of(settings), "ONEFORM_RATE_LIMIT": "100000",
            "ONEFORM_LOG_FORMAT": "json", "WEB_CONCURRENCY": "2"}  # fmt: skip
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "python:oneform.gunicorn_config",
             "-b", f"127.0.0.1:{port}", "oneform.wsgi:app"],
            env=told, stdout=file, stderr=file, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return httpx.get(f"{address}/healthz").status_code == 200
        except httpx.HTTPError:
            return False

    try:
        wait_for(answers, "gunicorn answers")
        yield address
    finally:
        process.terminate()
        process.wait()


@dataclass
class Workers:
    """A number of workers; some of them are killed while there is something to resolve."""

    settings: Settings
    runtime: Runtime
    number: int
    kills: int
    killed: int = 0
    """While they resolved something, or were about to."""
    running: list[BaseProcess] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        self.running += [start_process(self.settings, "worker") for _ in range(self.number)]
        redis = self.runtime.redis()
        wait_for(lambda: count_workers(redis) == self.number, "the workers are there")

    def kill_some(self) -> None:
        """Kill the oldest, and start another, for as long as jobs are claimed."""
        while self.killed < self.kills and not self.stopping.is_set():
            if self._busy():
                oldest = self.running.pop(0)
                oldest.kill()
                oldest.join()
                self.killed += 1
                self.running.append(start_process(self.settings, "worker"))
            self.stopping.wait(KILL_EVERY_S)

    def _busy(self) -> bool:
        with self.runtime.context() as ctx:
            return bool(ctx.sql(
                "SELECT EXISTS (SELECT FROM outbox WHERE job = 'resolve_request' "
                    "AND lease > 1 AND leased_until > clock_timestamp())"
            ).scalar_one())  # fmt: skip

    def stop(self) -> None:
        self.stopping.set()
        for process in self.running:
            process.kill()
            process.join()
            process.close()
