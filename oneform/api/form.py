"""The one form: what is asked of a unit, drafts, submissions (API.md, section 5)."""

from __future__ import annotations

import uuid
from typing import Any

import flask
from marshmallow import EXCLUDE, ValidationError, fields, post_load, validate, validates_schema

from oneform.api.blueprints import BASE, Blueprint, current_context, may_fail, needs
from oneform.api.idempotency import idempotent
from oneform.api.paging import PageIn, page_of
from oneform.api.schemas import Day, Instant, Schema, Text
from oneform.collection import service
from oneform.collection.commands import (
    NOTHING,
    AmendAnswer,
    DraftOutcome,
    GivenAnswer,
    Mode,
    SaveDraft,
    SubmitAnswers,
)
from oneform.collection.errors import InvalidAnswers, NotAmendable
from oneform.collection.lifecycle import AskState
from oneform.collection.submission import MAX_ANSWERS
from oneform.collection.views import (
    AnswerView,
    Receipt,
    SubmissionSummary,
    SubmissionView,
)
from oneform.identity.policy import Permission
from oneform.kernel.errors import Invalid, NotFound
from oneform.kernel.paging import Page

blueprint = Blueprint("form", __name__, description="What is asked of a unit, and its answers.")

LONGEST_NOTE = 2000


def spoken() -> str:
    """The language that names and definitions are given in: `zh`, or `en` where it is preferred."""
    return flask.request.accept_languages.best_match(["zh", "en"], "zh") or "zh"


class SubjectRefOut(Schema):
    id = fields.String()
    key = fields.String(metadata={"description": "masked for people"})
    name = fields.String()


class PreviousOut(Schema):
    value = fields.Raw(allow_none=True)
    period = fields.String(allow_none=True)
    observed_on = Day()
    source = fields.String()


class RequestedByOut(Schema):
    agency = fields.String()
    agency_name = fields.String()
    control_no = fields.String()
    purpose = fields.String()
    legal_basis = fields.String()
    due = Day()


class DraftOut(Schema):
    value = fields.Raw(allow_none=True)
    etag = fields.String()
    updated_at = Instant()
    by = fields.String()


class FormAskOut(Schema):
    id = fields.String()
    field = fields.String()
    version = fields.Integer()
    state = fields.Enum(AskState, by_value=True)
    due = Day()
    draft = fields.Nested(DraftOut, allow_none=True)
    previous = fields.Nested(PreviousOut, allow_none=True)
    requested_by = fields.List(fields.Nested(RequestedByOut))
    comment = fields.String(allow_none=True)


class FormRowOut(Schema):
    subject = fields.Nested(SubjectRefOut)
    asks = fields.List(fields.Nested(FormAskOut))


class CodeNameOut(Schema):
    code = fields.String()
    name = fields.String()


class FormFieldOut(Schema):
    code = fields.String()
    version = fields.Integer()
    name = fields.String()
    definition = fields.String()
    unit = fields.String(allow_none=True)
    schema_ = fields.Dict(data_key="schema", attribute="schema")
    legal_basis = fields.String()
    seconds = fields.Integer()
    review = fields.Boolean()
    codes = fields.List(fields.Nested(CodeNameOut), allow_none=True)


class FormSectionOut(Schema):
    section = fields.String(metadata={"description": "what `?section=` takes"})
    topic = fields.String()
    kind = fields.String()
    period = fields.String(allow_none=True)
    due = Day()
    fields_ = fields.List(fields.Nested(FormFieldOut), data_key="fields", attribute="fields")
    rows = fields.List(fields.Nested(FormRowOut))
    next = fields.String(allow_none=True)


class FormCountsOut(Schema):
    open = fields.Integer()
    draft = fields.Integer()
    returned = fields.Integer()
    in_review = fields.Integer()


class FormUnitOut(Schema):
    code = fields.String()
    name = fields.String()


class FormOut(Schema):
    unit = fields.Nested(FormUnitOut)
    due = Day(allow_none=True)
    counts = fields.Nested(FormCountsOut)
    sections = fields.List(fields.Nested(FormSectionOut))


class FormIn(Schema):
    class Meta:
        unknown = EXCLUDE

    unit = fields.String(load_default=None, metadata={"description": "area code; one's own"})
    section = fields.String(load_default=None)
    cursor = fields.String(load_default=None)


@blueprint.get("/form")
@blueprint.arguments(FormIn, location="query")
@blueprint.response(200, FormOut)
@needs(Permission.READ_FORM)
@may_fail(NotFound, Invalid)
def read_form(query: dict[str, Any]) -> flask.Response:
    """Read the one form of a unit: everything that is asked of it, whoever wants it.

    500 rows of a section at the most; `next` gives the others, with `section`.
    """
    form = service.read_form(
        current_context(), query["unit"], query["section"], query["cursor"], language=spoken()
    )
    # Written as it is: `FormOut` would take longer than everything before it. A test holds the two
    # to each other.
    return flask.jsonify(form)


class DraftIn(Schema):
    ask = fields.String(required=True)
    value = fields.Raw(required=True, allow_none=True)
    base = fields.String(load_default=None, allow_none=True)


class DraftsIn(Schema):
    drafts = fields.List(fields.Nested(DraftIn), required=True)


class SavedDraftOut(Schema):
    ask = fields.String()
    outcome = fields.Enum(DraftOutcome, by_value=True)
    etag = fields.String(allow_none=True)
    mine = fields.Raw(allow_none=True)
    theirs = fields.Nested(DraftOut, allow_none=True)
    code = fields.String(allow_none=True)
    detail = fields.String(allow_none=True)


class SavedDraftsOut(Schema):
    drafts = fields.List(fields.Nested(SavedDraftOut))


@blueprint.put("/form/drafts")
@blueprint.arguments(DraftsIn)
@blueprint.response(200, SavedDraftsOut)
@needs(Permission.ANSWER)
def save_drafts(payload: dict[str, Any]) -> dict[str, Any]:
    """Save what was typed. Where somebody else's draft is newer, both come back."""
    drafts = [SaveDraft(**draft) for draft in payload["drafts"]]
    return {"drafts": service.save_drafts(current_context(), drafts)}


class AnswerIn(Schema):
    ask = fields.String(required=True)
    value = fields.Raw(allow_none=True)
    confirm = fields.Boolean(truthy={True}, falsy={False})
    missing = fields.String(validate=validate.OneOf(["unknown", "not_applicable"]))
    note = Text(allow_none=True, longest=LONGEST_NOTE)
    accept_warning = fields.Boolean(truthy={True}, falsy={False})

    @validates_schema
    def says_one_thing(self, answer: dict[str, Any], **_: Any) -> None:
        said = ("value" in answer) + bool(answer.get("confirm")) + ("missing" in answer)
        if said != 1:
            raise ValidationError("must have one of value, confirm (true) and missing")

    @post_load
    def given(self, answer: dict[str, Any], **_: Any) -> GivenAnswer:
        return GivenAnswer(**{"value": NOTHING, **answer})


class SubmissionIn(Schema):
    mode = fields.Enum(Mode, by_value=True, load_default=Mode.ALL)
    answers = fields.List(
        fields.Nested(AnswerIn), required=True, validate=validate.Length(1, MAX_ANSWERS)
    )


class InvalidAnswerOut(Schema):
    ask = fields.String()
    code = fields.String()
    detail = fields.String()


class ReceiptOut(Schema):
    id = fields.UUID()
    accepted = fields.Integer()
    in_review = fields.Integer()
    invalid = fields.List(fields.Nested(InvalidAnswerOut))


@blueprint.post("/submissions")
@blueprint.arguments(SubmissionIn)
@blueprint.response(201, ReceiptOut)
@needs(Permission.ANSWER)
@idempotent
@may_fail(InvalidAnswers)
def submit_answers(payload: dict[str, Any]) -> tuple[Receipt, dict[str, str]]:
    """Send answers. In mode `all` one wrong answer refuses them all, with every mistake."""
    receipt = service.submit_answers(current_context(), SubmitAnswers(**payload))
    return receipt, {"Location": f"{BASE}/submissions/{receipt.id}"}


class SubmissionSummaryOut(Schema):
    id = fields.UUID()
    unit = fields.String()
    unit_name = fields.String()
    by = fields.String()
    mode = fields.String()
    accepted = fields.Integer()
    in_review = fields.Integer()
    invalid = fields.List(fields.Nested(InvalidAnswerOut))
    created_at = Instant()


class AnswerOut(Schema):
    id = fields.String()
    ask = fields.String()
    field = fields.String()
    field_name = fields.String()
    subject = fields.Nested(SubjectRefOut)
    period = fields.String(allow_none=True)
    kind = fields.String()
    value = fields.Raw(allow_none=True)
    missing = fields.String(allow_none=True)
    note = fields.String(allow_none=True)
    state = fields.String()
    comment = fields.String(allow_none=True)
    created_at = Instant()
    decided_at = Instant(allow_none=True)


class SubmissionOut(SubmissionSummaryOut):
    answers = fields.List(fields.Nested(AnswerOut))


class SubmissionsIn(PageIn):
    unit = fields.String(load_default=None, metadata={"description": "area code; one's own"})


@blueprint.get("/submissions")
@blueprint.arguments(SubmissionsIn, location="query")
@blueprint.response(200, page_of(SubmissionSummaryOut))
@needs(Permission.READ_FORM)
@may_fail(NotFound)
def list_submissions(query: dict[str, Any]) -> Page[SubmissionSummary]:
    """List what a unit and those below it sent, newest first."""
    return service.list_submissions(current_context(), **query)


@blueprint.get("/submissions/<uuid:submission_id>")
@blueprint.response(200, SubmissionOut)
@needs(Permission.READ_FORM)
def get_submission(submission_id: uuid.UUID) -> SubmissionView:
    """Read a receipt, with its answers as they stand today."""
    return service.get_submission(current_context(), submission_id, language=spoken())


class AmendmentIn(Schema):
    value = fields.Raw(required=True, allow_none=True)
    note = Text(load_default=None, allow_none=True, longest=LONGEST_NOTE)


@blueprint.post("/answers/<answer_id>/amend")
@blueprint.arguments(AmendmentIn)
@blueprint.response(200, AnswerOut)
@needs(Permission.ANSWER)
@may_fail(NotAmendable, InvalidAnswers)
def amend_answer(payload: dict[str, Any], answer_id: str) -> AnswerView:
    """Put another value in the place of what one's unit sent. The old one is kept."""
    return service.amend_answer(
        current_context(), AmendAnswer(answer=answer_id, **payload), language=spoken()
    )
