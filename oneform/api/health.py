"""Whether the process is alive. Whether it can work is another question (`/readyz`)."""

from __future__ import annotations

from marshmallow import fields

from oneform.api.blueprints import Blueprint, public
from oneform.api.schemas import Schema

blueprint = Blueprint(
    "health", __name__, at_root=True, detached=True, description="Of the process itself."
)


class AliveOut(Schema):
    status = fields.Constant("alive")


@blueprint.get("/healthz")
@blueprint.response(200, AliveOut)
@public
def healthz() -> dict[str, str]:
    """Is the process alive?

    Asks neither the database nor Redis.
    """
    return {}
