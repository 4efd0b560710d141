"""Requests of agencies: submit, check, follow, fetch, cancel (API.md, section 4)."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections.abc import Iterator
from typing import Any, NoReturn

import flask
from marshmallow import ValidationError, fields, post_load, validate

from oneform.api.blueprints import (
    BASE,
    Blueprint,
    current_context,
    current_runtime,
    may_fail,
    needs,
    tagged,
)
from oneform.api.errors import InvalidBody, TooManyRequests
from oneform.api.etags import given_etag, set_etag
from oneform.api.idempotency import idempotent
from oneform.api.mistakes import mistakes_of
from oneform.api.paging import PageIn, page_of
from oneform.api.schemas import REASONS, Day, Instant, Names, Schema, Text
from oneform.areas.models import Level
from oneform.identity.policy import Permission
from oneform.kernel.errors import Stale
from oneform.kernel.paging import Page, cut_page
from oneform.requests import checking, data, reading, service, withdrawal
from oneform.requests.admission import JUDGED, find_mistakes
from oneform.requests.commands import SubmitRequest
from oneform.requests.data import DataFormat, Layout, ReadData
from oneform.requests.errors import DueTooSoon, OffWhitelist, RequestEnded, RequestTooLarge
from oneform.requests.models import CellStatus, RequestState
from oneform.requests.views import (
    AreaProgress,
    CheckedRequest,
    EventView,
    FieldProgress,
    RequestSummary,
    RequestView,
)

blueprint = Blueprint(
    "requests", __name__, url_prefix="/requests", description="What agencies ask for."
)

LEVELS = [level.word for level in Level]
MEDIA_TYPES = {
    DataFormat.JSON: "application/json",
    DataFormat.JSONL: "application/x-ndjson",
    DataFormat.CSV: "text/csv; charset=utf-8",
}
EXPORT_RETRY_S = 5


class ScopeIn(Schema):
    areas = fields.List(fields.String(), required=True, metadata={"description": "area codes"})
    kind = fields.String(load_default="area")
    level = fields.String(load_default=None, allow_none=True, metadata={"enum": [*LEVELS, None]})


class RequestIn(Schema):
    title = Text(required=True, longest=500)
    purpose = Text(required=True, longest=5000)
    legal_basis = Text(required=True, longest=5000)
    fields_ = fields.List(
        fields.String(), required=True, data_key="fields", metadata={"description": "field codes"}
    )
    scope = fields.Nested(ScopeIn, required=True)
    period = fields.String(load_default=None, allow_none=True)
    due = Day(required=True, metadata={"description": "five years from today at the latest"})
    urgent = fields.Boolean(load_default=False, truthy={True}, falsy={False})
    gap = fields.String(load_default="ask", validate=validate.OneOf(["ask", "leave"]))
    on_off_list = fields.String(load_default="reject", validate=validate.OneOf(["reject", "drop"]))

    def handle_error(
        self,
        error: ValidationError,
        data: Any,  # noqa: ARG002 - part of the signature
        *,
        many: bool,  # noqa: ARG002
        **_: Any,
    ) -> NoReturn:
        """Tell the mistakes of what can be read too: whoever mends a demand mends it once."""
        messages = error.normalized_messages()  # type: ignore[no-untyped-call]
        valid = dict(error.valid_data or {})
        scope, said = valid.pop("scope", {}), messages.get("scope")
        if "fields_" in valid:
            valid["fields"] = valid.pop("fields_")
        wrong = {*messages, *(said if isinstance(said, dict) else ())}
        sound = {
            name: value
            for name, value in {**valid, **scope}.items()
            if name in JUDGED and name not in wrong
        }
        mistakes = mistakes_of(messages) + find_mistakes(current_context(), sound)
        raise InvalidBody(mistakes=mistakes) from None

    @post_load
    def command(self, payload: dict[str, Any], **_: Any) -> SubmitRequest:
        scope = payload.pop("scope")
        return SubmitRequest(
            fields=payload.pop("fields_"), period=payload.pop("period") or "", **scope, **payload
        )


class CellsOut(Schema):
    total = fields.Integer()
    held = fields.Integer()
    derived = fields.Integer()
    shared = fields.Integer()
    asked = fields.Integer()
    answered = fields.Integer()
    refused = fields.Integer()
    unavailable = fields.Integer()
    pending_grant = fields.Integer()


class AsksOut(Schema):
    new = fields.Integer()
    joined = fields.Integer()


class UnitsOut(Schema):
    total = fields.Integer()
    complete = fields.Integer()


class SuggestionOut(Schema):
    field = fields.String()
    name = fields.Nested(Names)
    score = fields.Float()
    reasons = fields.List(fields.String(), metadata={"description": REASONS})


class RejectedFieldOut(Schema):
    field = fields.String()
    reason = fields.String()
    detail = fields.String()
    suggestions = fields.List(fields.Nested(SuggestionOut))


class RequestSummaryOut(Schema):
    id = fields.UUID()
    control_no = fields.String()
    state = fields.Enum(RequestState, by_value=True)
    title = fields.String()
    period = fields.String(allow_none=True)
    due = Day()
    urgent = fields.Boolean()
    created_at = Instant()
    resolved_at = Instant(allow_none=True)
    completed_at = Instant(allow_none=True)


class ScopeOut(Schema):
    areas = fields.List(fields.String())
    kind = fields.String()
    level = fields.String(allow_none=True)


class RequestOut(RequestSummaryOut):
    agency = fields.String(metadata={"description": "code of the agency"})
    purpose = fields.String()
    legal_basis = fields.String()
    scope = fields.Nested(ScopeOut)
    gap = fields.String()
    cells = fields.Nested(CellsOut)
    asks = fields.Nested(AsksOut)
    units = fields.Nested(UnitsOut)
    dropped_fields = fields.List(fields.Nested(RejectedFieldOut))


def shown(request: RequestView) -> dict[str, Any]:
    """A request as it is told outside."""
    summary = {name: getattr(request, name) for name in RequestSummaryOut._declared_fields}
    return summary | {
        "agency": request.agency,
        "purpose": request.purpose,
        "legal_basis": request.legal_basis,
        "scope": request.scope,
        "gap": request.gap,
        "cells": request.cells.as_dict(),
        "asks": {"new": request.asks_new, "joined": request.asks_joined},
        "units": {"total": request.units_total, "complete": request.units_complete},
        "dropped_fields": request.dropped_fields,
    }


@blueprint.post("")
@blueprint.arguments(RequestIn)
@blueprint.response(202, RequestOut)
@needs(Permission.SUBMIT_REQUEST)
@idempotent
@may_fail(OffWhitelist, DueTooSoon, RequestTooLarge)
def submit_request(command: SubmitRequest) -> tuple[dict[str, Any], dict[str, str]]:
    """Submit a data request.

    Fields off the whitelist are rejected, with the reason and the nearest fields that are on it.
    """
    request = service.submit_request(current_context(), command)
    return shown(request), {"Location": f"{BASE}/requests/{request.id}"}


class CoverageOut(Schema):
    total = fields.Integer()
    held = fields.Integer()
    derived = fields.Integer()
    shareable = fields.Integer()
    already_asked = fields.Integer()
    to_ask = fields.Integer()
    unavailable = fields.Integer()
    pending_grant = fields.Integer()


class CheckOut(Schema):
    accepted = fields.Boolean()
    rejected_fields = fields.List(fields.Nested(RejectedFieldOut))
    coverage = fields.Nested(CoverageOut)
    units_to_ask = fields.Integer()
    seconds_to_answer = fields.Integer()


@blueprint.post("/check")
@blueprint.arguments(RequestIn)
@blueprint.response(200, CheckOut)
@needs(Permission.SUBMIT_REQUEST)
@may_fail(DueTooSoon, RequestTooLarge)
def check_request(command: SubmitRequest) -> CheckedRequest:
    """Find out what a request would meet: what is held, what would be asked. Creates nothing."""
    return checking.check_request(current_context(), command)


class RequestsIn(PageIn):
    state = fields.Enum(RequestState, by_value=True, load_default=None)
    since = fields.AwareDateTime(
        load_default=None, default_timezone=dt.UTC, metadata={"description": "created since"}
    )


@blueprint.get("")
@blueprint.arguments(RequestsIn, location="query")
@blueprint.response(200, page_of(RequestSummaryOut))
@needs(Permission.READ_REQUESTS)
def list_requests(query: dict[str, Any]) -> Page[RequestSummary]:
    """List one's requests, newest first."""
    return reading.list_requests(current_context(), **query)


@blueprint.get("/<uuid:request_id>")
@blueprint.response(200, RequestOut)
@needs(Permission.READ_REQUESTS)
@tagged
def get_request(request_id: uuid.UUID) -> dict[str, Any]:
    """Read a request with its books."""
    request = reading.get_request(current_context(), request_id)
    set_etag(request.etag)
    return shown(request)


class ProgressIn(PageIn):
    level = fields.String(load_default="county", validate=validate.OneOf(LEVELS))


class ProgressOut(Schema):
    code = fields.String()
    name = fields.String()
    level = fields.String()
    cells = fields.Nested(CellsOut)
    units = fields.Nested(UnitsOut)


@blueprint.get("/<uuid:request_id>/progress")
@blueprint.arguments(ProgressIn, location="query")
@blueprint.response(200, page_of(ProgressOut))
@needs(Permission.READ_REQUESTS)
def get_progress(query: dict[str, Any], request_id: uuid.UUID) -> Page[dict[str, Any]]:
    """Read the progress of a request by area."""
    level = Level.of(query.pop("level"))
    page = reading.get_progress(current_context(), request_id, level=level, **query)
    return Page([_progress(area) for area in page.items], page.next)


def _progress(area: AreaProgress) -> dict[str, Any]:
    return {
        "code": area.code,
        "name": area.name,
        "level": area.level,
        "cells": area.cells.as_dict(),
        "units": {"total": area.units_total, "complete": area.units_complete},
    }


class RequestFieldOut(Schema):
    code = fields.String()
    version = fields.Integer()
    name = fields.Nested(Names)
    unit = fields.String(allow_none=True)
    mode = fields.String()
    period = fields.String(allow_none=True)
    grant_state = fields.String()


@blueprint.get("/<uuid:request_id>/fields")
@blueprint.arguments(PageIn, location="query")
@blueprint.response(200, page_of(RequestFieldOut))
@needs(Permission.READ_REQUESTS)
def list_fields(query: dict[str, Any], request_id: uuid.UUID) -> Page[FieldProgress]:
    """List the fields of a request, with the versions that it was made under."""
    found = reading.list_request_fields(current_context(), request_id)
    return cut_page(found, lambda field: field.code, **query)


class EventOut(Schema):
    at = Instant()
    kind = fields.String()
    data = fields.Dict()


@blueprint.get("/<uuid:request_id>/events")
@blueprint.arguments(PageIn, location="query")
@blueprint.response(200, page_of(EventOut))
@needs(Permission.READ_REQUESTS)
def list_events(query: dict[str, Any], request_id: uuid.UUID) -> Page[EventView]:
    """List what happened to a request, oldest first."""
    return reading.list_events(current_context(), request_id, **query)


@blueprint.post("/<uuid:request_id>/cancel")
@blueprint.response(200, RequestOut)
@needs(Permission.CANCEL_REQUEST)
@may_fail(RequestEnded, Stale)
def cancel_request(request_id: uuid.UUID) -> dict[str, Any]:
    """Cancel a request. Asks that nobody else waits for are withdrawn."""
    request = withdrawal.cancel_request(current_context(), request_id, if_match=given_etag())
    return shown(request)


class DataIn(Schema):
    class Meta:
        unknown = "exclude"

    format = fields.Enum(DataFormat, by_value=True, load_default=None)
    layout = fields.Enum(Layout, by_value=True, load_default=Layout.LONG)
    status = fields.Enum(CellStatus, by_value=True, load_default=None)
    area = fields.String(load_default=None, metadata={"description": "code: at or below it"})


@blueprint.get("/<uuid:request_id>/data")
@blueprint.arguments(DataIn, location="query")
@blueprint.response(200, description="The data, streamed.")
@needs(Permission.READ_DATA)
def read_data(query: dict[str, Any], request_id: uuid.UUID) -> flask.Response:
    """Fetch the data that is there so far, at any state.

    `format` wins over `Accept`. Long: one row per cell; wide: one row per subject.
    """
    format_ = query.pop("format") or _format_accepted()
    command = ReadData(request_id=request_id, format=format_, **query)
    place = _ExportPlace(_export_places())
    if not place.taken:
        raise TooManyRequests(
            "Too many exports are under way; please try again in a while.",
            data={"retry_after": EXPORT_RETRY_S},
        )
    try:
        export = data.begin_export(current_context(), command)
    except BaseException:
        place.release()
        raise
    response = flask.Response(
        place.while_streaming(data.stream(current_runtime().engine, export)),
        content_type=MEDIA_TYPES[format_],
    )
    # A reader may go away before the stream begins.
    response.call_on_close(place.release)
    if format_ is not DataFormat.JSON:
        response.headers["Content-Disposition"] = f"attachment; filename={request_id}.{format_}"
    return response


def _format_accepted() -> DataFormat:
    accepted = flask.request.accept_mimetypes
    best = accepted.best_match([media.partition(";")[0] for media in MEDIA_TYPES.values()])
    for format_, media in MEDIA_TYPES.items():
        if best == media.partition(";")[0]:
            return format_
    return DataFormat.JSON


class _ExportPlace:
    """One of the places for exports, given back once."""

    def __init__(self, places: threading.Semaphore) -> None:
        self._places = places
        self.taken = places.acquire(blocking=False)

    def release(self) -> None:
        if self.taken:
            self.taken = False
            self._places.release()

    def __del__(self) -> None:
        # A response that was made and then dropped: its unit of work could not be committed.
        self.release()

    def while_streaming(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        try:
            yield from chunks
        finally:
            self.release()


def _export_places() -> threading.Semaphore:
    """The places for exports of this process: small calls never wait behind large ones."""
    extensions = flask.current_app.extensions
    most = current_runtime().settings.max_exports
    found = extensions.setdefault("oneform-exports", threading.BoundedSemaphore(most))
    assert isinstance(found, threading.Semaphore)
    return found
