"""Values that owners push: imports, and what became of them (API.md, section 6)."""

from __future__ import annotations

import uuid
from typing import Any, BinaryIO, cast

import flask
from marshmallow import EXCLUDE, fields, validate

from oneform.api.blueprints import BASE, Blueprint, current_context, large_body, may_fail, needs
from oneform.api.bodies import raw_body
from oneform.api.errors import InvalidBody, UnsupportedMediaType
from oneform.api.idempotency import idempotent
from oneform.api.paging import MAX_LIMIT
from oneform.api.schemas import Instant, Schema
from oneform.identity.policy import Permission
from oneform.kernel.errors import Mistake
from oneform.values.imports import service
from oneform.values.imports.conflicts import ConflictCode
from oneform.values.imports.reading import guess_format
from oneform.values.imports.rows import FileFormat
from oneform.values.imports.views import ImportState, ImportView

blueprint = Blueprint(
    "values", __name__, url_prefix="/values", description="Values that owners push (推送)."
)

MEDIA_TYPES = {
    "text/csv": FileFormat.CSV,
    "application/x-ndjson": FileFormat.JSONL,
    "application/jsonl": FileFormat.JSONL,
    "application/x-jsonlines": FileFormat.JSONL,
}
EXTENSIONS = {"csv": FileFormat.CSV, "jsonl": FileFormat.JSONL, "ndjson": FileFormat.JSONL}

_ROW = {
    "type": "object",
    "required": ["field", "subject", "value"],
    "additionalProperties": False,
    "properties": {
        "field": {"type": "string", "description": "code of a field that is the agency's own"},
        "subject": {
            "type": "string",
            "description": "code of the area; of other kinds the subject's key or, where the kind "
            "is personal, its id",
        },
        "period": {"type": ["string", "null"], "description": "none for standing fields"},
        "value": {"description": "as the field's schema has it; leave out rows without a value"},
        "observed_on": {
            "type": ["string", "null"],
            "format": "date",
            "description": "not in the future; default: today",
        },
    },
}
_FILE = {"type": "string", "format": "binary"}
_BODY = {
    "required": True,
    "content": {
        "application/x-ndjson": {
            "schema": _ROW,
            "example": '{"field": "population.resident_total", "subject": "420102001001", '
            '"period": "2025", "value": 1203, "observed_on": "2025-12-31"}\n',
        },
        "text/csv": {
            "schema": {"type": "string"},
            "example": "field,subject,period,value,observed_on\n"
            "population.resident_total,420102001001,2025,1203,2025-12-31\n",
        },
        "multipart/form-data": {
            "schema": {"type": "object", "required": ["file"], "properties": {"file": _FILE}}
        },
    },
}


class ImportIn(Schema):
    class Meta:
        unknown = EXCLUDE

    dry_run = fields.Boolean(
        load_default=False,
        metadata={"description": "check and count everything, and record nothing"},
    )


class ImportPageIn(Schema):
    class Meta:
        unknown = EXCLUDE

    limit = fields.Integer(load_default=MAX_LIMIT, validate=validate.Range(1, MAX_LIMIT))
    cursor = fields.String(load_default=None, metadata={"description": "`next` of the page before"})


class ImportCountsOut(Schema):
    created = fields.Integer()
    updated = fields.Integer()
    unchanged = fields.Integer()
    invalid = fields.Integer(metadata={"description": "rows refused"})


class ConflictOut(Schema):
    row = fields.Integer(metadata={"description": "line of the file, the first one being 1"})
    pointer = fields.String(metadata={"description": "JSON pointer into the row; CSV: the column"})
    code = fields.Enum(ConflictCode, by_value=True)
    detail = fields.String()


class ImportOut(Schema):
    id = fields.UUID()
    state = fields.Enum(ImportState, by_value=True)
    dry_run = fields.Boolean()
    counts = fields.Nested(ImportCountsOut)
    conflicts = fields.List(fields.Nested(ConflictOut), attribute="conflicts.items")
    next = fields.String(allow_none=True, attribute="conflicts.next")
    created_at = Instant()
    finished_at = Instant(allow_none=True)


@blueprint.post("/imports")
@blueprint.arguments(ImportIn, location="query")
@blueprint.doc(requestBody=_BODY)
@blueprint.response(202, ImportOut)
@needs(Permission.WRITE_VALUES)
@idempotent
@large_body
@may_fail(UnsupportedMediaType, InvalidBody)
def import_values(query: dict[str, Any]) -> tuple[ImportView, dict[str, str]]:
    """Push values of one's own fields.

    JSON Lines, or CSV with a header (UTF-8, with or without BOM), as the body or as the part
    `file`. In CSV the type of the field says how a cell is read. What is right is recorded, in the
    background; every row refused is reported in the import. An import replaces what is held, and of
    two rows of one cell the first counts. A file that cannot be read as a whole is refused.
    """
    file, format = _file()
    view = service.accept_import(current_context(), file, format, dry_run=query["dry_run"])
    return view, {"Location": f"{BASE}/values/imports/{view.id}"}


@blueprint.get("/imports/<uuid:import_id>")
@blueprint.arguments(ImportPageIn, location="query")
@blueprint.response(200, ImportOut)
@needs(Permission.WRITE_VALUES)
def get_import(query: dict[str, Any], import_id: uuid.UUID) -> ImportView:
    """Follow an import: what became of its rows so far, and the rows refused."""
    return service.get_import(current_context(), import_id, **query)


def _file() -> tuple[BinaryIO, FileFormat]:
    """The file in the request, and its format by its media type or name."""
    request = flask.request
    if request.mimetype == "multipart/form-data":
        return _uploaded()
    format = MEDIA_TYPES.get(request.mimetype)
    if format is None:
        raise UnsupportedMediaType(
            "Send values as application/x-ndjson, as text/csv, or as multipart/form-data with "
            "the part “file”."
        )
    if request.mimetype_params.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise UnsupportedMediaType("Values must be in UTF-8.")
    return raw_body(), format


def _uploaded() -> tuple[BinaryIO, FileFormat]:
    uploads = flask.request.files.getlist("file")
    if len(uploads) != 1:
        raise InvalidBody(mistakes=[Mistake("/file", "required", "must be there, once")])
    (upload,) = uploads
    file = cast(BinaryIO, upload.stream)
    extension = (upload.filename or "").rpartition(".")[2].lower()
    # Browsers call a CSV file many things, so its name is asked first.
    format = EXTENSIONS.get(extension) or MEDIA_TYPES.get(upload.mimetype)
    return file, format or guess_format(file)
