"""Both engines of a data folder together, as `oneform up` wants them."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Self

from oneform.engines.errors import EngineError
from oneform.engines.layout import forget_place, open_layout
from oneform.engines.postgres import PostgresServer
from oneform.engines.runfile import EngineUrls, remove_run_file, write_run_file
from oneform.engines.server import START_LIMIT, Server, logger
from oneform.engines.valkey import ValkeyServer


class Engines:
    """The running engines of one data folder. Made by `start_engines`; a context manager."""

    def __init__(self, postgres: PostgresServer | None, valkey: ValkeyServer | None) -> None:
        self.postgres = postgres
        self.valkey = valkey

    @property
    def database_url(self) -> str:
        """Where PostgreSQL is. Raises EngineError if it was not asked for."""
        if self.postgres is None:
            raise EngineError("PostgreSQL was not asked for")
        return self.postgres.url

    @property
    def redis_url(self) -> str:
        """Where Valkey is. Raises EngineError if it was not asked for."""
        if self.valkey is None:
            raise EngineError("Valkey was not asked for")
        return self.valkey.url

    @property
    def servers(self) -> list[Server]:
        return [server for server in (self.postgres, self.valkey) if server is not None]

    def is_alive(self) -> bool:
        """Tell whether the processes of all engines run."""
        return all(server.alive() for server in self.servers)

    def revive(self, meanwhile: Callable[[], None] = lambda: None) -> list[str]:
        """Start again what has died; return the names of what was started.

        `meanwhile` is called every now and then. Raises EngineError for those that cannot be
        started, after the others have been.
        """
        started, failed = [], []
        for server in self.servers:
            if server.alive():
                continue
            logger.warning("%s has died, and is started again", server.title)
            try:
                server.revive(meanwhile)
            except EngineError as error:
                failed.append(str(error))
            else:
                started.append(server.title)
        if failed:
            raise EngineError("; ".join(failed))
        return started

    def stop(self) -> None:
        """Stop the engines cleanly. May be called twice."""
        with contextlib.ExitStack() as stack:
            for server in self.servers:
                stack.callback(server.stop)
            for server in self.servers:
                if server.claimed:
                    remove_run_file(server.layout.run)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start_engines(
    home: Path,
    *,
    postgres: bool = True,
    redis: bool = True,
    durable: bool = True,
    start_limit: float = START_LIMIT,
) -> Engines:
    """Start the engines of a data folder, which is made if absent, and wait until they serve.

    Raises EngineError (one line) if another process has started them or they cannot be started;
    nothing that was started then stays.
    """
    engines = Engines(
        PostgresServer(home, durable=durable, start_limit=start_limit) if postgres else None,
        ValkeyServer(home, durable=durable, start_limit=start_limit) if redis else None,
    )
    try:
        for server in engines.servers:
            server.start()
        for server in engines.servers[:1]:
            urls = EngineUrls(
                engines.postgres.url if engines.postgres else None,
                engines.valkey.url if engines.valkey else None,
            )
            write_run_file(server.layout.run, urls, server.layout.account.uid)
    except BaseException:
        engines.stop()
        raise
    return engines


def erase_engines(home: Path) -> None:
    """Remove all data of a data folder's engines, for good, also what root keeps outside of it.

    Servers that a killed starter left are stopped. Raises EngineError while others are in use.
    """
    if not home.exists():
        return
    servers: list[Server] = [PostgresServer(home), ValkeyServer(home)]
    for server in servers:
        server.stop_leftover(erase=True)
    forget_place(open_layout(home))
