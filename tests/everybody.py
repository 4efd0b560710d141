"""A world with somebody of every kind in it, and things that are theirs and others'.

Here is the first village, its township and county, and the agency `health`;
elsewhere is a village of the neighbouring county and the agency `civil`. Of every kind
of thing there are some here and some elsewhere, so that a test can ask who gets at what.

    world = make_everybody(runtime)
    world.tokens["staff"]            # bearer token; `nobody` has none
    world.here.asks, world.elsewhere.asks
"""

from __future__ import annotations

import datetime as dt
import io
import uuid
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from factories import (
    COUNTY,
    FOREIGN_VILLAGE,
    OTHER_COUNTY,
    PROVINCE,
    TOWNSHIP,
    VILLAGE,
    about_residents,
    asks_of,
    make_county,
    make_fields,
    make_request,
    make_residents,
)
from factories import field as make_field

from oneform.collection import service as collection
from oneform.collection.commands import GivenAnswer, RefusalReason, RefuseAsks, SubmitAnswers
from oneform.identity.agencies import AddAgency, add_agency
from oneform.identity.keys import issue_key
from oneform.identity.models import Staff
from oneform.identity.people import AddPerson, add_person
from oneform.identity.policy import OPERATOR, Principal, Role, Scope
from oneform.identity.sessions import open_session, principal_of_session
from oneform.identity.tokens import principal_of_token
from oneform.kernel.context import Context
from oneform.runtime import Runtime
from oneform.sources.runs import end_run, start_run
from oneform.sources.service import add_source
from oneform.values.imports.rows import FileFormat
from oneform.values.imports.service import accept_import

HERE, ELSEWHERE = "health", "civil"
"""The agencies; `stats` owns most fields and asks for nothing."""

COUNTY_OF = {HERE: COUNTY, ELSEWHERE: OTHER_COUNTY}

FIELDS = [f"test.f{number:02}" for number in range(1, 25)]
REVIEWED = [f"test.r{number:02}" for number in range(1, 13)]
GUARDED = {HERE: "guard.health", ELSEWHERE: "guard.civil", "stats": "guard.stats"}
OWNED = {HERE: "own.health", ELSEWHERE: "own.civil"}
PERIOD = "2026"
DUE = dt.date(2026, 6, 30)

AREA_OF_ROLE = {Role.STAFF: VILLAGE, Role.TOWNSHIP_REVIEWER: TOWNSHIP}
"""Where they work; all others in the county."""
RESIDENTS = {
    VILLAGE: [("420102196001010010", "王桂兰"), ("420102195002020021", "李国强")],
    FOREIGN_VILLAGE: [("420103194808080017", "赵秀英")],
}


@dataclass
class Things:
    """What there is in one place. Lists are used up from their end by tests that change things."""

    agency: str
    village: str
    county: str
    requests: list[str] = field(default_factory=list)
    control_numbers: list[str] = field(default_factory=list)
    grants: list[str] = field(default_factory=list)
    """That the agency decides on."""
    sources: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)
    asks: list[str] = field(default_factory=list)
    submissions: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    """Recorded: they can be amended."""
    reviews: list[str] = field(default_factory=list)
    """Answers in review."""
    refusals: list[str] = field(default_factory=list)
    subjects: list[str] = field(default_factory=list)


@dataclass
class Everybody:
    runtime: Runtime
    here: Things
    elsewhere: Things
    tokens: dict[str, str | None] = field(default_factory=dict)
    """Bearer tokens by who has them: `nobody`, `key`, `reading_key`, and every role."""
    keys: dict[str, str] = field(default_factory=dict)
    """API keys by agency."""


def make_everybody(runtime: Runtime) -> Everybody:
    """Some 0.5 s of work; give it a database of its own."""
    world = Everybody(
        runtime,
        Things(HERE, VILLAGE, COUNTY),
        Things(ELSEWHERE, FOREIGN_VILLAGE, OTHER_COUNTY),
    )
    with runtime.context(OPERATOR) as ctx:
        _make_places(ctx)
        world.keys = {code: issue_key(ctx, code).key for code in (HERE, ELSEWHERE, "stats")}
        world.tokens = {
            "nobody": None,
            "key": world.keys[HERE],
            "reading_key": issue_key(ctx, HERE, [Scope.REQUESTS_READ]).key,
        }
        for role in Role:
            world.tokens[role.value] = _person(ctx, role)
        ctx.session.flush()
        for things in (world.here, world.elsewhere):
            _make_things(ctx, world, things)
    return world


def _make_places(ctx: Context) -> None:
    make_county(ctx)
    for code, area in {**COUNTY_OF, "stats": PROVINCE}.items():
        add_agency(ctx, AddAgency(code=code, name=f"部门{code}", area=area))
    guarded = {"category": "conditional", "conditions": "统计用途", "basis": "《测试法》第二条"}
    make_fields(
        ctx,
        *(make_field(code) for code in FIELDS),
        *(make_field(code, review="township") for code in REVIEWED),
        *(make_field(code, owner=owner, sharing=guarded) for owner, code in GUARDED.items()),
        *(make_field(code, owner=owner) for owner, code in OWNED.items()),
        make_field("test.text", schema={"type": "string", "maxLength": 200}, unit=None),
        make_field("test.code", schema={"type": "string", "code_list": "care_status"}, unit=None),
        make_field("test.share", mode="share"),
        about_residents("resident.status", schema={"type": "string", "code_list": "care_status"}),
    )
    for area, people in RESIDENTS.items():
        make_residents(ctx, area, *people)


def _person(ctx: Context, role: Role, area: str | None = None, agency: str = HERE) -> str:
    """The token of a new person; the password of none of them is known."""
    number = ctx.sql("SELECT count(*) FROM staff").scalar_one()
    username = f"{role.value}{number}"
    acts = role in (Role.AGENCY_CLERK, Role.SOURCE_OWNER)
    command = AddPerson(
        username=username,
        roles=[role],
        area=area or AREA_OF_ROLE.get(role, COUNTY),
        agency=agency if acts else None,
    )
    add_person(ctx, command)
    person = ctx.session.scalar(sa.select(Staff).where(Staff.username == username))
    assert person is not None
    return open_session(ctx, person).token


def _make_things(ctx: Context, world: Everybody, things: Things) -> None:
    agency = principal_of_token(ctx, world.keys[things.agency])
    assert agency is not None
    own = things.agency
    other = ELSEWHERE if own == HERE else HERE
    codes = [*FIELDS, *REVIEWED]
    things.requests.append(_request(ctx, agency, codes, things.village))
    # Small ones: to be cancelled, and to need somebody's consent.
    things.requests += [_request(ctx, agency, ["test.text"], things.village) for _ in range(6)]
    asker = principal_of_token(ctx, world.keys["stats"])
    assert asker is not None
    for _ in range(8):
        request = _request(ctx, asker, [GUARDED[own]], things.village)
        things.grants.append(_grant_of(ctx, request))
    _request(ctx, agency, [GUARDED[other]], things.village)
    _make_sources(ctx, world, things, agency)
    _answer(ctx, things)
    things.subjects = [
        f"{row.region_id}-{row.id}"
        for row in ctx.sql(
            "SELECT s.region_id, s.id FROM subject AS s JOIN area AS a ON a.id = s.area_id "
            "WHERE a.code = :code AND s.id <> a.id",
            code=things.village,
        )
    ]
    things.control_numbers = list(
        ctx.sql(
            "SELECT control_no FROM request WHERE id = ANY(:ids)",
            ids=[uuid.UUID(request) for request in things.requests],
        ).scalars()
    )


def _request(ctx: Context, agency: Principal, codes: list[str], village: str) -> str:
    return str(make_request(ctx, agency, codes, areas=[village], period=PERIOD, due=DUE))


def _grant_of(ctx: Context, request: str) -> str:
    return str(ctx.sql('SELECT id FROM "grant" WHERE request_id = :id', id=request).scalar_one())


def definition_of(agency: str, code: str) -> dict[str, Any]:
    """A source on a host that is not there."""
    return {
        "code": code,
        "agency": agency,
        "kind": "sql",
        "settings": {"url": "postgresql://reader@nobody.invalid/db", "table": "villages"},
        "keys": {"subject": "code", "period": "year"},
        "fields": {OWNED[agency]: "heads"},
        "areas": [COUNTY_OF[agency]],
    }


def _make_sources(ctx: Context, world: Everybody, things: Things, agency: Principal) -> None:
    acting = ctx.acting_as(agency)
    for number in range(8):
        definition = definition_of(things.agency, f"{things.agency}.source{number}")
        source = add_source(acting, definition, world.runtime.settings)
        things.sources.append(source.code)
    run = start_run(acting, things.sources[0])
    end_run(acting, run.id, "not there")
    things.runs.append(str(run.id))
    rows = f'{{"field": "{OWNED[things.agency]}", "subject": "{things.village}", "value": "x"}}\n'
    view = accept_import(acting, io.BytesIO(rows.encode()), FileFormat.JSONL)
    things.imports.append(str(view.id))


def _answer(ctx: Context, things: Things) -> None:
    """Somebody of the village answers some asks, and refuses some; the others are left."""
    token = _person(ctx, Role.STAFF, things.village)
    ctx.session.flush()
    person = principal_of_session(ctx, token)
    assert person is not None
    acting = ctx.acting_as(person)
    asks = asks_of(ctx, unit=things.village)
    recorded, reviewed = [asks[code] for code in FIELDS[:6]], [asks[code] for code in REVIEWED]
    for batch in (recorded, reviewed):
        answers = [GivenAnswer(ask=ask, value=7) for ask in batch]
        receipt = collection.submit_answers(acting, SubmitAnswers(answers=answers))
        things.submissions.append(str(receipt.id))
    things.answers = _answers(ctx, things, "recorded")
    things.reviews = _answers(ctx, things, "in_review")
    for code in FIELDS[6:12]:
        refuse = RefuseAsks(asks=[asks[code]], reason=RefusalReason.NOT_OURS)
        things.refusals.append(str(collection.refuse_asks(acting, refuse).id))
    things.asks = [asks[code] for code in FIELDS[12:]]


def _answers(ctx: Context, things: Things, state: str) -> list[str]:
    return [
        f"{row.region_id}-{row.id}"
        for row in ctx.sql(
            "SELECT w.region_id, w.id FROM answer AS w "
            "JOIN ask AS k ON k.region_id = w.region_id AND k.id = w.ask_id "
            "JOIN area AS a ON a.id = k.unit_id WHERE a.code = :unit AND w.state = :state "
            "ORDER BY w.id",
            unit=things.village,
            state=state,
        )
    ]
