"""The world goes on: areas and people change, fields come and go, days pass, somebody sweeps."""

from __future__ import annotations

import itertools
from dataclasses import replace

import hypothesis.strategies as st
import model_changing as changing
import model_requesting as requesting
from hypothesis.stateful import precondition, rule
from machine_base import RARELY, Base, N, pick
from machine_check import same
from model_catalog import Version
from model_places import TOWNSHIP, VILLAGE, Place

from workers.maintenance import MaintenanceJob


class Changing(Base):
    def __init__(self) -> None:
        super().__init__()
        self.numbers = itertools.count(100)
        """Of new areas, for their codes."""

    @rule(kind=st.sampled_from(["rename", "recode", "move", "move", "merge", "close", "open", "split"]),
          n=N, to=N, township=RARELY)  # fmt: skip
    def change_area(self, kind: str, n: int, to: int, township: bool) -> None:
        m = self.m
        level = TOWNSHIP if township and kind in ("rename", "move", "merge") else VILLAGE
        living = m.map.living(level)
        others = living
        if kind in ("move", "open"):
            others = m.map.living(level - 1)
        self.alter_area(kind, pick(living, n), pick(others, to))

    def alter_area(self, kind: str, place: Place, other: Place) -> None:
        """`other`: what a place is merged with, or where it goes or is opened."""
        m = self.m
        fresh = f"42010200{next(self.numbers):04d}"
        is_last = len(m.map.living(place.level)) <= 2
        if (other is place.parent and kind == "move") or (other is place and kind == "merge"):
            return
        if is_last and kind in ("merge", "close"):
            return
        match kind:
            case "rename":
                place.name = f"{place.name}新"
                self.house.change_areas(f"rename,{place.code},,,,{place.name}")
            case "recode":
                self.house.change_areas(f"recode,{place.code},{fresh},,,")
                place.code = fresh
            case "move":
                self.house.change_areas(f"move,{place.code},,{other.code},,")
                changing.move(m, place, other)
            case "merge":
                self.house.change_areas(f"merge,{place.code},{other.code},,,")
                changing.merge(m, place, other)
            case "close":
                self.house.change_areas(f"close,{place.code},,,,")
                changing.close(m, place)
            case "open":
                self.house.change_areas(f"open,,{fresh},{other.code},5,新村")
                self._opened(fresh, other)
            case "split":
                self.house.change_areas(f"split,{place.code},{fresh},,,分村")
                assert place.parent is not None
                self._opened(fresh, place.parent)
        self.did(f"area: {kind}")

    def _opened(self, code: str, parent: Place) -> None:
        with self.house.operator() as ctx:
            row = ctx.sql("SELECT id, name, region_id FROM area WHERE code = :c", c=code).one()
        self.m.map.add_area(row.id, code, row.name, VILLAGE, parent, row.region_id)
        county = next(place for place in parent.lineage() if place.level == 3)
        same("region of the new area", row.region_id, county.id)

    @precondition(lambda self: self.m.map.residents())
    @rule(n=N, to=N, leaves=RARELY)
    def resident_changes(self, n: int, to: int, leaves: bool) -> None:
        """Somebody moves to another village, or is no more; a clerk of the city writes it down."""
        m = self.m
        subject, place = pick(m.map.residents(), n), pick(m.map.living(VILLAGE), to)
        change = {"active_to": m.today.isoformat()} if leaves else {"area": place.code}
        told = self.house.call("tang", "PATCH", f"/subjects/{subject.public_id}", change)
        same("answer to the change", self.problem(told), None)
        if leaves:
            changing.close_resident(m, subject)
            self.did("resident: leaves")
        else:
            changing.move_resident(m, subject, place)
            self.did("resident: moves")

    @rule(
        code=st.sampled_from(["town.people", "town.checked", "town.length", "town.turned"]),
        most=st.sampled_from([None, 1000]),
        mode=st.sampled_from(["collect", "collect", "share"]),
        level=st.sampled_from([VILLAGE, TOWNSHIP]),
        reviewed=st.booleans(),
    )
    def supersede_field(
        self, code: str, most: int | None, mode: str, level: int, reviewed: bool
    ) -> None:
        """A field is asked otherwise from today on."""
        f = self.m.catalog.fields[code]
        last = f.versions[-1]
        if f.retired or last.since >= self.m.today or f.in_force(self.m.today) is None:
            return
        is_asked = mode == "collect"
        collected_at = level if is_asked else VILLAGE
        new = Version(last.number + 1, self.m.today, last.until, most, mode, collected_at, reviewed)
        if replace(new, number=last.number, since=last.since) == last:
            return
        self.house.supersede_field(
            code,
            schema={"type": "integer", "minimum": 0} | ({"maximum": most} if most else {}),
            mode=mode,
            collected_at={VILLAGE: "village", TOWNSHIP: "township"}[level] if is_asked else None,
            review="township" if reviewed else None,
        )
        changing.supersede(self.m, code, new)
        self.did(f"field: {last.mode} to {mode}")

    @rule(code=st.sampled_from(["town.people", "town.checked", "town.road", "town.leaving"]),
          really=RARELY)  # fmt: skip
    def retire_field(self, code: str, really: bool) -> None:
        if really and self.m.catalog.fields[code].in_force(self.m.today) is not None:
            self.house.retire_field(code)
            changing.retire(self.m, code)
            self.did("field: retired")

    @rule(days=st.sampled_from([1, 1, 4, 12, 35, 70]), swept=st.booleans())
    def days_pass(self, days: int, swept: bool) -> None:
        self.house.pass_days(days)
        self.m.today = self.house.clock.today()
        if swept:
            self.sweep()

    @rule()
    def sweep(self) -> None:
        for job in (MaintenanceJob.SWEEP_REQUESTS, MaintenanceJob.SWEEP_ASKS,
                    MaintenanceJob.RETRY_SHARES):  # fmt: skip
            self.house.sweep(job)
        requesting.sweep(self.m)
