"""The world that the clients live in: counties of villages, fields with a value for every day,
agencies with keys, people with passwords.

Daily fields never run out: each day is a new period, so that there is always something to ask.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from catalog.bundle import bundle_document, bundle_of
from catalog.importing import import_bundle
from oneform.areas.service import import_areas
from oneform.identity.agencies import AddAgency, add_agency
from oneform.identity.keys import issue_key
from oneform.identity.people import AddPerson, add_person
from oneform.identity.policy import OPERATOR
from oneform.runtime import Runtime

PASSWORD = "a password of the load test"
FIELDS = 16
REVIEWED = 4
"""So many of the fields are reviewed by the township."""
VILLAGES_EACH = 6
"""Of a township."""
CITY = "420100000000"


@dataclass(frozen=True, slots=True)
class Plan:
    """How much there is of everything. `pace_s` is the mean pause of a client between two turns."""

    agencies: int = 4
    villages: int = 12
    pace_s: float = 0.2
    seed: int = 1
    open_requests: int = 4
    """Of each agency at a time."""
    most_answers: int = 20
    """Of one submission. With few, something stays open while nothing new can be asked."""


@dataclass(frozen=True, slots=True)
class World:
    """What the clients know."""

    plan: Plan
    today: dt.date
    keys: list[str]
    fields: list[str]
    counties: list[str]
    townships: list[str]
    villages: list[str]


def county_of(township: int) -> str:
    """Townships are in one county and in the other, in turn: two regions."""
    return f"4201{2 + township % 2:02d}000000"


def township(number: int) -> str:
    return f"{county_of(number)[:6]}{number + 1:03d}000"


def build_world(runtime: Runtime, plan: Plan) -> World:
    """Put the world into an empty installation."""
    townships = [township(n) for n in range(-(-plan.villages // VILLAGES_EACH))]
    villages = [
        f"{townships[n // VILLAGES_EACH][:9]}{n % VILLAGES_EACH + 1:03d}"
        for n in range(plan.villages)
    ]
    counties = sorted({county_of(n) for n in range(len(townships))})
    today = runtime.clock.today()
    fields = [_field(number, today) for number in range(FIELDS)]
    with runtime.context(OPERATOR) as ctx:
        import_areas(ctx, _areas(counties, townships, villages).encode())
        owner = [{"code": "load", "name": {"zh": "统计局"}}]
        import_bundle(ctx, bundle_of(bundle_document(owner, [], [], fields)))
        keys = []
        for number in range(plan.agencies):
            add_agency(ctx, AddAgency(code=f"load{number}", name=f"部门{number}", area=CITY))
            keys.append(issue_key(ctx, f"load{number}").key)
        for role, areas in (("staff", villages), ("township_reviewer", townships)):
            for area in areas:
                add_person(
                    ctx, AddPerson(username=area, roles=[role], area=area, password=PASSWORD)
                )
    codes = [str(field["code"]) for field in fields]
    return World(plan, today, keys, codes, counties, townships, villages)


def _areas(counties: list[str], townships: list[str], villages: list[str]) -> str:
    rows = [
        "code,parent_code,level,name",
        "420000000000,,1,湖北省",
        f"{CITY},420000000000,2,武汉市",
    ]
    rows += [f"{code},{CITY},3,县{code[4:6]}" for code in counties]
    rows += [f"{code},{code[:6]}000000,4,乡{code[6:9]}" for code in townships]
    rows += [f"{code},{code[:9]}000,5,村{code[6:]}" for code in villages]
    return "\n".join(rows) + "\n"


def _field(number: int, today: dt.date) -> dict[str, Any]:
    return {
        "code": f"load.f{number:02d}",
        "name": {"zh": f"负载数据项{number}"},
        "definition": {"zh": f"负载测试用的数据项{number}"},
        "topic": "load",
        "subject_kind": "area",
        "levels": ["village"],
        "schema": {"type": "integer", "minimum": 0},
        "unit": "人",
        "period_type": "day",
        "mode": "collect",
        "collected_at": "village",
        "review": "township" if number < REVIEWED else "none",
        "owner": "load",
        "sharing": {"category": "unconditional"},
        "legal_basis": "《中华人民共和国统计法》第七条",
        "rollup": "none",
        "seconds": 15,
        "effective_from": (today - dt.timedelta(days=30)).isoformat(),
        "expires_on": (today + dt.timedelta(days=300)).isoformat(),
    }
