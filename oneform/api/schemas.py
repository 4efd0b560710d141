"""Base of all marshmallow schemas, and fields that more than one of them needs.

A schema describes an envelope; what the catalogue defines (values) is checked
by JSON Schema elsewhere. Members that a schema does not know are mistakes.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import marshmallow as ma
from marshmallow import fields

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


REASONS = (
    "why the field fits: a word, mostly with a detail behind a colon, such as `name:常住人口数`, "
    "`synonym:…`, `unit:人` or, against it, `differs:男/女`"
)


class Schema(ma.Schema):
    """Refuses unknown members; dumps in the order of declaration."""

    class Meta:
        unknown = ma.RAISE

    error_messages = {"type": "must be a JSON object"}


class Text(fields.String):
    """Text of at least one visible character and at most `longest`; blanks around it are dropped."""

    default_error_messages = {
        "blank": "must not be blank",
        "long": "Longer than maximum length {longest}.",
    }

    def __init__(self, *, longest: int = 200, **kwargs: Any) -> None:
        metadata = {"minLength": 1, "maxLength": longest, **kwargs.pop("metadata", {})}
        super().__init__(metadata=metadata, **kwargs)
        self.longest = longest

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, attr, data, **kwargs)).strip()
        if not text:
            raise self.make_error("blank")
        if len(text) > self.longest:
            raise self.make_error("long", longest=self.longest)
        return text


class Day(fields.Date):
    """A day as `2026-03-16`, and in no other of ISO 8601's ways of writing it."""

    default_error_messages = {"invalid": "Not a valid date; a day is written as 2026-03-16."}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dt.date:
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE)
        return super()._deserialize(value, attr, data, **kwargs)


class Instant(fields.AwareDateTime):
    """RFC 3339 in UTC, as `2026-03-16T01:00:00Z`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", default_timezone=dt.UTC, **kwargs)

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> str | None:  # noqa: ARG002
        if value is None:
            return None
        assert isinstance(value, dt.datetime)
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


class Words(fields.Dict):
    """Words by language: `zh` is always there, `en` where somebody wrote it, others may be."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(keys=fields.String(), values=fields.String(), **kwargs)


class Names(Schema):
    """A name in Chinese and, where there is one, in English."""

    zh = fields.String(required=True)
    en = fields.String()


class ProblemError(Schema):
    """One mistake: where it is, a stable code, and words."""

    pointer = fields.String(metadata={"description": "JSON pointer into the body, or `?parameter`"})
    code = fields.String()
    detail = fields.String()


class Problem(Schema):
    """Problem details (RFC 9457); some types have members of their own."""

    class Meta:
        unknown = ma.INCLUDE

    type = fields.String(metadata={"description": "`urn:oneform:problem:<name>`"})
    title = fields.String()
    status = fields.Integer()
    detail = fields.String()
    errors = fields.List(fields.Nested(ProblemError))
