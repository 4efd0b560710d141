"""Who else is out in the storm: owners, reviewers, colleagues, a clerk, and sweepers."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import random
import time
from typing import Any

from storm_crowd import PAUSE_S, Storm

from oneform.areas.service import apply_changes
from oneform.config import Settings
from oneform.identity.policy import OPERATOR
from oneform.kernel.clock import FixedClock
from oneform.requests import sweeps
from oneform.requests.withdrawal import expire_asks
from oneform.runtime import Runtime
from workers.maintenance import MaintenanceJob

SWEEPS = (MaintenanceJob.SWEEP_REQUESTS, MaintenanceJob.SWEEP_ASKS, MaintenanceJob.RETRY_SHARES)
HEADER = "change,old_code,new_code,parent_code,level,name,on_date\n"


# ---- owners ----------------------------------------------------------------------


def consent(storm: Storm) -> None:
    """The owner consents to whatever it is asked for."""
    with storm.client(storm.world.owner) as client:
        while not storm.over.is_set():
            for grant in storm.call(client, "GET", "/grants?state=pending", "grants").json()[
                "items"
            ]:
                body = {"decision": "grant", "reason": "依法"}
                told = storm.call(client, "POST", f"/grants/{grant['id']}/decide", "decide", body)
                storm.done["grants"] += told.status_code == 200
            time.sleep(2 * PAUSE_S)


def bring(storm: Storm, chance: random.Random) -> None:
    """The owner brings some values of what is being asked, whatever becomes of the asks meanwhile."""
    units = list(storm.world.staff)
    today = dt.datetime.now(tz=dt.UTC).astimezone(dt.timezone(dt.timedelta(hours=8))).date()
    while not storm.over.is_set():
        unit = chance.choice(units)
        village = chance.choice(storm.villages(unit))
        with storm.client(storm.world.staff[unit]) as client:
            asks = list(storm.asks(client, village))
        codes = [code for _, code in asks if code.startswith(("calm", "seen"))]
        if not codes:
            # Elsewhere, before all is answered.
            time.sleep(PAUSE_S / 4)
            continue
        lines = [{"field": code, "subject": village, "period": storm.world.period, "value": 9,
                  "observed_on": today.isoformat()} for code in codes[:3]]  # fmt: skip
        with storm.client(storm.world.owner) as client:
            file = "".join(json.dumps(line) + "\n" for line in lines)
            storm.send_file(client, "/values/imports", "imports", file)
            storm.done["imports"] += 1
        time.sleep(4 * PAUSE_S)


# ---- the grassroots --------------------------------------------------------------


def review(storm: Storm, chance: random.Random) -> None:
    """Some answers are returned, until all is sent; all others are accepted."""
    with storm.client(storm.world.reviewer) as client:
        while not storm.over.is_set():
            for item in storm.call(client, "GET", "/reviews?limit=500", "reviews").json()["items"]:
                body: dict[str, Any] = {"accept": [item["id"]]}
                if not storm.all_sent.is_set() and chance.random() < 0.3:
                    body = {"return": [{"answer": item["id"], "comment": "请核对"}]}
                told = storm.call(client, "POST", "/reviews/decide", "reviews", body)
                if told.status_code == 200:
                    storm.done["accepted" if "accept" in body else "returned"] += 1
            time.sleep(PAUSE_S)


def work_beside(storm: Storm, unit: str, chance: random.Random) -> None:
    """A colleague types drafts of what somebody else may be answering, and amends what was sent."""
    with storm.client(storm.world.others[unit]) as client:
        while not storm.over.is_set():
            for ask in storm.form(client, chance.choice(storm.villages(unit)))[:2]:
                base = ask["draft"] and ask["draft"]["etag"]
                draft = {"ask": ask["id"], "value": chance.randint(0, 9), "base": base}
                told = storm.call(client, "PUT", "/form/drafts", "drafts", {"drafts": [draft]})
                storm.done[f"drafts {told.json()['drafts'][0]['outcome']}"] += 1
            sent = [id for of, id in list(storm.receipts) if of == unit]
            if sent:
                path = f"/submissions/{chance.choice(sent)}"
                answers = storm.call(client, "GET", path, "submissions").json()["answers"]
                for answer in [w for w in answers if w["state"] == "recorded"][:1]:
                    path = f"/answers/{answer['id']}/amend"
                    body = {"value": chance.randint(0, 9), "note": "查过"}
                    told = storm.call(client, "POST", path, "amend", body)
                    storm.done["amendments"] += told.status_code == 200
            time.sleep(4 * PAUSE_S)


# ---- areas and time --------------------------------------------------------------


def change_areas(storm: Storm, runtime: Runtime, chance: random.Random) -> None:
    """A clerk opens, moves, merges and renames villages of one county, until all is sent."""
    county = storm.world.clerks_county
    towns = [f"{county[:6]}{t:03d}000" for t in (1, 2)]
    living, numbers = list(storm.world.roaming), itertools.count(500)
    for kind in itertools.cycle(["move", "open", "merge", "rename", "move"]):
        if storm.all_sent.is_set():
            return
        village = chance.choice(living)
        with runtime.context(OPERATOR) as ctx:
            today = ctx.today()
            parent = ctx.sql("SELECT p.code FROM area AS a JOIN area AS p ON p.id = a.parent_id WHERE a.code = :code", code=village).scalar_one()  # fmt: skip
            line = f"rename,{village},,,,村{next(numbers)}"
            if kind == "move":
                line = f"move,{village},,{towns[parent == towns[0]]},,"
            elif kind == "open":
                village = f"{towns[0][:9]}{next(numbers)}"
                line = f"open,,{village},{towns[0]},5,新村"
            elif kind == "merge":
                into = chance.choice([code for code in living if code != village])
                line = f"merge,{village},{into},,,"
            apply_changes(ctx, f"{HEADER}{line},{today}\n".encode())
        if kind == "open":
            living.append(village)
            storm.world.roaming.append(village)
        elif kind == "merge":
            living.remove(village)
        storm.done[f"areas: {kind}"] += 1
        time.sleep(2 * PAUSE_S)


def sweep(storm: Storm, runtime: Runtime) -> None:
    """As the schedule has it, but oftener."""
    while not storm.over.is_set():
        with runtime.context(OPERATOR) as ctx:
            for job in SWEEPS:
                ctx.outbox.enqueue(job, key=f"sweep:{job.value}")
        storm.done["sweeps"] += 1
        time.sleep(4 * PAUSE_S)


def let_pass(storm: Storm, settings: Settings) -> None:
    """When all is sent, the last day of the passing asks has come, for one whose calendar is ahead."""
    storm.all_sent.wait()
    ahead = dt.datetime.combine(storm.world.due, dt.time(4), dt.UTC) - dt.timedelta(days=5)
    runtime = Runtime(settings, clock=FixedClock(ahead))
    with runtime.context(OPERATOR) as ctx:
        regions = sweeps.regions_with_late_asks(ctx)
    for region_id in regions:
        with runtime.context(OPERATOR) as ctx:
            storm.done["expired"] += expire_asks(ctx, region_id)
    runtime.close()
