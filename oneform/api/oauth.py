"""`POST /oauth/token`: access tokens by client credentials, in the shapes of RFC 6749."""

from __future__ import annotations

import flask
from marshmallow import fields

from oneform.api.blueprints import Blueprint, current_context, public
from oneform.api.schemas import Schema
from oneform.identity.errors import TokenRefused
from oneform.identity.oauth import issue_access_token

blueprint = Blueprint(
    "oauth", __name__, url_prefix="/oauth", at_root=True, description="OAuth 2 for agencies."
)


class TokenOut(Schema):
    access_token = fields.String()
    token_type = fields.Constant("Bearer")
    expires_in = fields.Integer(metadata={"description": "seconds"})
    scope = fields.String()


class TokenErrorOut(Schema):
    error = fields.String()
    error_description = fields.String()


_FORM = {
    "type": "object",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {"type": "string", "enum": ["client_credentials"]},
        "scope": {"type": "string"},
        "client_id": {"type": "string"},
        "client_secret": {"type": "string"},
    },
}


@blueprint.post("/token")
@blueprint.doc(
    requestBody={
        "required": True,
        "content": {"application/x-www-form-urlencoded": {"schema": _FORM}},
    }
)
@blueprint.alt_response(400, schema=TokenErrorOut)
@blueprint.alt_response(401, schema=TokenErrorOut)
@blueprint.response(200, TokenOut)
@public
def issue_token() -> dict[str, object] | flask.Response:
    """Get an access token.

    Client credentials, by HTTP Basic or in the body: the id is the key's id, the secret the whole
    key or the part after the id.
    """
    form = flask.request.form
    if any(len(form.getlist(name)) > 1 for name in form):
        return _error(400, "invalid_request", "a parameter is given twice")
    if "grant_type" not in form:
        return _error(400, "invalid_request", "grant_type is missing")
    if form["grant_type"] != "client_credentials":
        return _error(400, "unsupported_grant_type", "only client_credentials is known")
    basic = flask.request.authorization
    if basic is not None and basic.type == "basic":
        client_id, client_secret = basic.username, basic.password
    else:
        client_id, client_secret = form.get("client_id"), form.get("client_secret")
    if not client_id or not client_secret:
        return _error(401, "invalid_client", "client_id and client_secret are needed")
    try:
        grant = issue_access_token(current_context(), client_id, client_secret, form.get("scope"))
    except TokenRefused as refused:
        status = 401 if refused.error == "invalid_client" else 400
        return _error(status, refused.error, refused.detail)
    return {
        "access_token": grant.token,
        "expires_in": grant.expires_in,
        "scope": " ".join(grant.scopes),
    }


def _error(status: int, error: str, words: str) -> flask.Response:
    response = flask.jsonify({"error": error, "error_description": words})
    response.status_code = status
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="oneform"'
    return response
