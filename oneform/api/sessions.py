"""Sessions of people."""

from __future__ import annotations

from typing import Any

import flask
from flask.typing import ResponseReturnValue
from marshmallow import fields, validate

from oneform.api.blueprints import Blueprint, current_context, may_fail, needs, public
from oneform.api.problems import answer_domain_error
from oneform.api.schemas import Instant, Schema
from oneform.identity import people, sessions
from oneform.identity.errors import WrongPassword
from oneform.identity.policy import Permission
from oneform.kernel.errors import NotFound

blueprint = Blueprint(
    "sessions", __name__, url_prefix="/sessions", description="People log in with a password."
)


class SessionIn(Schema):
    username = fields.String(required=True, validate=validate.Length(max=200))
    password = fields.String(required=True, validate=validate.Length(max=1024))


class PersonOut(Schema):
    username = fields.String()
    name = fields.String()
    roles = fields.List(fields.String())
    area = fields.String(metadata={"description": "code of the area"})
    area_name = fields.String()
    agency = fields.String(allow_none=True, metadata={"description": "code of the agency"})
    language = fields.String()


class SessionOut(Schema):
    token = fields.String()
    expires_at = Instant()
    person = fields.Nested(PersonOut)


@blueprint.post("")
@blueprint.arguments(SessionIn)
@blueprint.response(201, SessionOut)
@public
@may_fail(WrongPassword)
def open_session(payload: dict[str, str]) -> dict[str, Any] | flask.Response:
    """Log in.

    After five wrong passwords the account is locked for 15 minutes; the answer does not say so.
    """
    ctx = current_context()
    person = sessions.authenticate_password(ctx, payload["username"], payload["password"])
    if person is None:
        # Returned, not raised: that somebody tried has to be committed.
        return answer_domain_error(
            WrongPassword(
                "The username or the password is wrong, or the account is locked for a while."
            )
        )
    opened = sessions.open_session(ctx, person)
    return {
        "token": opened.token,
        "expires_at": opened.expires_at,
        "person": people.view_person(ctx, person),
    }


@blueprint.delete("/current")
@blueprint.response(204)
@needs(Permission.READ_AREAS)
@may_fail(NotFound)
def close_session() -> ResponseReturnValue:
    """Log out: end the session whose token this request carries."""
    token = flask.request.headers["Authorization"].partition(" ")[2].strip()
    if not token.startswith(sessions.PREFIX):
        raise NotFound("These credentials are no session.")
    sessions.close_session(current_context(), token)
    return flask.Response(status=204)
