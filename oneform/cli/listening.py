"""The socket and the data folder of `oneform up`: taken before anything is started.

`up` itself holds the listening socket and hands it to the web process. So a port
that is taken is told at once, nobody can take it while the databases start, and
callers are kept waiting, not refused, while a web process that died is replaced.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import structlog

from oneform.config import SettingsError, make_home
from oneform.engines.locks import Claim

log = structlog.get_logger(__name__)

LEFTOVERS_WITHIN_S = 40.0
"""How long the processes of a killed `up` may take to end by themselves (see runtime/lifeline.py)."""

BACKLOG = 512


@contextlib.contextmanager
def claimed(home: Path, address: str | None = None) -> Iterator[bool]:
    """Have the data folder for ourselves. Whether an earlier `up` did not end cleanly.

    EngineError, naming the process that has it, and its address.
    """
    run = home / "run"
    make_home(home)
    run.mkdir(exist_ok=True, mode=0o700)
    lock = run / "up.lock"
    left = lock.exists() and bool(lock.read_text(encoding="utf-8").strip())
    note = f"it serves {address}; Ctrl-C there or `kill {os.getpid()}` stops it" if address else ""
    claim = Claim(lock, home, note)
    try:
        yield left
        left = False
    finally:
        # Of a start that was refused nothing is left behind, unless it was there before.
        if not left:
            lock.write_text("", encoding="utf-8")
        claim.release()


def listen(host: str, port: int, *, patience_s: float = 0.0) -> socket.socket:
    """A socket that listens there; SettingsError when it cannot be had within `patience_s`."""
    deadline = time.monotonic() + patience_s
    told = False
    while True:
        try:
            return _listen(host, port)
        except (OSError, UnicodeError) as error:
            words = error.strerror if isinstance(error, OSError) else "this is no name of a host"
            taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
            if not taken or time.monotonic() >= deadline:
                raise SettingsError(
                    f"cannot listen on {authority(host, port)}: {words}; "
                    "choose another with --host or --port"
                ) from None
        if not told:
            told = True
            log.info("waiting for the processes of a killed oneform to end")
        time.sleep(0.2)


def _listen(host: str, port: int) -> socket.socket:
    [(family, _, _, _, address), *_] = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def authority(host: str, port: int) -> str:
    """Host and port as they stand in an address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def reachable(host: str) -> str:
    """Where to call a server that listens on `host`: for all interfaces, loopback."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)


def ask_readiness(host: str, port: int) -> dict[str, str]:
    """What `/readyz` finds wanting, by its checks; also that it does not answer. Empty: all is well."""
    connection = http.client.HTTPConnection(reachable(host), port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        found = orjson.loads(connection.getresponse().read())
        return {name: words for name, words in found["checks"].items() if words != "ok"}
    except OSError as error:
        return {"web": f"does not answer ({error.strerror or error})"}
    except (http.client.HTTPException, ValueError, KeyError, AttributeError):
        return {"web": "does not answer"}
    finally:
        connection.close()
