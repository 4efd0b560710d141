"""The tables of the catalogue as views: statements that read, and nothing else.

Who may read, and what is kept in memory between two calls, is for `catalog.reading` and
`catalog.snapshot`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from catalog.definition import FieldDefinition
from catalog.views import CodeListItemView, CodeListView, FieldVersionView, SubjectKindView
from oneform.kernel.context import Context

_VERSIONS = """
SELECT f.code, v.*, k.code AS subject_kind, a.code AS owner, a.name AS owner_name
FROM field AS f
JOIN field_version AS v ON v.field_id = f.id
JOIN subject_kind AS k ON k.id = v.kind_id
JOIN agency AS a ON a.id = v.owner_id
"""
_IN_ORDER = " ORDER BY f.code, v.version"


def all_versions(ctx: Context) -> list[FieldVersionView]:
    """Every version of every field, by code and version."""
    return [_version(row) for row in ctx.sql(_VERSIONS + _IN_ORDER)]


def versions_of(ctx: Context, codes: Collection[str]) -> list[FieldVersionView]:
    """Every version of the fields with these codes, by code and version."""
    rows = ctx.sql(_VERSIONS + " WHERE f.code = ANY(:codes)" + _IN_ORDER, codes=list(codes))
    return [_version(row) for row in rows]


def _version(row: Any) -> FieldVersionView:
    return FieldVersionView(
        version_id=row.id,
        field_id=row.field_id,
        version=row.version,
        definition=FieldDefinition(
            code=row.code,
            name=row.name,
            definition=row.definition,
            synonyms=tuple(row.synonyms),
            topic=row.topic,
            subject_kind=row.subject_kind,
            levels=tuple(row.levels),
            schema=row.value_schema,
            unit=row.unit,
            period_type=row.period_type,
            valid_for=row.valid_for,
            mode=row.mode,
            collected_at=row.collected_at,
            review=row.review,
            owner=row.owner,
            sharing=row.sharing,
            legal_basis=row.legal_basis,
            sensitivity=row.sensitivity,
            personal=row.personal,
            rollup=row.rollup,
            derivation=row.derivation,
            soft_checks=tuple(row.soft_checks),
            seconds=row.seconds,
            window=row.window,
            effective_from=row.effective_from,
            expires_on=row.expires_on,
        ),
        kind_id=row.kind_id,
        owner_id=row.owner_id,
        owner_name=row.owner_name,
        ends_on=row.ends_on,
        ended_as=row.ended_as,
        origin=row.origin,
        published_at=row.published_at,
    )


def all_code_lists(ctx: Context) -> dict[str, CodeListView]:
    """Every code list with its items in their order, by code."""
    rows = ctx.sql(
        "SELECT l.code, l.name, i.code AS item, i.name AS item_name, i.retired_on "
        "FROM code_list AS l LEFT JOIN code_list_item AS i ON i.list_id = l.id "
        "ORDER BY l.code, i.position, i.code"
    )
    names: dict[str, Any] = {}
    items: dict[str, list[CodeListItemView]] = {}
    for row in rows:
        names[row.code] = row.name
        found = items.setdefault(row.code, [])
        if row.item is not None:
            found.append(CodeListItemView(row.item, row.item_name, row.retired_on))
    return {code: CodeListView(code, name, tuple(items[code])) for code, name in names.items()}


def all_kinds(ctx: Context) -> dict[str, SubjectKindView]:
    """Every kind of subject, by code."""
    rows = ctx.sql("SELECT id, code, name, key_schema, personal FROM subject_kind ORDER BY code")
    return {row.code: SubjectKindView(**row._mapping) for row in rows}


def all_agency_codes(ctx: Context) -> set[str]:
    return set(ctx.sql("SELECT code FROM agency").scalars())
