"""Owners: values by import, and what the department's shared store knows."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import rule
from machine_base import AREA_CODES, VALUES, N, pick
from machine_check import same
from model_places import VILLAGE
from model_state import Job
from rules_jobs import Working


class Load:
    """A file of values on its way: whose it is, and its rows."""

    def __init__(self, owner: str, id: str, rows: list[Any]) -> None:
        self.owner, self.id, self.rows = owner, id, rows

    def __str__(self) -> str:
        return self.id


class Bringing(Working):
    @rule(
        owner=st.sampled_from(["stats", "stats", "stats", "health"]),
        rows=st.lists(
            st.tuples(st.sampled_from([*AREA_CODES, "home.age"]), N, VALUES, st.integers(0, 40)),
            min_size=1,
            max_size=4,
        ),
        period=st.sampled_from(["2026", "2025"]),
        at_once=st.booleans(),
    )
    def bring_values(
        self, owner: str, rows: list[tuple[str, int, int, int]], period: str, at_once: bool
    ) -> None:
        m = self.m
        taken: dict[Any, tuple[Any, dict[str, Any]]] = {}
        for code, n, value, age in rows:
            f = m.catalog.fields[code]
            areas = [s for s in m.map.subjects.values() if s.place.level == VILLAGE]
            subject = pick([s for s in areas if s.kind == f.kind], n)
            key = (code, "" if f.standing else period, subject.id)
            seen = m.today - dt.timedelta(days=age)
            name = subject.public_id if subject.kind == "resident" else subject.place.code
            line = {"field": code, "subject": name, "period": key[1], "value": value,
                    "observed_on": seen.isoformat()}  # fmt: skip
            taken.setdefault(key, ((key, value, seen), line))
        file = "".join(json.dumps(line) + "\n" for _, line in taken.values())
        answer = self.send(owner, "/values/imports", file)
        same("answer to the import", self.problem(answer), None)
        load = Load(owner, answer.json["id"], [row for row, _ in taken.values()])
        m.jobs.append(Job("import_values", load=load))
        if at_once:
            self.work_all()

    @rule(code=st.sampled_from(["town.shared", "town.people"]), n=N, value=VALUES)
    def store_learns(self, code: str, n: int, value: int) -> None:
        """The department's store has something new; nobody is told until it is asked."""
        place = pick(self.m.map.living(VILLAGE), n)
        self.m.department[code, place.id] = value
        self._tell_store()
        self.did("news in the store")

    def _tell_store(self) -> None:
        known = {id for _, id in self.m.department}
        get = self.m.department.get
        self.house.write_store([
            (self.m.map.places[id].code, get(("town.shared", id)), get(("town.people", id)))
            for id in sorted(known)
        ])  # fmt: skip
