"""Problems for what never becomes a request: gunicorn answers it before the application sees it."""

from __future__ import annotations

import socket

import orjson
from gunicorn import util  # type: ignore[import-untyped]

from oneform.api.problems import HTTP_NAMES, MEDIA_TYPE, PREFIX


def write_problem(sock: socket.socket, status: int, reason: str, message: str) -> None:
    """In the place of `gunicorn.util.write_error`, which writes a page of HTML."""
    body = orjson.dumps(
        {
            "type": PREFIX + HTTP_NAMES.get(status, reason.lower().replace(" ", "-")),
            "title": reason,
            "status": status,
            "detail": (message or reason)[:500].encode(errors="replace").decode(),
            "errors": [],
        }
    )
    head = (
        f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Type: {MEDIA_TYPE}\r\n"
        f"Content-Length: {len(body)}\r\nX-Content-Type-Options: nosniff\r\n"
        "Cache-Control: no-store\r\n\r\n"
    )
    util.write_nonblock(sock, head.encode() + body)


def init_server() -> None:
    """Have gunicorn write its own refusals as problems; it offers no hook for that."""
    util.write_error = write_problem
