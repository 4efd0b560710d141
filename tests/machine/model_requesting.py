"""Model: a request from the door to its end, and what time does to it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from model_asking import record
from model_catalog import Demand
from model_cells import Origin, Value
from model_places import COUNTY, Place
from model_state import LATE, Agency, Ask, Job, Model, Part, Request, Wish

SHARED_STORE = ("town.shared", "town.people")
"""Fields that the departments' store answers for, in the first county."""


@dataclass(frozen=True)
class Verdict:
    """What the door says: the problem's name, or None where the request is accepted."""

    problem: str | None
    rejected: tuple[tuple[str, str], ...] = ()
    """Fields with their reasons, in the order of the request."""


def judge(
    m: Model,
    agency: Agency,
    codes: list[str],
    scope: list[Place],
    *,
    kind: str,
    period: str,
    due: dt.date,
    earliest: dt.date,
    urgent: bool,
    drop: bool,
) -> Verdict:
    """First mistakes of form, then the whitelist, then the notice, then whether anything is there."""
    if any(place.ended for place in scope):
        return Verdict("invalid-request")
    demand = Demand(
        kind=kind,
        level=5 if kind == "area" else None,
        period=period,
        is_owner=agency.code == "stats",
        is_within_reach=all(place.is_within(agency.place) for place in scope),
    )
    reasons = {code: m.catalog.reason(code, demand, m.today) for code in codes}
    rejected = tuple((code, reason) for code, reason in reasons.items() if reason)
    if rejected and (not drop or len(rejected) == len(codes)):
        m.rejections.append((agency, rejected))
        return Verdict("off-whitelist", rejected)
    if due < (m.today if urgent and agency.urgent else earliest):
        return Verdict("due-too-soon", rejected)
    if not m.map.in_scope(kind, demand.level, scope):
        return Verdict("invalid-request", rejected)
    return Verdict(None, rejected)


def accept(
    m: Model,
    agency: Agency,
    codes: list[str],
    scope: list[Place],
    *,
    id: str,
    control_no: str,
    kind: str,
    period: str,
    due: dt.date,
    gap: str,
    verdict: Verdict,
) -> Request:
    """Take a request in. Nothing is decided yet: that is the work of its job."""
    level = 5 if kind == "area" else None
    off = dict(verdict.rejected)
    wishes = {}
    for code in codes:
        if code not in off:
            f = m.catalog.fields[code]
            version = f.in_force(m.today)
            assert version is not None
            grant = "pending" if f.sharing == "conditional" and agency.code != "stats" else "none"
            at = "" if f.standing else period
            wishes[code] = Wish(code, at, version.mode, version.collected_at, grant)
    regions = {subject.region for subject in m.map.in_scope(kind, level, scope)}
    request = Request(
        len(m.requests), id, control_no, agency, kind, level, scope, period, due, gap, wishes,
        {region: Part(region) for region in sorted(regions)},
    )  # fmt: skip
    m.requests.append(request)
    if verdict.rejected:
        m.rejections.append((agency, verdict.rejected))
    m.jobs.append(Job("resolve_request", request, tuple(request.parts)))
    return request


# ---- resolving -----------------------------------------------------------------


def resolve_region(m: Model, request: Request, region: int) -> None:
    """What is held, what the store may have, what is asked: one region of a request."""
    part = request.parts[region]
    if request.state == "cancelled" or part.resolved:
        return
    decide(m, request, part)
    if store_may_help(m, request, part, "collect", "share"):
        fetch_later(m, request, region)
    else:
        ask_for_gap(m, request, part)


def fetch_later(m: Model, request: Request, region: int) -> None:
    """Once, however often the region is resolved."""
    if not any(
        (job.name, job.request, job.regions) == ("fetch_and_resolve", request, (region,))
        for job in m.jobs
    ):
        m.jobs.append(Job("fetch_and_resolve", request, (region,)))


def decide(m: Model, request: Request, part: Part) -> None:
    """Fix the day and the subjects, once."""
    if part.decided_on is not None:
        return
    part.decided_on, part.decided_step = m.today, m.step
    for subject in m.map.in_scope(request.kind, request.level, request.scope):
        if subject.region == part.region:
            part.members.append((subject, subject.place))
            for wish in request.wishes.values():
                unit = subject.place.who_answers(wish.collected_at)
                part.units[subject.place.id, wish.collected_at] = unit.id


def missing(m: Model, request: Request, part: Part, *modes: str) -> set[str]:
    """Fields of which a cell is neither held nor asked, though it may be had."""
    return {
        wish.code
        for wish, key, _ in m.cells_of(request, part)
        if wish.mode in modes
        and wish.grant in ("none", "granted")
        and m.status(request, part, wish, key) == "unavailable"
    }


def store_covers(m: Model, region: int) -> list[Place]:
    """Living areas of a region that the store answers for: those below the first county."""
    county = next(place for place in m.map.places.values() if place.level == COUNTY)
    return [
        place
        for place in m.map.places.values()
        if place.region == region and not place.ended and place.is_within(county)
    ]


def store_may_help(m: Model, request: Request, part: Part, *modes: str) -> set[str]:
    """Fields that are missing, and that the store answers for here."""
    if not store_covers(m, part.region):
        return set()
    return missing(m, request, part, *modes) & set(SHARED_STORE)


def fetch(m: Model, region: int, codes: set[str], period: str) -> None:
    """What the store knows of a region is recorded: it is the owner's, so it replaces what is held."""
    for place in store_covers(m, region):
        for code in sorted(codes):
            version = m.catalog.fields[code].in_force(m.today)
            value = m.department.get((code, place.id))
            if period == "2026" and version and value is not None and version.takes(value):
                seen = Value(value, None, m.today, Origin("source", "oneform"))
                record(m, (code, period, place.id), seen, authoritative=True)


def fetch_and_resolve(m: Model, request: Request, region: int) -> None:
    part = request.parts[region]
    if request.state == "cancelled" or part.resolved:
        return
    fetch(m, region, store_may_help(m, request, part, "collect", "share"), request.period)
    m.step += 1
    ask_for_gap(m, request, part)


def ask_for_gap(m: Model, request: Request, part: Part) -> None:
    """Join what is asked already, ask for what is not, of whoever answers for it today."""
    for wish, key, _ in m.cells_of(request, part):
        status = m.status(request, part, wish, key)
        held_by = m.holder(key)
        if status in ("asked", "refused"):
            if held_by is not None and held_by.is_live:
                held_by.due = min(held_by.due, request.due)
                held_by.live_until = max(held_by.live_until, request.due + LATE + held_by.stood)
                part.joined |= {held_by.number} - part.made
            continue
        version = m.catalog.fields[wish.code].asked_by(m.today)
        subject = m.map.subjects[key[2]]
        if (
            status == "unavailable"
            and version is not None
            and m.may_ask(request, wish)
            and wish.grant in ("none", "granted")
            and not subject.ended
            and not subject.place.ended
        ):
            unit = subject.place.who_answers(wish.collected_at)
            ask = Ask(
                len(m.asks), key, subject, unit, version.number, request.due, request.due + LATE
            )
            m.asks.append(ask)
            part.made.add(ask.number)
    part.resolved = part.was_resolved = True
    if request.due >= m.today and store_may_help(m, request, part, "share"):
        request.retrying = True


# ---- the end -------------------------------------------------------------------


def cancel(m: Model, request: Request) -> str | None:
    """Asks that nobody else waits for are withdrawn; the others are due when those say."""
    if request.state == "cancelled":
        return None
    if request.state == "fulfilled":
        return "request-ended"
    for part in request.parts.values():
        for _, key, _ in m.cells_of(request, part):
            ask = m.holder(key)
            if ask is None or not ask.is_live:
                continue
            leave_to(m, ask, [r for r in m.requests if r is not request and m.waits(r, ask)])
    request.state, request.retrying = "cancelled", False
    for wish in request.wishes.values():
        if wish.grant == "pending":
            wish.grant = "refused"
    for part in request.parts.values():
        part.resolved = part.was_resolved
    return None


def leave_to(m: Model, ask: Ask, others: list[Request]) -> None:
    """An ask is due when those say who still wait for it; it ends where nobody does."""
    if others:
        ask.due = min(other.due for other in others)
        ask.live_until = max(other.due for other in others) + LATE + ask.stood
    else:
        m.withdraw(ask)


def decide_grant(
    m: Model, request: Request, code: str, decision: str, until: dt.date | None
) -> str | None:
    """The owner says yes or no; the request is resolved anew."""
    if until is not None and until < m.today:
        return "invalid-request"
    wish = request.wishes[code]
    wish.grant = {"grant": "granted", "refuse": "refused"}[decision]
    wish.valid_until = until
    for part in request.parts.values():
        part.resolved = False
    m.jobs.append(Job("resolve_request", request, tuple(request.parts)))
    return None


def extend_grant(wish: Wish) -> str | None:
    """Once."""
    if wish.extended:
        return "conflict"
    wish.extended = True
    return None


def expire_grants(m: Model, request: Request) -> None:
    """After its last day a consent counts as refused, and the request waits for nothing by it."""
    over = [wish for wish in request.wishes.values() if wish.has_run_out(m.today)]
    for wish in over:
        wish.grant = "refused"
    if request.state == "cancelled":
        return
    for part in request.parts.values():
        for wish, key, _ in m.cells_of(request, part):
            ask = m.holder(key)
            if wish in over and ask is not None and ask.is_live:
                leave_to(m, ask, [r for r in m.requests if m.waits(r, ask)])


def sweep(m: Model) -> None:
    """What time does: late asks expire, asks off the list are withdrawn, the store is tried again."""
    for request in m.requests:
        expire_grants(m, request)
    for request in m.requests:
        if request.state == "collecting" and request.due < m.today:
            request.retrying = False
            request.state = m.settled_state(request)
    for ask in m.live():
        if ask.state in ("open", "returned") and ask.live_until < m.today:
            m.end(ask, "expired")
    for ask in m.live():
        if ask.state in ("open", "returned") and ask.due + LATE + ask.stood < m.today:
            leave_to(m, ask, [r for r in m.requests if m.waits(r, ask)])
    for ask in m.live():
        if m.catalog.fields[ask.key[0]].asked_by(m.today) is None:
            m.withdraw(ask)
    settle(m)
    for request in m.requests:
        if request.state == "collecting" and request.retrying:
            retry(m, request)


def retry(m: Model, request: Request) -> None:
    waits = False
    for part in request.parts.values():
        codes = store_may_help(m, request, part, "share")
        waits = waits or bool(codes)
        if codes:
            fetch(m, part.region, codes, request.period)
    m.step += 1
    request.retrying = waits and m.books(request)["unavailable"] > 0


def settle(m: Model) -> None:
    """States follow the books. A due date alone does nothing until somebody sweeps."""
    for request in m.requests:
        state = m.settled_state(request)
        if not (request.state == "collecting" and state == "partial" and request.due < m.today):
            request.state = state
