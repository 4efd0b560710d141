"""The last look: all that was answered 2xx is there, exactly once, and nothing else is.

Over HTTP alone, with the eyes of those who were promised it.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson

from benchmarks.load.calling import Caller
from benchmarks.load.load import Load
from benchmarks.load.world import PASSWORD

ENDED = frozenset({"fulfilled", "partial"})
VALUED = frozenset({"answered", "held"})


def check(load: Load) -> None:
    """Put on the load's tally whatever is not as promised. To be called when it is finished."""
    for number, key in enumerate(load.world.keys):
        with _Looking(load, key) as looking:
            looking.at_requests(number)
    for village in load.world.villages:
        with _Looking(load, None) as looking:
            looking.log_in(village)
            looking.at_submissions(village)
            looking.at_refusals(village)


class _Looking:
    """The eyes of one of them."""

    def __init__(self, load: Load, key: str | None) -> None:
        self._tally, self._promises = load.tally, load.promises
        self._caller = Caller(load.address, load.tally, threading.Event())
        if key is not None:
            self._caller.use(key)

    def __enter__(self) -> _Looking:
        return self

    def __exit__(self, *_: object) -> None:
        self._caller.close()

    def log_in(self, username: str) -> None:
        body = {"username": username, "password": PASSWORD}
        self._caller.use(self._caller.call("check", "POST", "/sessions", body=body).body["token"])

    def at_requests(self, agency: int) -> None:
        """Each accepted request is there once; its data hold the answers, and are what it counts."""
        wanted = {id_ for id_, of in self._promises.requests.items() if of == agency}
        self._compare(f"requests of agency {agency}", wanted, "/requests")
        for id_ in sorted(wanted):
            answer = self._caller.call("check", "GET", f"/requests/{id_}")
            if answer.ok and answer.body["state"] != "cancelled":
                self._at_data(answer.body)

    def at_submissions(self, village: str) -> None:
        wanted = self._promises.submissions[village]
        found = self._compare(f"submissions of {village}", set(wanted), "/submissions")
        for each in found:
            taken = each["accepted"] + each["in_review"]
            if wanted.get(each["id"], taken) != taken:
                self._tally.break_(f"submission {each['id']} was promised otherwise")

    def at_refusals(self, village: str) -> None:
        """They have no Idempotency-Key: one whose answer got lost is there without a promise."""
        found = {each["id"] for each in self._all("/refusals")}
        for lost in self._promises.refusals[village] - found:
            self._tally.break_(f"refusal {lost} of {village} is lost")

    def _at_data(self, request: dict[str, Any]) -> None:
        id_ = request["id"]
        if request["state"] not in ENDED:
            self._tally.break_(f"request {id_} never ended: {request['state']}")
        data = self._caller.call(
            "check", "GET", f"/requests/{id_}/data", params={"format": "jsonl"}
        )
        rows = [orjson.loads(line) for line in data.content.splitlines()]
        if len({(row["subject"], row["field"]) for row in rows}) != len(rows):
            self._tally.break_(f"request {id_} has a cell twice")
        counted = Counter(row["status"] for row in rows)
        booked = {name: n for name, n in request["cells"].items() if n and name != "total"}
        if counted != booked:
            self._tally.break_(f"request {id_} counts {booked}, and its data {dict(counted)}")
        for row in rows:
            self._at_row(id_, row)

    def _at_row(self, request: str, row: dict[str, Any]) -> None:
        taken, in_review = self._promises.values, self._promises.in_review
        cell = (row["field"], row["period"], row["subject"])
        if row["status"] in VALUED:
            if cell not in taken and cell not in in_review:
                self._tally.break_(f"{cell} of request {request} has a value that nobody sent")
            elif taken.get(cell, in_review.get(cell)) != row["value"]:
                self._tally.break_(f"{cell} of request {request} has another value than was sent")
        elif cell in taken:
            self._tally.break_(f"{cell} of request {request} is {row['status']}, its answer lost")

    def _compare(self, what: str, wanted: set[str], path: str) -> list[dict[str, Any]]:
        found = list(self._all(path))
        numbers = Counter(each["id"] for each in found)
        for id_ in wanted - set(numbers):
            self._tally.break_(f"{what}: {id_} is lost")
        for id_ in set(numbers) - wanted:
            self._tally.break_(f"{what}: {id_} was never promised: done twice?")
        for id_, n in numbers.items():
            if n > 1:
                self._tally.break_(f"{what}: {id_} is listed {n} times")
        return found

    def _all(self, path: str) -> Iterator[dict[str, Any]]:
        cursor = None
        while True:
            params = {"limit": "500"} | ({"cursor": cursor} if cursor else {})
            page = self._caller.call("check", "GET", path, params=params).body
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return
