"""What no HTTP library would send, to the real server: a problem or a clean close, and it goes on."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from oneform.cli.up import GUNICORN_CONFIG, child_environment
from oneform.config import Settings
from oneform.runtime.patience import READ_TIMEOUT_S

HOST = b"Host: localhost\r\n"
POST = b"POST /api/v1/sessions HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
LOGIN = b'{"username": "nobody", "password": "x"}'
HIDDEN = b"GET /healthz HTTP/1.1\r\nHost: hidden\r\n\r\n"
"""A second request in the body of the first: nobody may ever answer it."""
MB = 1024 * 1024


@dataclass(frozen=True)
class Server:
    port: int
    pid: int

    def send(self, *pieces: bytes, wait: float = 10, close: bool = True) -> bytes:
        """Everything that comes back until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=wait) as connection:
            try:
                for piece in pieces:
                    connection.sendall(piece)
                if close:
                    connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # it has closed already, and perhaps said why
            found = b""
            try:
                while piece := connection.recv(65536):
                    found += piece
            except OSError:
                pass
            return found

    def is_alive(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        finally:
            connection.close()

    def workers(self) -> list[str]:
        return Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()


@pytest.fixture(scope="module")
def server(
    module_database_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("home")
    settings = Settings(
        home=home,
        database_url=module_database_url,
        redis_url=redis_url,
        secret_key="k" * 40,
        rate_limit=1_000_000,
        max_body_mb=1,
    )
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "-c", GUNICORN_CONFIG),
                *("-b", f"fd://{listener.fileno()}", "oneform.wsgi:app"),
            ],
            env={
                **child_environment(settings, web_workers=1),
                "ONEFORM_RATE_LIMIT": "1000000",
                "ONEFORM_MAX_BODY_MB": "1",
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[listener.fileno()],
        )
        found = Server(listener.getsockname()[1], process.pid)
        try:
            until = time.monotonic() + 60
            while not _answers(found):
                assert time.monotonic() < until
                assert process.poll() is None
                time.sleep(0.1)
            yield found
        finally:
            os.kill(process.pid, signal.SIGTERM)
            process.wait(30)


def _answers(server: Server) -> bool:
    try:
        return server.is_alive()
    except OSError:
        return False


def chunks(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


CHUNKED = POST + b"Transfer-Encoding: chunked\r\n"
CLOSED = 0
"""The connection ends without an answer."""

RAW: dict[str, tuple[bytes, set[int]]] = {
    "nothing": (b"", {CLOSED}),
    "line ends": (b"\r\n\r\n\r\n", {CLOSED, 400}),
    "HTTP/0.9": (b"GET /healthz\r\n", {400}),
    "HTTP/9.9": (b"GET /healthz HTTP/9.9\r\n" + HOST + b"\r\n", {400}),
    "another protocol": (b"SSH-2.0-OpenSSH_9.6\r\n", {400}),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), {CLOSED, 400}),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {CLOSED, 400}),
    "no host": (b"GET /healthz HTTP/1.1\r\n\r\n", {200, 400}),
    "an absolute target": (b"GET http://evil.example/healthz HTTP/1.1\r\n" + HOST + b"\r\n", {200}),
    "another server's target": (
        b"CONNECT evil.example:443 HTTP/1.1\r\n" + HOST + b"\r\n",
        {400, 404, 405},
    ),
    "all of it": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", {200, 400, 404}),
    "a target without a slash": (b"GET healthz HTTP/1.1\r\n" + HOST + b"\r\n", {400, 404}),
    "a target with a line end": (b"GET /a\nX: y HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    "a target of raw bytes": (b"GET /\xff\xfe\x01 HTTP/1.1\r\n" + HOST + b"\r\n", {400, 404}),
    "a line of 100 KB": (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", {414, 400}),
    "a header of 100 KB": (b"GET / HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", {431, 400}),
    "a thousand headers": (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 1_000 + b"\r\n", {431, 400}),
    "a folded header": (b"GET / HTTP/1.1\r\nX: a\r\n b\r\n" + HOST + b"\r\n", {400}),
    "a blank before the colon": (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", {400}),
    "a header without a colon": (b"GET / HTTP/1.1\r\nHost\r\n\r\n", {400}),
    "U+0000 in a header": (b"GET / HTTP/1.1\r\nX: a\x00b\r\n" + HOST + b"\r\n", {400}),
    "a method of signs": (b"G<T / HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    "two lengths": (POST + b"Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}" + HIDDEN, {400}),
    "a length of two": (POST + b"Content-Length: 2, 40\r\n\r\n{}" + HIDDEN, {400}),
    "a length below nothing": (POST + b"Content-Length: -1\r\n\r\n" + HIDDEN, {400}),
    "a length with a sign": (POST + b"Content-Length: +2\r\n\r\n{}" + HIDDEN, {400}),
    "a length with an exponent": (POST + b"Content-Length: 1e3\r\n\r\n{}" + HIDDEN, {400}),
    "a length in full width": (
        POST + "Content-Length: ２\r\n\r\n{}".encode() + HIDDEN,
        {400},
    ),
    "a length too large": (POST + b"Content-Length: 99999999999999999999\r\n\r\n{}", {400, 413}),
    "length and chunks": (CHUNKED + b"Content-Length: 4\r\n\r\n" + chunks(b"{}") + HIDDEN, {400}),
    "chunks in other words": (POST + b"Transfer-Encoding: xchunked\r\n\r\n" + HIDDEN, {400, 501}),
    "chunks twice": (
        POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + chunks(b"{}"),
        {400, 501},
    ),
    "chunks and more": (
        POST + b"Transfer-Encoding: chunked, identity\r\n\r\n" + HIDDEN,
        {400, 501},
    ),
    "chunks with a tab": (POST + b"Transfer-Encoding:\x0bchunked\r\n\r\n" + HIDDEN, {400, 501}),
    "a chunk of no size": (CHUNKED + b"\r\nzz\r\n{}\r\n0\r\n\r\n" + HIDDEN, {CLOSED, 400}),
    "a chunk below nothing": (CHUNKED + b"\r\n-2\r\n{}\r\n0\r\n\r\n" + HIDDEN, {CLOSED, 400}),
    "a chunk too large": (CHUNKED + b"\r\n" + b"f" * 40 + b"\r\n{}\r\n", {CLOSED, 400, 413}),
    "a chunk without its end": (CHUNKED + b"\r\n2\r\n{}XX0\r\n\r\n" + HIDDEN, {CLOSED, 400}),
    "chunks without an end": (CHUNKED + b"\r\n2\r\n{}\r\n", {CLOSED, 400, 422}),
    "a body cut off": (POST + b"Content-Length: 4000\r\n\r\n" + LOGIN, {CLOSED, 400}),
    "a form cut off": (
        b"POST /oauth/token HTTP/1.1\r\n" + HOST + b"Content-Length: 400\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\ngrant_type=client_credentials",
        {CLOSED, 400},
    ),
    "an expectation": (POST + b"Content-Length: 2\r\nExpect: miracles\r\n\r\n{}", {417, 422}),
    "good chunks": (CHUNKED + b"Connection: close\r\n\r\n" + chunks(LOGIN[:9], LOGIN[9:]), {401}),
    "chunks of 3 MB": (CHUNKED + b"\r\n" + chunks(*[b" " * 65_536] * 48), {413}),
    "3 MB": (POST + b"Content-Length: %d\r\n\r\n" % (3 * MB) + b" " * (3 * MB), {413}),
}


@pytest.mark.parametrize("name", RAW)
def test_bytes_are_refused_and_the_server_goes_on(server: Server, name: str) -> None:
    raw, expected = RAW[name]
    before = server.workers()
    answer = server.send(raw)
    statuses = [int(status) for status in re.findall(rb"^HTTP/1\.[01] (\d{3})", answer, re.M)]
    statuses = [status for status in statuses if status != 100]
    assert set(statuses or [CLOSED]) <= expected, answer[:500]
    assert b'"alive"' not in answer or 200 in expected, "the hidden request was answered"
    if statuses and statuses[-1] >= 400:
        body = json.loads(answer.partition(b"\r\n\r\n")[2])
        assert body["type"].startswith("urn:oneform:problem:")
        assert body["status"] == statuses[-1]
        assert b"Traceback" not in answer
    assert server.is_alive()
    assert server.workers() == before


@pytest.mark.soak
def test_slow_senders_are_let_go(server: Server) -> None:
    """Twice as many as there are threads stop half-way through their headers or their bodies."""
    slow = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(16)]
    try:
        for connection in slow[:8]:
            connection.sendall(b"POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        for connection in slow[8:]:
            connection.sendall(POST + b"Content-Length: 400\r\n\r\n{")
        until = time.monotonic() + 4 * READ_TIMEOUT_S
        while not _answers(server):
            assert time.monotonic() < until
    finally:
        for connection in slow:
            connection.close()
    assert server.is_alive()
