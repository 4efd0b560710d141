"""Sessions of people: password in, token out. For the API and the pages alike.

Nothing here goes to the audit trail but a lock-out: when somebody works is
nobody's business (DESIGN.md §4, point 12).
"""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass

import sqlalchemy as sa

from oneform.audit.service import append
from oneform.audit.tags import Tag
from oneform.identity.keys import hash_secret
from oneform.identity.models import SessionToken, Staff
from oneform.identity.passwords import NOBODYS_HASH, hash_password, is_outdated, is_password
from oneform.identity.people import is_username, normal_username
from oneform.identity.policy import Principal, Role, permissions_of_roles
from oneform.identity.reach import REACH_COLUMNS, REACH_JOINS, reach_in
from oneform.kernel.actor import ActorKind
from oneform.kernel.context import Context

PREFIX = "ofs_"
LIFETIME = dt.timedelta(hours=12)
MAX_FAILURES = 5
LOCK = dt.timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class OpenSession:
    token: str
    expires_at: dt.datetime


def authenticate_password(ctx: Context, username: str, password: str) -> Staff | None:
    """The person with this name and password; None for all reasons alike, in the same time.

    Counts failures, and locks the account after `MAX_FAILURES` of them for `LOCK`. So the unit of
    work has to be committed also when the answer is None: do not raise within it.
    """
    # Locked while the password is checked: guesses in parallel are counted one by one.
    by_name = sa.select(Staff).where(Staff.username == normal_username(username)).with_for_update()
    # What can be nobody's name may even be text that the database cannot hold.
    person = ctx.session.scalar(by_name) if is_username(username) else None
    now = ctx.clock.now()
    if (
        person is None
        or person.password_hash is None
        or person.disabled_at is not None
        or (person.locked_until is not None and person.locked_until > now)
    ):
        is_password(NOBODYS_HASH, password)
        return None
    if not is_password(person.password_hash, password):
        person.failed_attempts += 1
        if person.failed_attempts >= MAX_FAILURES:
            person.failed_attempts = 0
            person.locked_until = now + LOCK
            append(ctx, Tag.PERSON_LOCKED, "person", person.username)
        return None
    person.failed_attempts = 0
    person.locked_until = None
    if is_outdated(person.password_hash):
        person.password_hash = hash_password(password)
    return person


def open_session(ctx: Context, person: Staff) -> OpenSession:
    """A new token of a person whose password, or login elsewhere, was checked."""
    token = PREFIX + secrets.token_urlsafe(32)
    expires_at = ctx.clock.now() + LIFETIME
    ctx.session.add(
        SessionToken(token_hash=hash_secret(token), staff_id=person.id, expires_at=expires_at)
    )
    return OpenSession(token, expires_at)


def close_session(ctx: Context, token: str) -> None:
    """End a session; one that has ended already is fine."""
    ctx.sql("DELETE FROM session_token WHERE token_hash = :hash", hash=hash_secret(token))


def principal_of_session(ctx: Context, token: str) -> Principal | None:
    """Whoever the token was opened for; None when it is unknown or over. One query."""
    row = ctx.sql(_PRINCIPAL, hash=hash_secret(token), now=ctx.clock.now()).one_or_none()
    if row is None:
        return None
    roles = frozenset(Role(role) for role in row.roles)
    reach = reach_in(row)
    return Principal(
        kind=ActorKind.PERSON,
        id=str(row.id),
        label=row.username,
        agency_id=row.agency_id,
        area_id=reach.area_id,
        area_path=reach.path,
        roles=roles,
        permissions=permissions_of_roles(roles),
    )


def forget_expired(ctx: Context) -> int:
    """Delete sessions and access tokens that are over; how many. For the schedule."""
    return sum(
        ctx.sql(f"DELETE FROM {table} WHERE expires_at <= :now", now=ctx.clock.now()).rowcount
        for table in ("session_token", "access_token")
    )


_PRINCIPAL = sa.text(
    f"""
    SELECT s.id, s.username, s.agency_id, {REACH_COLUMNS}
    FROM session_token AS t
    JOIN staff AS s ON s.id = t.staff_id
    {REACH_JOINS}
    WHERE t.token_hash = :hash AND t.expires_at > :now AND s.disabled_at IS NULL
    """
)
