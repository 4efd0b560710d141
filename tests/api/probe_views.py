"""Views that behave in every way a view can, for the tests of what surrounds them."""

from __future__ import annotations

import uuid
from typing import Any

import flask
from marshmallow import fields, validate

from oneform.api.blueprints import (
    Blueprint,
    current_context,
    large_body,
    needs,
    public,
)
from oneform.api.bodies import raw_body
from oneform.api.etags import given_etag, set_etag
from oneform.api.idempotency import idempotent
from oneform.api.paging import PageIn, page_of
from oneform.api.schemas import Instant, Schema, Text
from oneform.identity.policy import Permission
from oneform.kernel.context import Context
from oneform.kernel.errors import (
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    Mistake,
    NotFound,
    Stale,
)
from oneform.kernel.etags import etag_of
from oneform.kernel.paging import Page, decode_cursor, encode_cursor

blueprint = Blueprint("probe", __name__, url_prefix="/probe", description="Of the tests.")

ERRORS = {error.code: error for error in (NotFound, Forbidden, Conflict, Invalid)}
STATE = {"version": 1}


class Inner(Schema):
    key = fields.String()


class ItemIn(Schema):
    name = Text(longest=10, required=True)
    numbers = fields.List(fields.Integer(strict=True, validate=validate.Range(0, 9)))
    inner = fields.Nested(Inner, data_key="a/b")
    at = Instant()


class ItemOut(Schema):
    name = fields.String()
    at = Instant()


class Filter(PageIn):
    size = fields.Integer(strict=True)


def note(ctx: Context, name: str) -> None:
    """Leave a trace in the database that a roll-back would take away."""
    ctx.sql("INSERT INTO code_list (code, name) VALUES (:name, '{}')", name=name)


@blueprint.post("/items")
@blueprint.arguments(ItemIn)
@blueprint.response(201, ItemOut)
@needs(Permission.READ_AREAS)
def make_item(payload: dict[str, Any]) -> dict[str, Any]:
    """Make an item."""
    return payload


@blueprint.get("/items")
@blueprint.arguments(Filter, location="query")
@blueprint.response(200, page_of(ItemOut))
@public
def list_items(filter: dict[str, Any]) -> Page[dict[str, str]]:
    """List items."""
    start = 0
    if filter["cursor"] is not None:
        (start,) = decode_cursor(filter["cursor"], [int])
    end = start + filter["limit"]
    items = [{"name": str(number)} for number in range(start, min(end, 120))]
    return Page(items, encode_cursor(end) if end < 120 else None)


@blueprint.post("/once")
@blueprint.arguments(ItemIn)
@blueprint.response(202, ItemOut)
@idempotent
@needs(Permission.READ_AREAS)
def do_once(payload: dict[str, Any]) -> Any:
    """Do something once: `refuse…` is refused with a record, `conflict…` without."""
    ctx, name = current_context(), payload["name"]
    note(ctx, name)
    if name.startswith("refuse"):
        error = Invalid("No.", mistakes=[Mistake("/name", "refused", "no")])
        error.record = lambda ctx: note(ctx, f"record of {name}")  # type: ignore[attr-defined]
        raise error
    if name.startswith("conflict"):
        raise Conflict("Not now.")
    if name.startswith("fault"):
        raise ZeroDivisionError
    response_headers = {"Location": f"/things/{uuid.uuid4()}", "X-Other": "not kept"}
    set_etag(etag_of(name))
    return {"name": name}, response_headers


@blueprint.post("/files")
@blueprint.response(200)
@idempotent
@large_body
@needs(Permission.READ_AREAS)
def take_file() -> dict[str, Any]:
    """Take a file, raw or as a form."""
    if flask.request.files:
        size = len(flask.request.files["file"].read())
    else:
        size = len(raw_body().read())
    note(current_context(), str(uuid.uuid4()))
    return {"size": size}


@blueprint.post("/recorded")
@blueprint.response(200)
@needs(Permission.READ_AREAS)
def refuse_with_record() -> None:
    """Refuse, with a record, without any key."""
    note(current_context(), "deed")
    error = Conflict("No.")
    actor = current_context().actor.label
    error.record = lambda ctx: note(ctx, f"{ctx.actor.label}={actor}")  # type: ignore[attr-defined]
    raise error


@blueprint.get("/errors/<code>")
@public
def raise_error(code: str) -> None:
    """Raise an error of the domain."""

    class Nearer(ERRORS[code]):  # type: ignore[misc]
        code = "nearer"

    raise Nearer("In words.", data={"more": [1]})


@blueprint.get("/unknown-error")
@public
def raise_unknown_error() -> None:
    """Raise an error that the table does not know."""
    raise DomainError("secret words")


@blueprint.get("/fault")
@public
def fault() -> None:
    """Fail."""
    raise RuntimeError("secret words")


@blueprint.get("/sql")
@public
def run_sql() -> dict[str, Any]:
    """Run what the address says, in the database."""
    arguments = flask.request.args
    row = current_context().sql(arguments["sql"], text=arguments.get("text")).one()
    return {"found": row[0]}


@blueprint.get("/thing")
@blueprint.response(200)
@public
def read_thing() -> dict[str, int]:
    """Read the thing that has a state."""
    set_etag(etag_of(STATE))
    return dict(STATE)


@blueprint.patch("/thing")
@blueprint.response(200)
@public
def change_thing() -> dict[str, int]:
    """Change it."""
    if given_etag() not in (None, etag_of(STATE)):
        raise Stale
    STATE["version"] += 1
    set_etag(etag_of(STATE))
    return dict(STATE)


@blueprint.get("/me")
@needs(Permission.ANSWER, Permission.SUBMIT_REQUEST)
def who() -> dict[str, str]:
    """Who am I."""
    return {"label": current_context().actor.label}
