"""Who sends a request: the bearer token, and nothing else, says so."""

from __future__ import annotations

import flask

from oneform.api.rates import count_request
from oneform.identity.policy import PUBLIC, Principal
from oneform.identity.tokens import principal_of_token
from oneform.kernel.context import Context
from oneform.kernel.errors import Unauthenticated

FORM = "`Authorization: Bearer <token>`, where the token is a key (`ofk_…`) or what a login gave"


def authenticate(ctx: Context, *, required: bool) -> Principal:
    """The principal behind the request, counted against its rate. PUBLIC without credentials.

    Unauthenticated for a token that is unknown, expired or revoked, and, where they are
    `required`, for credentials of another kind; TooManyRequests.
    """
    scheme, _, token = flask.request.headers.get("Authorization", "").partition(" ")
    is_bearer = scheme.lower() == "bearer"
    if not scheme or not (is_bearer or required):
        count_request()
        return PUBLIC
    actor = principal_of_token(ctx, token.strip()) if is_bearer else None
    if actor is None:
        count_request()
        if not (is_bearer and token.strip()):
            raise Unauthenticated(f"The credentials are not in this form: {FORM}.")
        raise Unauthenticated("The token is not valid (any more).")
    count_request(f"{actor.kind.value}:{actor.id}")
    return actor
