"""Writing to the tables of the catalogue: each kind of member in a few statements.

Whoever writes holds `Space.CATALOG`, has checked what is written, and puts it on record
(`catalog.stamp`). Rules are not here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from catalog.definition import FieldDefinition
from catalog.models import Origin
from oneform.kernel.context import Context


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version to be written: `number` 1 makes the field too."""

    number: int
    definition: FieldDefinition


def add_agencies(ctx: Context, members: Sequence[Mapping[str, Any]]) -> list[str]:
    """Add agencies that are not there; those that are stay as they are. Codes of the added."""
    added = ctx.sql(
        "INSERT INTO agency (code, name) "
        "SELECT m.code, m.name FROM jsonb_to_recordset(CAST(:members AS jsonb)) "
        'AS m(code text COLLATE "C", name jsonb) '
        "WHERE NOT EXISTS (SELECT FROM agency AS a WHERE a.code = m.code) ORDER BY m.code "
        # Somebody who adds an agency by hand does not hold the catalogue's lock.
        "ON CONFLICT (code) DO NOTHING RETURNING code",
        members=_json(members),
    )
    return sorted(added.scalars())


def put_kinds(ctx: Context, members: Sequence[Mapping[str, Any]]) -> list[str]:
    """Add kinds of subject, or change those that differ. Codes of both."""
    changed = ctx.sql(
        "INSERT INTO subject_kind (code, name, key_schema, personal) "
        "SELECT m.code, m.name, m.key_schema, m.personal "
        "FROM jsonb_to_recordset(CAST(:members AS jsonb)) "
        'AS m(code text COLLATE "C", name jsonb, key_schema jsonb, personal boolean) '
        "WHERE NOT EXISTS (SELECT FROM subject_kind AS k WHERE k.code = m.code "
        "  AND (k.name, k.personal) = (m.name, m.personal) "
        "  AND k.key_schema IS NOT DISTINCT FROM m.key_schema) "
        "ORDER BY m.code "
        "ON CONFLICT (code) DO UPDATE SET name = excluded.name, "
        "  key_schema = excluded.key_schema, personal = excluded.personal RETURNING code",
        members=_json(members),
    )
    return sorted(changed.scalars())


def put_code_lists(ctx: Context, members: Sequence[Mapping[str, Any]]) -> list[str]:
    """Add code lists, or change the names of those that differ. Codes of both."""
    heads = [{"code": member["code"], "name": member["name"]} for member in members]
    changed = ctx.sql(
        "INSERT INTO code_list (code, name) "
        "SELECT m.code, m.name FROM jsonb_to_recordset(CAST(:members AS jsonb)) "
        'AS m(code text COLLATE "C", name jsonb) '
        "WHERE NOT EXISTS (SELECT FROM code_list AS l WHERE l.code = m.code AND l.name = m.name) "
        "ORDER BY m.code ON CONFLICT (code) DO UPDATE SET name = excluded.name RETURNING code",
        members=_json(heads),
    )
    return sorted(changed.scalars())


def put_items(ctx: Context, members: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Make the items of code lists what the members say; those not among them are retired.

    Number of items added, changed, retired or back again, by code of the list.
    """
    items = [
        {"list": member["code"], "code": item["code"], "name": item["name"], "position": place}
        for member in members
        for place, item in enumerate(member["items"])
    ]
    changed = ctx.sql(
        "WITH wanted AS ("
        "  SELECT l.id AS list_id, m.code, m.name, m.position "
        "  FROM jsonb_to_recordset(CAST(:items AS jsonb)) "
        '    AS m(list text COLLATE "C", code text COLLATE "C", name jsonb, position int) '
        "  JOIN code_list AS l ON l.code = m.list), "
        "put AS ("
        "  INSERT INTO code_list_item (list_id, code, name, position) "
        "  SELECT w.list_id, w.code, w.name, w.position FROM wanted AS w "
        "  WHERE NOT EXISTS (SELECT FROM code_list_item AS i "
        "    WHERE (i.list_id, i.code) = (w.list_id, w.code) AND i.retired_on IS NULL "
        "      AND (i.name, i.position) = (w.name, w.position)) "
        "  ORDER BY w.list_id, w.code "
        "  ON CONFLICT (list_id, code) DO UPDATE SET name = excluded.name, "
        "    position = excluded.position, retired_on = NULL RETURNING list_id), "
        "gone AS ("
        "  UPDATE code_list_item AS i SET retired_on = :today "
        "  FROM code_list AS l WHERE l.id = i.list_id AND l.code = ANY(:lists) "
        "    AND i.retired_on IS NULL AND NOT EXISTS (SELECT FROM wanted AS w "
        "      WHERE (w.list_id, w.code) = (i.list_id, i.code)) "
        "  RETURNING i.list_id) "
        "SELECT l.code, count(*) AS n "
        "FROM (SELECT list_id FROM put UNION ALL SELECT list_id FROM gone) AS c "
        "JOIN code_list AS l ON l.id = c.list_id GROUP BY l.code ORDER BY l.code",
        items=_json(items),
        lists=[member["code"] for member in members],
        today=ctx.today(),
    )
    return {row.code: row.n for row in changed}


def add_versions(ctx: Context, versions: Sequence[NewVersion], origin: Origin) -> dict[str, int]:
    """Publish versions, and their fields where the number is 1. Ids of the versions by code."""
    rows = [_row(version) for version in versions]
    ctx.sql(
        "INSERT INTO field (code) "
        "SELECT m.code FROM jsonb_to_recordset(CAST(:rows AS jsonb)) "
        'AS m(code text COLLATE "C", version int) WHERE m.version = 1 ORDER BY m.code',
        rows=_json({"code": row["code"], "version": row["version"]} for row in rows),
    )
    published = ctx.sql(_INSERT, rows=_json(rows), origin=origin.value)
    return {row.code: row.id for row in published}


_SAME_NAME = (
    *("version", "name", "definition", "synonyms", "topic", "levels", "unit", "period_type"),
    *("valid_for", "mode", "collected_at", "review", "sharing", "legal_basis", "sensitivity"),
    *("personal", "rollup", "derivation", "soft_checks", "seconds", "effective_from"),
    "expires_on",
)
"""Columns of `field_version` that are called like the members of a definition."""

_INSERT = f"""
WITH published AS (
  INSERT INTO field_version (field_id, kind_id, owner_id, value_schema, sharing_category,
    "window", origin, {", ".join(_SAME_NAME)})
  SELECT f.id, k.id, a.id, m.schema, m.sharing ->> 'category', m."window", :origin,
    {", ".join("m." + name for name in _SAME_NAME)}
  FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS m(
    code text COLLATE "C", version int, name jsonb, definition jsonb, synonyms text[],
    topic text COLLATE "C", subject_kind text COLLATE "C", levels smallint[], schema jsonb,
    unit text, period_type text, valid_for text, mode text, collected_at smallint, review text,
    owner text COLLATE "C", sharing jsonb, legal_basis text, sensitivity smallint,
    personal boolean, rollup text, derivation jsonb, soft_checks jsonb, seconds int,
    "window" jsonb, effective_from date, expires_on date)
  JOIN field AS f ON f.code = m.code
  JOIN subject_kind AS k ON k.code = m.subject_kind
  JOIN agency AS a ON a.code = m.owner
  ORDER BY m.code
  RETURNING id, field_id)
SELECT f.code, p.id FROM published AS p JOIN field AS f ON f.id = p.field_id
"""


def _row(version: NewVersion) -> dict[str, Any]:
    definition = version.definition
    row = {each.name: getattr(definition, each.name) for each in fields(FieldDefinition)}
    return {**row, "version": version.number}


def end_versions(ctx: Context, ends: Mapping[int, Any], ended_as: str) -> None:
    """Let versions (by id) end on a day, the first on which they are no longer in force."""
    ctx.sql(
        "UPDATE field_version AS v SET ends_on = e.day, ended_as = :ended_as "
        "FROM unnest(CAST(:ids AS int[]), CAST(:days AS date[])) AS e(id, day) "
        "WHERE v.id = e.id",
        ids=list(ends.keys()),
        days=list(ends.values()),
        ended_as=ended_as,
    )


def _json(rows: Iterable[Any]) -> str:
    return json.dumps(list(rows), ensure_ascii=False, default=str)
