"""The story: three departments want something of the same villages, and each village answers once.

Everything goes through the public HTTP API, with the keys and accounts of the
demo; nothing is known here that a client could not know.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog.similarity import STRONG
from oneform.demo.calling import Caller, StoryError
from oneform.demo.county import (
    AGRICULTURE,
    COUNTY_NAME,
    HEALTH,
    INVENTED,
    PLANNING,
    STAFF,
    VILLAGE,
    VILLAGE_NAME,
    Department,
)
from oneform.demo.demands import (
    FIRST_FIELDS,
    LOOSE_NAME,
    MIGRANTS,
    OFF_LIST,
    ON_LIST,
    ROADS,
    SANITATION,
    SECOND_FIELDS,
    SERVICES,
    SURVEY,
    THIRD_FIELDS,
    WATER,
    Demand,
)
from oneform.demo.figures import figures_of
from oneform.demo.savings import Cell, joined_cells, savings_of
from oneform.demo.telling import Teller
from oneform.demo.world import World

RESOLVED_WITHIN_S = 120.0
LOOK_EVERY_S = 0.15


@dataclass
class Outcome:
    """What is left when the story is over: the requests as they were last read, the first one first."""

    requests: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_balanced(self) -> bool:
        """Whether every request's counts sum up to its total."""
        return bool(self.requests) and all(is_balanced(each["cells"]) for each in self.requests)


def is_balanced(cells: dict[str, int]) -> bool:
    return sum(count for status, count in cells.items() if status != "total") == cells["total"]


def tell_story(address: str, world: World, teller: Teller, *, goes_on: bool = True) -> Outcome:
    """Play it through. StoryError where an answer is not what it should be.

    Where it `goes_on` afterwards, whoever looks on can answer what is left.
    """
    with (
        Caller(address, world.keys[AGRICULTURE.code]) as first,
        Caller(address, world.keys[HEALTH.code]) as second,
        Caller(address, world.keys[PLANNING.code]) as third,
        Caller(address) as public,
    ):
        return _Story(world, teller, public, {AGRICULTURE: first, HEALTH: second, PLANNING: third}, goes_on).tell()  # fmt: skip


class _Story:
    def __init__(
        self,
        world: World,
        teller: Teller,
        public: Caller,
        callers: dict[Department, Caller],
        goes_on: bool,
    ) -> None:
        self._goes_on = goes_on
        self._world = world
        self._teller = teller
        self._public = public
        self._callers = callers

    def tell(self) -> Outcome:
        self._refused_at_the_door()
        first = self._first_request()
        second = self._second_request()
        third = self._third_request()
        self._village_answers(first, second)
        self._public_check(first)
        requests = [
            self._read(department, request)
            for department, request in ((AGRICULTURE, first), (HEALTH, second), (PLANNING, third))
        ]
        self._what_was_spared(requests)
        return Outcome(requests)

    def _refused_at_the_door(self) -> None:
        teller = self._teller
        teller.act("白名单", "Two of its twelve questions are not on the whitelist")
        fields = [*FIRST_FIELDS, LOOSE_NAME, OFF_LIST]
        teller.say(
            f"{AGRICULTURE.name} asks for {len(fields)} fields of every village of {COUNTY_NAME}."
        )
        body = SURVEY.body(self._world, fields)
        answer = self._callers[AGRICULTURE].post("/requests", body, expected={422})
        rejected = answer.get("rejected_fields")
        if not rejected:
            raise StoryError(f"POST /requests answered 422: {answer.get('detail')}")
        teller.table(
            ("refused", "reason", "nearest on the list"),
            ((each["field"], each["reason"], _nearest(each)) for each in rejected),
        )
        teller.say("Nothing was created; the rejection is on record for the supervisors.")

    def _first_request(self) -> dict[str, Any]:
        self._teller.act("已有 → 共享 → 采集", "It asks again, and most of it need not be asked")
        self._teller.say(f"{LOOSE_NAME} → {ON_LIST}; {OFF_LIST} is given up.")
        return self._submit(AGRICULTURE, SURVEY, [*FIRST_FIELDS, ON_LIST])

    def _second_request(self) -> dict[str, Any]:
        self._teller.act("并单", "A second department joins what is asked already")
        self._teller.say(
            f"{HEALTH.name} asks for {len(SECOND_FIELDS)} fields of the same villages."
        )
        request = self._submit(HEALTH, SANITATION, SECOND_FIELDS)
        asks = request["asks"]
        self._teller.say(
            f"Of its {request['cells']['asked']:,} open questions, {asks['joined']:,} were open for "
            f"{AGRICULTURE.name} already: one answer will serve both. New: {asks['new']:,}."
        )
        return request

    def _third_request(self) -> dict[str, Any]:
        self._teller.act("零采集", "A third gets everything, and no village hears of it")
        self._teller.say(f"{PLANNING.name} asks for {len(THIRD_FIELDS)} fields.")
        request = self._submit(PLANNING, SERVICES, THIRD_FIELDS)
        self._teller.say(f"State: {request['state']}. Asked of villages: {request['asks']['new']}.")
        return request

    def _village_answers(self, first: dict[str, Any], second: dict[str, Any]) -> None:
        teller, world = self._teller, self._world
        teller.act("一表", f"{VILLAGE_NAME} answers: one form, whoever asks")
        login = {"username": STAFF.username, "password": world.password}
        session = self._public.post("/sessions", login, expected={201})
        with Caller(self._public.address, session["token"]) as staff:
            form = staff.get("/form")
            asks = {ask["field"]: ask for ask in _asks_of(form)}
            teller.say(f"{form['unit']['name']}: {len(asks)} questions of two departments.")
            figures = figures_of(VILLAGE, world.year, is_community=False)
            answers = [
                {"ask": asks[WATER]["id"], "value": figures[WATER], "note": INVENTED},
                {"ask": asks[MIGRANTS]["id"], "value": figures[MIGRANTS], "note": INVENTED},
                {"ask": asks[ROADS]["id"], "confirm": True, "note": INVENTED},
            ]
            before = asks[ROADS]["previous"]["value"]
            teller.say(
                f"It fills in two, confirms last year's {before} km of roads with one touch, and "
                f"leaves {len(asks) - len(answers)}{' for you' if self._goes_on else ' open'}."
            )
            receipt = staff.post("/submissions", {"answers": answers}, expected={201})
        rows = []
        for department, request in ((AGRICULTURE, first), (HEALTH, second)):
            now = self._read(department, request)
            rows.append(
                (
                    department.name,
                    f"{request['cells']['answered']} → {now['cells']['answered']}",
                    f"{request['cells']['asked']:,} → {now['cells']['asked']:,}",
                )
            )
        teller.say(f"Accepted: {receipt['accepted']}. The books of both departments move:")
        teller.table(("department", "answered", "asked"), rows)

    def _public_check(self, request: dict[str, Any]) -> None:
        self._teller.act("准入码", "Anybody can check who asks")
        number = request["control_no"]
        found = self._public.get(f"/control-numbers/{number}")
        if not found["valid"]:
            raise StoryError(f"the control number {number} is not valid")
        self._teller.copied([("number", number)])
        self._teller.listed(
            [
                ("answer", "valid 有效"),
                ("department", found["agency"]),
                ("title", found["title"]),
                ("legal basis", found["legal_basis"]),
                ("fields", str(len(found["fields"]))),
                ("due", str(found["due"])),
            ]
        )

    def _what_was_spared(self, requests: Sequence[dict[str, Any]]) -> None:
        teller = self._teller
        teller.act("减负", "What villages were spared")
        callers = [self._callers[department] for department in (AGRICULTURE, HEALTH, PLANNING)]
        cells = [_cells(caller, request) for caller, request in zip(callers, requests, strict=True)]
        codes = sorted({code for each in cells for _, code in each})
        seconds = {code: self._public.get(f"/fields/{code}")["seconds"] for code in codes}
        saved = savings_of(cells, seconds)
        teller.listed(
            [
                (f"{saved.wanted:,}", "answers that three departments wanted of villages"),
                (f"{saved.put:,}", "were put to a village, each once"),
                (f"{joined_cells(cells[0], cells[1]):,}", "of these serve two departments"),
                (
                    f"{saved.minutes:,} min",
                    f"spared, of {saved.minutes + round(saved.put_seconds / 60):,}",
                ),
            ]
        )
        teller.say(
            "Formula: (answers wanted − answers put to villages) × the seconds that the whitelist "
            "estimates for one answer to the field. What registers always had counts nothing.",
            style="dim",
        )

    def _submit(
        self, department: Department, demand: Demand, fields: Sequence[str]
    ) -> dict[str, Any]:
        """Submit a request, watch it being resolved, and show its books."""
        caller = self._callers[department]
        body = demand.body(self._world, fields)
        request: dict[str, Any] = caller.post("/requests", body, expected={202})
        deadline = time.monotonic() + RESOLVED_WITHIN_S
        with self._teller.counting("resolving …") as show:
            while request["state"] == "resolving":
                if time.monotonic() > deadline:
                    raise StoryError(f"a request was not resolved within {RESOLVED_WITHIN_S:.0f} s")
                time.sleep(LOOK_EVERY_S)
                request = self._read(department, request)
                show(request["cells"])
        self._teller.books(request["cells"])
        return request

    def _read(self, department: Department, request: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self._callers[department].get(f"/requests/{request['id']}")
        return found


def _nearest(rejected: dict[str, Any]) -> str:
    """The suggestions of a rejected field that are probably meant, in words."""
    found = [
        f"{each['name']['zh']} {each['field']} ({each['score']:.2f})"
        for each in rejected["suggestions"]
        if each["score"] >= STRONG
    ]
    return "\n".join(found) or "nothing like it"


def _asks_of(form: dict[str, Any]) -> list[dict[str, Any]]:
    return [ask for section in form["sections"] for row in section["rows"] for ask in row["asks"]]


def _cells(caller: Caller, request: dict[str, Any]) -> dict[Cell, str]:
    """The status of each cell of a request, from its data."""
    rows = caller.rows(f"/requests/{request['id']}/data")
    return {(row["subject"], row["field"]): row["status"] for row in rows}
