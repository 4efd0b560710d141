"""Gunicorn's settings, from oneform's own: `gunicorn -c python:oneform.gunicorn_config oneform.wsgi:app`.

Threads, not processes, carry the calls that wait for the database; a worker is
replaced after many requests, whatever its memory.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from setproctitle import setproctitle

from oneform.api.wire import init_server
from oneform.config import SettingsError, load_settings
from oneform.runtime.lifeline import end_with_parent
from oneform.runtime.logging import configure_logging
from oneform.runtime.metrics_folder import make_metrics_folder, remove_metrics_folder
from oneform.runtime.patience import limit_patience

TITLE = "oneform: web"
GARBAGE_AFTER = 10_000
"""So many new objects before young ones are looked through; Python's 700 are a part of one request."""

try:
    _settings = load_settings()
except SettingsError as error:
    # One line for the operator instead of a stack trace out of the server.
    sys.exit(str(error))


class OneLog(Logger):  # type: ignore[misc]  # it has no types
    """Gunicorn's messages in the log of all; requests are logged by the application."""

    def setup(self, cfg: Any) -> None:
        # Gunicorn calls this first of all, before it loads the application.
        make_metrics_folder(_settings)
        super().setup(cfg)
        configure_logging(_settings, "web")
        self.error_log.handlers.clear()
        self.error_log.propagate = True


init_server()
worker_class = "gthread"
# Loaded once: a new worker answers at once. No connection is open before the fork.
preload_app = True
threads = _settings.web_threads
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
keepalive = 30
timeout = 120
graceful_timeout = 25
max_requests = 200_000
max_requests_jitter = 20_000
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None
logger_class = OneLog
errorlog = "-"
accesslog = None
loglevel = "warning"
limit_request_line = 8190
limit_request_field_size = 16380
control_socket_disable = True


def on_starting(_server: Any) -> None:
    """Before any worker is forked."""
    end_with_parent()


def when_ready(server: Any) -> None:
    """The listeners are there; nothing is accepted yet."""
    for listener in server.LISTENERS:
        limit_patience(listener.sock)
    # The program itself never becomes garbage: what workers look through is only what requests
    # leave. Pages of memory that are shared with the master stay so, too.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER)


def pre_fork(_server: Any, _worker: Any) -> None:
    """Gunicorn names its processes itself; the master has its name by now."""
    setproctitle(TITLE)


def post_worker_init(_worker: Any) -> None:
    # On macOS a forked process must not set its title; it has its master's.
    if sys.platform != "darwin":
        setproctitle(TITLE)


def on_exit(_server: Any) -> None:
    remove_metrics_folder()
