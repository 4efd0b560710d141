"""Lists: `?limit=` and `?cursor=` in, `{"items": […], "next": …}` out."""

from __future__ import annotations

import functools

from marshmallow import EXCLUDE, fields, validate

from oneform.api.schemas import Schema

DEFAULT_LIMIT = 50
MAX_LIMIT = 500


class PageIn(Schema):
    """Parameters of a list; lists with filters inherit from it. Others are ignored."""

    class Meta:
        unknown = EXCLUDE

    limit = fields.Integer(load_default=DEFAULT_LIMIT, validate=validate.Range(1, MAX_LIMIT))
    cursor = fields.String(load_default=None, metadata={"description": "`next` of the page before"})


@functools.cache
def page_of(item: type[Schema]) -> type[Schema]:
    """The schema of a page of items. Dumps `oneform.kernel.paging.Page`."""
    name = item.__name__.removesuffix("Out") + "PageOut"
    found = Schema.from_dict(
        {
            "items": fields.List(fields.Nested(item), required=True),
            "next": fields.String(required=True, allow_none=True),
        },
        name=name,
    )
    assert issubclass(found, Schema)
    return found
