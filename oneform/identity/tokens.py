"""From a bearer token to the principal behind it, whatever kind of token it is."""

from __future__ import annotations

from oneform.identity import keys, oauth, sessions
from oneform.identity.policy import Principal
from oneform.kernel.context import Context


def principal_of_token(ctx: Context, token: str) -> Principal | None:
    """The principal of an API key, an access token or a session; None unless it is valid now."""
    if token.startswith(sessions.PREFIX):
        return sessions.principal_of_session(ctx, token)
    if token.startswith(oauth.TOKEN_PREFIX):
        return oauth.principal_of_access_token(ctx, token)
    parts = keys.split_key(token)
    if parts is None:
        return None
    client = keys.find_client(ctx, *parts)
    return None if client is None else client.principal
