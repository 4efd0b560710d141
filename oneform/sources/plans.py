"""What is to be called, and with what: read from the tables in one short transaction.

A `SourcePlan` says which source may answer which fields of a region. A `Call` is
all that is needed to call it and to understand its rows, without the database.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from catalog.periods import Duration, PeriodType, parse_duration
from catalog.reading import fields_by_id
from catalog.snapshot import snapshot
from oneform.areas.kinds import AREA_KIND
from oneform.areas.queries import BELOW
from oneform.config import Settings
from oneform.kernel.context import Context
from oneform.sources import house
from oneform.sources.conversion import FieldConverter
from oneform.sources.definition import Keys, Limits
from oneform.sources.models import Source


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """Fields of a region that a source may answer. `owner`: they are its own agency's (一数一源)."""

    source_id: int
    code: str
    field_ids: tuple[int, ...]
    owner: bool


@dataclass(frozen=True, slots=True)
class Place:
    """An area for which the source answers."""

    area_id: int
    region_id: int
    level: int


@dataclass(frozen=True, slots=True)
class CallField:
    """A field as it is to be read from the source."""

    id: int
    code: str
    column: str
    convert: FieldConverter
    period_type: PeriodType
    levels: frozenset[int]
    """Levels of areas that it is about; empty for other kinds."""
    owner_id: int


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is about to be made."""

    source_id: int
    code: str
    agency_id: int
    kind: str
    settings: dict[str, Any]
    secrets: dict[str, str]
    limits: Limits
    keys: Keys
    fresh_for: Duration | None
    subject_kind_id: int
    about_areas: bool
    fields: tuple[CallField, ...]
    places: dict[str, Place]
    """By code, present or former."""
    region_id: int | None
    """None: all regions."""
    today: dt.date


_COVERS = f"""
EXISTS (SELECT FROM source_area AS sa JOIN area AS c ON c.id = sa.area_id
        WHERE sa.source_id = {{source}} AND {BELOW.format(area="a", path="c.path")})
"""

_SOURCES = f"""
SELECT s.id, s.code, s.agency_id, sf.field_id
FROM source AS s JOIN source_field AS sf ON sf.source_id = s.id
WHERE s.enabled AND sf.field_id = ANY(:fields)
  AND EXISTS (SELECT FROM area AS a WHERE a.region_id = :region AND a.valid_to IS NULL
              AND {_COVERS.format(source="s.id")})
ORDER BY s.code, sf.field_id
"""


def sources_for(ctx: Context, field_ids: Iterable[int], region_id: int) -> list[SourcePlan]:
    """The sources that may answer these fields in a region, in order of authority.

    First the fields' owners with what is theirs, then the others; by code. A source
    that owns some of the fields only is there twice.
    """
    wanted = sorted(set(field_ids))
    if not wanted:
        return []
    owner_of = {id: view.owner_id for id, view in fields_by_id(ctx, wanted).items()}
    found: dict[tuple[bool, str, int], list[int]] = defaultdict(list)
    for row in ctx.sql(_SOURCES, fields=wanted, region=region_id):
        stranger = owner_of.get(row.field_id) != row.agency_id
        found[stranger, row.code, row.id].append(row.field_id)
    return [
        SourcePlan(id, code, tuple(fields), not stranger)
        for (stranger, code, id), fields in sorted(found.items())
    ]


def read_call(
    ctx: Context,
    source: Source,
    settings: Settings,
    *,
    region_id: int | None = None,
    field_ids: Collection[int] | None = None,
) -> Call | None:
    """What a call to a source needs; None where there is nothing to call it for.

    Fields not in force today are left out. SealBroken.
    """
    today = ctx.today()
    rows = ctx.sql(
        'SELECT field_id, "column", code_map FROM source_field WHERE source_id = :id', id=source.id
    )
    mapped = {row.field_id: row for row in rows if field_ids is None or row.field_id in field_ids}
    catalog = snapshot(ctx)
    in_force = {view.field_id: view for view in catalog.in_force(today).values()}
    views = {id: in_force[id] for id in mapped if id in in_force}
    if not views:
        return None
    some = next(iter(views.values()))
    about_areas = some.definition.subject_kind == AREA_KIND
    places = _places(ctx, source.id, None if about_areas else some.kind_id, region_id)
    if not places:
        return None
    fields = tuple(
        CallField(
            id=id,
            code=view.code,
            column=mapped[id].column,
            convert=FieldConverter(
                catalog.resolved_schema(view.version_id),
                mapped[id].code_map,
                catalog.validator(view.version_id),
            ),
            period_type=PeriodType(view.definition.period_type),
            levels=frozenset(view.definition.levels),
            owner_id=view.owner_id,
        )
        for id, view in sorted(views.items())
    )
    return Call(
        source_id=source.id,
        code=source.code,
        agency_id=source.agency_id,
        kind=source.kind,
        settings=source.settings,
        secrets=house.unseal(settings, source.secrets),
        limits=Limits.of(source.limits),
        keys=Keys.of(source.keys),
        fresh_for=parse_duration(source.fresh_for) if source.fresh_for else None,
        subject_kind_id=some.kind_id,
        about_areas=about_areas,
        fields=fields,
        places=places,
        region_id=region_id,
        today=today,
    )


# Where subjects of the region are: in its own areas, and wherever they have moved since.
_WITHIN = {
    (True, True): "a.region_id = :region",
    (True, False): "(a.region_id = :region OR a.id IN (SELECT DISTINCT s.area_id FROM subject AS s "
    "WHERE s.region_id = :region AND s.kind_id = :kind AND s.active_to IS NULL))",
    (False, True): "true",
    (False, False): "true",
}

_PLACES = f"""
WITH place AS (
  SELECT a.id, a.code, a.region_id, a.level FROM area AS a
  WHERE a.valid_to IS NULL AND {{within}} AND {_COVERS.format(source=":source")})
SELECT code, id, region_id, level, true AS present FROM place
UNION ALL
SELECT h.code, p.id, p.region_id, p.level, false
FROM place AS p JOIN area_history AS h ON h.area_id = p.id
WHERE h.code <> p.code AND NOT EXISTS (
  SELECT FROM area AS other WHERE other.code = h.code AND other.valid_to IS NULL)
"""


def _places(
    ctx: Context, source_id: int, kind_id: int | None, region_id: int | None
) -> dict[str, Place]:
    """The areas of a region (or all) that a source covers, by present and by former codes.

    A store may be slower than the tree: a code that was one area's, and is nobody's
    now, still means that area.
    """
    within = _WITHIN[region_id is not None, kind_id is None]
    given = {"source": source_id, "region": region_id, "kind": kind_id}
    names = [name for name in given if f":{name}" in within or name == "source"]
    rows = ctx.sql(_PLACES.format(within=within), **{name: given[name] for name in names})
    present: dict[str, Place] = {}
    former: dict[str, set[Place]] = defaultdict(set)
    for row in rows:
        place = Place(row.id, row.region_id, row.level)
        if row.present:
            present[row.code] = place
        else:
            former[row.code].add(place)
    alone = {code: places.pop() for code, places in former.items() if len(places) == 1}
    return alone | present
