"""Importing people from a CSV file: `username,name,roles,area,agency,password`.

Several roles are separated by blanks. `agency` and `password` may be left out;
a password in a file is meant for the first login, and the file to be deleted.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from oneform.audit.service import append
from oneform.audit.tags import Tag
from oneform.identity import policy
from oneform.identity.passwords import hash_password, password_mistakes
from oneform.identity.people import USERNAME, USERNAME_WORDS, normal_username, role_mistakes
from oneform.identity.places import (
    AgencyPlace,
    Place,
    find_agencies,
    find_places,
)
from oneform.identity.policy import Permission
from oneform.identity.reach import area_mistakes
from oneform.identity.tables import Line, doubles, read_table, refuse
from oneform.kernel.context import Context
from oneform.kernel.errors import Mistake
from oneform.kernel.ids import new_id


def import_people(ctx: Context, path: Path) -> dict[str, int]:
    """Bring the people of a file in: all of them or none.

    Known ones get the file's name, roles, area and agency; their password stays as it is. A file
    imported twice changes nothing. Gives the counts `created`, `updated`, `unchanged`; Invalid
    with the line of every mistake.
    """
    policy.require(ctx, Permission.OPERATE)
    read, mistakes = read_table(
        path, required=("username", "roles", "area"), optional=("name", "agency", "password")
    )
    lines = [
        replace(line, cells=line.cells | {"username": normal_username(line["username"])})
        for line in read
    ]
    places = find_places(ctx, (line["area"] for line in lines if line.is_whole))
    agencies = find_agencies(ctx, (line["agency"] for line in lines if line.is_whole))
    mistakes += doubles(lines, "username")
    for line in lines:
        if line.is_whole:
            mistakes += _line_mistakes(line, places, agencies)
    refuse(mistakes)
    counts = _write(ctx, lines, places, agencies)
    append(ctx, Tag.PEOPLE_IMPORTED, **counts)
    return counts


def _line_mistakes(
    line: Line, places: dict[str, Place], agencies: dict[str, AgencyPlace]
) -> list[Mistake]:
    """What is wrong with the content of a line. That cells are empty has been said."""
    where = f"line {line.number}"
    mistakes = []
    if line["roles"]:
        mistakes += role_mistakes(line["roles"].split(), line["agency"], where)
    if line["username"] and not USERNAME.fullmatch(line["username"]):
        mistakes.append(line.mistake("pattern", f"username {line['username']!r} {USERNAME_WORDS}"))
    if line["area"] and line["area"] not in places:
        mistakes.append(line.mistake("unknown-area", f"there is no area {line['area']}"))
    if line["agency"] and line["agency"] not in agencies:
        mistakes.append(line.mistake("unknown-agency", f"there is no agency {line['agency']}"))
    place, agency = places.get(line["area"]), agencies.get(line["agency"])
    mistakes += area_mistakes(line["roles"].split(), place, agency, where)
    if line["password"]:
        mistakes += [
            Mistake(where, found.code, f"password {found.detail}")
            for found in password_mistakes(line["password"], where)
        ]
    return mistakes


def _write(
    ctx: Context, lines: list[Line], places: dict[str, Place], agencies: dict[str, AgencyPlace]
) -> dict[str, int]:
    names = [line["username"] for line in lines]
    before = {row.username: row for row in ctx.sql(_STATE, usernames=names)}
    hashes = _hashes([line for line in lines if line["username"] not in before])
    ctx.sql(
        _UPSERT,
        ids=[new_id() for _ in lines],
        usernames=names,
        names=[line["name"] or line["username"] for line in lines],
        areas=[places[line["area"]].id for line in lines],
        agencies=[agencies[line["agency"]].id if line["agency"] else None for line in lines],
        hashes=[hashes.get(line["username"]) for line in lines],
    )
    pairs = [(line["username"], role) for line in lines for role in set(line["roles"].split())]
    roles = {"usernames": [name for name, _ in pairs], "roles": [role for _, role in pairs]}
    ctx.sql(_DROP_ROLES, people=names, **roles)
    ctx.sql(_ADD_ROLES, **roles)
    after = {row.username: row for row in ctx.sql(_STATE, usernames=names)}
    updated = sum(1 for name, row in before.items() if after[name] != row)
    return {
        "created": len(after) - len(before),
        "updated": updated,
        "unchanged": len(before) - updated,
    }


def _hashes(lines: list[Line]) -> dict[str, str]:
    with_password = [line for line in lines if line["password"]]
    # Argon2 lets the interpreter go, so threads use all processors.
    with ThreadPoolExecutor() as pool:
        hashes = pool.map(hash_password, [line["password"] for line in with_password])
        return dict(zip((line["username"] for line in with_password), hashes, strict=True))


_STATE = """
SELECT username, name, area_id, agency_id,
       ARRAY(SELECT role FROM staff_role WHERE staff_id = staff.id ORDER BY role) AS roles
FROM staff WHERE username = ANY(:usernames)
"""
_UPSERT = """
INSERT INTO staff (id, username, name, area_id, agency_id, password_hash)
SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:usernames AS text[]), CAST(:names AS text[]),
                     CAST(:areas AS bigint[]), CAST(:agencies AS int[]), CAST(:hashes AS text[]))
  AS given (id, username, name, area_id, agency_id, password_hash)
ORDER BY username
ON CONFLICT (username) DO UPDATE
SET name = EXCLUDED.name, area_id = EXCLUDED.area_id, agency_id = EXCLUDED.agency_id
"""
_DROP_ROLES = """
DELETE FROM staff_role AS r
USING staff AS s
WHERE s.id = r.staff_id AND s.username = ANY(:people)
  AND NOT EXISTS (
    SELECT FROM unnest(CAST(:usernames AS text[]), CAST(:roles AS text[])) AS given (username, role)
    WHERE given.username = s.username AND given.role = r.role)
"""
_ADD_ROLES = """
INSERT INTO staff_role (staff_id, role)
SELECT s.id, given.role
FROM unnest(CAST(:usernames AS text[]), CAST(:roles AS text[])) AS given (username, role)
JOIN staff AS s ON s.username = given.username
ON CONFLICT DO NOTHING
"""
