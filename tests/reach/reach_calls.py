"""How each line of the table is called: what goes into its address, its query and its body."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

from everybody import HERE, OWNED, Everybody, Things, definition_of
from reach_table import Line

Take = Callable[[str], str]
"""A thing of this kind: a new one each time where the call is going to change it."""

NOWHERE = Things(
    agency="nobody",
    village="420199999999",
    county="420199000000",
    requests=[str(uuid.UUID(int=7))],
    control_numbers=["OF-20260316-AAAAAAAAAAAA-A"],
    grants=[str(uuid.UUID(int=7))],
    sources=["nobody.source"],
    runs=[str(uuid.UUID(int=7))],
    imports=[str(uuid.UUID(int=7))],
    asks=["9-999999"],
    submissions=[str(uuid.UUID(int=7))],
    answers=["9-999999"],
    reviews=["9-999999"],
    refusals=[str(uuid.UUID(int=7))],
    subjects=["9-999999"],
)

PARAMETERS: dict[str, Callable[[Things, Take], str]] = {
    "request_id": lambda _, take: take("requests"),
    "grant_id": lambda _, take: take("grants"),
    "source_id": lambda _, take: take("sources"),
    "run_id": lambda _, take: take("runs"),
    "import_id": lambda _, take: take("imports"),
    "submission_id": lambda _, take: take("submissions"),
    "id": lambda _, take: take("submissions"),
    "answer_id": lambda _, take: take("answers"),
    "refusal_id": lambda _, take: take("refusals"),
    "subject_id": lambda _, take: take("subjects"),
    "number": lambda _, take: take("control_numbers"),
    "step": lambda *_: "check",
}
"""What stands in the place of a parameter of the address."""

CODES: dict[str, Callable[[Things], str]] = {
    "/api/v1/areas": lambda things: things.village,
    "/api/v1/fields": lambda things: OWNED.get(things.agency, "no.field"),
    "/api/v1/code-lists": lambda things: "no_list" if things is NOWHERE else "care_status",
    "/language": lambda _: "en",
    "/form/language": lambda _: "en",
}
FILES = {"name": lambda things: "no.css" if things is NOWHERE else "app.css"}

NAMED_IN_ADDRESS = {
    "request": "request_id",
    "grant": "grant_id",
    "source": "source_id",
    "run": "run_id",
    "import": "import_id",
    "submission": ("submission_id", "id"),
    "answer": "answer_id",
    "refusal": "refusal_id",
    "subject": "subject_id",
    "control number": "number",
    "area": "code",
    "field": "code",
    "code list": "code",
    "file": "name",
}
"""The parameter that a line is about; the others are one's own."""

QUERIES: dict[tuple[str, str], Callable[[Things], dict[str, str]]] = {
    ("GET /api/v1/areas", "parent"): lambda things: {"parent": things.county},
    ("GET /api/v1/subjects", "area"): lambda things: {"area": things.village},
    ("GET /api/v1/requests/{request_id}/data", "area of the data"): (
        lambda things: {"area": things.village}
    ),
    ("GET /api/v1/rejections", "agency"): lambda things: {"agency": things.agency},
    ("GET /api/v1/audit", "agency"): lambda things: {"agency": things.agency},
    ("GET /api/v1/releases", "agency"): lambda things: {"agency": things.agency},
    **{
        (f"GET {path}", "unit"): lambda things: {"unit": things.village}
        for path in (
            *("/api/v1/form", "/api/v1/submissions", "/api/v1/refusals", "/api/v1/reviews"),
            "/form",
        )
    },
}

_new = iter(range(1, 999))


def resident_number(serial: int) -> str:
    """A good identity number (GB 11643)."""
    body = f"42010219700101{serial:03}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True))
    return body + "10X98765432"[total % 11]


def _demand(things: Things) -> dict[str, Any]:
    return {
        "title": "调查",
        "purpose": "测试",
        "legal_basis": "《测试法》第一条",
        "fields": ["test.text"],
        "scope": {"areas": [things.village], "kind": "area", "level": "village"},
        "period": "2026",
        "due": "2026-06-30",
    }


def _source(things: Things) -> dict[str, Any]:
    of = things.agency if things is not NOWHERE else HERE
    return {**definition_of(of, f"new.source{next(_new)}"), "agency": things.agency}


BODIES: dict[str, Callable[[Things, Take], Any]] = {
    "POST /api/v1/sessions": lambda *_: {"username": "nobody-of-this-name", "password": "x" * 12},
    "POST /api/v1/requests": lambda things, _: _demand(things),
    "POST /api/v1/requests/check": lambda things, _: _demand(things),
    "POST /api/v1/grants/{grant_id}/decide": lambda *_: {"decision": "grant"},
    "POST /api/v1/grants/{grant_id}/extend": lambda *_: {"reason": "要再看看"},
    "POST /api/v1/sources": lambda things, _: _source(things),
    "PATCH /api/v1/sources/{source_id}": lambda *_: {"enabled": False},
    "PUT /api/v1/form/drafts": lambda _, take: {"drafts": [{"ask": take("asks"), "value": 3}]},
    "POST /api/v1/submissions": lambda _, take: {"answers": [{"ask": take("asks"), "value": 3}]},
    "POST /api/v1/answers/{answer_id}/amend": lambda *_: {"value": 4, "note": "看错了"},
    "POST /api/v1/refusals": lambda _, take: {"asks": [take("asks")], "reason": "not_ours"},
    "POST /api/v1/refusals/{refusal_id}/decide": (
        lambda *_: {"decision": "overturn", "reason": "是你们的"}
    ),
    "POST /api/v1/reviews/decide": lambda _, take: {"accept": [take("reviews")]},
    "POST /api/v1/subjects": lambda things, _: {
        "kind": "resident",
        "key": resident_number(next(_new)),
        "name": "周兰",
        "area": things.village,
    },
}
MOVES: dict[str, Callable[[Things], dict[str, str]]] = {
    "subject": lambda _: {"active_to": "2026-03-01"},
    "area to move to": lambda things: {"area": things.village},
}
"""Of `PATCH /api/v1/subjects/{subject_id}`, by what the line names."""

FORMS: dict[str, Callable[[Things, Take], dict[str, str]]] = {
    "POST /login": lambda *_: {"username": "nobody-of-this-name", "password": "x" * 12},
    **{
        f"POST /form/{step}": lambda things, _: {"unit": things.village}
        for step in ("save", "edit", "drafts", "language/{code}")
    },
    **{
        f"POST /form/{step}": lambda _, take: {f"value.{take('asks')}": "3"}
        for step in ("check", "send")
    },
}

CHANGES = re.compile(
    r"/(cancel|decide|extend|amend|send)$|^(DELETE|PATCH) "
    r"|^POST /api/v1/(submissions|refusals)$"
)
"""Calls that use up what they name."""


def address_of(line: Line, things: Things, own: Things, take: Take, take_own: Take) -> str:
    about = NAMED_IN_ADDRESS.get(line.named, ())
    about = (about,) if isinstance(about, str) else about

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        here, takes = (things, take) if name in about else (own, take_own)
        if name == "code":
            return CODES[line.path.split("/{code}")[0]](here)
        return FILES[name](here) if name in FILES else PARAMETERS[name](here, takes)

    return re.sub(r"{(\w+)}", fill, line.path)


def inputs_of(line: Line, things: Things, take: Take, world: Everybody) -> dict[str, Any]:
    """Query and body, as arguments of the test client."""
    found: dict[str, Any] = {}
    if query := QUERIES.get((line.call, line.named)):
        found["query_string"] = query(things)
    if line.call == "PATCH /api/v1/subjects/{subject_id}":
        found["json"] = MOVES[line.named](things)
    elif body := BODIES.get(line.call):
        found["json"] = body(things, take)
    elif form := FORMS.get(line.call):
        found["data"] = form(things, take)
    elif line.call == "POST /oauth/token":
        key = world.keys["health"] if things is not NOWHERE else "ofk_nobody_nothing"
        client = {"client_id": key.split("_")[1], "client_secret": key}
        found["data"] = {"grant_type": "client_credentials", **client}
    elif line.call == "POST /api/v1/values/imports":
        field = OWNED.get(things.agency, "no.field")
        row = f"field,subject,period,value\n{field},{world.here.village},2025,5\n"
        found |= {"data": row, "content_type": "text/csv"}
    return found


def is_changing(line: Line) -> bool:
    return bool(CHANGES.search(line.call) or line.call.startswith(("DELETE", "PATCH")))
