"""People with accounts: adding, importing, disabling, setting passwords, and how they are shown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from oneform.audit.service import append
from oneform.audit.tags import Tag
from oneform.identity import policy
from oneform.identity.errors import AlreadyThere
from oneform.identity.models import Staff, StaffRole
from oneform.identity.passwords import hash_password, password_mistakes
from oneform.identity.places import find_agencies, find_places
from oneform.identity.policy import AGENCY_ROLES, Permission, Role
from oneform.identity.reach import area_mistakes
from oneform.kernel.context import Context
from oneform.kernel.errors import Invalid, Mistake, NotFound

USERNAME = re.compile(r"[\w.@+-]{1,64}")
USERNAME_WORDS = "must be 1 to 64 letters, digits or any of . @ + - _"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPerson:
    username: str
    roles: Sequence[str]
    area: str
    """Code of the area that is their reach."""
    name: str = ""
    agency: str | None = None
    password: str | None = None
    """None: nobody can log in with a password until one is set."""


@dataclass(frozen=True, slots=True)
class PersonView:
    username: str
    name: str
    roles: tuple[str, ...]
    area: str
    area_name: str
    agency: str | None
    language: str


def normal_username(username: str) -> str:
    """Names are compared without regard to case and width, as they are typed on phones."""
    return unicodedata.normalize("NFKC", username).strip().casefold()


def is_username(username: str) -> bool:
    """Whether somebody can have this name."""
    return USERNAME.fullmatch(normal_username(username)) is not None


def role_mistakes(roles: Sequence[str], agency: str | None, pointer: str) -> list[Mistake]:
    """What is wrong with a person's roles."""
    known = {role.value for role in Role}
    mistakes = [
        Mistake(pointer, "choice", f"there is no role {role!r}; there are {', '.join(Role)}")
        for role in roles
        if role not in known
    ]
    if not roles:
        mistakes.append(Mistake(pointer, "required", "at least one role is needed"))
    if not agency:
        mistakes += [
            Mistake(pointer, "needs-agency", f"the role {role} needs an agency")
            for role in roles
            if role in AGENCY_ROLES
        ]
    return mistakes


def add_person(ctx: Context, command: AddPerson) -> PersonView:
    """Add a person with an account. Invalid with every mistake, AlreadyThere."""
    policy.require(ctx, Permission.OPERATE)
    username = normal_username(command.username)
    place = find_places(ctx, [command.area]).get(command.area)
    agency = None
    mistakes = role_mistakes(command.roles, command.agency, "/roles")
    if not USERNAME.fullmatch(username):
        mistakes.append(Mistake("/username", "pattern", USERNAME_WORDS))
    if place is None:
        mistakes.append(Mistake("/area", "unknown-area", f"there is no area {command.area}"))
    if command.agency:
        agency = find_agencies(ctx, [command.agency]).get(command.agency)
        if agency is None:
            mistakes.append(
                Mistake("/agency", "unknown-agency", f"there is no agency {command.agency}")
            )
    mistakes += area_mistakes(command.roles, place, agency, "/area")
    if command.password is not None:
        mistakes += password_mistakes(command.password, "/password")
    if mistakes or place is None:
        raise Invalid("The person cannot be added.", mistakes=mistakes)
    # Two who add the same one at once find out here, not by a look before.
    person = ctx.session.scalar(
        insert(Staff)
        .values(
            username=username,
            name=command.name.strip() or username,
            area_id=place.id,
            agency_id=agency and agency.id,
            password_hash=None if command.password is None else hash_password(command.password),
        )
        .on_conflict_do_nothing(index_elements=[Staff.username])
        .returning(Staff)
    )
    if person is None:
        raise AlreadyThere(f"There is a person {username} already.")
    roles = sorted({Role(role) for role in command.roles})
    ctx.session.add_all(StaffRole(staff_id=person.id, role=role) for role in roles)
    append(ctx, Tag.PERSON_CREATED, "person", username, roles=roles, area=place.code)
    ctx.session.flush()
    return view_person(ctx, person)


def disable_person(ctx: Context, username: str) -> None:
    """Close an account and all its sessions at once. NotFound; twice is fine."""
    policy.require(ctx, Permission.OPERATE)
    person = _locked(ctx, username)
    if person.disabled_at is None:
        person.disabled_at = ctx.clock.now()
        append(ctx, Tag.PERSON_DISABLED, "person", person.username)
    _end_sessions(ctx, person)


def set_password(ctx: Context, username: str, password: str) -> None:
    """Set a person's password, end their sessions, lift a lock. NotFound, Invalid."""
    policy.require(ctx, Permission.OPERATE)
    mistakes = password_mistakes(password, "/password")
    if mistakes:
        raise Invalid("The password cannot be set.", mistakes=mistakes)
    person = _locked(ctx, username)
    person.password_hash = hash_password(password)
    person.failed_attempts = 0
    person.locked_until = None
    append(ctx, Tag.PASSWORD_SET, "person", person.username)
    _end_sessions(ctx, person)


def view_person(ctx: Context, person: Staff) -> PersonView:
    """How a person is shown to themselves and to the operator."""
    row = ctx.sql(_VIEW, id=person.id).one()
    return PersonView(
        username=person.username,
        name=person.name,
        roles=tuple(row.roles),
        area=row.area,
        area_name=row.area_name,
        agency=row.agency,
        language=person.language or "zh",
    )


def _locked(ctx: Context, username: str) -> Staff:
    person = ctx.session.scalar(
        sa.select(Staff).where(Staff.username == normal_username(username)).with_for_update()
    )
    if person is None:
        raise NotFound(f"There is no person {username}.")
    return person


def _end_sessions(ctx: Context, person: Staff) -> None:
    ctx.sql("DELETE FROM session_token WHERE staff_id = :id", id=person.id)


_VIEW = """
SELECT area.code AS area, area.name AS area_name, agency.code AS agency,
       ARRAY(SELECT role FROM staff_role WHERE staff_id = s.id ORDER BY role) AS roles
FROM staff AS s
JOIN area ON area.id = s.area_id
LEFT JOIN agency ON agency.id = s.agency_id
WHERE s.id = :id
"""
