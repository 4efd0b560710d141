"""One client's calls: each is repeated, under the same Idempotency-Key, until it has a final answer.

Final is what more patience would not change. Whatever else comes back (nothing at all, 429, a key
in use, 503) is waited out, counted by its kind, and has to look as promised.
"""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from benchmarks.load.tally import Tally

TIMEOUT_S = 60.0
PATIENCE_S = 300.0
LONGEST_PAUSE_S = 2.0
PROBLEM = "application/problem+json"


class GaveUp(Exception):
    """No final answer came for longer than anybody waits, or the load was called off."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A final answer. `uncertain`: an earlier attempt may have had its effect already."""

    status: int
    content: bytes
    uncertain: bool

    @property
    def ok(self) -> bool:
        return self.status // 100 == 2

    @property
    def body(self) -> Any:
        return orjson.loads(self.content)


class Caller:
    """Somebody with a token, on one connection."""

    def __init__(self, address: str, tally: Tally, called_off: threading.Event) -> None:
        self._tally, self._called_off = tally, called_off
        self._client = httpx.Client(
            base_url=f"{address}/api/v1", timeout=TIMEOUT_S, trust_env=False
        )

    def use(self, token: str) -> None:
        self._client.headers["Authorization"] = f"Bearer {token}"

    def close(self) -> None:
        self._client.close()

    def call(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        body: Any = None,
        params: dict[str, str] | None = None,
        once: bool = False,
    ) -> Answer:
        """The final answer; `once`: under an Idempotency-Key. GaveUp."""
        headers = {"Idempotency-Key": str(uuid.uuid4())} if once else {}
        content = None
        if body is not None:
            content, headers["Content-Type"] = orjson.dumps(body), "application/json"
        uncertain, pause = False, 0.1
        deadline = time.monotonic() + PATIENCE_S
        while True:
            began = time.monotonic()
            try:
                response = self._client.request(
                    method, path, content=content, params=params, headers=headers
                )
            except httpx.HTTPError as error:
                self._tally.met(operation, type(error).__name__)
                uncertain, wait = True, pause
            else:
                if response.is_success:
                    self._tally.answered(operation, time.monotonic() - began)
                    return Answer(response.status_code, response.content, uncertain)
                self._tally.met(operation, _kind(response))
                if not _is_passing(response):
                    self._look_at(operation, response)
                    return Answer(response.status_code, response.content, uncertain)
                # A commit whose outcome nobody heard of is answered 503 as well.
                uncertain = uncertain or response.status_code == 503
                wait = max(pause, self._retry_after(operation, response))
            if time.monotonic() > deadline or self._called_off.wait(wait):
                raise GaveUp(f"{operation}: no final answer")
            pause = min(pause * 2, LONGEST_PAUSE_S)

    def _retry_after(self, operation: str, response: httpx.Response) -> float:
        self._look_at(operation, response)
        given = response.headers.get("Retry-After", "")
        if response.status_code != 409 and not given.isdecimal():
            self._tally.break_(f"{operation}: {response.status_code} without Retry-After")
        return min(float(given or 0), LONGEST_PAUSE_S)

    def _look_at(self, operation: str, response: httpx.Response) -> None:
        """An error is a problem, and no fault."""
        kind = response.headers.get("Content-Type")
        if kind != PROBLEM or b"Traceback" in response.content:
            self._tally.break_(f"{operation}: {response.status_code} is no problem: {kind}")
        if response.status_code >= 500 and response.status_code != 503:
            self._tally.break_(f"{operation}: {response.status_code}: {response.text[:300]}")


def _kind(response: httpx.Response) -> str:
    try:
        name = orjson.loads(response.content)["type"].rpartition(":")[2]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        name = "?"
    return f"{response.status_code} {name}"


def _is_passing(response: httpx.Response) -> bool:
    if response.status_code == 409:
        return b"idempotency-key-in-use" in response.content
    return response.status_code == 429 or response.status_code >= 500
