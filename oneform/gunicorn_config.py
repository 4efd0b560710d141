"""Gunicorn's settings, from oneform's own: `gunicorn -c python:oneform.gunicorn_config oneform.wsgi:app`.

Threads, not processes, carry the calls that wait for the database; a worker is
replaced after many requests, whatever its memory.
"""

from __future__ import annotations

import os
from typing import Any

from setproctitle import setproctitle

from oneform.config import load_settings

TITLE = "oneform: web"

_settings = load_settings()

worker_class = "gthread"
threads = _settings.web_threads
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
keepalive = 30
timeout = 120
graceful_timeout = 30
max_requests = 200_000
max_requests_jitter = 20_000
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None
errorlog = "-"
accesslog = None
loglevel = "warning"
limit_request_line = 8190
limit_request_field_size = 16380
control_socket_disable = True


def when_ready(_server: Any) -> None:
    setproctitle(TITLE)


def post_worker_init(_worker: Any) -> None:
    setproctitle(TITLE)
