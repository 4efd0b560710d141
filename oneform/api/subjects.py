"""Subjects: whom and what a unit's ledger is about."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from oneform.api.blueprints import BASE, Blueprint, current_context, may_fail, needs, tagged
from oneform.api.etags import given_etag, set_etag
from oneform.api.paging import PageIn, page_of
from oneform.api.schemas import Day, Schema, Text
from oneform.areas import subjects
from oneform.areas.subjects import ChangeSubject, CreateSubject, SubjectView
from oneform.identity.policy import Permission
from oneform.kernel.errors import Conflict, NotFound, Stale
from oneform.kernel.paging import Page

blueprint = Blueprint(
    "subjects", __name__, url_prefix="/subjects", description="What values are about (主体)."
)


class SubjectsIn(PageIn):
    kind = fields.String()
    area = fields.String(metadata={"description": "at or below it; else below one's own area"})


class SubjectIn(Schema):
    kind = fields.String(required=True)
    key = Text(required=True, longest=200)
    name = Text(required=True, longest=200)
    area = fields.String(metadata={"description": "code; else one's own area"})
    active_from = Day(allow_none=True)


class SubjectChangeIn(Schema):
    area = fields.String(metadata={"description": "move there"})
    active_to = Day(metadata={"description": "close: first day on which it is no more"})


class SubjectOut(Schema):
    id = fields.String()
    kind = fields.String()
    key = fields.String(metadata={"description": "masked where the kind is personal"})
    name = fields.String()
    area = fields.String()
    active_from = Day(allow_none=True)
    active_to = Day(allow_none=True)


@blueprint.get("")
@blueprint.arguments(SubjectsIn, location="query")
@blueprint.response(200, page_of(SubjectOut))
@needs(Permission.READ_SUBJECTS)
@may_fail(NotFound)
def list_subjects(query: dict[str, Any]) -> Page[SubjectView]:
    """List active subjects within reach, area by area."""
    return subjects.list_subjects(current_context(), **query)


@blueprint.post("")
@blueprint.arguments(SubjectIn)
@blueprint.response(201, SubjectOut)
@needs(Permission.WRITE_SUBJECTS)
@may_fail(Conflict)
def create_subject(payload: dict[str, Any]) -> tuple[SubjectView, dict[str, str]]:
    """Enter a subject into one's ledger."""
    subject = subjects.create_subject(current_context(), CreateSubject(**payload))
    set_etag(subject.etag)
    return subject, {"Location": f"{BASE}/subjects/{subject.id}"}


@blueprint.get("/<subject_id>")
@blueprint.response(200, SubjectOut)
@needs(Permission.READ_SUBJECTS)
@tagged
def get_subject(subject_id: str) -> SubjectView:
    """Read one subject within reach."""
    subject = subjects.get_subject(current_context(), subject_id)
    set_etag(subject.etag)
    return subject


@blueprint.patch("/<subject_id>")
@blueprint.arguments(SubjectChangeIn)
@blueprint.response(200, SubjectOut)
@needs(Permission.WRITE_SUBJECTS)
@may_fail(Stale)
def change_subject(payload: dict[str, Any], subject_id: str) -> SubjectView:
    """Move a subject to another area, or close it."""
    subject = subjects.change_subject(
        current_context(), subject_id, ChangeSubject(**payload), if_match=given_etag()
    )
    set_etag(subject.etag)
    return subject
