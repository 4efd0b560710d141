"""Who may do what here: people of a unit, and whose form it is."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from oneform.areas.errors import UnknownArea
from oneform.identity import policy
from oneform.identity.policy import Permission, Principal
from oneform.kernel.actor import ActorKind
from oneform.kernel.context import Context
from oneform.kernel.errors import Forbidden, NotFound


@dataclass(frozen=True, slots=True)
class Unit:
    id: int
    code: str
    name: str
    path: str
    region_id: int


def require_person(ctx: Context, permission: Permission) -> tuple[Principal, uuid.UUID]:
    """The actor and its number in `staff`: answers are given by somebody, never by a program."""
    actor = policy.require(ctx, permission)
    if actor.kind is not ActorKind.PERSON:
        raise Forbidden("Only a person with an account can do this.")
    return actor, uuid.UUID(actor.id)


_UNIT = "SELECT id, code, name, path, region_id FROM area WHERE "


def find_unit(ctx: Context, code: str | None) -> Unit:
    """The unit with a code, or the actor's own. UnknownArea; Forbidden outside the reach."""
    if code is None:
        row = ctx.sql(_UNIT + "id = :id", id=policy.principal(ctx).area_id).one_or_none()
        if row is None:
            raise NotFound("You have no unit of your own: name one.")
    else:
        row = ctx.sql(_UNIT + "code = :code AND valid_to IS NULL", code=code).one_or_none()
        if row is None:
            raise UnknownArea(code)
    policy.require_reach(ctx, row.path)
    return Unit(**row._mapping)
