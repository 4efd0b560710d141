"""Refusals of asks, and the review of answers (API.md, section 5)."""

from __future__ import annotations

import uuid
from typing import Any

from marshmallow import fields, validate

from oneform.api.blueprints import BASE, Blueprint, current_context, may_fail, needs
from oneform.api.form import AnswerOut, PreviousOut, SubjectRefOut, spoken
from oneform.api.paging import PageIn, page_of
from oneform.api.schemas import Instant, Schema, Text
from oneform.collection import service
from oneform.collection.commands import (
    DecideRefusal,
    DecideReviews,
    Decision,
    RefusalReason,
    RefusalScope,
    RefusalState,
    RefuseAsks,
    ReturnAnswer,
)
from oneform.collection.errors import AlreadyDecided, OwnDeed
from oneform.collection.lifecycle import AskState
from oneform.collection.refusals import MAX_ASKS
from oneform.collection.reviewing import MAX_ANSWERS
from oneform.collection.views import RefusalView, ReviewItem
from oneform.identity.policy import Permission
from oneform.kernel.errors import NotFound
from oneform.kernel.paging import Page

blueprint = Blueprint(
    "refusals", __name__, description="Saying that an ask is not ours; looking at answers."
)


class RefusedAskOut(Schema):
    id = fields.String()
    field = fields.String()
    field_name = fields.String()
    subject = fields.Nested(SubjectRefOut)
    period = fields.String(allow_none=True)
    state = fields.Enum(AskState, by_value=True)


class RefusalOut(Schema):
    id = fields.UUID()
    unit = fields.String()
    unit_name = fields.String()
    reason = fields.Enum(RefusalReason, by_value=True)
    comment = fields.String(allow_none=True)
    state = fields.Enum(RefusalState, by_value=True)
    scope = fields.Enum(RefusalScope, by_value=True, allow_none=True)
    decision_reason = fields.String(allow_none=True)
    decided_at = Instant(allow_none=True)
    created_at = Instant()
    asks = fields.List(fields.Nested(RefusedAskOut))


class RefusalIn(Schema):
    asks = fields.List(fields.String(), required=True, validate=validate.Length(1, MAX_ASKS))
    reason = fields.Enum(RefusalReason, by_value=True, required=True)
    comment = Text(load_default=None, allow_none=True, longest=2000)


@blueprint.post("/refusals")
@blueprint.arguments(RefusalIn)
@blueprint.response(201, RefusalOut)
@needs(Permission.REFUSE_ASK)
def refuse_asks(payload: dict[str, Any]) -> tuple[RefusalView, dict[str, str]]:
    """Say that asks are not ours to answer. Their clock stands still until it is decided."""
    refusal = service.refuse_asks(current_context(), RefuseAsks(**payload))
    return refusal, {"Location": f"{BASE}/refusals/{refusal.id}"}


class RefusalsIn(PageIn):
    unit = fields.String(load_default=None, metadata={"description": "area code; one's own"})
    state = fields.Enum(RefusalState, by_value=True, load_default=None)


@blueprint.get("/refusals")
@blueprint.arguments(RefusalsIn, location="query")
@blueprint.response(200, page_of(RefusalOut))
@needs(Permission.READ_FORM, Permission.DECIDE_REFUSAL)
@may_fail(NotFound)
def list_refusals(query: dict[str, Any]) -> Page[RefusalView]:
    """List the refusals of a unit and those below it, newest first."""
    return service.list_refusals(current_context(), language=spoken(), **query)


@blueprint.get("/refusals/<uuid:refusal_id>")
@blueprint.response(200, RefusalOut)
@needs(Permission.READ_FORM, Permission.DECIDE_REFUSAL)
def get_refusal(refusal_id: uuid.UUID) -> RefusalView:
    """Read one refusal."""
    return service.get_refusal(current_context(), refusal_id, language=spoken())


class RefusalDecisionIn(Schema):
    decision = fields.Enum(Decision, by_value=True, required=True)
    scope = fields.Enum(RefusalScope, by_value=True, load_default=RefusalScope.UNIT)
    reason = Text(required=True, longest=2000)


@blueprint.post("/refusals/<uuid:refusal_id>/decide")
@blueprint.arguments(RefusalDecisionIn)
@blueprint.response(200, RefusalOut)
@needs(Permission.DECIDE_REFUSAL)
@may_fail(AlreadyDecided, OwnDeed)
def decide_refusal(payload: dict[str, Any], refusal_id: uuid.UUID) -> RefusalView:
    """Uphold a refusal, for the unit or for all, or overturn it: then the asks are open again."""
    return service.decide_refusal(current_context(), DecideRefusal(id=refusal_id, **payload))


class ReviewItemOut(AnswerOut):
    unit = fields.String()
    unit_name = fields.String()
    by = fields.String()
    previous = fields.Nested(PreviousOut, allow_none=True)


class ReviewsIn(PageIn):
    unit = fields.String(load_default=None, metadata={"description": "area code; one's own"})


@blueprint.get("/reviews")
@blueprint.arguments(ReviewsIn, location="query")
@blueprint.response(200, page_of(ReviewItemOut))
@needs(Permission.REVIEW_ANSWERS)
@may_fail(NotFound)
def list_reviews(query: dict[str, Any]) -> Page[ReviewItem]:
    """List the answers that wait for a review, oldest first."""
    return service.list_reviews(current_context(), language=spoken(), **query)


class ReturnIn(Schema):
    answer = fields.String(required=True)
    comment = Text(required=True, longest=2000)


class ReviewDecisionIn(Schema):
    accept = fields.List(
        fields.String(), load_default=list, validate=validate.Length(max=MAX_ANSWERS)
    )
    give_back = fields.List(
        fields.Nested(ReturnIn),
        load_default=list,
        data_key="return",
        validate=validate.Length(max=MAX_ANSWERS),
    )


class ReviewDecisionOut(Schema):
    accepted = fields.Integer()
    returned = fields.Integer()


@blueprint.post("/reviews/decide")
@blueprint.arguments(ReviewDecisionIn)
@blueprint.response(200, ReviewDecisionOut)
@needs(Permission.REVIEW_ANSWERS)
def decide_reviews(payload: dict[str, Any]) -> dict[str, int]:
    """Accept answers, and send others back, each with a comment: only those open again."""
    command = DecideReviews(
        accept=payload["accept"],
        give_back=[ReturnAnswer(**item) for item in payload["give_back"]],
    )
    service.decide_reviews(current_context(), command)
    return {"accepted": len(command.accept), "returned": len(command.give_back)}
