"""Areas: the tree, single areas on a day, and what became of them."""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, fields, validate

from oneform.api.blueprints import Blueprint, current_context, may_fail, needs
from oneform.api.paging import PageIn, page_of
from oneform.api.schemas import Day, Instant, Schema
from oneform.areas import queries
from oneform.areas.models import AreaChangeKind, Level
from oneform.areas.queries import AreaView, ChangeView
from oneform.identity.policy import Permission
from oneform.kernel.errors import NotFound
from oneform.kernel.paging import Page

blueprint = Blueprint(
    "areas", __name__, url_prefix="/areas", description="The administrative tree (区划)."
)

LEVELS = [level.word for level in Level]
BY_WORD = {level.word: level for level in Level} | {str(level.value): level for level in Level}
"""Levels by their words, and by their numbers as in areas files."""


class AreasIn(PageIn):
    parent = fields.String(metadata={"description": "code of the area directly above"})
    level = fields.String(
        validate=validate.OneOf(list(BY_WORD)),
        metadata={"description": "word or number; with `parent`: anywhere below it"},
    )
    q = fields.String(metadata={"description": "part of a name, or the beginning of a code"})


class OnIn(Schema):
    class Meta:
        unknown = EXCLUDE

    on = Day(load_default=None, metadata={"description": "as it was on this day"})


class AreaOut(Schema):
    code = fields.String()
    name = fields.String()
    level = fields.Function(lambda area: area.level.word, metadata={"enum": LEVELS})
    parent = fields.String(allow_none=True, metadata={"description": "code of the area above"})
    urban_rural_class = fields.String(allow_none=True)
    valid_from = Day(allow_none=True)
    valid_to = Day(allow_none=True, metadata={"description": "first day on which it is so no more"})


class ChangeOut(Schema):
    change = fields.Enum(AreaChangeKind, by_value=True, attribute="kind")
    on_date = Day()
    old_code = fields.String(allow_none=True)
    old_name = fields.String(allow_none=True)
    new_code = fields.String(allow_none=True)
    new_name = fields.String(allow_none=True)
    recorded_at = Instant()


@blueprint.get("")
@blueprint.arguments(AreasIn, location="query")
@blueprint.response(200, page_of(AreaOut))
@needs(Permission.READ_AREAS)
@may_fail(NotFound)
def list_areas(query: dict[str, Any]) -> Page[AreaView]:
    """List existing areas, by code."""
    level = BY_WORD.get(query.pop("level", ""))
    return queries.list_areas(current_context(), level=level, **query)


@blueprint.get("/<code>")
@blueprint.arguments(OnIn, location="query")
@blueprint.response(200, AreaOut)
@needs(Permission.READ_AREAS)
def get_area(query: dict[str, Any], code: str) -> AreaView:
    """Read one area, as it is today or was on a day."""
    return queries.get_area(current_context(), code, query["on"])


@blueprint.get("/<code>/changes")
@blueprint.arguments(PageIn, location="query")
@blueprint.response(200, page_of(ChangeOut))
@needs(Permission.READ_AREAS)
def list_changes(query: dict[str, Any], code: str) -> Page[ChangeView]:
    """List what became of the areas that have, or had, this code, oldest first."""
    return queries.list_changes(current_context(), code, **query)
