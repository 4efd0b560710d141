"""Grants: owners decide on the use of conditional fields (API.md, section 4)."""

from __future__ import annotations

import uuid
from typing import Any

from marshmallow import fields, validate

from oneform.api.blueprints import Blueprint, current_context, may_fail, needs
from oneform.api.paging import PageIn, page_of
from oneform.api.schemas import Day, Instant, Schema, Text
from oneform.identity.policy import Permission
from oneform.kernel.errors import Conflict
from oneform.kernel.paging import Page
from oneform.requests import grants
from oneform.requests.grants import GrantView
from oneform.requests.models import GrantState

blueprint = Blueprint(
    "grants", __name__, url_prefix="/grants", description="Consent to conditional sharing."
)


class GrantOut(Schema):
    id = fields.UUID()
    state = fields.Enum(GrantState, by_value=True)
    field = fields.String()
    agency = fields.String()
    owner = fields.String()
    request_id = fields.UUID()
    purpose = fields.String()
    legal_basis = fields.String()
    reason = fields.String(allow_none=True)
    conditions = fields.String(allow_none=True)
    valid_until = Day(allow_none=True)
    answer_by = Day()
    provisional = fields.Boolean(
        metadata={"description": "the holidays up to `answer_by` are not yet published"}
    )
    extended = fields.Boolean()
    created_at = Instant()
    decided_at = Instant(allow_none=True)


class GrantsIn(PageIn):
    state = fields.String(
        load_default=None,
        validate=validate.OneOf([state.value for state in GrantState if state != GrantState.NONE]),
    )


class DecisionIn(Schema):
    decision = fields.String(required=True, validate=validate.OneOf(["grant", "refuse"]))
    reason = Text(load_default=None, allow_none=True, longest=2000)
    valid_until = Day(
        load_default=None,
        allow_none=True,
        metadata={"description": "the last day of the consent; left out: as long as the request"},
    )
    conditions = Text(load_default=None, allow_none=True, longest=2000)


class ExtensionIn(Schema):
    reason = Text(required=True, longest=2000)


@blueprint.get("")
@blueprint.arguments(GrantsIn, location="query")
@blueprint.response(200, page_of(GrantOut))
@needs(Permission.DECIDE_GRANTS, Permission.READ_REQUESTS)
def list_grants(query: dict[str, Any]) -> Page[GrantView]:
    """List the grants that one's agency gives or awaits, newest first."""
    return grants.list_grants(current_context(), **query)


@blueprint.post("/<uuid:grant_id>/decide")
@blueprint.arguments(DecisionIn)
@blueprint.response(200, GrantOut)
@needs(Permission.DECIDE_GRANTS)
@may_fail(Conflict)
def decide_grant(payload: dict[str, Any], grant_id: uuid.UUID) -> GrantView:
    """Grant or refuse the use of a field, as its owner."""
    return grants.decide_grant(current_context(), grant_id, **payload)


@blueprint.post("/<uuid:grant_id>/extend")
@blueprint.arguments(ExtensionIn)
@blueprint.response(200, GrantOut)
@needs(Permission.DECIDE_GRANTS)
@may_fail(Conflict)
def extend_grant(payload: dict[str, Any], grant_id: uuid.UUID) -> GrantView:
    """Take up to ten more working days to decide, once, with notice to the agency."""
    return grants.extend_grant(current_context(), grant_id, **payload)
