"""Keys of agencies: `ofk_<key id>_<secret>`, scoped, expiring, shown once.

The secret part has 256 random bits, so one SHA-256 of it is enough to keep.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from oneform.audit.service import append
from oneform.audit.tags import Tag
from oneform.identity import policy
from oneform.identity.agencies import find_agency
from oneform.identity.models import ApiClient
from oneform.identity.policy import (
    ORDINARY_SCOPES,
    Permission,
    Principal,
    Scope,
    permissions_of_scopes,
)
from oneform.kernel.actor import ActorKind
from oneform.kernel.context import Context
from oneform.kernel.errors import Invalid, Mistake, NotFound

PREFIX = "ofk_"
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_KEY_ID = re.compile(f"[{_ALPHABET}]{{12}}")


@dataclass(frozen=True, slots=True)
class IssuedKey:
    key: str
    """The whole key. It is nowhere else, and cannot be shown again."""
    key_id: str
    agency: str
    scopes: tuple[Scope, ...]
    expires_at: dt.datetime | None
    has_reach: bool
    """Whether its agency has an area; without one the key sees nothing yet."""


@dataclass(frozen=True, slots=True)
class Client:
    """A client whose key was checked."""

    principal: Principal
    client_id: object
    expires_at: dt.datetime | None


def hash_secret(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def issue_key(
    ctx: Context,
    agency_code: str,
    scopes: Sequence[str] = (),
    expires: dt.date | None = None,
    *,
    name: str = "",
) -> IssuedKey:
    """A new key of an agency, valid to the end of the day `expires`.

    Without scopes: all ordinary ones. NotFound for the agency; Invalid for unknown scopes or a
    day that is past.
    """
    policy.require(ctx, Permission.OPERATE)
    agency = find_agency(ctx, agency_code)
    mistakes = [
        Mistake("/scopes", "choice", f"there is no scope {scope!r}; there are {_SCOPES}")
        for scope in scopes
        if scope not in list(Scope)
    ]
    expires_at = None
    if expires == dt.date.max:
        mistakes.append(Mistake("/expires", "range", "leave it out for a key without an end"))
    elif expires is not None:
        end = dt.datetime.combine(expires + dt.timedelta(days=1), dt.time(), ctx.clock.zone)
        expires_at = end.astimezone(dt.UTC)
        # The day may be a rehearsal's; the key ends at an instant.
        if expires < ctx.today() or expires_at <= ctx.clock.now():
            mistakes.append(Mistake("/expires", "range", f"{expires} is past"))
    if mistakes:
        raise Invalid("The key cannot be issued.", mistakes=mistakes)
    granted = tuple(dict.fromkeys(Scope(scope) for scope in scopes)) or ORDINARY_SCOPES
    key_id = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    secret = secrets.token_urlsafe(32)
    ctx.session.add(
        ApiClient(
            key_id=key_id,
            key_hash=hash_secret(secret),
            agency_id=agency.id,
            name=name,
            scopes=[scope.value for scope in granted],
            expires_at=expires_at,
        )
    )
    append(ctx, Tag.KEY_ISSUED, "key", key_id, agency=agency.code, scopes=list(granted))
    return IssuedKey(
        key=f"{PREFIX}{key_id}_{secret}",
        key_id=key_id,
        agency=agency.code,
        scopes=granted,
        expires_at=expires_at,
        has_reach=agency.area_id is not None,
    )


def revoke_key(ctx: Context, key_id: str) -> str:
    """End a key, and all access tokens made with it, at once; its id. NotFound; twice is fine."""
    policy.require(ctx, Permission.OPERATE)
    # Somebody in a hurry pastes the whole key.
    key_id = key_id.removeprefix(PREFIX).partition("_")[0]
    client = ctx.session.scalar(
        sa.select(ApiClient).where(ApiClient.key_id == key_id).with_for_update()
    )
    if client is None:
        raise NotFound(f"There is no key {key_id}.")
    if client.revoked_at is None:
        client.revoked_at = ctx.clock.now()
        append(ctx, Tag.KEY_REVOKED, "key", key_id)
    return key_id


def split_key(key: str) -> tuple[str, str] | None:
    """(key id, secret) of the text of a key."""
    key_id, underscore, secret = key.removeprefix(PREFIX).partition("_")
    return (key_id, secret) if key.startswith(PREFIX) and underscore and secret else None


def find_client(ctx: Context, key_id: str, secret: str) -> Client | None:
    """The client whose key this is, while it is valid; one query."""
    if not _KEY_ID.fullmatch(key_id):
        return None  # it may even be text that the database cannot hold
    row = ctx.sql(_CLIENT, key_id=key_id).one_or_none()
    # Compared in any case, so that the time does not tell which key ids exist.
    known = bytes(row.key_hash) if row is not None else bytes(32)
    if not hmac.compare_digest(known, hash_secret(secret)) or row is None:
        return None
    if row.revoked_at is not None or (row.expires_at and row.expires_at <= ctx.clock.now()):
        return None
    return Client(client_principal(row, row.scopes), row.client_id, row.expires_at)


def client_principal(row: sa.Row[tuple[object, ...]], scopes: Sequence[str]) -> Principal:
    """The principal of a row of `CLIENT_COLUMNS`, with these scopes."""
    granted, permissions = _granted(tuple(scopes))
    return Principal(
        kind=ActorKind.AGENCY,
        id=str(row.client_id),
        label=row.agency_code,
        agency_id=row.agency_id,
        area_id=row.area_id,
        area_path=row.path,
        scopes=granted,
        permissions=permissions,
    )


@functools.cache
def _granted(scopes: tuple[str, ...]) -> tuple[frozenset[Scope], frozenset[Permission]]:
    # Of the few sets of scopes that there are; a scope of a later version is none here.
    known = frozenset(Scope(scope) for scope in scopes if scope in list(Scope))
    return known, permissions_of_scopes(known)


_SCOPES = ", ".join(Scope)

CLIENT_COLUMNS = """
  c.id AS client_id, c.agency_id, agency.code AS agency_code, agency.area_id, area.path
"""
CLIENT_JOINS = """
  JOIN agency ON agency.id = c.agency_id
  LEFT JOIN area ON area.id = agency.area_id
"""
_CLIENT = sa.text(
    f"SELECT c.key_hash, c.scopes, c.expires_at, c.revoked_at, {CLIENT_COLUMNS} "
    f"FROM api_client AS c {CLIENT_JOINS} WHERE c.key_id = :key_id"
)
