"""Requests: submit, check, cancel. Reading is in `reading.py`, data in `data.py`."""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from catalog.whitelist import FieldInForce
from oneform.audit import service as audit
from oneform.audit.tags import Tag
from oneform.identity import policy
from oneform.identity.policy import Permission
from oneform.kernel.context import Context
from oneform.kernel.ids import new_control_number, new_id
from oneform.requests import grants
from oneform.requests.admission import Admitted, examine
from oneform.requests.commands import SubmitRequest
from oneform.requests.errors import OffWhitelist
from oneform.requests.jobs import RequestJob
from oneform.requests.models import (
    Rejection,
    Request,
    RequestArea,
    RequestEvent,
    RequestField,
    RequestRegion,
    RequestState,
)
from oneform.requests.planner import plan_jobs
from oneform.requests.reading import get_request
from oneform.requests.views import RequestView


def submit_request(ctx: Context, command: SubmitRequest) -> RequestView:
    """Accept a demand and set it to work, or refuse it with every reason.

    Raises InvalidRequest, DueTooSoon, RequestTooLarge, OffWhitelist; the last
    carries `record`, which writes the rejection once this work is rolled back.
    """
    policy.require(ctx, Permission.SUBMIT_REQUEST)
    agency_id = policy.require_agency(ctx)
    admitted = examine(ctx, command)
    rejected = admitted.admission.rejected
    if rejected and (command.on_off_list == "reject" or not admitted.fields):
        raise OffWhitelist(
            rejected, lambda fresh: record_rejection(fresh, agency_id, command, admitted, None)
        )
    request = _write_request(ctx, agency_id, command, admitted)
    if rejected:
        record_rejection(ctx, agency_id, command, admitted, request.id)
    audit.append(
        ctx,
        Tag.REQUEST_SUBMITTED,
        "request",
        request.id,
        control_no=request.control_no,
        fields=[field.code for field in admitted.fields],
    )
    for regions in plan_jobs(admitted.cells_per_region):
        ctx.outbox.enqueue(
            RequestJob.RESOLVE_REQUEST,
            agency_id=agency_id,
            request_id=request.id,
            region_ids=regions,
        )
    return get_request(ctx, request.id)


def _write_request(
    ctx: Context, agency_id: int, command: SubmitRequest, admitted: Admitted
) -> Request:
    place = admitted.place
    request = Request(
        id=new_id(),
        control_no=new_control_number(ctx.today()),
        agency_id=agency_id,
        submitted_by=ctx.actor.label,
        title=command.title,
        purpose=command.purpose,
        legal_basis=command.legal_basis,
        kind_id=place.kind_id,
        level=place.level,
        period=command.period,
        due_on=command.due,
        urgent=command.urgent,
        gap=command.gap,
        state=RequestState.RESOLVING,
        created_on=ctx.today(),
        dropped_fields=[field.as_dict() for field in admitted.admission.rejected],
    )
    ctx.session.add(request)
    ctx.session.flush()
    ctx.session.execute(
        sa.insert(RequestField),
        [_field_row(request, field, agency_id) for field in admitted.fields],
    )
    ctx.session.execute(
        sa.insert(RequestArea),
        [{"request_id": request.id, "area_id": area_id} for area_id in place.area_ids],
    )
    ctx.session.execute(
        sa.insert(RequestRegion),
        [
            {"request_id": request.id, "region_id": region_id}
            for region_id, _ in admitted.cells_per_region
        ],
    )
    grants.ask_for_grants(ctx, request.id, agency_id, admitted.fields)
    ctx.session.add(RequestEvent(request_id=request.id, kind="accepted", data={}))
    ctx.session.flush()
    return request


def _field_row(request: Request, field: FieldInForce, agency_id: int) -> dict[str, object]:
    return {
        "request_id": request.id,
        "field_id": field.field_id,
        "field_version_id": field.version_id,
        "period": request.period if field.period_type != "none" else "",
        "collected_at": int(field.collected_at),
        "mode": field.mode,
        "grant_state": grants.first_grant_state(field, agency_id),
    }


def record_rejection(
    ctx: Context,
    agency_id: int,
    command: SubmitRequest,
    admitted: Admitted,
    request_id: uuid.UUID | None,
) -> None:
    """Keep what was refused for supervision, with the demand as it came."""
    rejection = Rejection(
        id=new_id(),
        agency_id=agency_id,
        submitted_by=ctx.actor.label,
        title=command.title,
        purpose=command.purpose,
        legal_basis=command.legal_basis,
        demand=command.demand(),
        rejected_fields=[field.as_dict() for field in admitted.admission.rejected],
        request_id=request_id,
    )
    ctx.session.add(rejection)
    ctx.session.flush()
    audit.append(
        ctx,
        Tag.REQUEST_REJECTED,
        "rejection",
        rejection.id,
        fields=[field.field for field in admitted.admission.rejected],
    )
