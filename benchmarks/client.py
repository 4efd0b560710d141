"""`python -m benchmarks.client PORT CLIENTS FILE`: a closed loop of clients, as cheap as can be.

Each client keeps one connection and sends the next call when its last was answered. All in one
thread, on sockets that do not block, with requests made before the clock starts: on a machine of
two cores a client that computes would measure itself.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from pathlib import Path

STALLED_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to send."""

    path: str
    token: str
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def as_bytes(self) -> bytes:
        lines = [
            f"{'GET' if self.body is None else 'POST'} {self.path} HTTP/1.1",
            "Host: localhost",
            f"Authorization: Bearer {self.token}",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        body = (self.body or "").encode()
        if self.body is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the calls: how many had which status, and how long they took."""

    seconds: float
    statuses: dict[str, int]
    p50_ms: float
    p99_ms: float
    client_cpu_s: float


class _Connection:
    """One client: its socket, and what it has of the answer that it waits for."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.began = 0.0
        self.received = b""

    def send(self, request: bytes) -> None:
        self.began, self.received = time.perf_counter(), b""
        self.socket.setblocking(True)
        self.socket.sendall(request)
        self.socket.setblocking(False)

    def read(self) -> int | None:
        """The status, once the answer is there; None before. RuntimeError when it breaks off."""
        part = self.socket.recv(1 << 20)
        if not part:
            raise RuntimeError(f"the server hung up: {self.received[:200]!r}")
        self.received += part
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return None
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        return None if len(body) < int(length) else int(head[9:12])


def run(port: int, clients: int, requests: list[bytes]) -> Outcome:
    """Send all requests over so many connections."""
    waiting, statuses = deque(requests), Counter[str]()
    seconds: list[float] = []
    with selectors.DefaultSelector() as selector:
        connections = [_Connection(port) for _ in range(clients)]
        began, cpu = time.perf_counter(), time.process_time()
        for connection in connections:
            if waiting:
                connection.send(waiting.popleft())
                selector.register(connection.socket, selectors.EVENT_READ, connection)
        while len(selector.get_map()):
            ready = selector.select(STALLED_S)
            if not ready:
                raise RuntimeError("the server has stalled")
            for key, _ in ready:
                connection = key.data
                status = connection.read()
                if status is None:
                    continue
                seconds.append(time.perf_counter() - connection.began)
                statuses[str(status)] += 1
                if waiting:
                    connection.send(waiting.popleft())
                else:
                    selector.unregister(connection.socket)
        ended, used = time.perf_counter(), time.process_time() - cpu
        for connection in connections:
            connection.socket.close()
    seconds.sort()
    return Outcome(
        seconds=ended - began,
        statuses=dict(statuses),
        p50_ms=1000 * seconds[len(seconds) // 2],
        p99_ms=1000 * seconds[len(seconds) * 99 // 100],
        client_cpu_s=used,
    )


def main() -> None:
    port, clients, path = sys.argv[1:]
    with Path(path).open(encoding="utf-8") as file:
        requests = [Call(**json.loads(line)).as_bytes() for line in file]
    print(json.dumps(asdict(run(int(port), int(clients), requests))))


if __name__ == "__main__":
    main()
