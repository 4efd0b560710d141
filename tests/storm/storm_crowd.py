"""Who is out in the storm: agencies and the grassroots. Who else is, stands in `storm_others`."""

from __future__ import annotations

import itertools
import queue
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
from storm_world import Order, World

LIMIT_S = 900.0
"""Only ends a storm that has failed."""

PAUSE_S = 0.25
"""Between two rounds of somebody; without it the storm would mostly be looking."""

EXPECTED = {
    ("POST", "requests"): {202},
    ("GET", "requests"): {200},
    ("GET", "form"): {200},
    ("GET", "roaming form"): {200, 404},  # of a village that has just been merged
    ("PUT", "drafts"): {200},
    ("POST", "submissions"): {201},
    ("GET", "submissions"): {200},
    ("POST", "amend"): {200, 409},  # its cell holds another value since a moment ago
    ("GET", "reviews"): {200},
    ("POST", "reviews"): {200, 422},  # its ask has ended a moment before
    ("POST", "imports"): {202},
    ("GET", "grants"): {200},
    ("POST", "refusals"): {201, 422},  # answered, or withdrawn, a moment before
    ("GET", "refusals"): {200},
    ("POST", "decide"): {200},
    ("POST", "cancel"): {200},
}
"""What anybody may be told. No 409, since nobody in the storm asks for what has ended."""

OVER = ("fulfilled", "partial", "cancelled")


@dataclass
class Storm:
    """What is known while it blows, and what was seen."""

    world: World
    address: str
    sent: dict[str, Order] = field(default_factory=dict)
    """Orders by the id of their request."""
    statuses: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    polls: int = 0
    cancelled: set[str] = field(default_factory=set)
    all_sent: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)
    past_refusing: set[str] = field(default_factory=set)
    """Units that refuse nothing any more."""
    receipts: list[tuple[str, str]] = field(default_factory=list)
    """Unit and id of each submission."""
    done: Counter[str] = field(default_factory=Counter)
    """What else was done, how often."""

    def client(self, token: str) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=f"{self.address}/api/v1", headers=headers, timeout=120)

    def call(
        self,
        client: httpx.Client,
        method: str,
        path: str,
        what: str,
        body: Any = None,
        key: str = "",
    ) -> httpx.Response:
        """One call, whose answer is noted, and held against what may be answered."""
        headers = {"Idempotency-Key": key} if key else {}
        answer = client.request(method, path, json=body, headers=headers)
        self.note(method, path, what, answer)
        return answer

    def note(self, method: str, path: str, what: str, answer: httpx.Response) -> None:
        self.statuses[method, what, answer.status_code] += 1
        if answer.status_code not in EXPECTED[method, what]:
            self.wrong.append(f"{method} {path}: {answer.status_code} {answer.text[:300]}")

    def send_file(self, client: httpx.Client, path: str, what: str, file: str) -> None:
        headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": str(uuid.uuid4())}
        answer = client.post(path, content=file.encode(), headers=headers)
        self.note("POST", path, what, answer)

    # ---- agencies --------------------------------------------------------------

    def send(self, orders: queue.SimpleQueue[Order]) -> None:
        """Send what is left, each twice under one key: the second gives the first answer again."""
        while True:
            try:
                order = orders.get_nowait()
            except queue.Empty:
                return
            with self.client(self.world.agencies[order.agency]) as client:
                key = str(uuid.uuid4())
                bodies = [
                    self.call(client, "POST", "/requests", "requests", order.body(self.world), key)
                    for _ in range(2)
                ]
                if bodies[0].content != bodies[1].content:
                    self.wrong.append("the same key gave two answers")
                if bodies[0].status_code == 202:
                    self.sent[bodies[0].json()["id"]] = order

    def cancel(self, chance: random.Random) -> None:
        """Cancel those that are to be cancelled, a moment after they were accepted."""
        while not self.over.is_set():
            due = [id for id, order in list(self.sent.items())
                   if order.will_cancel and id not in self.cancelled]  # fmt: skip
            if not due:
                if self.all_sent.is_set():
                    return
                time.sleep(0.02)
                continue
            id = chance.choice(due)
            with self.client(self.world.agencies[self.sent[id].agency]) as client:
                time.sleep(chance.random() * 0.3)
                self.call(client, "POST", f"/requests/{id}/cancel", "cancel")
                self.cancelled.add(id)

    def poll(self, chance: random.Random) -> None:
        """Point 7: the books balance at every moment that they can be read."""
        with httpx.Client(base_url=f"{self.address}/api/v1", timeout=120) as client:
            while not self.over.is_set():
                if self.sent:
                    self.read(client, chance.choice(list(self.sent)))
                time.sleep(PAUSE_S * chance.random())

    def read(self, client: httpx.Client, id: str) -> dict[str, Any]:
        order = self.sent[id]
        client.headers["Authorization"] = f"Bearer {self.world.agencies[order.agency]}"
        body: dict[str, Any] = self.call(client, "GET", f"/requests/{id}", "requests").json()
        cells = dict(body["cells"])
        total = cells.pop("total")
        whole = total if order.is_roaming(self.world) else len(order.cells(self.world))
        self.polls += 1
        if total != sum(cells.values()) or total > whole or min(cells.values()) < 0:
            self.wrong.append(f"books of {id} do not balance: {body['cells']}")
        if body["state"] not in ("resolving", "cancelled") and total != whole:
            self.wrong.append(f"{id} is {body['state']} with {total} of {whole} cells")
        return body

    # ---- the grassroots --------------------------------------------------------

    def villages(self, unit: str) -> list[str]:
        if unit == self.world.clerks_county:
            return list(self.world.roaming)
        return [v for vs in self.world.villages.values() for v in vs if v[:9] == unit[:9]]

    def answer(self, unit: str, chance: random.Random) -> None:
        """Answer what a unit's villages are asked, some at a time; rough asks last."""
        with self.client(self.world.staff[unit]) as client:
            while not self.over.is_set():
                is_last_part = self.all_sent.is_set()
                for village in self.villages(unit):
                    asks = list(self.asks(client, village))
                    if not self.all_sent.is_set():
                        asks = [(id, code) for id, code in asks if chance.random() < 0.4]
                    self.submit(client, unit, asks)
                    self.refuse(client, asks, chance)
                if is_last_part:
                    self.past_refusing.add(unit)
                time.sleep(PAUSE_S)

    def asks(self, client: httpx.Client, village: str) -> Iterator[tuple[str, str]]:
        """Id and field of what is open in a village."""
        yield from ((ask["id"], ask["field"]) for ask in self.form(client, village))

    def form(self, client: httpx.Client, village: str) -> list[dict[str, Any]]:
        what = "roaming form" if village in self.world.roaming else "form"
        told = self.call(client, "GET", f"/form?unit={village}", what)
        if told.status_code == 404:
            return []
        return [ask for section in told.json()["sections"] for row in section["rows"]
                for ask in row["asks"] if ask["state"] in ("open", "returned")]  # fmt: skip

    def submit(self, client: httpx.Client, unit: str, asks: list[tuple[str, str]]) -> None:
        # Rough ones are answered at the end: until then they are there to be refused.
        last = () if self.all_sent.is_set() else ("rough",)
        chosen = [id for id, code in asks if not code.startswith(("passing", *last))]
        if chosen:
            body = {"mode": "partial", "answers": [{"ask": id, "value": 3} for id in chosen]}
            key = str(uuid.uuid4())
            answer = self.call(client, "POST", "/submissions", "submissions", body, key).json()
            self.receipts.append((unit, answer["id"]))
            odd = [i for i in answer.get("invalid", []) if i["code"] != "not_open"]
            if odd:
                self.wrong.append(f"answers refused: {odd[:3]}")

    def refuse(
        self, client: httpx.Client, asks: list[tuple[str, str]], chance: random.Random
    ) -> None:
        rough = [id for id, code in asks if code.startswith("rough") and chance.random() < 0.5]
        if rough and not self.all_sent.is_set():
            self.call(client, "POST", "/refusals", "refusals",
                      {"asks": rough, "reason": "cannot"})  # fmt: skip

    def decide(self) -> None:
        """Every second refusal is upheld, every other one overturned."""
        ways = itertools.cycle(["overturn", "uphold"])
        with self.client(self.world.reviewer) as client:
            while not self.over.is_set():
                for refusal in self.undecided(client):
                    body = {"decision": next(ways), "reason": "核实"}
                    self.call(client, "POST", f"/refusals/{refusal['id']}/decide", "decide", body)
                time.sleep(PAUSE_S)

    def undecided(self, client: httpx.Client) -> list[dict[str, Any]]:
        found = self.call(client, "GET", "/refusals?state=undecided&limit=500", "refusals")
        items: list[dict[str, Any]] = found.json()["items"]
        return items

    # ---- the end ---------------------------------------------------------------

    def wait_for_the_end(self, alive: Callable[[], None]) -> None:
        """Until every request is over, and stays so. `alive` looks after whatever has to live.

        One of which cells are only refused is over as well, until a refusal is overturned.
        """
        deadline = time.monotonic() + LIMIT_S
        with (
            httpx.Client(base_url=f"{self.address}/api/v1", timeout=120) as client,
            self.client(self.world.reviewer) as reviewer,
        ):
            while True:
                alive()
                if time.monotonic() > deadline:
                    raise AssertionError([self.read(client, id) for id in list(self.sent)[:3]])
                may_move = len(self.past_refusing) < len(self.world.staff)
                may_move = may_move or bool(self.undecided(reviewer))
                left = [id for id in self.sent if self.read(client, id)["state"] not in OVER]
                if not left and not may_move:
                    return
                time.sleep(PAUSE_S)
