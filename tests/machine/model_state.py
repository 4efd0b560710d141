"""Model: asks, answers, refusals, requests, jobs, and the state that holds them all together."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from model_catalog import Catalog, Version
from model_cells import Cells, Key
from model_places import Map, Place, Subject

LATE = dt.timedelta(days=30)
"""How long after its due date a late answer still counts for a request."""

OPEN = ("open", "returned")
LIVE = (*OPEN, "in_review", "refused")
HOLDING = (*LIVE, "upheld")
OUTSTANDING = ("asked", "refused", "unavailable", "pending_grant")


@dataclass(eq=False)
class Person:
    """Somebody with an account, and where they work."""

    name: str
    role: str
    place: Place


@dataclass(eq=False)
class Agency:
    code: str
    place: Place
    urgent: bool = False


@dataclass(eq=False)
class Draft:
    value: Any
    by: str
    etag: str | None = None
    """None: made by the house (a returned answer, a mistake of a submission), so not known yet."""


@dataclass(eq=False)
class Ask:
    number: int
    key: Key
    subject: Subject
    unit: Place
    version: int
    due: dt.date
    live_until: dt.date
    stood: dt.timedelta = dt.timedelta(0)
    """How long the clock stood still for it."""
    state: str = "open"
    comment: str | None = None
    draft: Draft | None = None
    id: str = ""
    """Public id in the real house, once it was seen there."""

    @property
    def is_live(self) -> bool:
        return self.state in LIVE


@dataclass(eq=False)
class Answer:
    ask: Ask
    submission: int
    kind: str
    value: Any
    missing: str | None
    state: str
    who: Person
    on: dt.date
    id: str = ""


@dataclass(eq=False)
class Refusal:
    asks: list[Ask]
    unit: Place
    since: dt.date
    state: str = "undecided"
    id: str = ""


@dataclass(eq=False)
class Wish:
    """A field of a request."""

    code: str
    period: str
    mode: str
    collected_at: int
    grant: str = "none"
    valid_until: dt.date | None = None
    """Of a grant: its last day."""
    extended: bool = False
    """Whether the owner has taken more time."""

    def has_run_out(self, day: dt.date) -> bool:
        return self.grant == "granted" and self.valid_until is not None and self.valid_until < day


@dataclass(eq=False)
class Part:
    """A request in one region: its subjects are fixed when it is decided."""

    region: int
    decided_step: int | None = None
    decided_on: dt.date | None = None
    resolved: bool = False
    was_resolved: bool = False
    """Once; a grant that is decided has it resolved anew."""
    members: list[tuple[Subject, Place]] = field(default_factory=list)
    """Each subject, and the area that it was in."""
    units: dict[tuple[int, int], int] = field(default_factory=dict)
    """Number of the unit that answers, by number of the place and level of the field."""
    made: set[int] = field(default_factory=set)
    joined: set[int] = field(default_factory=set)
    """Numbers of the asks that were made for it, and of those that were open already for others."""


@dataclass(eq=False)
class Request:
    number: int
    id: str
    control_no: str
    agency: Agency
    kind: str
    level: int | None
    scope: list[Place]
    period: str
    due: dt.date
    gap: str
    wishes: dict[str, Wish]
    parts: dict[int, Part]
    state: str = "resolving"
    retrying: bool = False

    @property
    def is_resolved(self) -> bool:
        return all(part.resolved for part in self.parts.values())


@dataclass(eq=False)
class Job:
    """What waits on the outbox."""

    name: str
    request: Request | None = None
    regions: tuple[int, ...] = ()
    load: Any = None

    @property
    def label(self) -> tuple[str, str, tuple[int, ...]]:
        return self.name, self.request.id if self.request else str(self.load), self.regions


class Model:
    """Everything there is, and what can be told from it. The verbs are in the other modules."""

    def __init__(self, today: dt.date, map: Map, catalog: Catalog) -> None:
        self.today = today
        self.step = 0
        self.map = map
        self.catalog = catalog
        self.people: dict[str, Person] = {}
        self.agencies: dict[str, Agency] = {}
        self.cells = Cells()
        self.asks: list[Ask] = []
        self.answers: list[Answer] = []
        self.submissions = 0
        self.refusals: list[Refusal] = []
        self.exempt: set[tuple[str, str]] = set()
        self.requests: list[Request] = []
        self.rejections: list[tuple[Agency, tuple[tuple[str, str], ...]]] = []
        self.jobs: list[Job] = []
        self.department: dict[tuple[str, int], int] = {}
        """What the departments' shared store knows: field and number of the area → value."""

    # ---- asks ------------------------------------------------------------------

    def holder(self, key: Key) -> Ask | None:
        """The ask that holds a cell: there is never a second one."""
        found = [ask for ask in self.asks if ask.key == key and ask.state in HOLDING]
        assert len(found) <= 1, f"asked twice: {key}"
        return found[0] if found else None

    def version_of(self, ask: Ask) -> Version:
        """What it was asked under."""
        return self.catalog.fields[ask.key[0]].version(ask.version)

    def live(self) -> list[Ask]:
        return [ask for ask in self.asks if ask.is_live]

    def end(self, ask: Ask, state: str) -> None:
        """An ask ends; nothing is left of what was typed."""
        ask.state, ask.comment, ask.draft = state, None, None

    def withdraw(self, ask: Ask, state: str = "withdrawn") -> None:
        """An ask ends without an answer; one that waited for its review has nobody to wait for."""
        self.end(ask, state)
        for answer in self.answers:
            if answer.ask is ask and answer.state == "in_review" and answer.kind != "amendment":
                answer.state = "withdrawn"

    # ---- cells of requests -----------------------------------------------------

    def cells_of(self, request: Request, part: Part) -> Iterator[tuple[Wish, Key, Place]]:
        for subject, place in part.members:
            for wish in request.wishes.values():
                yield wish, (wish.code, wish.period, subject.id), place

    def may_ask(self, request: Request, wish: Wish) -> bool:
        return request.gap == "ask" and wish.mode == "collect" and request.state != "cancelled"

    def status(self, request: Request, part: Part, wish: Wish, key: Key) -> str:
        """Where a cell of a request stands."""
        if wish.grant == "pending":
            return "pending_grant"
        if wish.grant == "refused":
            return "unavailable"
        assert part.decided_on is not None
        assert part.decided_step is not None
        cell = self.cells.get(key)
        if cell is not None and (stretch := cell.covering(part.decided_on)) is not None:
            return "held" if stretch.since <= part.decided_step else stretch.kind
        if not self.may_ask(request, wish):
            return "unavailable"
        ask = self.holder(key)
        if ask is not None and ask.state in ("open", "returned", "in_review"):
            return "asked"
        if ask is not None or key[:2] in self.exempt:
            return "refused"
        return "unavailable"

    def waits(self, request: Request, ask: Ask) -> bool:
        """Whether a request wants what an ask asks for, and a late answer would still count."""
        part = request.parts.get(ask.subject.region)
        wish = request.wishes.get(ask.key[0])
        if part is None or part.decided_on is None or wish is None or wish.period != ask.key[1]:
            return False
        if not self.may_ask(request, wish):
            return False
        if ask.state in OPEN and request.due + LATE + ask.stood < self.today:
            return False
        cell = self.cells.get(ask.key)
        return (
            wish.grant in ("none", "granted")
            and any(subject is ask.subject for subject, _ in part.members)
            and (cell is None or cell.covering(part.decided_on) is None)
        )

    def rows(self, request: Request) -> dict[tuple[int, int, int], Counter[str]]:
        """The books: statuses by region, place and unit, as far as the request is resolved."""
        rows: dict[tuple[int, int, int], Counter[str]] = {}
        for part in request.parts.values():
            if part.resolved:
                for wish, key, place in self.cells_of(request, part):
                    row = (part.region, place.id, part.units[place.id, wish.collected_at])
                    status = self.status(request, part, wish, key)
                    rows.setdefault(row, Counter())[status] += 1
        return rows

    def books(self, request: Request) -> Counter[str]:
        return sum(self.rows(request).values(), Counter())

    def settled_state(self, request: Request) -> str:
        """The state that a request's books, its due date and its retries give."""
        if request.state == "cancelled":
            return "cancelled"
        if not request.is_resolved:
            return "resolving"
        books = self.books(request)
        if request.due >= self.today and (
            request.retrying or books["asked"] or books["pending_grant"]
        ):
            return "collecting"
        return "partial" if any(books[status] for status in OUTSTANDING) else "fulfilled"
