"""An HTTP request whose last bytes are held back: it is in the server's hand, and not yet answered."""

from __future__ import annotations

import contextlib
import http.client
import socket
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson
from installation import wait_for

REST = 4
"""Bytes that are held back: of the body, or the end of the headers."""


class HeldBack:
    """Sent but for its end when it is made; answered when that is sent."""

    def __init__(self, port: int, method: str, path: str, token: str, body: object = None) -> None:
        content = b"" if body is None else orjson.dumps(body)
        head = [
            f"{method} /api/v1{path} HTTP/1.1",
            "Host: localhost",
            f"Authorization: Bearer {token}",
            "Idempotency-Key: held-back",
        ]
        if content:
            head += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
        self._bytes = "\r\n".join([*head, "", ""]).encode() + content
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.sendall(self._bytes[:-REST])
        wait_for(self._is_read, "the server has it in hand")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def finish(self) -> tuple[int, bytes]:
        """Send the rest; status and body of the answer."""
        self._socket.sendall(self._bytes[-REST:])
        with contextlib.closing(http.client.HTTPResponse(self._socket)) as response:
            response.begin()
            return response.status, response.read()

    def _is_read(self) -> bool:
        """Whether a process has accepted the connection and read what came."""
        ours, theirs = self._socket.getsockname()[1], self._socket.getpeername()[1]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            # Their address, ours, state, what waits to be sent and to be read, …, whose it is.
            words = line.split()
            if (_port(words[1]), _port(words[2])) == (theirs, ours):
                return _port(words[4]) == 0 and words[9] != "0"
        return False


def _port(pair: str) -> int:
    """The number after the colon."""
    return int(pair.rpartition(":")[2], 16)
