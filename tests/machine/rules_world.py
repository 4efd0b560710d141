"""The world goes on: areas and people change, fields come and go, days pass, somebody sweeps."""

from __future__ import annotations

import hypothesis.strategies as st
import model_changing as changing
import model_requesting as requesting
from hypothesis.stateful import precondition, rule
from machine_base import RARELY, Base, N, pick
from machine_check import same
from model_places import TOWNSHIP, VILLAGE, Place

from workers.maintenance import MaintenanceJob


class Changing(Base):
    @rule(kind=st.sampled_from(["rename", "recode", "move", "merge", "close", "open", "split"]),
          n=N, to=N, township=RARELY)  # fmt: skip
    def change_area(self, kind: str, n: int, to: int, township: bool) -> None:
        m = self.m
        level = TOWNSHIP if township and kind in ("rename", "move", "merge") else VILLAGE
        living = m.map.living(level)
        place, other = pick(living, n), pick(living, to)
        fresh = f"42010200{len(m.map.places) + self.turn + 100:04d}"
        match kind:
            case "rename":
                place.name = f"{place.name}新"
                self.house.change_areas(f"rename,{place.code},,,,{place.name}")
            case "recode":
                self.house.change_areas(f"recode,{place.code},{fresh},,,")
                place.code = fresh
            case "move":
                parents = m.map.living(level - 1)
                parent = pick(parents, to)
                if parent is not place.parent:
                    self.house.change_areas(f"move,{place.code},,{parent.code},,")
                    changing.move(m, place, parent)
            case "merge":
                if other is not place and len(living) > 2:
                    self.house.change_areas(f"merge,{place.code},{other.code},,,")
                    changing.merge(m, place, other)
            case "close":
                if len(living) > 2:
                    self.house.change_areas(f"close,{place.code},,,,")
                    changing.close(m, place)
            case "open":
                parent = pick(m.map.living(TOWNSHIP), to)
                self.house.change_areas(f"open,,{fresh},{parent.code},5,新村")
                self._opened(fresh, parent)
            case "split":
                self.house.change_areas(f"split,{place.code},{fresh},,,分村")
                assert place.parent is not None
                self._opened(fresh, place.parent)

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
        else:
            changing.move_resident(m, subject, place)

    @rule(code=st.sampled_from(["town.people", "town.checked", "town.length"]))
    def supersede_field(self, code: str) -> None:
        f = self.m.catalog.fields[code]
        if len(f.versions) == 1 and not f.retired and f.versions[0].since < self.m.today:
            self.house.supersede_field(code, 1000)
            changing.supersede(self.m, code, 1000)

    @rule(code=st.sampled_from(["town.people", "town.checked", "town.road"]), really=RARELY)
    def retire_field(self, code: str, really: bool) -> None:
        if really and self.m.catalog.fields[code].in_force(self.m.today) is not None:
            self.house.retire_field(code)
            changing.retire(self.m, code)

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
