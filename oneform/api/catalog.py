"""The whitelist, open to everybody: fields, their versions, code lists, kinds of subject."""

from __future__ import annotations

import datetime as dt
from typing import Any

from marshmallow import EXCLUDE, fields, validate

from catalog import reading
from catalog.force import VersionState
from catalog.models import Mode
from catalog.views import CodeListView, FieldVersionView, ListedField, SubjectKindView
from oneform.api.blueprints import Blueprint, current_context, public, tagged
from oneform.api.etags import set_etag
from oneform.api.paging import PageIn, page_of
from oneform.api.schemas import REASONS, Day, Instant, Schema, Words
from oneform.kernel.etags import etag_of
from oneform.kernel.paging import Page, cut_page

blueprint = Blueprint("catalog", __name__, description="The whitelist (白名单目录).")

ALL = "all"


class FieldsIn(PageIn):
    q = fields.String(metadata={"description": "words (Chinese, English), a code, a synonym"})
    topic = fields.String()
    kind = fields.String(metadata={"description": "kind of subject"})
    owner = fields.String(metadata={"description": "code of the agency"})
    mode = fields.Enum(Mode, by_value=True)
    state = fields.String(
        load_default=VersionState.EFFECTIVE.value,
        validate=validate.OneOf([*VersionState, ALL]),
    )


class FieldIn(Schema):
    class Meta:
        unknown = EXCLUDE

    version = fields.Integer(load_default=None, validate=validate.Range(1, 2**31 - 1))
    on = Day(load_default=None, metadata={"description": "in force on this day"})


class SharingOut(Schema):
    category = fields.String()
    conditions = fields.String(allow_none=True)
    basis = fields.String(allow_none=True)


class WindowOut(Schema):
    from_ = fields.String(data_key="from", attribute="from")
    to = fields.String()


class FieldOut(Schema):
    code = fields.String()
    version = fields.Integer()
    state = fields.Enum(VersionState, by_value=True)
    name = Words()
    definition = Words()
    synonyms = fields.List(fields.String())
    topic = fields.String()
    subject_kind = fields.String()
    levels = fields.List(fields.String())
    schema = fields.Dict(metadata={"description": "JSON Schema of the value"})
    unit = fields.String(allow_none=True)
    period_type = fields.String()
    valid_for = fields.String(allow_none=True)
    mode = fields.String()
    collected_at = fields.String()
    review = fields.String()
    owner = fields.String(metadata={"description": "code of the agency"})
    owner_name = Words()
    sharing = fields.Nested(SharingOut)
    legal_basis = fields.String()
    sensitivity = fields.Integer()
    personal = fields.Boolean()
    rollup = fields.String()
    derivation = fields.Dict(allow_none=True)
    soft_checks = fields.List(fields.Dict())
    seconds = fields.Integer()
    window = fields.Nested(WindowOut, allow_none=True)
    effective_from = fields.String(metadata={"format": "date"})
    expires_on = fields.String(metadata={"format": "date"})
    ends_on = Day(
        allow_none=True, metadata={"description": "first day no longer in force, if ended early"}
    )
    published_at = Instant()


class MatchOut(Schema):
    score = fields.Float(metadata={"description": "from 0 to 1"})
    reasons = fields.List(fields.String(), metadata={"description": REASONS})


class ListedFieldOut(FieldOut):
    match = fields.Nested(
        MatchOut, metadata={"description": "how well it fits `q`; without `q`, none"}
    )


class CodeListItemOut(Schema):
    code = fields.String()
    name = Words()
    retired_on = Day(allow_none=True)


class CodeListSummaryOut(Schema):
    code = fields.String()
    name = Words()


class CodeListOut(CodeListSummaryOut):
    items_ = fields.List(fields.Nested(CodeListItemOut), data_key="items", attribute="items")


class SubjectKindOut(Schema):
    code = fields.String()
    name = Words()
    key_schema = fields.Dict(allow_none=True)
    personal = fields.Boolean()


def shown(version: FieldVersionView, today: dt.date) -> dict[str, Any]:
    """A version as it is told outside: as in a bundle, and how it stands today."""
    return version.definition.as_bundle() | {
        "version": version.version,
        "state": version.state_on(today),
        "owner_name": version.owner_name,
        "ends_on": version.ends_on,
        "published_at": version.published_at,
    }


@blueprint.get("/fields")
@blueprint.arguments(FieldsIn, location="query")
@blueprint.response(200, page_of(ListedFieldOut))
@public
def list_fields(query: dict[str, Any]) -> Page[dict[str, Any]]:
    """Search the fields; without a state, those in force today."""
    ctx = current_context()
    state = query.pop("state")
    page = reading.list_fields(ctx, state=None if state == ALL else VersionState(state), **query)
    return Page([_listed(each, ctx.today()) for each in page.items], page.next)


def _listed(field: ListedField, today: dt.date) -> dict[str, Any]:
    body = shown(field.version, today)
    return body if field.match is None else body | {"match": field.match}


@blueprint.get("/fields/<code>")
@blueprint.arguments(FieldIn, location="query")
@blueprint.response(200, FieldOut)
@public
@tagged
def get_field(query: dict[str, Any], code: str) -> dict[str, Any]:
    """Read the version of a field that is in force today or on a day, or one by its number."""
    ctx = current_context()
    body = shown(reading.get_field(ctx, code, **query), ctx.today())
    set_etag(etag_of(body))
    return body


@blueprint.get("/fields/<code>/versions")
@blueprint.arguments(PageIn, location="query")
@blueprint.response(200, page_of(FieldOut))
@public
def list_versions(query: dict[str, Any], code: str) -> Page[dict[str, Any]]:
    """List all versions of a field, the first one first."""
    ctx = current_context()
    page = cut_page(reading.list_versions(ctx, code), lambda version: version.version, **query)
    return Page([shown(version, ctx.today()) for version in page.items], page.next)


@blueprint.get("/code-lists")
@blueprint.arguments(PageIn, location="query")
@blueprint.response(200, page_of(CodeListSummaryOut))
@public
def list_code_lists(query: dict[str, Any]) -> Page[CodeListView]:
    """List the code lists."""
    found = reading.list_code_lists(current_context())
    return cut_page(found, lambda code_list: code_list.code, **query)


@blueprint.get("/code-lists/<code>")
@blueprint.response(200, CodeListOut)
@public
@tagged
def get_code_list(code: str) -> CodeListView:
    """Read a code list with its items, retired ones too."""
    found = reading.get_code_list(current_context(), code)
    set_etag(etag_of(found))
    return found


@blueprint.get("/subject-kinds")
@blueprint.arguments(PageIn, location="query")
@blueprint.response(200, page_of(SubjectKindOut))
@public
def list_subject_kinds(query: dict[str, Any]) -> Page[SubjectKindView]:
    """List the kinds of subject that values may be about."""
    found = reading.list_subject_kinds(current_context())
    return cut_page(found, lambda kind: kind.code, **query)
