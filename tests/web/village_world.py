"""A county whose villages are all asked the same, by three departments: each test has one of its own.

world = make_village_world(ctx)
village = world.take()                # nobody else's
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson
from factories import field as make_field
from factories import hold_values, resolve_request

from catalog.bundle import bundle_document, bundle_of
from catalog.importing import import_bundle
from oneform.areas.service import import_areas
from oneform.areas.subject_import import import_subjects
from oneform.identity.agencies import AddAgency, add_agency
from oneform.identity.people import AddPerson, add_person
from oneform.identity.policy import (
    OPERATOR,
    ORDINARY_SCOPES,
    Principal,
    Role,
    permissions_of_scopes,
)
from oneform.kernel.actor import ActorKind
from oneform.kernel.context import Context
from oneform.requests.commands import SubmitRequest
from oneform.requests.service import submit_request
from oneform.runtime import Runtime

PASSWORD = "correct horse"
COUNTY, TOWNSHIP = "420102000000", "420102001000"
QUIET_VILLAGE = "420102001999"
"""Never asked anything."""

VILLAGES = [f"420102001{number:03}" for number in range(1, 61)]

RARE = "𠮷家𬭎\ue000湾村民委员会"
"""Beyond the basic plane, and from a private area: names of places have both."""

LIST_OF_FIVE = {
    "code": "toilet",
    "name": {"zh": "厕所类型", "en": "toilet"},
    "items": [
        {"code": "1", "name": {"zh": "水冲式卫生厕所", "en": "flush"}},
        {"code": "2", "name": {"zh": "卫生旱厕", "en": "sanitary dry"}},
        {"code": "3", "name": {"zh": "普通旱厕", "en": "dry"}},
        {"code": "9", "name": {"zh": "没有厕所", "en": "none"}},
    ],
}
LIST_OF_MANY = {
    "code": "source",
    "name": {"zh": "主要水源", "en": "water"},
    "items": [
        {"code": str(number), "name": {"zh": name, "en": name}}
        for number, name in enumerate(
            ["城市管网", "乡镇水厂", "村集中供水", "机井", "手压井", "泉水", "江河湖水"], 1
        )
    ],
}


def _named(code: str, zh: str, en: str, definition: str, **members: Any) -> dict[str, Any]:
    words = {"name": {"zh": zh, "en": en}, "definition": {"zh": definition, "en": f"{en}, counted"}}
    return make_field(code, **words, **members)


FIELDS = (
    _named(
        "population.people",
        "常住人口数",
        "resident population",
        "年末在本村居住半年以上的人口，含外来常住人口，不含外出半年以上的户籍人口。",
        soft_checks=[{"change_over_previous": 0.3}],
    ),
    _named(
        "population.households",
        "常住户数",
        "resident households",
        "年末在本村居住半年以上的住户数。",
        unit="户",
    ),
    _named(
        "elderly.over_60",
        "60周岁及以上老年人数",
        "people aged 60 and over",
        "年末年满60周岁的常住人口数。",
        soft_checks=[{"at_most": "population.people"}],
    ),
    _named(
        "land.cultivated",
        "耕地面积",
        "cultivated land",
        "年末实有耕地面积，水田、水浇地和旱地之和。",
        schema={"type": "number", "minimum": 0},
        unit="亩",
    ),
    _named(
        "environment.toilet",
        "村部公共厕所类型",
        "public toilet",
        "村部旁公共厕所的类型。",
        schema={"type": "string", "code_list": "toilet"},
        unit=None,
    ),
    _named(
        "water.source",
        "主要饮用水水源",
        "drinking water",
        "多数住户日常饮用的水从哪里来。",
        schema={"type": "string", "code_list": "source"},
        unit=None,
    ),
    _named(
        "community.station",
        "是否有综合服务站",
        "service station",
        "村里是否有挂牌的综合服务站，能当场办理代办事项。",
        schema={"type": "boolean"},
        unit=None,
    ),
    _named(
        "party.phone",
        "值班电话",
        "phone on duty",
        "节假日也有人接的手机号。",
        schema={"type": "string", "format": "cn-mobile"},
        unit=None,
    ),
    _named(
        "disaster.drill",
        "最近一次应急演练日期",
        "last drill",
        "最近一次组织村民参加的应急演练是哪一天。",
        schema={"type": "string", "format": "date"},
        unit=None,
    ),
    _named(
        "funds.income",
        "村级工作经费收入（不含专项转移支付和“一事一议”财政奖补资金）",
        "funds for the work of the village",
        "本年实际到账的村级组织运转经费。",
        schema={"type": "number", "minimum": 0, "multipleOf": 0.01},
        unit="万元",
        review="township",
    ),
    _named(
        "culture.notes",
        "传统村落情况说明",
        "notes on heritage",
        "村里的老房子、古树和老手艺，写几句就行。",
        schema={"type": "string", "minLength": 2, "maxLength": 200},
        unit=None,
    ),
)
ABOUT_RESIDENTS = (
    _named(
        "resident.age",
        "年龄",
        "age",
        "年末的周岁。",
        subject_kind="resident",
        levels=None,
        unit="岁",
        schema={"type": "integer", "minimum": 0, "maximum": 150},
    ),
    _named(
        "resident.disabled",
        "是否持有残疾证",
        "disability certificate",
        "持有第三代残疾人证。",
        subject_kind="resident",
        levels=None,
        unit=None,
        schema={"type": "boolean"},
    ),
)
CODES = [each["code"] for each in FIELDS]
EASY = CODES[:4]
"""Numbers only."""

PREVIOUS = {
    "population.people": 1203,
    "population.households": 402,
    "elderly.over_60": 288,
    "land.cultivated": 2316.5,
    "environment.toilet": "2",
    "community.station": True,
}


@dataclass(frozen=True)
class Village:
    code: str
    name: str
    username: str


@dataclass
class VillageWorld:
    """The villages that are left for tests, and how to make more happen in them."""

    runtime: Runtime
    agencies: dict[str, Principal]
    control_numbers: list[str] = field(default_factory=list)
    _left: Any = field(default_factory=lambda: iter(VILLAGES))
    _people: Any = field(default_factory=lambda: itertools.count(1))

    def take(self, fields: Iterable[str] = CODES, *, name: str | None = None) -> Village:
        """A village that nobody else uses, asked for these fields by up to three departments."""
        code = next(self._left)
        with self.runtime.context(OPERATOR) as ctx:
            if name is not None:
                ctx.sql("UPDATE area SET name = :name WHERE code = :code", name=name, code=code)
            found = ctx.sql("SELECT name FROM area WHERE code = :code", code=code).scalar_one()
            for each, value in PREVIOUS.items():
                hold_values(ctx, each, {code: value}, period="2025")
            fields = list(fields)
            if fields:
                self.ask(ctx, "stats", fields, code, due=dt.date(2026, 3, 31))
                self.ask(ctx, "civil", fields[:5], code, due=dt.date(2026, 4, 30))
                self.ask(ctx, "health", fields[:3], code, due=dt.date(2026, 6, 30))
            username = self.add_person(ctx, code)
        return Village(code, found, username)

    def add_person(
        self,
        ctx: Context,
        area: str,
        role: Role = Role.STAFF,
        *,
        name: str = "王桂兰",
        agency: str | None = None,
    ) -> str:
        """A person with an account; the password is `PASSWORD`."""
        username = f"person{next(self._people)}"
        command = AddPerson(
            username=username, roles=[role], area=area, password=PASSWORD, name=name, agency=agency
        )
        add_person(ctx, command)
        return username

    def ask(
        self,
        ctx: Context,
        agency: str,
        fields: list[str],
        area: str,
        *,
        due: dt.date,
        kind: str = "area",
    ) -> None:
        """Have an agency ask for fields, and wait until the asks are there."""
        command = SubmitRequest(
            title="2026年基层情况调查",
            purpose="核定2026年公共服务配置标准",
            legal_basis="《中华人民共和国统计法》第七条",
            fields=fields,
            areas=[area],
            kind=kind,
            level="village" if kind == "area" else None,
            period="2026",
            due=due,
        )
        request = submit_request(ctx.acting_as(self.agencies[agency]), command)
        self.control_numbers.append(request.control_no)
        resolve_request(ctx, request.id)

    def values(self, village: Village) -> dict[str, Any]:
        """What is held of the village for 2026, by field."""
        with self.runtime.context(OPERATOR) as ctx:
            rows = ctx.sql(
                "SELECT f.code, v.value, v.missing FROM cell_value AS v "
                "JOIN field AS f ON f.id = v.field_id JOIN area AS a ON a.id = v.subject_id "
                "WHERE a.code = :code AND v.period = '2026'",
                code=village.code,
            )
            return {row.code: row.missing or row.value for row in rows}

    def drafts(self, village: Village) -> dict[str, Any]:
        """What is kept as drafts, by field."""
        with self.runtime.context(OPERATOR) as ctx:
            rows = ctx.sql(
                "SELECT f.code, d.value FROM answer_draft AS d "
                "JOIN ask AS k ON k.region_id = d.region_id AND k.id = d.ask_id "
                "JOIN field AS f ON f.id = k.field_id JOIN area AS a ON a.id = k.unit_id "
                "WHERE a.code = :code",
                code=village.code,
            )
            return {row.code: row.value for row in rows}

    def asks(self, village: Village) -> dict[str, str]:
        """Public ids of the live asks of a village, by field."""
        with self.runtime.context(OPERATOR) as ctx:
            rows = ctx.sql(
                "SELECT f.code, k.region_id || '-' || k.id AS id FROM ask AS k "
                "JOIN field AS f ON f.id = k.field_id JOIN area AS a ON a.id = k.unit_id "
                "WHERE a.code = :code AND k.state IN ('open', 'returned')",
                code=village.code,
            )
            return {row.code: row.id for row in rows}


def make_village_world(runtime: Runtime) -> VillageWorld:
    """Areas, fields, departments."""
    with runtime.context(OPERATOR) as ctx:
        import_areas(ctx, _areas().encode())
        make_web_fields(ctx, (*FIELDS, *ABOUT_RESIDENTS))
        agencies = {
            code: _agency(ctx, code, name)
            for code, name in (
                ("stats", "统计局"),
                ("civil", "民政局"),
                ("health", "卫生健康局"),
            )
        }
    return VillageWorld(runtime, agencies)


def make_web_fields(ctx: Context, fields: Iterable[dict[str, Any]]) -> None:
    document = bundle_document(
        [{"code": "stats", "name": {"zh": "统计局", "en": "statistics"}}],
        [
            {
                "code": "resident",
                "name": {"zh": "居民", "en": "resident"},
                "key_schema": {"type": "string"},
                "personal": True,
            }
        ],
        [LIST_OF_FIVE, LIST_OF_MANY],
        [{name: value for name, value in each.items() if value is not None} for each in fields],
    )
    import_bundle(ctx, bundle_of(orjson.loads(orjson.dumps(document))))


def make_residents(ctx: Context, area: str, people: Iterable[tuple[str, str]]) -> None:
    rows = "".join(f"resident,{key},{name},{area},\n" for key, name in people)
    import_subjects(ctx, f"kind,key,name,area,active_from\n{rows}".encode())


def _areas() -> str:
    villages = "".join(f"{code},{TOWNSHIP},5,{code[-3:]}号村\n" for code in VILLAGES)
    return f"""code,parent_code,level,name
420000000000,,1,湖北省
420100000000,420000000000,2,武汉市
{COUNTY},420100000000,3,江岸区
{TOWNSHIP},{COUNTY},4,大智街道
{QUIET_VILLAGE},{TOWNSHIP},5,清静村
{villages}"""


def _agency(ctx: Context, code: str, name: str) -> Principal:
    agency = add_agency(ctx, AddAgency(code=code, name=name, area=COUNTY))
    path = ctx.sql("SELECT path FROM area WHERE id = :id", id=agency.area_id).scalar_one()
    return Principal(
        kind=ActorKind.AGENCY,
        id=f"client-{code}",
        label=code,
        agency_id=agency.id,
        area_id=agency.area_id,
        area_path=path,
        permissions=permissions_of_scopes(ORDINARY_SCOPES),
    )
