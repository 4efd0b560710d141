"""A small world for tests of requests: two counties, a few villages, fields and agencies.

Written straight into the tables, so that a test of requests fails for reasons of requests.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

import sqlalchemy as sa

from catalog.models import Field, FieldVersion
from catalog.stamp import record_change
from oneform.areas.models import Area, Level, Subject
from oneform.audit.tags import Tag
from oneform.identity.models import Agency
from oneform.identity.policy import ORDINARY_SCOPES, Principal, permissions_of_scopes
from oneform.kernel.actor import ActorKind
from oneform.kernel.context import Context
from oneform.sources.models import Source, SourceArea, SourceField


@dataclass(frozen=True)
class SmallWorld:
    """Ids of what was made. Villages are all in `regions[0]` but the last one."""

    province: str
    villages: list[int]
    village_codes: list[str]
    regions: list[int]
    fields: list[int]
    field_codes: list[str]
    agencies: list[int]
    province_path: str

    def principal(self, number: int) -> Principal:
        """An API client of the n-th agency, with all ordinary scopes."""
        return Principal(
            kind=ActorKind.AGENCY,
            id=str(uuid.UUID(int=number)),
            label=f"agency{number}",
            agency_id=self.agencies[number],
            area_path=self.province_path,
            permissions=permissions_of_scopes(ORDINARY_SCOPES),
        )


def _area(
    ctx: Context, code: str, name: str, level: Level, parent: Area | None, kind_id: int
) -> Area:
    number = ctx.sql("SELECT nextval('subject_id_seq')").scalar_one()
    region = number if parent is None or level <= Level.COUNTY else parent.region_id
    area = Area(
        id=number,
        code=code,
        name=name,
        level=level,
        parent_id=parent.id if parent else None,
        region_id=region,
        path=f"{parent.path if parent else '/'}{number}/",
    )
    ctx.session.add(area)
    ctx.session.add(
        Subject(region_id=region, id=number, kind_id=kind_id, key=code, name=name, area_id=number)
    )
    ctx.session.flush()
    return area


def make_field(
    ctx: Context,
    code: str,
    owner_id: int,
    *,
    period_type: str = "year",
    valid_for: str | None = None,
    mode: str = "collect",
    category: str = "unconditional",
    kind: str = "area",
    levels: tuple[int, ...] = (5,),
    collected_at: int = 5,
    review: str = "none",
    effective_from: dt.date = dt.date(2026, 1, 1),
    expires_on: dt.date = dt.date(2028, 12, 31),
) -> int:
    """A field with one version in force."""
    kind_id = ctx.sql("SELECT id FROM subject_kind WHERE code = :c", c=kind).scalar_one()
    field = Field(code=code)
    ctx.session.add(field)
    ctx.session.flush()
    ctx.session.add(
        FieldVersion(
            field_id=field.id,
            version=1,
            name={"zh": f"数据项{code}", "en": code},
            definition={"zh": "测试用", "en": "for tests"},
            synonyms=[],
            topic="test",
            kind_id=kind_id,
            levels=list(levels) if kind == "area" else [],
            value_schema={"type": "integer", "minimum": 0},
            unit="人",
            period_type=period_type,
            valid_for=valid_for,
            mode=mode,
            collected_at=collected_at,
            review=review,
            owner_id=owner_id,
            sharing_category=category,
            sharing={"category": category, "conditions": None, "basis": None},
            legal_basis="《中华人民共和国统计法》",
            sensitivity=1,
            personal=False,
            rollup="sum",
            derivation=None,
            soft_checks=[],
            seconds=15,
            window=None,
            effective_from=effective_from,
            expires_on=expires_on,
            origin="operator",
        )
    )
    ctx.session.flush()
    return field.id


def make_version(ctx: Context, field_id: int, *, mode: str, on: dt.date) -> None:
    """A second version of a field, as the first but for its mode, in force from a day on."""
    first = ctx.session.query(FieldVersion).filter_by(field_id=field_id).one()
    same = {
        column.key: getattr(first, column.key)
        for column in sa.inspect(FieldVersion).column_attrs
        if column.key not in ("id", "ends_on", "ended_as")
    }
    ctx.session.add(FieldVersion(**{**same, "version": 2, "mode": mode, "effective_from": on}))
    ctx.session.flush()
    record_change(ctx, Tag.CATALOG_IMPORTED)


def make_source(ctx: Context, world: SmallWorld, field_id: int) -> int:
    """A source of the first agency that may answer a field in the first region. Nothing is behind it."""
    source = Source(
        code="source", agency_id=world.agencies[0], kind="file", settings={}, keys={}, limits={}
    )
    ctx.session.add(source)
    ctx.session.flush()
    ctx.session.add(SourceField(source_id=source.id, field_id=field_id, column="value"))
    ctx.session.add(SourceArea(source_id=source.id, area_id=world.regions[0]))
    ctx.session.flush()
    return source.id


def make_world(ctx: Context) -> SmallWorld:
    """One province, two counties, a township in each, three villages and one; four fields; three agencies."""
    kind_id = ctx.sql("SELECT id FROM subject_kind WHERE code = 'area'").scalar_one()
    province = _area(ctx, "420000000000", "湖北省", Level.PROVINCE, None, kind_id)
    city = _area(ctx, "420100000000", "武汉市", Level.PREFECTURE, province, kind_id)
    villages: list[Area] = []
    regions: list[int] = []
    for county_no, number_of_villages in ((1, 3), (2, 1)):
        county = _area(
            ctx, f"4201{county_no:02d}000000", f"县{county_no}", Level.COUNTY, city, kind_id
        )
        regions.append(county.id)
        town = _area(
            ctx, f"4201{county_no:02d}001000", f"镇{county_no}", Level.TOWNSHIP, county, kind_id
        )
        villages += [
            _area(
                ctx,
                f"4201{county_no:02d}001{n:03d}",
                f"村{county_no}-{n}",
                Level.VILLAGE,
                town,
                kind_id,
            )
            for n in range(1, number_of_villages + 1)
        ]
    agencies = [
        Agency(code=f"agency{n}", name={"zh": f"部门{n}"}, area_id=province.id) for n in range(3)
    ]
    ctx.session.add_all(agencies)
    ctx.session.flush()
    owner = agencies[0].id
    codes = ["test.yearly_a", "test.yearly_b", "test.standing", "test.shared"]
    fields = [
        make_field(ctx, codes[0], owner),
        make_field(ctx, codes[1], owner),
        make_field(ctx, codes[2], owner, period_type="none", valid_for="P60D"),
        make_field(ctx, codes[3], owner, mode="share"),
    ]
    return SmallWorld(
        province=province.code,
        villages=[village.id for village in villages],
        village_codes=[village.code for village in villages],
        regions=regions,
        fields=fields,
        field_codes=codes,
        agencies=[agency.id for agency in agencies],
        province_path=province.path,
    )
