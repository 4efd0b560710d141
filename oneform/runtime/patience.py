"""How long the web server waits for the next bytes of a request: a thread waits with it."""

from __future__ import annotations

import socket
import struct

READ_TIMEOUT_S = 20
"""Between two packets, not for the whole: long for a phone in the hills, short for whoever wants to
occupy all threads. Against senders of single bytes a proxy in front helps, which reads whole
requests before it hands them on."""


def limit_patience(listener: socket.socket) -> None:
    """Let reads from all connections of a listener end after a while: they inherit it (Linux, BSD).

    Gunicorn itself sets no time-out on a connection that has begun to send.
    """
    listener.setsockopt(
        socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", READ_TIMEOUT_S, 0)
    )
