"""After every step: what is in the tables, and what each can see, is what the model says."""

from __future__ import annotations

from collections import Counter
from typing import Any

from machine_house import House
from model_asking import previous, reaches
from model_places import Place
from model_state import Ask, Draft, Model, Person, Request

STATUSES = ("held", "derived", "shared", "asked", "answered", "refused", "unavailable", "pending_grant")  # fmt: skip

VALUED = ("held", "derived", "shared", "answered")


def same(what: str, found: Any, expected: Any) -> None:
    if found == expected:
        return
    if isinstance(found, dict) and isinstance(expected, dict):
        keys = [k for k in found.keys() | expected.keys() if found.get(k) != expected.get(k)]
        lines = [
            f"  {k}: {found.get(k)!r}, and not {expected.get(k)!r}" for k in sorted(keys, key=str)
        ]
        raise AssertionError("\n".join([f"{what}: the house has", *lines]))
    raise AssertionError(f"{what}: the house has\n  {found!r},\nand not\n  {expected!r}")


# ---- numbers that the house gives ------------------------------------------------


def learn(house: House, m: Model) -> None:
    """Take over the house's numbers of what was made: asks, answers, refusals, drafts."""
    with house.operator() as ctx:
        known = {ask.id for ask in m.asks}
        for row in ctx.sql(_ASKS):
            if row.id not in known:
                key = (row.code, row.period, row.subject_id)
                new = [ask for ask in m.asks if not ask.id and ask.key == key]
                assert len(new) == 1, f"an ask that nobody made: {key} {row.state}"
                new[0].id = row.id
        seen = {answer.id for answer in m.answers}
        for row in ctx.sql(_ANSWERS):
            if row.id not in seen:
                new_ = [w for w in m.answers if not w.id and w.ask.id == row.ask]
                assert len(new_) == 1, f"an answer that nobody gave: {row.ask}"
                new_[0].id = row.id
        etags = {row.ask: row.etag for row in ctx.sql(_DRAFTS)}
        for ask in m.asks:
            if ask.draft is not None:
                ask.draft.etag = etags.get(ask.id)


_ASKS = """
SELECT a.region_id || '-' || a.id AS id, f.code, a.period, a.subject_id, a.unit_id, v.version,
  a.state, a.due_on, a.live_until, a.comment
FROM ask AS a JOIN field AS f ON f.id = a.field_id JOIN field_version AS v ON v.id = a.field_version_id
ORDER BY a.created_at, a.region_id, a.id
"""
_ANSWERS = """
SELECT w.region_id || '-' || w.id AS id, w.region_id || '-' || w.ask_id AS ask, w.kind, w.value,
  w.missing, w.state FROM answer AS w ORDER BY w.created_at, w.region_id, w.id
"""
_DRAFTS = """
SELECT d.region_id || '-' || d.ask_id AS ask, d.value, d.etag, s.username
FROM answer_draft AS d JOIN staff AS s ON s.id = d.staff_id
"""
_VALUES = """
SELECT f.code, v.period, v.subject_id, v.value, v.missing, v.observed_on, p.kind, p.actor_label,
  v.since_kind, v.fresh_until, (
    SELECT array_agg(jsonb_build_array(h.value, h.missing) ORDER BY h.superseded_at)
    FROM cell_value_history AS h WHERE h.region_id = v.region_id AND h.field_id = v.field_id
      AND h.period = v.period AND h.subject_id = v.subject_id) AS earlier
FROM cell_value AS v JOIN field AS f ON f.id = v.field_id
JOIN provenance AS p ON p.id = v.provenance_id
"""
_BOOKS = """
SELECT ru.request_id, ru.region_id, ru.place_id, ru.unit_id, ru.held, ru.derived, ru.shared,
  ru.asked, ru.answered, ru.refused, ru.unavailable, ru.pending_grant
FROM request_unit AS ru JOIN request_region AS rr USING (request_id, region_id)
WHERE rr.resolved_at IS NOT NULL
"""


def check_tables(house: House, m: Model) -> None:
    """Points 1, 2, 4 and 7 of DESIGN.md §4: every row is one that the model has."""
    with house.operator() as ctx:
        asks = {
            row.id: (row.code, row.period, row.subject_id, row.unit_id, row.version, row.state,
                     row.due_on, row.live_until, row.comment)
            for row in ctx.sql(_ASKS)
        }  # fmt: skip
        same("asks", asks, {ask.id: (*ask.key, ask.unit.id, ask.version, ask.state, ask.due,
                                     ask.live_until, ask.comment) for ask in m.asks})  # fmt: skip
        answers = {row.id: (row.ask, row.kind, row.value, row.missing, row.state)
                   for row in ctx.sql(_ANSWERS)}  # fmt: skip
        same("answers", answers,
             {w.id: (w.ask.id, w.kind, w.value, w.missing, w.state) for w in m.answers})  # fmt: skip
        in_review = {key for key, ask in asks.items() if ask[5] == "in_review"}
        waiting = {w[0] for w in answers.values() if w[1] != "amendment" and w[4] == "in_review"}
        same("asks in review without an answer", in_review - waiting, set())
        drafts = {row.ask: (row.value, row.username) for row in ctx.sql(_DRAFTS)}
        same("drafts", drafts,
             {a.id: (a.draft.value, a.draft.by) for a in m.asks if a.draft is not None})  # fmt: skip
        rows = ctx.sql(_VALUES).all()
        same("values", {(row.code, row.period, row.subject_id): tuple(row)[3:10] for row in rows},
             _values(m))  # fmt: skip
        same("earlier values",
             {(row.code, row.period, row.subject_id): row.earlier or [] for row in rows},
             {key: [[v.value, v.missing] for v in cell.values[:-1]]
              for key, cell in m.cells.items()})  # fmt: skip
        booked = {(str(row.request_id), *tuple(row)[1:4]):
                  {s: row._mapping[s] for s in STATUSES if row._mapping[s]}
                  for row in ctx.sql(_BOOKS)}  # fmt: skip
        same("books", booked, {(r.id, *key): dict(+counts) for r in m.requests
                               for key, counts in m.rows(r).items()})  # fmt: skip
        states = {str(row.id): row.state for row in ctx.sql("SELECT id, state FROM request")}
        for request in m.requests:
            _check_state(m, request, states[request.id])
        same("number of requests", len(states), len(m.requests))
        jobs = Counter(_label(row.job, row.args) for row in ctx.sql("SELECT job, args FROM outbox"))
        same("jobs", jobs, Counter(job.label for job in m.jobs))


def _values(m: Model) -> dict[Any, Any]:
    found = {}
    for key, cell in m.cells.items():
        value, stretch = cell.current, cell.stretches[-1]
        assert value is not None
        found[key] = (value.value, value.missing, value.observed_on, value.origin.kind,
                      value.origin.who, stretch.kind, stretch.fresh_until)  # fmt: skip
    return found


def _check_state(m: Model, request: Request, found: str) -> None:
    """A due date alone does nothing until somebody sweeps, or something happens to the request."""
    if found == m.settled_state(request):
        request.state = found
    same(f"state of request {request.number}", found, request.state)


def _label(job: str, args: dict[str, Any]) -> tuple[str, str, tuple[int, ...]]:
    regions = args.get("region_ids") or ([args["region_id"]] if "region_id" in args else [])
    return job, str(args.get("request_id") or args.get("import_id")), tuple(regions)


# ---- point 8: what each sees -----------------------------------------------------


def check_form(house: House, m: Model, person: Person) -> None:
    """The one form of a person's own unit: exactly its live asks, with who wants them."""
    form = house.call(person.name, "GET", "/form").json
    found = {}
    for section in form["sections"]:
        for row in section["rows"]:
            for ask in row["asks"]:
                found[ask["id"]] = (
                    ask["state"],
                    ask["due"],
                    ask["draft"] and (ask["draft"]["value"], ask["draft"]["by"]),
                    ask["previous"] and ask["previous"]["value"],
                    ask["comment"],
                    sorted(wanting["control_no"] for wanting in ask["requested_by"]),
                )
    mine = [ask for ask in m.live() if ask.unit is person.place]
    same(f"form of {person.name}", found, {ask.id: _told(m, ask) for ask in mine})
    states = Counter(ask.state for ask in mine)
    counts = {s: states[s] for s in ("open", "returned", "in_review")}
    counts["draft"] = sum(ask.draft is not None for ask in mine)
    same(f"counts of the form of {person.name}", form["counts"], counts)


def _told(m: Model, ask: Ask) -> tuple[Any, ...]:
    known = previous(m, ask.key)
    wanting = sorted(r.control_no for r in m.requests if m.waits(r, ask) and _is_booked(m, r, ask))
    return (ask.state, ask.due.isoformat(), _shown(ask.draft), known and known.value, ask.comment,
            wanting)  # fmt: skip


def _is_booked(m: Model, request: Request, ask: Ask) -> bool:
    """A request is named once its cells there were counted for the first time."""
    return request.parts[ask.subject.region].was_resolved


def _shown(draft: Draft | None) -> tuple[Any, str] | None:
    return None if draft is None else (draft.value, draft.by)


def check_foreign_form(house: House, person: Person, place: Place) -> None:
    """A form outside the reach is not shown."""
    answer = house.call(person.name, "GET", f"/form?unit={place.code}")
    expected = 404 if place.ended else 200 if reaches(person, place) else 403
    same(f"form of {place.code} for {person.name}", answer.status_code, expected)


def check_reviews(house: House, m: Model, person: Person) -> None:
    items = house.call(person.name, "GET", "/reviews?limit=500").json["items"]
    waiting = {
        w.id for w in m.answers
        if w.state == "in_review" and reaches(person, w.ask.unit)
        and (w.kind == "amendment" or w.ask.state == "in_review")
    }  # fmt: skip
    same(f"reviews of {person.name}", {item["id"] for item in items}, waiting)


def check_agency(house: House, m: Model, code: str) -> None:
    """An agency lists its own requests, and nobody else's are there for it."""
    items = house.call(code, "GET", "/requests?limit=500").json["items"]
    own = {r.id for r in m.requests if r.agency.code == code}
    same(f"requests of {code}", {item["id"] for item in items}, own)
    others = [r for r in m.requests if r.agency.code != code]
    if others:
        for path in (f"/requests/{others[-1].id}", f"/requests/{others[-1].id}/data"):
            same(f"{path} for {code}", house.call(code, "GET", path).status_code, 404)


def check_request(house: House, m: Model, request: Request) -> None:
    """A request as its agency reads it: the books balance, and data says the same as the counts."""
    body = house.call(request.agency.code, "GET", f"/requests/{request.id}").json
    rows = m.rows(request)
    books = m.books(request)
    cells = {status: books[status] for status in STATUSES}
    same("cells", body["cells"], {"total": sum(cells.values()), **cells})
    same("state", body["state"], request.state)
    parts = [part for part in request.parts.values() if part.resolved]
    same("new asks", body["asks"]["new"], sum(len(part.made) for part in parts))
    same("joined asks", body["asks"]["joined"], sum(len(part.joined) for part in parts))
    units = {unit for _, _, unit in rows}
    waiting = {unit for (_, _, unit), counts in rows.items()
               if counts["asked"] or counts["pending_grant"]}  # fmt: skip
    same("units", body["units"], {"total": len(units), "complete": len(units - waiting)})
    check_data(house, m, request)


def check_data(house: House, m: Model, request: Request) -> None:
    items = house.call(request.agency.code, "GET", f"/requests/{request.id}/data").json["items"]
    found = {(item["subject"], item["field"]): (item["status"], item["value"], item["missing_reason"])
             for item in items}  # fmt: skip
    same("rows of data", len(found), len(items))
    expected = {}
    for part in request.parts.values():
        if part.resolved:
            for wish, key, _ in m.cells_of(request, part):
                subject = m.map.subjects[key[2]]
                name = subject.public_id if subject.kind == "resident" else subject.place.code
                status = m.status(request, part, wish, key)
                if wish.has_run_out(m.today):
                    status = "unavailable"  # at once, whoever has swept or not
                held = m.cells[key].current if status in VALUED else None
                value = (held.value, held.missing) if held else (None, None)
                expected[name, wish.code] = (status, *value)
    same("data", found, expected)


def check_supervisor(house: House, m: Model, name: str) -> None:
    """Every rejection is on record, and requests are not a supervisor's to read."""
    items = house.call(name, "GET", "/rejections?limit=500").json["items"]
    found = Counter((item["agency"], tuple((f["field"], f["reason"]) for f in item["rejected_fields"]))
                    for item in items)  # fmt: skip
    same("rejections", found, Counter((agency.code, fields) for agency, fields in m.rejections))
    same("requests for a supervisor", house.call(name, "GET", "/requests").status_code, 403)
