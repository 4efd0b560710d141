"""A small county for tests, made through the services themselves: areas, fields, agencies,
people, requests. Each maker takes an operator's context and gives back what tests name.

    county = make_county(ctx)                       # two townships, villages, a neighbour county
    make_fields(ctx, field("test.people"))
    staff = make_person(ctx, "wang", "staff", VILLAGE)
    request_id = make_request(ctx, make_agency(ctx, "health"), ["test.people"])
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any

import orjson

from catalog.bundle import bundle_document, bundle_of
from catalog.formats import FORMATS
from catalog.importing import import_bundle
from oneform.areas.service import import_areas
from oneform.areas.subject_import import import_subjects
from oneform.identity.agencies import AddAgency, add_agency
from oneform.identity.models import Staff
from oneform.identity.people import AddPerson, add_person
from oneform.identity.policy import (
    ORDINARY_SCOPES,
    Principal,
    Role,
    permissions_of_roles,
    permissions_of_scopes,
)
from oneform.kernel.actor import ActorKind
from oneform.kernel.clock import FixedClock
from oneform.kernel.context import Context
from oneform.kernel.jsonschemas import register_formats
from oneform.kernel.uow import begin
from oneform.requests import resolver
from oneform.requests.commands import SubmitRequest
from oneform.requests.service import submit_request
from oneform.requests.statuses import STATUSES
from oneform.values.cells import values_of
from oneform.values.models import ProvenanceKind
from oneform.values.recording import open_provenance, record

PROVINCE, CITY = "420000000000", "420100000000"
COUNTY = "420102000000"
TOWNSHIP, OTHER_TOWNSHIP = "420102001000", "420102002000"
VILLAGE, NEXT_VILLAGE, FAR_VILLAGE = "420102001001", "420102001002", "420102002001"
OTHER_COUNTY, FOREIGN_TOWNSHIP, FOREIGN_VILLAGE = "420103000000", "420103001000", "420103001001"

AREAS = f"""code,parent_code,level,name
{PROVINCE},,1,湖北省
{CITY},{PROVINCE},2,武汉市
{COUNTY},{CITY},3,江岸区
{TOWNSHIP},{COUNTY},4,大智街道
{VILLAGE},{TOWNSHIP},5,车站社区
{NEXT_VILLAGE},{TOWNSHIP},5,保成社区
{OTHER_TOWNSHIP},{COUNTY},4,一元街道
{FAR_VILLAGE},{OTHER_TOWNSHIP},5,三阳社区
{OTHER_COUNTY},{CITY},3,江汉区
{FOREIGN_TOWNSHIP},{OTHER_COUNTY},4,民族街道
{FOREIGN_VILLAGE},{FOREIGN_TOWNSHIP},5,舞台社区
"""

# As the program does at its start.
register_formats(FORMATS)

DUE = dt.date(2026, 6, 30)


def make_county(ctx: Context) -> None:
    """The areas above: a county of three villages in two townships, and a neighbour of one."""
    import_areas(ctx, AREAS.encode())


def area_id(ctx: Context, code: str) -> int:
    """Number of an area, of the subject that it is, and, for a county, of its region."""
    number: int = ctx.sql("SELECT id FROM area WHERE code = :code", code=code).scalar_one()
    return number


def field(code: str, **members: Any) -> dict[str, Any]:
    """A yearly whole number about villages that villages answer, but for what `members` say."""
    return {
        "code": code,
        "name": {"zh": f"数据项{code}", "en": code},
        "definition": {"zh": f"测试用的数据项{code}", "en": f"the field {code} of tests"},
        "topic": code.split(".", maxsplit=1)[0],
        "subject_kind": "area",
        "levels": ["village"],
        "schema": {"type": "integer", "minimum": 0},
        "unit": "人",
        "period_type": "year",
        "mode": "collect",
        "collected_at": "village",
        "owner": "stats",
        "sharing": {"category": "unconditional"},
        "legal_basis": "《中华人民共和国统计法》第七条",
        "rollup": "none",
        "seconds": 15,
        "effective_from": "2026-01-01",
        "expires_on": "2028-12-31",
        **members,
    }


def about_residents(code: str, **members: Any) -> dict[str, Any]:
    """A yearly field about residents, by their village."""
    return field(code, **{"subject_kind": "resident", "levels": None, "unit": None, **members})


RESIDENT = {
    "code": "resident",
    "name": {"zh": "居民", "en": "resident"},
    "key_schema": {"type": "string", "format": "cn-resident-id"},
    "personal": True,
}
CARE = {
    "code": "care_status",
    "name": {"zh": "帮扶类别", "en": "assistance status"},
    "items": [
        {"code": "1", "name": {"zh": "低保", "en": "minimum living allowance"}},
        {"code": "2", "name": {"zh": "特困", "en": "extreme poverty"}},
    ],
}


def make_fields(ctx: Context, *fields: dict[str, Any]) -> None:
    """Put fields in force, owned by `stats`, with the kind `resident` and the list `care_status`."""
    document = bundle_document(
        [{"code": "stats", "name": {"zh": "统计局", "en": "statistics"}}],
        [RESIDENT],
        [CARE],
        [{name: value for name, value in each.items() if value is not None} for each in fields],
    )
    import_bundle(ctx, bundle_of(document))


def field_id(ctx: Context, code: str) -> int:
    number: int = ctx.sql("SELECT id FROM field WHERE code = :code", code=code).scalar_one()
    return number


def make_residents(ctx: Context, area: str, *people: tuple[str, str]) -> None:
    """Residents (identity number, name) of a village."""
    rows = "".join(f"resident,{key},{name},{area},\n" for key, name in people)
    import_subjects(ctx, f"kind,key,name,area,active_from\n{rows}".encode())


def make_agency(ctx: Context, code: str, area: str = PROVINCE) -> Principal:
    """An agency, as the client that holds its key."""
    agency = add_agency(ctx, AddAgency(code=code, name=f"部门{code}", area=area))
    path = ctx.sql("SELECT path FROM area WHERE id = :id", id=agency.area_id).scalar_one()
    return Principal(
        kind=ActorKind.AGENCY,
        id=str(uuid.uuid4()),
        label=code,
        agency_id=agency.id,
        area_id=agency.area_id,
        area_path=path,
        scopes=frozenset(ORDINARY_SCOPES),
        permissions=permissions_of_scopes(ORDINARY_SCOPES),
    )


def make_person(ctx: Context, username: str, role: str, area: str) -> Principal:
    """A person with one role, as they are once they have logged in."""
    add_person(ctx, AddPerson(username=username, roles=[role], area=area, name=f"{username}同志"))
    person = ctx.session.query(Staff).filter_by(username=username).one()
    path = ctx.sql("SELECT path FROM area WHERE id = :id", id=person.area_id).scalar_one()
    roles = frozenset({Role(role)})
    return Principal(
        kind=ActorKind.PERSON,
        id=str(person.id),
        label=username,
        area_id=person.area_id,
        area_path=path,
        roles=roles,
        permissions=permissions_of_roles(roles),
    )


def make_request(
    ctx: Context,
    agency: Principal,
    fields: Iterable[str],
    *,
    areas: Iterable[str] = (COUNTY,),
    kind: str = "area",
    level: str | None = "village",
    period: str = "2026",
    due: dt.date = DUE,
    **members: Any,
) -> uuid.UUID:
    """A request that has been resolved: its asks are there."""
    command = SubmitRequest(
        title="测试",
        purpose="测试用途",
        legal_basis="《测试法》第一条",
        fields=list(fields),
        areas=list(areas),
        kind=kind,
        level=level if kind == "area" else None,
        period=period,
        due=due,
        **members,
    )
    request_id = submit_request(ctx.acting_as(agency), command).id
    resolve_request(ctx, request_id)
    return request_id


def resolve_request(ctx: Context, request_id: uuid.UUID) -> None:
    """What the worker does, without sources."""
    regions = ctx.sql(
        "SELECT region_id FROM request_region WHERE request_id = :id ORDER BY 1", id=request_id
    ).scalars()
    for region_id in list(regions):
        if resolver.decide(ctx, request_id, region_id):
            resolver.judge(ctx, request_id, region_id)
            resolver.resolve(ctx, request_id, region_id)


def hold_values(
    ctx: Context,
    code: str,
    values: dict[str, Any],
    *,
    period: str = "",
    observed_on: dt.date = dt.date(2026, 1, 31),
    source_id: int | None = None,
) -> None:
    """Values of a field as from an import or from a source, by area code."""
    kind = ProvenanceKind.SOURCE if source_id else ProvenanceKind.IMPORT
    for area, value in values.items():
        row = ctx.sql("SELECT id, region_id FROM area WHERE code = :code", code=area).one()
        cells = values_of(
            row.region_id,
            fields=[field_id(ctx, code)],
            periods=[period],
            subjects=[row.id],
            values=[orjson.dumps(value).decode()],
            missing=[None],
            observed_on=[observed_on],
        )
        record(ctx, cells, open_provenance(ctx, kind, source_id=source_id))


def pass_days(ctx: Context, days: int) -> None:
    """Let days go by, for the clock of the context and for its transaction."""
    assert isinstance(ctx.clock, FixedClock)
    ctx.clock.advance(dt.timedelta(days=days))
    begin(ctx)


def asks_of(ctx: Context, *, unit: str | None = None, state: str = "open") -> dict[str, str]:
    """Public ids of the asks of a unit (the first village by default) in a state, by field."""
    rows = ctx.sql(
        "SELECT f.code, a.region_id || '-' || a.id AS id FROM ask AS a "
        "JOIN field AS f ON f.id = a.field_id JOIN area AS u ON u.id = a.unit_id "
        "WHERE u.code = :unit AND a.state = :state",
        unit=unit or VILLAGE,
        state=state,
    )
    return {row.code: row.id for row in rows}


def ask_state(ctx: Context, ask: str) -> str:
    region, number = ask.split("-")
    state: str = ctx.sql(
        "SELECT state FROM ask WHERE region_id = :region AND id = :id", region=region, id=number
    ).scalar_one()
    return state


def counts_of(ctx: Context, request_id: uuid.UUID) -> dict[str, int]:
    """The books of a request, without what is zero."""
    row = ctx.sql(
        f"SELECT {', '.join(f'sum({s}) AS {s}' for s in STATUSES)} FROM request_unit "
        "WHERE request_id = :id",
        id=request_id,
    ).one()
    return {status: int(n) for status, n in row._mapping.items() if n}


_RECOUNT = """
SELECT r.id, ru.region_id, ru.place_id, ru.unit_id, cell_status(rf.grant_state,
  r.gap = 'ask' AND rf.mode = 'collect' AND r.state <> 'cancelled',
  run.since, run.since_kind, run.fresh_until, rr.decided_at, rr.decided_on, a.state,
  EXISTS (SELECT FROM exemption AS e WHERE e.field_id = rf.field_id AND e.period = rf.period)
  ) AS status, count(*) AS n
FROM request AS r
JOIN request_region AS rr ON rr.request_id = r.id AND rr.resolved_at IS NOT NULL
JOIN request_unit AS ru ON ru.request_id = r.id AND ru.region_id = rr.region_id
JOIN (SELECT region_id, id, kind_id, area_id, recorded_at, 'infinity'::timestamptz AS until
      FROM subject
      UNION ALL SELECT region_id, subject_id, kind_id, area_id, recorded_at, superseded_at
      FROM subject_history) AS s
  ON s.region_id = ru.region_id AND s.kind_id = r.kind_id AND s.area_id = ru.place_id
  AND s.recorded_at <= rr.decided_at AND rr.decided_at < s.until
JOIN request_field AS rf ON rf.request_id = r.id AND rf.collected_at = ANY(ru.collected_at)
LEFT JOIN LATERAL (
  SELECT x.since, x.since_kind, x.fresh_until FROM (
    SELECT since, since_kind, fresh_until FROM cell_value AS v WHERE v.field_id = rf.field_id
      AND v.period = rf.period AND v.subject_id = s.id
    UNION ALL
    SELECT since, since_kind, fresh_until FROM cell_value_history AS h
    WHERE h.field_id = rf.field_id AND h.period = rf.period AND h.subject_id = s.id) AS x
  WHERE x.fresh_until IS NULL OR x.fresh_until >= rr.decided_on
  ORDER BY x.since LIMIT 1) AS run ON true
LEFT JOIN ask AS a ON a.field_id = rf.field_id AND a.period = rf.period AND a.subject_id = s.id
  AND a.state IN ('open', 'returned', 'in_review', 'refused', 'upheld')
GROUP BY 1, 2, 3, 4, 5
"""


# As everybody reads them: a region that is to be resolved anew has no books until then.
_BOOKED = """
SELECT ru.* FROM request_unit AS ru JOIN request_region AS rr USING (request_id, region_id)
WHERE rr.resolved_at IS NOT NULL
"""


def assert_balanced(ctx: Context) -> None:
    """The books of every request are what counting its cells one by one gives."""
    counted: dict[tuple[Any, ...], dict[str, int]] = {}
    for row in ctx.sql(_RECOUNT):
        counted.setdefault((row.id, row.region_id, row.place_id, row.unit_id), {})[row.status] = (
            row.n
        )
    booked = {
        (row.request_id, row.region_id, row.place_id, row.unit_id): {
            status: row._mapping[status] for status in STATUSES if row._mapping[status]
        }
        for row in ctx.sql(_BOOKED)
    }
    assert {key: counts for key, counts in booked.items() if counts} == counted
