"""The public check of control numbers (准入码): is this question on the list, and whose is it?"""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from oneform.api.blueprints import Blueprint, current_context, public
from oneform.api.schemas import Day, Names, Schema
from oneform.requests.reading import check_control_number

blueprint = Blueprint(
    "control_numbers",
    __name__,
    url_prefix="/control-numbers",
    description="Whoever is asked can check the number that stands on the form.",
)


class ControlFieldOut(Schema):
    code = fields.String()
    name = fields.Nested(Names)


class ControlNumberOut(Schema):
    valid = fields.Boolean()
    complete = fields.Boolean()
    agency = fields.String(allow_none=True)
    title = fields.String(allow_none=True)
    legal_basis = fields.String(allow_none=True)
    fields_ = fields.List(fields.Nested(ControlFieldOut), data_key="fields")
    due = Day(allow_none=True)
    state = fields.String(allow_none=True)


@blueprint.get("/<number>")
@blueprint.response(200, ControlNumberOut)
@public
def get_control_number(number: str) -> dict[str, Any]:
    """Check a control number. What is nobody's is not valid; what is mistyped is not `complete`."""
    found = check_control_number(current_context(), number)
    return {
        "valid": found.valid,
        "complete": found.complete,
        "agency": found.agency["zh"] if found.agency else None,
        "title": found.title,
        "legal_basis": found.legal_basis,
        "fields_": found.fields,
        "due": found.due,
        "state": found.state,
    }
