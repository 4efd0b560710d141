"""OAuth 2 access tokens by client credentials (RFC 6749, section 4.4).

The client's id is the key's id, its secret the whole key or the part after the id.
"""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass

import sqlalchemy as sa

from oneform.identity.errors import InvalidClient, InvalidScope
from oneform.identity.keys import (
    CLIENT_COLUMNS,
    CLIENT_JOINS,
    PREFIX,
    client_principal,
    find_client,
    hash_secret,
    split_key,
)
from oneform.identity.models import AccessToken
from oneform.identity.policy import Principal
from oneform.kernel.context import Context

TOKEN_PREFIX = "oft_"
LIFETIME = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class AccessGrant:
    token: str
    expires_in: int
    """Seconds."""
    scopes: tuple[str, ...]


def issue_access_token(
    ctx: Context, client_id: str, client_secret: str, scope: str | None = None
) -> AccessGrant:
    """A token for the scopes asked for (by blanks), or all of the client's.

    InvalidClient; InvalidScope for a scope that the client does not have.
    """
    key = split_key(client_secret) or (client_id, client_secret)
    client = find_client(ctx, *key) if key[0] == client_id.removeprefix(PREFIX) else None
    if client is None:
        raise InvalidClient("The client is not known, or its key is not valid (any more).")
    granted = sorted(scope.value for scope in client.principal.scopes)
    if scope is not None:
        asked = set(scope.split())
        if not asked or not asked <= set(granted):
            raise InvalidScope(f"The client may have: {' '.join(granted)}.")
        granted = sorted(asked & set(granted))
    now = ctx.clock.now()
    expires_at = min(now + LIFETIME, client.expires_at or now + LIFETIME)
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    ctx.session.add(
        AccessToken(
            token_hash=hash_secret(token),
            client_id=client.client_id,
            scopes=list(granted),
            expires_at=expires_at,
        )
    )
    return AccessGrant(token, int((expires_at - now).total_seconds()), tuple(granted))


def principal_of_access_token(ctx: Context, token: str) -> Principal | None:
    """Whoever holds a valid token; None when it has expired or its key was revoked. One query."""
    row = ctx.sql(_PRINCIPAL, hash=hash_secret(token), now=ctx.clock.now()).one_or_none()
    return row and client_principal(row, row.scopes)


_PRINCIPAL = sa.text(
    f"SELECT t.scopes, {CLIENT_COLUMNS} "
    f"FROM access_token AS t JOIN api_client AS c ON c.id = t.client_id {CLIENT_JOINS} "
    "WHERE t.token_hash = :hash AND t.expires_at > :now AND c.revoked_at IS NULL "
    "AND (c.expires_at IS NULL OR c.expires_at > :now)"
)
