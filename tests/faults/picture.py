"""Pictures of a whole database: what is there, whether two are the same, and back to one."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.types.json import Jsonb

from oneform.migrations.metadata import metadata

Key = tuple[Any, ...]
Row = dict[str, Any]

TABLES = {table.name: table for table in metadata.sorted_tables}
"""In an order in which rows can be inserted."""

_ALL = " UNION ALL ".join(f"SELECT '{name}', to_jsonb(t) FROM \"{name}\" AS t" for name in TABLES)


@dataclass(frozen=True, slots=True)
class Picture:
    """All rows of all tables, by their keys."""

    rows: dict[str, dict[Key, Row]]

    def __getitem__(self, table: str) -> list[Row]:
        return list(self.rows[table].values())


def take(connection: psycopg.Connection[Any]) -> Picture:
    """What is there now, in one instant."""
    rows: dict[str, dict[Key, Row]] = {name: {} for name in TABLES}
    for name, row in connection.execute(_ALL):
        rows[name][tuple(row[column] for column in _key_of(name))] = row
    return Picture(rows)


def _key_of(table: str) -> list[str]:
    return [column.name for column in TABLES[table].primary_key]


def bring_back(connection: psycopg.Connection[Any], wanted: Picture) -> None:
    """Make everything as it was in the picture."""
    now = take(connection)
    with connection.transaction():
        touched = [name for name in TABLES if now.rows[name] != wanted.rows[name]]
        for name in touched:
            connection.execute(f'ALTER TABLE "{name}" DISABLE TRIGGER USER')
        for name in touched:
            old = now.rows[name]
            rows = [row for key, row in wanted.rows[name].items() if old.get(key) != row]
            connection.execute(_put(name), [Jsonb(rows)])
        for name in reversed(touched):
            gone = [row for key, row in now.rows[name].items() if key not in wanted.rows[name]]
            connection.execute(_delete(name), [Jsonb(gone)])
        for name in touched:
            connection.execute(f'ALTER TABLE "{name}" ENABLE TRIGGER USER')


def _rows(table: str) -> str:
    return f'jsonb_populate_recordset(NULL::"{table}", %s)'


def _delete(table: str) -> str:
    same = " AND ".join(f't."{name}" = g."{name}"' for name in _key_of(table))
    return f'DELETE FROM "{table}" AS t USING {_rows(table)} AS g WHERE {same}'


def _put(table: str) -> str:
    key = _key_of(table)
    others = [column.name for column in TABLES[table].columns if column.name not in key]
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in others)
    return (
        f'INSERT INTO "{table}" OVERRIDING SYSTEM VALUE SELECT * FROM {_rows(table)} '
        f"ON CONFLICT ({', '.join(key)}) DO {f'UPDATE SET {changes}' if others else 'NOTHING'}"
    )


# ---- sameness ------------------------------------------------------------------

_UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_UUID_BYTES = 16
_OF_A_REGION = re.compile(r"\d+-\d+")
"""What is numbered region by region: subjects, asks, answers."""
_MADE = re.compile(r"OF-\d{8}-\w{12}-\w|\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-][\d:]+)")


@dataclass(frozen=True, slots=True)
class New:
    """An id that was not there before: another one each time."""

    space: str
    id: Any


def changes(picture: Picture, before: Picture, *, leaving_out: Collection[str] = ()) -> list[str]:
    """What has happened since, in words that are the same for the same history.

    Tables left out say nothing, not even which id is which.

    Instants are left out, and ids that were made meanwhile are known by what they stand for: by
    the rows that they are in, and by the ids beside them there.
    """
    old = _Ids(before)
    told = [name for name in TABLES if name not in leaving_out]
    rows = [
        (name, {column: old.read(name, column, value) for column, value in row.items()})
        for name in told
        for key, row in picture.rows[name].items()
        if before.rows[name].get(key) != row
    ]
    gone = [
        f"{name} {key} is gone"
        for name in told
        for key in before.rows[name]
        if key not in picture.rows[name]
    ]
    looks: dict[New, str] = defaultdict(str)
    for _round in range(4):
        seen: dict[New, list[str]] = defaultdict(list)
        for name, row in rows:
            words = _words(name, row, looks)
            for column, value in row.items():
                if isinstance(value, New):
                    seen[value].append(f"{column} of {words}")
        looks = defaultdict(
            str,
            {
                new: hashlib.sha256("\n".join(sorted(places)).encode()).hexdigest()[:6]
                for new, places in seen.items()
            },
        )
    return sorted([*gone, *(_words(name, row, looks) for name, row in rows)])


def _words(table: str, row: Row, looks: dict[New, str]) -> str:
    cells = (
        f"{column}={f'new {looks[value]}' if isinstance(value, New) else value}"
        for column, value in row.items()
        if value is not None
    )
    return f"{table}: {', '.join(cells)}"


class _Ids:
    """Which ids were there before."""

    def __init__(self, before: Picture) -> None:
        self._numbers = {
            (name, row["id"]) for name in TABLES for row in before[name] if "id" in row
        }
        text = json.dumps([before[name] for name in TABLES if name != "field_version"])
        self._uuids = {found.replace("-", "") for found in _UUID.findall(text)}

    def read(self, table: str, column: str, value: Any) -> Any:
        """A value as it is compared."""
        if value is None:
            return None
        kind = TABLES[table].columns[column].type
        if isinstance(kind, sa.DateTime):
            return "at some time"
        if isinstance(kind, sa.Uuid):
            return value if value.replace("-", "") in self._uuids else New("uuid", value)
        if isinstance(kind, sa.Integer) and (space := _space_of(table, column)):
            return value if (space, value) in self._numbers else New(space, value)
        if column == "target_id" and _OF_A_REGION.fullmatch(value):
            return New("of a region", value)
        if isinstance(kind, sa.LargeBinary):
            raw = bytes.fromhex(value[2:])
            if len(raw) == _UUID_BYTES:
                return value if raw.hex() in self._uuids else New("uuid", str(uuid.UUID(bytes=raw)))
            value = raw.decode(errors="replace")
        text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        return _MADE.sub("…", _UUID.sub(self._known, text))

    def _known(self, found: re.Match[str]) -> str:
        return found[0] if found[0].replace("-", "") in self._uuids else "…"


def _space_of(table: str, column: str) -> str | None:
    """Whose ids a column holds, by its name: those that are made by sequences."""
    if column == "id":
        return table
    space = column.removesuffix("_id")
    return space if space != column and space in TABLES else None
