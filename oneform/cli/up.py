"""`oneform up`: everything on one machine."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

import click
import orjson
import structlog

from oneform import migrations
from oneform.cli.base import CliSession, Command, pass_runtime
from oneform.cli.starter import import_starter_catalog
from oneform.cli.supervisor import Supervisor
from oneform.config import Settings, SettingsError, secret_key, variable
from oneform.engines import Engines, start_engines
from oneform.runtime import Runtime
from oneform.runtime.health import Condition, readiness
from oneform.runtime.logging import configure_logging

log = structlog.get_logger()


@contextlib.contextmanager
def running_engines(settings: Settings) -> Iterator[tuple[Settings, Engines | None]]:
    """The settings with the URLs of servers: the configured ones, or embedded ones started here."""
    own_database = settings.database_url is None
    own_redis = settings.redis_url is None
    if not (own_database or own_redis):
        yield settings, None
        return
    with start_engines(settings.home, postgres=own_database, redis=own_redis) as engines:
        yield (
            replace(
                settings,
                database_url=engines.database_url if own_database else settings.database_url,
                redis_url=engines.redis_url if own_redis else settings.redis_url,
            ),
            engines,
        )


def child_environment(settings: Settings, *, web_workers: int) -> dict[str, str]:
    """What the processes are told: this environment, and where the servers are."""
    return {
        **os.environ,
        variable("home"): str(settings.home),
        variable("database_url"): str(settings.database_url),
        variable("redis_url"): str(settings.redis_url),
        variable("secret_key"): secret_key(settings),
        "WEB_CONCURRENCY": str(web_workers),
        "PYTHONUNBUFFERED": "1",
    }


def check_port(host: str, port: int) -> None:
    """Refuse a port that somebody else has, before anything is started."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SettingsError(
                f"cannot listen on {host}:{port}: {error.strerror}; choose another with --port"
            ) from None


def serve(
    settings: Settings,
    *,
    host: str,
    port: int,
    web_workers: int,
    workers: int,
    bare: bool,
    when_ready: Callable[[Runtime, str], bool],
) -> None:
    """Run everything until stopped. `when_ready(runtime, address)` is called once; False ends it."""
    check_port(host, port)
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    signal.signal(signal.SIGTERM, _interrupt)
    with running_engines(settings) as (found, engines):
        assert found.database_url is not None
        migrations.upgrade(found.database_url)
        runtime = Runtime(found, application="oneform up")
        if not bare:
            import_starter_catalog(runtime)
        supervisor = Supervisor(child_environment(found, web_workers=web_workers))
        python = sys.executable
        web = ["-m", "gunicorn", "-c", "python:oneform.gunicorn_config", "-b", _bind(host, port)]
        supervisor.add("web", [python, *web, "oneform.wsgi:app"])
        supervisor.add("relay", [python, "-m", "workers", "relay"])
        supervisor.add("cron", [python, "-m", "workers", "cron"])
        supervisor.add("worker", [python, "-m", "workers", "worker"], workers)
        signal.signal(signal.SIGTERM, supervisor.request_stop)
        signal.signal(signal.SIGINT, supervisor.request_stop)
        address = f"http://{_bind(host, port)}"
        told = False

        def each_round() -> None:
            nonlocal told
            if engines is not None and not engines.is_alive():
                engines.revive()
            if not told and _answers(host, port):
                if readiness(runtime).condition is Condition.OK:
                    told = True
                    if not when_ready(runtime, address):
                        supervisor.request_stop()

        try:
            supervisor.start_all()
            supervisor.watch(each_round)
        finally:
            log.info("stopping")
            supervisor.stop_all()
            runtime.close()


def _interrupt(*_: object) -> None:
    """While there is no supervisor yet, SIGTERM ends the start as Ctrl-C does."""
    raise KeyboardInterrupt


def _bind(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _answers(host: str, port: int) -> bool:
    """Whether the web process accepts calls (an unspecified host is asked on loopback)."""
    target = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    try:
        with socket.create_connection((target, port), timeout=1):
            return True
    except OSError:
        return False


@click.command("up", cls=Command)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535))
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

    def say(_runtime: Runtime, address: str) -> bool:
        if session.as_json:
            click.echo(orjson.dumps({"ready": True, "address": address}).decode())
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
            when_ready=say,
        )

