"""Reading the catalogue: fields, versions, code lists, kinds of subject, the whole of it.

Open to everybody (DESIGN.md §7). What the house itself needs of versions that it points
at (`fields_by_id`, `versions_by_id`, schemas) is at the end and checks no permission:
whoever calls has a reason of their own and has checked it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from catalog.bundle import bundle_document, dump_json, dump_yaml
from catalog.definition import FieldDefinition, in_language_order
from catalog.documents import Syntax
from catalog.errors import NoSuchCodeList, NoSuchField
from catalog.force import VersionState
from catalog.snapshot import Snapshot, snapshot
from catalog.views import CodeListView, FieldVersionView, ListedField, SubjectKindView
from oneform.identity import policy
from oneform.identity.policy import Permission
from oneform.kernel.context import Context
from oneform.kernel.jsonschemas import CompiledSchema
from oneform.kernel.paging import Page, decode_cursor, encode_cursor

DEFAULT_LIMIT = 50


def get_field(
    ctx: Context, code: str, *, version: int | None = None, on: dt.date | None = None
) -> FieldVersionView:
    """The version in force today or `on` another day, or the one with a number; NoSuchField."""
    policy.require(ctx, Permission.READ_PUBLIC)
    versions = _versions(snapshot(ctx), code)
    if version is not None:
        for each in versions:
            if each.version == version:
                return each
        raise NoSuchField(f"The field {code} has no version {version}.")
    day = on or ctx.today()
    found = [each for each in versions if each.state_on(day) is VersionState.EFFECTIVE]
    if not found:
        raise NoSuchField(f"The field {code} was not in force on {day.isoformat()}.")
    return found[-1]


def list_versions(ctx: Context, code: str) -> list[FieldVersionView]:
    """All versions of a field, the first one first; NoSuchField."""
    policy.require(ctx, Permission.READ_PUBLIC)
    return list(_versions(snapshot(ctx), code))


def _versions(state: Snapshot, code: str) -> tuple[FieldVersionView, ...]:
    if code not in state.by_code:
        raise NoSuchField("There is no field with this code.")
    return state.by_code[code]


def list_fields(
    ctx: Context,
    *,
    q: str | None = None,
    topic: str | None = None,
    kind: str | None = None,
    owner: str | None = None,
    mode: str | None = None,
    state: VersionState | None = VersionState.EFFECTIVE,
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Page[ListedField]:
    """Fields that have all of this, in the order of their codes; with `q`, the best first, each
    with how well it fits and why.

    `q` is words (Chinese, English), a code or part of one. `state`: fields with a version
    in that state today, shown by the last such version; None: every field, shown by the
    version that speaks for it. BadCursor.
    """
    policy.require(ctx, Permission.READ_PUBLIC)
    catalog, today = snapshot(ctx), ctx.today()
    fields = catalog.in_state(state, today)
    if q is not None and q.strip():
        found = catalog.index(today, state).search(q, limit=None)
        listed = [ListedField(fields[match.code], match) for match in found]
    else:
        listed = [ListedField(fields[code], None) for code in sorted(fields)]
    wanted = {"topic": topic, "subject_kind": kind, "owner": owner, "mode": mode}
    criteria = {name: value for name, value in wanted.items() if value is not None}
    items = [
        each
        for each in listed
        if all(getattr(each.version.definition, name) == v for name, v in criteria.items())
    ]
    first = _place_after(items, cursor)
    last = first + limit
    return Page(
        items[first:last],
        encode_cursor(items[last - 1].code, last) if last < len(items) else None,
    )


def _place_after(items: list[ListedField], cursor: str | None) -> int:
    """Where a page begins: behind the field that ended the one before or, where that is no
    longer in the list, at the same distance from the top."""
    if cursor is None:
        return 0
    code, place = decode_cursor(cursor, (str, int))
    places = (n for n, item in enumerate(items, start=1) if item.code == code)
    return next(places, max(0, int(place)))


def list_code_lists(ctx: Context) -> list[CodeListView]:
    """Every code list, by code."""
    policy.require(ctx, Permission.READ_PUBLIC)
    return list(snapshot(ctx).code_lists.values())


def get_code_list(ctx: Context, code: str) -> CodeListView:
    """A code list with its items, retired ones too; NoSuchCodeList."""
    policy.require(ctx, Permission.READ_PUBLIC)
    lists = snapshot(ctx).code_lists
    if code not in lists:
        raise NoSuchCodeList("There is no code list with this code.")
    return lists[code]


def list_subject_kinds(ctx: Context) -> list[SubjectKindView]:
    """Every kind of subject, by code."""
    policy.require(ctx, Permission.READ_PUBLIC)
    return list(snapshot(ctx).kinds.values())


def whole_catalog(ctx: Context) -> dict[str, Any]:
    """The whitelist as a bundle: fields in force today, and those that will be.

    Of a field that is to change, the version in force. Imported again where it came from,
    it changes nothing.
    """
    policy.require(ctx, Permission.READ_PUBLIC)
    return _whole(snapshot(ctx), ctx.today())


def whole_catalog_text(ctx: Context, syntax: Syntax) -> str:
    """The same, written; kept in memory until the catalogue or the day changes."""
    policy.require(ctx, Permission.READ_PUBLIC)
    state, today = snapshot(ctx), ctx.today()
    write = dump_yaml if syntax is Syntax.YAML else dump_json
    return state.texts.once((syntax, today), lambda: write(_whole(state, today)))


def _whole(state: Snapshot, day: dt.date) -> dict[str, Any]:
    fields = _listed(state, day)
    owners = {each.definition.owner: each.owner_name for each in fields}
    return bundle_document(
        [{"code": code, "name": in_language_order(name)} for code, name in owners.items()],
        [kind.as_bundle() for kind in state.kinds.values()],
        [each.as_bundle() for each in state.code_lists.values() if each.live_codes],
        [each.definition.as_bundle() for each in fields],
    )


def whitelist_rows(ctx: Context) -> list[tuple[int, FieldDefinition]]:
    """The same fields with the numbers of their versions, for `catalog.tables`."""
    policy.require(ctx, Permission.READ_PUBLIC)
    return [(each.version, each.definition) for each in _listed(snapshot(ctx), ctx.today())]


def _listed(state: Snapshot, day: dt.date) -> list[FieldVersionView]:
    fields = {**state.in_state(VersionState.APPROVED, day), **state.in_force(day)}
    return [fields[code] for code in sorted(fields)]


def is_empty(ctx: Context) -> bool:
    """Whether there is no field yet, in any state."""
    return not ctx.sql("SELECT EXISTS (SELECT FROM field)").scalar_one()


def versions_by_id(ctx: Context, ids: Iterable[int]) -> dict[int, FieldVersionView]:
    """Versions by their ids; those that do not exist are left out."""
    known = snapshot(ctx).by_id
    return {id: known[id] for id in ids if id in known}


def fields_by_id(ctx: Context, ids: Iterable[int]) -> dict[int, FieldVersionView]:
    """Fields by their ids, each with the version that speaks for it today: the one in force
    or, where none is, the last one that was. Those that do not exist are left out."""
    state = snapshot(ctx)
    fields = state.in_state(None, ctx.today())
    return {id: fields[state.code_of[id]] for id in ids if id in state.code_of}


def resolved_schema(ctx: Context, version_id: int) -> Mapping[str, Any]:
    """The JSON Schema that values of a version are judged by, code lists as their live
    codes; NoSuchField."""
    return _known(ctx, version_id).resolved_schema(version_id)


def value_validator(ctx: Context, version_id: int) -> CompiledSchema:
    """`resolved_schema`, compiled and kept until the catalogue changes; NoSuchField."""
    return _known(ctx, version_id).validator(version_id)


def _known(ctx: Context, version_id: int) -> Snapshot:
    state = snapshot(ctx)
    if version_id not in state.by_id:
        raise NoSuchField("There is no such version of a field.")
    return state
