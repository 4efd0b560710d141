"""Calls of the HTTP API as any client makes them, each with the answer that is expected of it."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from types import TracebackType
from typing import Any, Self

import httpx
import orjson

TIMEOUT_S = 30.0


class StoryError(Exception):
    """The story cannot go on; the message is one line that says why."""


class Caller:
    """Somebody who calls: an agency with its key, a person with a session, or the public."""

    def __init__(self, address: str, token: str | None = None) -> None:
        self.address = address
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        # No proxy of the environment has a part in calls to this machine.
        self._client = httpx.Client(
            base_url=f"{address}/api/v1", headers=headers, timeout=TIMEOUT_S, trust_env=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def get(self, path: str, **parameters: Any) -> Any:
        """The body of a 200. StoryError for any other answer."""
        return self._call("GET", path, {200}, params=parameters).json()

    def rows(self, path: str, **parameters: Any) -> list[Any]:
        """The lines of a JSON Lines export."""
        text = self._call("GET", path, {200}, params={**parameters, "format": "jsonl"}).text
        return [orjson.loads(line) for line in text.splitlines()]

    def post(self, path: str, body: dict[str, Any], *, expected: Collection[int]) -> Any:
        """The body of the answer to a POST with a new Idempotency-Key."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        return self._call("POST", path, expected, json=body, headers=headers).json()

    def _call(
        self, method: str, path: str, expected: Collection[int], **more: Any
    ) -> httpx.Response:
        try:
            answer = self._client.request(method, path, **more)
        except httpx.HTTPError as error:
            raise StoryError(f"{method} {path}: {type(error).__name__} {error}".strip()) from None
        if answer.status_code in expected:
            return answer
        raise StoryError(f"{method} {path} answered {answer.status_code}: {_detail(answer)}")


def _detail(answer: httpx.Response) -> str:
    try:
        found = answer.json()
        words = [str(found["detail"])]
        words += [f"{each['pointer']} {each['detail']}" for each in found.get("errors", ())]
        return "; ".join(words)[:500]
    except (ValueError, KeyError, TypeError):
        return answer.text[:200]
