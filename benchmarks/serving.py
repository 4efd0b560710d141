"""Web servers to measure: oneform's, and bare ones beside it under the very same settings.

Each is gunicorn as `oneform up` starts it (`oneform.gunicorn_config`, two workers), on the
benchmark's database; a closed-loop client in a process of its own sends to it.
"""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory

from benchmarks.client import Call, Outcome
from oneform.cli.up import GUNICORN_CONFIG, child_environment
from oneform.config import Settings
from oneform.engines import ValkeyServer

OURS = "oneform.wsgi:app"
BARE = "benchmarks.bare.app:app"
WEB_WORKERS = 2
CLIENTS = 8
RATE_LIMIT = 100_000
"""Reads are all sent by one client; submissions would never meet the limit."""
_READY_S = 60.0
_STOP_S = 30.0


@dataclass(frozen=True, slots=True)
class WebServer:
    """One that is running. `pid` is gunicorn's master, for whoever wants to count its cycles."""

    port: int
    pid: int

    def send(self, calls: Sequence[Call], *, clients: int = CLIENTS) -> Outcome:
        """Send all calls, each of so many clients the next one when its last was answered."""
        with NamedTemporaryFile("w+", suffix=".jsonl") as file:
            file.writelines(json.dumps(asdict(call)) + "\n" for call in calls)
            file.flush()
            command = [sys.executable, "-m", "benchmarks.client"]
            done = subprocess.run(
                [*command, str(self.port), str(clients), file.name],
                stdout=subprocess.PIPE,
                check=True,
            )
        return Outcome(**json.loads(done.stdout))

    def send_all(self, calls: Sequence[Call], expected: int, *, clients: int = CLIENTS) -> float:
        """The same; seconds. AssertionError when one was answered otherwise than expected."""
        outcome = self.send(calls, clients=clients)
        assert outcome.statuses == {str(expected): len(calls)}, outcome
        return outcome.seconds


@contextmanager
def serving(settings: Settings, *programs: str) -> Iterator[list[WebServer]]:
    """A web server for each program on the database of the settings, and a Redis for all."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(TemporaryDirectory(prefix="oneform-bench-")))
        valkey = ValkeyServer(home)
        valkey.start()
        stack.callback(valkey.stop)
        found = Settings(
            home=home,
            database_url=settings.database_url,
            redis_url=valkey.url,
            secret_key=settings.secret_key,
            rate_limit=RATE_LIMIT,
        )
        yield [stack.enter_context(_serving(found, program)) for program in programs]


@contextmanager
def _serving(settings: Settings, program: str) -> Iterator[WebServer]:
    log = settings.home / f"web-{program}.log"
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener, log.open("w") as lines:
        number, port = listener.fileno(), listener.getsockname()[1]
        environment = child_environment(settings, web_workers=WEB_WORKERS)
        environment["ONEFORM_RATE_LIMIT"] = str(settings.rate_limit)
        command = [sys.executable, "-m", "gunicorn", "-c", GUNICORN_CONFIG]
        process = subprocess.Popen(
            [*command, "-b", f"fd://{number}", program],
            env=environment,
            cwd=Path(__file__).parents[1],
            stdin=subprocess.DEVNULL,
            stdout=lines,
            stderr=lines,
            pass_fds=[number],
        )
        try:
            try:
                _wait(process, port)
            except RuntimeError as error:
                raise RuntimeError(log.read_text()[-2000:]) from error
            yield WebServer(port, process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + _READY_S
    while time.monotonic() < until and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/healthz", headers={"Connection": "close"})
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise RuntimeError("the web server does not answer")
