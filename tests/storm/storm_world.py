"""The storm's world: counties of villages, fields, values that are held already, and who asks for what.

Several kinds of field, so that "asked once" can be said exactly. `calm` ones are asked,
answered, amended and, once they are asked, brought by their owner; `seen` ones are reviewed
besides; `granted` ones wait for their owner's consent; `passing` ones are answered by nobody, and
expire when all is asked. Each of their missing cells is asked once, whatever happens. `rough` ones
are also refused, and their requests cancelled, so that a cell may be asked anew where nobody waited
for it any more.

One county is the clerk's: villages are opened, moved, merged and closed there all the time, and a
cell of theirs is asked once if its village was there when a request for it was decided.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from typing import Any

import factories
import orjson

from oneform.areas.service import import_areas
from oneform.identity.agencies import AddAgency, add_agency
from oneform.identity.keys import issue_key
from oneform.identity.models import Staff
from oneform.identity.people import AddPerson, add_person
from oneform.identity.sessions import open_session
from oneform.kernel.context import Context
from oneform.values.cells import values_of
from oneform.values.models import ProvenanceKind
from oneform.values.recording import open_provenance, record

HELD_SHARE = 0.2
"""Of the calm cells, how many have a value before anybody asks."""


@dataclass(frozen=True)
class Size:
    requests: int
    agencies: int
    senders: int
    counties: int
    townships: int
    villages: int
    calm: int
    seen: int
    rough: int
    others: int
    """Requests of each other kind: for granted and passing fields, and in the clerk's county."""
    workers: int
    kills: int


SMALL = Size(requests=12, agencies=4, senders=8, counties=2, townships=1, villages=4, calm=3, seen=1, rough=2, others=1, workers=2, kills=2)  # fmt: skip
FULL = Size(requests=60, agencies=12, senders=24, counties=4, townships=2, villages=5, calm=9, seen=3, rough=4, others=6, workers=3, kills=12)  # fmt: skip

Cell = tuple[str, str]
"""Field and code of the village."""


@dataclass
class World:
    size: Size
    period: str
    due: dt.date
    soon: dt.date
    """Before the others: asks that are due then have expired a day before those are due."""
    counties: list[str] = field(default_factory=list)
    villages: dict[str, list[str]] = field(default_factory=dict)
    """Codes by county."""
    townships: list[str] = field(default_factory=list)
    agencies: dict[str, str] = field(default_factory=dict)
    """Keys by code."""
    staff: dict[str, str] = field(default_factory=dict)
    """Tokens of the staff of townships, by code."""
    others: dict[str, str] = field(default_factory=dict)
    """Of their colleagues, who amend, and type drafts."""
    clerks_county: str = ""
    roaming: list[str] = field(default_factory=list)
    """Villages of the clerk's county that are, or were, there."""
    owner: str = ""
    """Key of the agency that owns all fields."""
    reviewer: str = ""
    """Token of somebody who decides on refusals, and reviews."""
    held: set[Cell] = field(default_factory=set)

    @property
    def calm(self) -> list[str]:
        return [f"calm.f{n}" for n in range(self.size.calm)]

    @property
    def seen(self) -> list[str]:
        return [f"seen.f{n}" for n in range(self.size.seen)]

    @property
    def rough(self) -> list[str]:
        return [f"rough.f{n}" for n in range(self.size.rough)]


@dataclass
class Order:
    """A request to be sent."""

    agency: str
    fields: list[str]
    counties: list[str]
    due: dt.date
    is_rough: bool = False
    will_cancel: bool = False

    def body(self, world: World) -> dict[str, Any]:
        return {
            "title": "同时的需求", "purpose": "试验", "legal_basis": "《统计法》第七条",
            "fields": self.fields, "period": world.period, "due": self.due.isoformat(),
            "scope": {"areas": self.counties, "kind": "area", "level": "village"},
        }  # fmt: skip

    def cells(self, world: World) -> set[Cell]:
        return {
            (code, village)
            for code in self.fields
            for county in self.counties
            for village in world.villages[county]
        }

    def is_roaming(self, world: World) -> bool:
        """Of which cells it is about, only the day of its decision can tell."""
        return world.clerks_county in self.counties


def make_world(ctx: Context, size: Size, chance: random.Random) -> World:
    """Everything before the storm. Fields are in force today, in whatever year that is."""
    today = ctx.today()
    world = World(
        size, str(today.year), today + dt.timedelta(days=60), today + dt.timedelta(days=20)
    )
    lines = [f"code,parent_code,level,name\n{factories.PROVINCE},,1,省\n{factories.CITY},{factories.PROVINCE},2,市"]  # fmt: skip
    for c in range(size.counties):
        county = f"4201{c + 10:02d}000000"
        world.counties.append(county)
        world.villages[county] = []
        lines.append(f"{county},{factories.CITY},3,县{c}")
        for t in range(size.townships):
            township = f"{county[:6]}{t + 1:03d}000"
            world.townships.append(township)
            lines.append(f"{township},{county},4,镇{c}-{t}")
            for v in range(size.villages):
                village = f"{township[:9]}{v + 1:03d}"
                world.villages[county].append(village)
                lines.append(f"{village},{township},5,村{c}-{t}-{v}")
    world.clerks_county = county = "420199000000"
    lines.append(f"{county},{factories.CITY},3,县")
    for t in (1, 2):
        township = f"{county[:6]}{t:03d}000"
        lines.append(f"{township},{county},4,镇{t}")
        for v in range(size.villages):
            village = f"{township[:9]}{v + 1:03d}"
            world.roaming.append(village)
            lines.append(f"{village},{township},5,村{t}-{v}")
    import_areas(ctx, "\n".join(lines).encode())
    add_agency(ctx, AddAgency(code="stats", name="统计局", area=factories.PROVINCE))
    world.owner = issue_key(ctx, "stats").key
    force = {"effective_from": str(today - dt.timedelta(days=30)), "expires_on": str(today + dt.timedelta(days=700))}  # fmt: skip
    consent = {"category": "conditional", "conditions": "须经数源部门同意"}
    factories.make_fields(
        ctx,
        *(factories.field(code, **force) for code in world.calm + world.rough + ["passing.f0"]),
        *(factories.field(code, review="township", **force) for code in world.seen),
        factories.field("granted.f0", sharing=consent, **force),
    )
    for n in range(size.agencies):
        code = f"agency{n}"
        add_agency(ctx, AddAgency(code=code, name=f"部门{n}", area=factories.PROVINCE))
        world.agencies[code] = issue_key(ctx, code).key
    for unit in [*world.townships, world.clerks_county]:
        world.staff[unit] = _person(ctx, f"staff{unit}", "staff", unit)
        world.others[unit] = _person(ctx, f"other{unit}", "staff", unit)
    world.reviewer = _person(ctx, "reviewer", "township_reviewer", factories.CITY)
    _hold_some(ctx, world, chance)
    return world


def _person(ctx: Context, name: str, role: str, area: str) -> str:
    add_person(ctx, AddPerson(username=name, roles=[role], area=area))
    person = ctx.session.query(Staff).filter_by(username=name).one()
    return open_session(ctx, person).token


def _hold_some(ctx: Context, world: World, chance: random.Random) -> None:
    origin = open_provenance(ctx, ProvenanceKind.IMPORT)
    ids = {row.code: row for row in ctx.sql("SELECT code, id, region_id FROM area")}
    for code in world.calm:
        field_id = factories.field_id(ctx, code)
        for villages in world.villages.values():
            held = [v for v in villages if chance.random() < HELD_SHARE]
            world.held |= {(code, village) for village in held}
            cells = values_of(
                ids[villages[0]].region_id,
                fields=[field_id] * len(held),
                periods=[world.period] * len(held),
                subjects=[ids[v].id for v in held],
                values=[orjson.dumps(7).decode()] * len(held),
                missing=[None] * len(held),
                observed_on=[ctx.today()] * len(held),
            )
            record(ctx, cells, origin)


def make_orders(world: World, chance: random.Random) -> list[Order]:
    """Requests that overlap: every fourth wants rough fields, and half of those are cancelled.

    The others, one of each kind after the other, come among them.
    """
    orders = []
    for n in range(world.size.requests):
        is_rough = n % 4 == 3
        fields = world.rough if is_rough else world.calm + world.seen
        counties = world.counties
        orders.append(
            Order(
                agency=f"agency{n % world.size.agencies}",
                fields=chance.sample(fields, chance.randint((len(fields) + 1) // 2, len(fields))),
                counties=chance.sample(counties, chance.randint(1, len(counties))),
                due=world.due,
                is_rough=is_rough,
                will_cancel=is_rough and n % 8 == 3,
            )
        )
    for n in range(world.size.others):
        agency = f"agency{n % world.size.agencies}"
        orders += [
            Order(agency, ["granted.f0"], chance.sample(counties, 2), world.due),
            Order(agency, ["passing.f0"], chance.sample(counties, 2), world.soon),
            Order(agency, [world.calm[0], world.seen[0]], [world.clerks_county], world.due),
        ]
    chance.shuffle(orders)
    return orders
