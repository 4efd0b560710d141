"""Worker processes that know the probe jobs, forked from a server that has imported everything."""

from __future__ import annotations

import multiprocessing
import os
import sys
from multiprocessing.process import BaseProcess

import probe_jobs  # noqa: F401 - registers the jobs
from setproctitle import getproctitle

import workers.__main__ as entry
from oneform.config import Settings
from workers import perform

LEASE_S = 1.0

getproctitle()  # finds where the title lies, which it no longer could after `run` changed the first variable

_forkserver = multiprocessing.get_context("forkserver")
_forkserver.set_forkserver_preload([__name__])


def environment_of(settings: Settings) -> dict[str, str]:
    """What a process needs to be told to run with these settings."""
    return {
        "ONEFORM_HOME": str(settings.home),
        "ONEFORM_DATABASE_URL": str(settings.database_url),
        "ONEFORM_REDIS_URL": str(settings.redis_url),
        "ONEFORM_SECRET_KEY": str(settings.secret_key),
    }


def run(environment: dict[str, str], arguments: list[str]) -> None:
    """`python -m workers` with these arguments, and shorter leases."""
    for name in [name for name in os.environ if name.startswith("ONEFORM_")]:
        del os.environ[name]
    os.environ.update(environment)
    perform.LEASE_S = LEASE_S
    sys.exit(entry.main(arguments))


def start_process(settings: Settings, *arguments: str) -> BaseProcess:
    """Begin such a process."""
    process = _forkserver.Process(target=run, args=(environment_of(settings), list(arguments)))
    process.start()
    return process
