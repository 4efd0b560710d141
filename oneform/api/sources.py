"""Sources: departments' shared stores, their probes and their runs (API.md, section 6)."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

import marshmallow as ma
from marshmallow import fields

from oneform.api.blueprints import (
    BASE,
    Blueprint,
    current_context,
    current_runtime,
    may_fail,
    needs,
    tagged,
)
from oneform.api.etags import given_etag, set_etag
from oneform.api.paging import PageIn, page_of
from oneform.api.schemas import Instant, Schema
from oneform.identity.policy import Permission
from oneform.kernel.errors import Conflict, Stale
from oneform.kernel.paging import Page
from oneform.sources import probing, runs, service
from oneform.sources.connectors.base import ProbeResult
from oneform.sources.errors import SourceError, SourceUnavailable
from oneform.sources.runs import RunState, RunView
from oneform.sources.service import SourceView

blueprint = Blueprint(
    "sources", __name__, url_prefix="/sources", description="Departments' shared stores (共享源)."
)


def _described(type_: str, words: str, **options: Any) -> fields.Raw:
    return fields.Raw(metadata={"type": type_, "description": words}, **options)


class SourceIn(Schema):
    """A definition, as in a source's file; its mistakes are found, all at once, by the service."""

    class Meta:
        unknown = ma.INCLUDE

    code = _described("string", "begins with a letter")
    name = _described("object", "what people call it: `zh`, `en`; left out: the agency's name")
    agency = _described("string", "code of the agency whose store it is")
    kind = _described("string", "`sql` or `file`")
    settings = _described("object", "where it is; by kind")
    secrets = _described("object", "by name, as the settings name them; never shown again")
    keys = _described("object", "columns: `subject`, `area`, `period`, `observed_on`")
    # The name `fields` is the module's in this class.
    mapped = _described(
        "object", "field → column, or `{column, codes}`", data_key="fields", attribute="fields"
    )
    areas = _described("array", "codes; left out: the agency's own area")
    fresh_for = _described("string", "ISO 8601 duration, or null")
    limits = _described("object", "`timeout_s`, `calls_per_minute`, `concurrency`")
    enabled = _described("boolean", "whether it is called")


class SourceChangeIn(SourceIn):
    """Members to replace."""

    class Meta:
        unknown = ma.INCLUDE
        exclude = ("code", "agency", "kind")


class SourceOut(Schema):
    id = fields.Integer()
    code = fields.String()
    name = fields.Dict(allow_none=True, metadata={"description": "by language"})
    agency = fields.String()
    kind = fields.String()
    settings = fields.Dict()
    keys = fields.Dict()
    mapped = fields.Dict(data_key="fields", attribute="fields")
    areas = fields.List(fields.String())
    fresh_for = fields.String(allow_none=True)
    limits = fields.Dict()
    enabled = fields.Boolean()
    failures = fields.Integer(metadata={"description": "calls in a row that failed"})
    closed_until = Instant(
        allow_none=True, metadata={"description": "it is not called before this instant"}
    )


class ProbeOut(Schema):
    ok = fields.Boolean()
    detail = fields.String()
    columns = fields.List(fields.String())
    sample_count = fields.Integer(metadata={"description": "rows read on trial"})


class RefusedOut(Schema):
    """A value that was put aside; `field` is empty where it is the whole row."""

    subject = fields.String()
    field = fields.String()
    period = fields.String()
    value = fields.Raw(allow_none=True)
    code = fields.String()
    detail = fields.String()


class RunOut(Schema):
    id = fields.UUID()
    source = fields.String()
    request_id = fields.UUID(allow_none=True)
    state = fields.Enum(RunState, by_value=True)
    counts = fields.Dict(keys=fields.String(), values=fields.Integer())
    error = fields.String(allow_none=True)
    created_at = Instant()
    finished_at = Instant(allow_none=True)


class RunReportOut(RunOut):
    """A run with a page of what it put aside."""

    refused = fields.List(fields.Nested(RefusedOut))
    next = fields.String(allow_none=True)


@blueprint.get("")
@blueprint.arguments(PageIn, location="query")
@blueprint.response(200, page_of(SourceOut))
@needs(Permission.MANAGE_SOURCES)
def list_sources(query: dict[str, Any]) -> Page[SourceView]:
    """List the sources that one manages, by code."""
    return service.list_sources(current_context(), **query)


@blueprint.post("")
@blueprint.arguments(SourceIn)
@blueprint.response(201, SourceOut)
@needs(Permission.MANAGE_SOURCES)
@may_fail(Conflict)
def add_source(payload: dict[str, Any]) -> tuple[SourceView, dict[str, str]]:
    """Offer a source."""
    source = service.add_source(current_context(), payload, current_runtime().settings)
    set_etag(source.etag)
    return source, {"Location": f"{BASE}/sources/{source.id}"}


@blueprint.get("/<source_id>")
@blueprint.response(200, SourceOut)
@needs(Permission.MANAGE_SOURCES)
@tagged
def get_source(source_id: str) -> SourceView:
    """Read a source, by its id or its code."""
    source = service.get_source(current_context(), source_id)
    set_etag(source.etag)
    return source


@blueprint.patch("/<source_id>")
@blueprint.arguments(SourceChangeIn)
@blueprint.response(200, SourceOut)
@needs(Permission.MANAGE_SOURCES)
@may_fail(Stale)
def change_source(payload: dict[str, Any], source_id: str) -> SourceView:
    """Replace some members of a source's definition. Secrets are kept unless it leads elsewhere."""
    source = service.change_source(
        current_context(),
        source_id,
        payload,
        current_runtime().settings,
        if_match=given_etag(),
    )
    set_etag(source.etag)
    return source


@blueprint.delete("/<source_id>")
@blueprint.response(204)
@needs(Permission.MANAGE_SOURCES)
@may_fail(Stale)
def delete_source(source_id: str) -> None:
    """Take a source away. What it brought stays."""
    service.delete_source(current_context(), source_id, if_match=given_etag())


@blueprint.post("/<source_id>/probe")
@blueprint.response(200, ProbeOut)
@needs(Permission.MANAGE_SOURCES)
@may_fail(SourceError, SourceUnavailable)
def probe_source(source_id: str) -> ProbeResult:
    """Try a source: can it be reached, are its columns there."""
    ctx, settings = current_context(), current_runtime().settings
    probe = probing.prepare_probe(ctx, source_id, settings)
    # The unit has read all it needs; no transaction stays open while the source is called.
    ctx.session.close()
    return probing.carry_out_probe(probe, settings)


@blueprint.post("/<source_id>/runs")
@blueprint.response(202, RunOut)
@needs(Permission.MANAGE_SOURCES)
@may_fail(Conflict)
def start_run(source_id: str) -> tuple[RunView, dict[str, str]]:
    """Have the whole source read. A run that waits already is enough."""
    run = runs.start_run(current_context(), source_id)
    return run, {"Location": f"{BASE}/sources/{source_id}/runs/{run.id}"}


@blueprint.get("/<source_id>/runs")
@blueprint.arguments(PageIn, location="query")
@blueprint.response(200, page_of(RunOut))
@needs(Permission.MANAGE_SOURCES)
def list_runs(query: dict[str, Any], source_id: str) -> Page[RunView]:
    """List the runs of a source, the latest first."""
    return runs.list_runs(current_context(), source_id, **query)


@blueprint.get("/<source_id>/runs/<uuid:run_id>")
@blueprint.arguments(PageIn, location="query")
@blueprint.response(200, RunReportOut)
@needs(Permission.MANAGE_SOURCES)
def get_run(query: dict[str, Any], source_id: str, run_id: uuid.UUID) -> dict[str, Any]:
    """Read a run: its counts, and what it put aside, page by page."""
    ctx = current_context()
    run = runs.get_run(ctx, source_id, run_id)
    refused = runs.list_refused(ctx, source_id, run_id, **query)
    return {**dataclasses.asdict(run), "refused": refused.items, "next": refused.next}
