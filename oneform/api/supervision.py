"""What supervisors read (API.md, section 6)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from marshmallow import fields

from oneform.api.blueprints import Blueprint, current_context, needs
from oneform.api.paging import PageIn, page_of
from oneform.api.requests import RejectedFieldOut
from oneform.api.schemas import Instant, Schema
from oneform.identity.policy import Permission
from oneform.identity.trail import EventView, TrailFilter, read_trail
from oneform.kernel.paging import Page
from oneform.requests import supervision
from oneform.requests.supervision import RejectionView, ReleaseView

blueprint = Blueprint("supervision", __name__, description="What supervisors read.")


class ByAgencyIn(PageIn):
    agency = fields.String(load_default=None, metadata={"description": "code of one agency"})


class RejectionOut(Schema):
    id = fields.UUID()
    at = Instant()
    agency = fields.String()
    title = fields.String()
    purpose = fields.String()
    legal_basis = fields.String()
    demand = fields.Dict(metadata={"description": "as it came"})
    rejected_fields = fields.List(fields.Nested(RejectedFieldOut))
    request_id = fields.UUID(
        allow_none=True, metadata={"description": "the request that went ahead without them"}
    )


class ReleaseOut(Schema):
    id = fields.UUID()
    at = Instant()
    agency = fields.String()
    request_id = fields.UUID()
    purpose = fields.String()
    format = fields.String()
    layout = fields.String()
    fields_ = fields.List(fields.String(), data_key="fields", attribute="fields")
    areas = fields.List(fields.String())
    filters = fields.Dict()
    values = fields.Integer()
    finished_at = Instant(allow_none=True)


class TrailIn(PageIn):
    tag = fields.String(metadata={"description": "what was done, such as `request.submitted`"})
    agency = fields.String(metadata={"description": "code of one agency"})
    actor = fields.String(metadata={"description": "who did it, as the entry names them"})
    target_type = fields.String(metadata={"description": "such as `request`"})
    target = fields.String(metadata={"description": "id or code of the thing"})
    since = fields.AwareDateTime(default_timezone=dt.UTC)
    until = fields.AwareDateTime(default_timezone=dt.UTC, metadata={"description": "exclusive"})


class AuditEventOut(Schema):
    id = fields.Integer()
    at = Instant()
    tag = fields.String()
    actor_kind = fields.String()
    actor = fields.String()
    agency = fields.String(allow_none=True)
    target_type = fields.String(allow_none=True)
    target = fields.String(allow_none=True)
    data = fields.Dict()


@blueprint.get("/rejections")
@blueprint.arguments(ByAgencyIn, location="query")
@blueprint.response(200, page_of(RejectionOut))
@needs(Permission.SUPERVISE)
def list_rejections(query: dict[str, Any]) -> Page[RejectionView]:
    """List the requests refused at the door, newest first."""
    return supervision.list_rejections(current_context(), **query)


@blueprint.get("/releases")
@blueprint.arguments(ByAgencyIn, location="query")
@blueprint.response(200, page_of(ReleaseOut))
@needs(Permission.SUPERVISE)
def list_releases(query: dict[str, Any]) -> Page[ReleaseView]:
    """List what was given out: to whom, what, for what purpose, how many values."""
    return supervision.list_releases(current_context(), **query)


@blueprint.get("/audit")
@blueprint.arguments(TrailIn, location="query")
@blueprint.response(200, page_of(AuditEventOut))
@needs(Permission.SUPERVISE)
def list_audit(query: dict[str, Any]) -> Page[EventView]:
    """Read the audit trail of one's area, the latest first: who did what, when."""
    limit, cursor = query.pop("limit"), query.pop("cursor")
    return read_trail(current_context(), TrailFilter(**query), limit=limit, cursor=cursor)
