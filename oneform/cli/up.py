"""`oneform up`: everything on one machine."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable

import click
import structlog

from oneform import migrations
from oneform.cli.base import CliSession, Command, Port, pass_runtime
from oneform.cli.interrupts import Terminal
from oneform.cli.listening import (
    LEFTOVERS_WITHIN_S,
    ask_readiness,
    authority,
    claimed,
    listen,
    reachable,
)
from oneform.cli.output import print_document
from oneform.cli.servers import Reviver, running_engines
from oneform.cli.starter import import_starter_catalog
from oneform.cli.supervisor import Signals, Supervisor
from oneform.config import Settings, secret_key, variable
from oneform.identity.policy import OPERATOR
from oneform.runtime import Runtime
from oneform.runtime.logging import configure_logging
from oneform.sources.service import sources_sealed_otherwise

log = structlog.get_logger(__name__)

GUNICORN_CONFIG = "python:oneform.gunicorn_config"

TELL_EVERY_S = 10.0
"""How often it is said what is still wanting."""

STOPPING = "Stopping … (again: at once)"

TELL_AFTER_S = 20.0
"""From then on whoever waits at the terminal is told, too."""

WhenReady = Callable[[Runtime, str], bool]


def child_environment(settings: Settings, *, web_workers: int) -> dict[str, str]:
    """What the processes are told: this environment, and where the servers are."""
    return {
        **os.environ,
        variable("home"): str(settings.home),
        variable("database_url"): str(settings.database_url),
        variable("redis_url"): str(settings.redis_url),
        variable("secret_key"): secret_key(settings),
        variable("allow_files"): ",".join(settings.allow_files),
        "PYTHONPATH": _absolute(os.environ.get("PYTHONPATH", "")),
        "WEB_CONCURRENCY": str(web_workers),
        "PYTHONUNBUFFERED": "1",
    }


def _absolute(folders: str) -> str:
    """Folders where Python looks for modules, as processes that run elsewhere have to name them."""
    return os.pathsep.join(os.path.abspath(each) for each in folders.split(os.pathsep) if each)


def queues_of_worker(number: int, workers: int) -> list[str]:
    """The queues of one of several workers: the first has no slow calls to others; [] for all."""
    return ["resolve", "maintain"] if workers > 1 and number == 0 else []


def serve(
    settings: Settings,
    *,
    host: str,
    port: int,
    web_workers: int,
    workers: int,
    bare: bool,
    when_ready: WhenReady,
    say: Callable[[str], None],
    when_late: Callable[[str], None] = lambda _wanting: None,
) -> None:
    """Run everything until stopped. `when_ready(runtime, address)` is called once; False ends it.

    `say` tells whoever asked it to stop that it does. `when_late(what)` is called every now and
    then while something is still wanting after a while.

    SettingsError, EngineError: one line that says why it cannot be started. KeyboardInterrupt:
    stopped while it started. CannotStart: a process ends whenever it is started. Whatever happens, nothing that was started here is left behind.
    """
    signals = Signals()
    address = f"http://{authority(reachable(host), port)}"
    with signals.listening(), contextlib.ExitStack() as stack:
        with signals.interrupting():
            left = stack.enter_context(claimed(settings.home, address))
            listener = stack.enter_context(
                listen(host, port, patience_s=LEFTOVERS_WITHIN_S if left else 0.0)
            )
            if not settings.allow_files:
                (settings.home / "files").mkdir(exist_ok=True, mode=0o700)
            found, engines = stack.enter_context(running_engines(settings))
            assert found.database_url is not None
            migrations.upgrade(found.database_url, found.timezone)
            runtime = Runtime(found, application="oneform up")
            stack.callback(runtime.close)
            _warn_of_another_key(runtime)
            if not bare:
                import_starter_catalog(runtime)
        supervisor = Supervisor(child_environment(found, web_workers=web_workers), signals)
        python, web = sys.executable, f"fd://{listener.fileno()}"
        supervisor.add(
            "web",
            [python, "-m", "gunicorn", "-c", GUNICORN_CONFIG, "-b", web, "oneform.wsgi:app"],
            descriptors=[listener.fileno()],
        )
        for number in range(workers):
            queues = queues_of_worker(number, workers)
            supervisor.add("worker", [python, "-m", "workers", "worker", *queues])
        supervisor.add("relay", [python, "-m", "workers", "relay"])
        supervisor.add("cron", [python, "-m", "workers", "cron"])
        reviver = Reviver(engines, signals)
        readiness = Readiness(host, port, when_late)
        terminal = stack.enter_context(contextlib.closing(Terminal()))

        def each_round() -> None:
            if terminal.is_closed():
                supervisor.request_stop()
            reviver.look(supervisor.look_after_all)
            if readiness.is_news():
                supervisor.has_been_ready = True
                if not when_ready(runtime, address):
                    supervisor.request_stop()

        try:
            supervisor.start_all()
            supervisor.watch(each_round)
        except KeyboardInterrupt:
            signals.received += 1  # somebody else has noticed it
            raise
        finally:
            log.info("stopping")
            try:
                if signals.received:
                    with contextlib.suppress(OSError):  # nobody reads it
                        say(STOPPING)
            finally:
                # First of all, so that callers are refused instead of left waiting.
                listener.close()
                supervisor.stop_all()
    log.info("stopped")


def _warn_of_another_key(runtime: Runtime) -> None:
    with runtime.context(OPERATOR) as ctx:
        closed = sources_sealed_otherwise(ctx, runtime.settings)
    if closed:
        log.warning(
            "secrets of sources were sealed under another secret key: restore it, or enter them anew",
            sources=", ".join(closed),
        )


class Readiness:
    """Asks `/readyz` until it is green for the first time."""

    def __init__(self, host: str, port: int, when_late: Callable[[str], None]) -> None:
        self._place = host, port
        self._when_late = when_late
        self._told = False
        self._tell_at = time.monotonic() + TELL_EVERY_S
        self._late_at = time.monotonic() + TELL_AFTER_S

    def is_news(self) -> bool:
        """Whether it is green now, and was not before."""
        if self._told:
            return False
        wanting = ask_readiness(*self._place)
        self._told = wanting == {}
        if not self._told and time.monotonic() >= self._tell_at:
            self._tell_at = time.monotonic() + TELL_EVERY_S
            log.warning("not ready yet", **wanting)
            if time.monotonic() >= self._late_at:
                self._when_late("; ".join(f"{name} {words}" for name, words in wanting.items()))
        return self._told


@click.command("up", cls=Command)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, type=Port())
@click.option("--web-workers", default=2, show_default=True, type=click.IntRange(1, 64))
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64))
@click.option("--bare", is_flag=True, help="Leave the starter catalogue out.")
@pass_runtime
def up(
    session: CliSession, host: str, port: int, web_workers: int, workers: int, bare: bool
) -> None:
    """Start everything on one machine: databases if none are configured, web, workers, schedule."""
    settings = session.settings
    configure_logging(settings, "up")

    def tell_ready(_runtime: Runtime, address: str) -> bool:
        if session.as_json:
            print_document({"ready": True, "address": address})
        else:
            click.echo(f"ready {address}")
        sys.stdout.flush()
        return True

    with contextlib.suppress(KeyboardInterrupt):
        serve(
            settings,
            host=host,
            port=port,
            web_workers=web_workers,
            workers=workers,
            bare=bare,
            when_ready=tell_ready,
            say=session.note,
        )
