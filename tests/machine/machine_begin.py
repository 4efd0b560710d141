"""The model of the world as it was made, with the numbers that the house gave."""

from __future__ import annotations

import datetime as dt
from typing import Any

from machine_house import AGENCIES, PEOPLE, URGENT, House
from model_catalog import Catalog, Field, Version
from model_places import Map
from model_state import Agency, Model, Person

YEAR = (dt.date(2026, 1, 1), dt.date(2028, 12, 31))


def _catalog() -> Catalog:
    def field(
        code: str,
        since: dt.date = YEAR[0],
        until: dt.date = YEAR[1],
        *,
        kind: str = "area",
        standing: bool = False,
        sharing: str = "unconditional",
        **version: Any,
    ) -> Field:
        first = Version(1, since, until, **version)
        return Field(code, [first], kind, standing, sharing)

    fields = [
        field("town.people"),
        field("town.checked", reviewed=True),
        field("town.road", standing=True),
        field("town.watched", standing=True, reviewed=True),
        field("town.shared", mode="share"),
        field("town.length", collected_at=4),
        field("town.turned", mode="share"),
        field("town.leaving"),
        field("town.granted", sharing="conditional"),
        field("town.kept", sharing="restricted"),
        field("town.brief", until=dt.date(2026, 5, 15)),
        field("town.later", since=dt.date(2026, 5, 1)),
        field("home.age", kind="resident"),
    ]
    return Catalog({f.code: f for f in fields})


def begin(house: House) -> Model:
    """Everything is there, and nothing has happened."""
    model = Model(house.clock.today(), Map(), _catalog())
    with house.operator() as ctx:
        areas = ctx.sql("SELECT id, code, name, level, parent_id, region_id FROM area ORDER BY level, code")  # fmt: skip
        for a in areas:
            parent = model.map.places.get(a.parent_id)
            model.map.add_area(a.id, a.code, a.name, a.level, parent, a.region_id)
        residents = ctx.sql("SELECT s.id, s.region_id, s.area_id FROM subject AS s JOIN subject_kind AS k ON k.id = s.kind_id WHERE k.code = 'resident' ORDER BY s.id")  # fmt: skip
        for r in residents:
            model.map.add_resident(r.id, r.region_id, model.map.places[r.area_id])
    by_code = {place.code: place for place in model.map.places.values()}
    for name, (role, area) in PEOPLE.items():
        model.people[name] = Person(name, role, by_code[area])
    for code, area in AGENCIES.items():
        model.agencies[code] = Agency(code, by_code[area], urgent=code == URGENT)
    return model
