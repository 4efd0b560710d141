"""Verbs on sources: add, read, change, delete. Calling them is in `probing`, `fetching` and `runs`.

An agency manages its own sources, the operator all of them. Secrets go in and
never come out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from oneform.audit import service as audit
from oneform.audit.tags import Tag
from oneform.config import Settings
from oneform.identity import policy
from oneform.identity.policy import Permission
from oneform.kernel.context import Context
from oneform.kernel.crypto import SealBroken
from oneform.kernel.errors import Conflict, Invalid, Mistake, NotFound, Stale
from oneform.kernel.paging import Page, decode_cursor, encode_cursor
from oneform.sources import house
from oneform.sources.admission import Admitted, admit, may_manage
from oneform.sources.connectors.registry import connector_class
from oneform.sources.definition import FieldMap
from oneform.sources.models import Source, SourceArea, SourceField


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceView:
    """A source as its owner sees it: the definition without secrets, and how it fares."""

    id: int
    code: str
    name: dict[str, str] | None
    """What people call it, by language; None: as its agency."""
    agency: str
    kind: str
    settings: dict[str, Any]
    keys: dict[str, Any]
    fields: dict[str, Any]
    areas: list[str]
    fresh_for: str | None
    limits: dict[str, Any]
    enabled: bool
    failures: int
    """Calls in a row that failed."""
    closed_until: dt.datetime | None
    """No call is made before this instant."""
    version: int
    """Grows with every change of the definition."""

    @property
    def etag(self) -> str:
        return f"{self.id}-{self.version}"

    def as_definition(self) -> dict[str, Any]:
        """What `add_source` takes to make the same source, but for the secrets."""
        return {name: getattr(self, name) for name in DEFINITION}


DEFINITION = (
    *("code", "name", "agency", "kind", "settings", "keys", "fields", "areas", "fresh_for"),
    *("limits", "enabled"),
)
CHANGEABLE = frozenset({*DEFINITION, "secrets"} - {"code", "agency", "kind"})


class SourceExists(Conflict):
    title = "There is a source of this code"


class NoSuchSource(NotFound):
    title = "No such source"


_VIEW = """
SELECT s.id, s.code, s.name, g.code AS agency, s.agency_id, s.kind, s.settings, s.keys, s.fresh_for,
  s.limits, s.enabled, s.failures, s.closed_until, s.version,
  (SELECT coalesce(jsonb_agg(jsonb_build_array(f.code, sf."column", sf.code_map) ORDER BY f.code),
                   '[]')
   FROM source_field AS sf JOIN field AS f ON f.id = sf.field_id WHERE sf.source_id = s.id
  ) AS maps,
  (SELECT coalesce(jsonb_agg(a.code ORDER BY a.code), '[]')
   FROM source_area AS sa JOIN area AS a ON a.id = sa.area_id WHERE sa.source_id = s.id) AS areas
FROM source AS s JOIN agency AS g ON g.id = s.agency_id
"""


def _view(row: Any) -> SourceView:
    return SourceView(
        id=row.id,
        code=row.code,
        name=row.name,
        agency=row.agency,
        kind=row.kind,
        settings=row.settings,
        keys=row.keys,
        fields={
            code: FieldMap(code, column, codes or {}).as_member()
            for code, column, codes in row.maps
        },
        areas=row.areas,
        fresh_for=row.fresh_for,
        limits=row.limits,
        enabled=row.enabled,
        failures=row.failures,
        closed_until=row.closed_until,
        version=row.version,
    )


def list_sources(ctx: Context, *, limit: int = 50, cursor: str | None = None) -> Page[SourceView]:
    """The sources that the actor manages, by code. BadCursor."""
    actor = policy.require(ctx, Permission.MANAGE_SOURCES)
    (after,) = decode_cursor(cursor, [str]) if cursor else ("",)
    rows = ctx.sql(
        f"{_VIEW} WHERE s.code > :after AND (:everybody OR s.agency_id = :agency) "
        "ORDER BY s.code LIMIT :limit",
        after=after,
        everybody=actor.may(Permission.OPERATE),
        agency=actor.agency_id,
        limit=limit + 1,
    ).all()
    items = [_view(row) for row in rows[:limit]]
    return Page(items, encode_cursor(items[-1].code) if len(rows) > limit else None)


def get_source(ctx: Context, ref: str) -> SourceView:
    """A source by its code or its id. NoSuchSource, also for another agency's."""
    policy.require(ctx, Permission.MANAGE_SOURCES)
    return _view(_find(ctx, ref))


def sources_sealed_otherwise(ctx: Context, settings: Settings) -> list[str]:
    """Codes of the sources whose secrets were sealed under another secret key than the present."""
    policy.require(ctx, Permission.OPERATE)
    rows = ctx.sql("SELECT code, secrets FROM source WHERE secrets IS NOT NULL ORDER BY code")
    return [row.code for row in rows if not _opens(settings, row.secrets)]


def _opens(settings: Settings, sealed: bytes) -> bool:
    try:
        house.unseal(settings, sealed)
    except SealBroken:
        return False
    return True


def find_source(ctx: Context, ref: str) -> Source:
    """The row itself, for the other verbs of this part. NoSuchSource."""
    policy.require(ctx, Permission.MANAGE_SOURCES)
    source = ctx.session.get(Source, _find(ctx, ref).id)
    assert source is not None
    return source


def _find(ctx: Context, ref: str, *, lock: bool = False) -> Any:
    # Codes begin with a letter, so that they are never taken for ids.
    where, given = ("s.code = :ref", ref)
    if ref.isascii() and ref.isdecimal() and len(ref) < 10:
        where, given = "s.id = CAST(:ref AS int)", ref
    tail = "FOR NO KEY UPDATE OF s" if lock else ""
    row = None
    if "\0" not in given:
        row = ctx.sql(f"{_VIEW} WHERE {where} {tail}", ref=given).one_or_none()
    actor = policy.principal(ctx)
    if row is None or not may_manage(actor, row.agency_id):
        of_whom = "" if actor.may(Permission.OPERATE) else " that you manage"
        raise NoSuchSource(f"There is no source {ref[:100]}{of_whom}.")
    return row


def add_source(ctx: Context, definition: object, settings: Settings) -> SourceView:
    """Offer a source. Invalid with every mistake; Forbidden; SourceExists for a code in use."""
    policy.require(ctx, Permission.MANAGE_SOURCES)
    admitted = admit(ctx, definition, house.bounds_of(settings), kept_secrets={})
    # Two who add the same one at once find out here, not by a look before.
    made = ctx.session.execute(
        insert(Source)
        .values(
            code=admitted.code,
            agency_id=admitted.agency_id,
            kind=admitted.kind,
            **_columns(admitted, settings),
        )
        .on_conflict_do_nothing(index_elements=[Source.code])
        .returning(Source.id)
    ).scalar_one_or_none()
    if made is None:
        raise SourceExists(f"There is a source {admitted.code} already.")
    _write_parts(ctx, made, admitted)
    view = get_source(ctx, admitted.code)
    audit.append(
        ctx,
        Tag.SOURCE_ADDED,
        "source",
        view.code,
        kind=view.kind,
        agency=view.agency,
        fields=sorted(view.fields),
    )
    return view


def _exists(ctx: Context, code: str) -> bool:
    found = ctx.sql("SELECT EXISTS (SELECT FROM source WHERE code = :code)", code=code)
    return bool(found.scalar_one())


def _columns(admitted: Admitted, settings: Settings) -> dict[str, Any]:
    """What of a source can be changed, but for its parts."""
    return {
        "name": admitted.name,
        "settings": admitted.settings,
        "secrets": house.seal(settings, admitted.secrets),
        "keys": admitted.keys,
        "fresh_for": admitted.fresh_for,
        "limits": admitted.limits,
        "enabled": admitted.enabled,
    }


def _write_parts(ctx: Context, source_id: int, admitted: Admitted) -> None:
    ctx.session.execute(
        sa.insert(SourceField),
        [
            {
                "source_id": source_id,
                "field_id": field_id,
                "column": map.column,
                "code_map": map.codes or None,
            }
            for field_id, map in admitted.fields.items()
        ],
    )
    ctx.session.execute(
        sa.insert(SourceArea),
        [{"source_id": source_id, "area_id": area_id} for area_id in set(admitted.area_ids)],
    )


def change_source(
    ctx: Context,
    ref: str,
    changes: Mapping[str, Any],
    settings: Settings,
    *,
    if_match: str | None = None,
) -> SourceView:
    """Change some members of a source's definition; a member that is given is replaced wholly.

    `secrets` are kept, name by name, unless the settings lead elsewhere now:
    then they have to be given again. A change makes the source ready to be
    called again. NoSuchSource; Invalid with every mistake; Stale if `if_match`
    is not the present etag.
    """
    policy.require(ctx, Permission.MANAGE_SOURCES)
    row = _find(ctx, ref, lock=True)
    if if_match is not None and if_match != _view(row).etag:
        raise Stale
    strange = sorted(set(changes) - CHANGEABLE)
    if strange:
        fixed = "cannot be changed" if strange[0] in DEFINITION else "is no member of a source"
        raise Invalid(
            "The source has mistakes; nothing was changed.",
            mistakes=[Mistake(f"/{name}", "fixed_member", fixed) for name in strange],
        )
    definition = {**_view(row).as_definition(), **changes}
    kept = _kept_secrets(ctx, row, definition, settings)
    admitted = admit(ctx, definition, house.bounds_of(settings), kept_secrets=kept)
    return _replace(ctx, row, admitted, settings, sorted(changes))


def _kept_secrets(ctx: Context, row: Any, definition: Any, settings: Settings) -> dict[str, str]:
    """Those that need not be given again: none where the settings lead elsewhere now.

    Else whoever may change a source could have its password sent to a host of their own.
    """
    if _destination(row.kind, definition.get("settings")) != _destination(row.kind, row.settings):
        return {}
    return house.unseal(settings, ctx.session.get_one(Source, row.id).secrets)


def _replace(
    ctx: Context, row: Any, admitted: Admitted, settings: Settings, members: list[str]
) -> SourceView:
    source = ctx.session.get_one(Source, row.id)
    for name, value in _columns(admitted, settings).items():
        setattr(source, name, value)
    source.version += 1
    source.failures = 0
    source.closed_until = None
    ctx.session.flush()
    ctx.sql("DELETE FROM source_field WHERE source_id = :id", id=row.id)
    ctx.sql("DELETE FROM source_area WHERE source_id = :id", id=row.id)
    _write_parts(ctx, row.id, admitted)
    audit.append(ctx, Tag.SOURCE_CHANGED, "source", row.code, members=members)
    return get_source(ctx, row.code)


def _destination(kind: str, settings: Any) -> str | None:
    """None for settings so wrong that it cannot be told; they will not be admitted."""
    connector = connector_class(kind)
    try:
        return None if connector is None else connector.destination(settings)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def put_source(ctx: Context, definition: object, settings: Settings) -> tuple[SourceView, str]:
    """Make a source as a file defines it: `added`, `changed` or `unchanged`.

    Errors as of `add_source` and `change_source`.
    """
    policy.require(ctx, Permission.MANAGE_SOURCES)
    code = definition.get("code") if isinstance(definition, Mapping) else None
    if not isinstance(definition, Mapping) or not isinstance(code, str) or not _exists(ctx, code):
        return add_source(ctx, definition, settings), "added"
    row = _find(ctx, code, lock=True)
    before = _view(row)
    if (before.agency, before.kind) != (definition.get("agency"), definition.get("kind")):
        raise SourceExists(f"There is a source {code} of another agency, or of another kind.")
    kept = _kept_secrets(ctx, row, definition, settings)
    admitted = admit(ctx, definition, house.bounds_of(settings), kept_secrets=kept)
    if _is_same(ctx, before, admitted, kept):
        return before, "unchanged"
    return _replace(ctx, row, admitted, settings, sorted(definition)), "changed"


def _is_same(ctx: Context, before: SourceView, admitted: Admitted, kept: dict[str, str]) -> bool:
    areas = ctx.sql("SELECT area_id FROM source_area WHERE source_id = :id", id=before.id)
    fields = {map.field: map.as_member() for map in admitted.fields.values()}
    return (
        (before.name, before.settings, before.keys, before.fresh_for, before.limits, before.enabled)
        == (
            admitted.name,
            admitted.settings,
            admitted.keys,
            admitted.fresh_for,
            admitted.limits,
            admitted.enabled,
        )
        and before.fields == fields
        and set(areas.scalars()) == set(admitted.area_ids)
        and kept == admitted.secrets
    )


def delete_source(ctx: Context, ref: str, *, if_match: str | None = None) -> None:
    """Take a source away, with the reports of its runs. What it brought stays. NoSuchSource; Stale."""
    policy.require(ctx, Permission.MANAGE_SOURCES)
    row = _find(ctx, ref, lock=True)
    if if_match is not None and if_match != _view(row).etag:
        raise Stale
    ctx.sql("DELETE FROM source WHERE id = :id", id=row.id)
    audit.append(ctx, Tag.SOURCE_DELETED, "source", row.code)
