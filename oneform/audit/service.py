"""Writing the audit trail. It is append only: there is no other verb, and a trigger sees to it.

Reading it (`oneform.identity.trail`) belongs above, where reach is known.
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from oneform.audit.tags import Tag
from oneform.kernel.context import Context


def append(
    ctx: Context,
    tag: Tag,
    target_type: str | None = None,
    target_id: object | None = None,
    /,
    **data: Any,
) -> None:
    """Put a deed of the context's actor on record, in this transaction.

    `target_type` and `target_id` name the thing (`request`, its id); `data` is
    JSON: codes, counts, states before and after; never a value about a person.
    """
    ctx.sql(
        _APPEND,
        tag=tag.value,
        actor_kind=ctx.actor.kind.value,
        actor_id=ctx.actor.id,
        actor_label=ctx.actor.label,
        # Agencies are known above this part; an actor that has one says so by this attribute.
        agency_id=getattr(ctx.actor, "agency_id", None),
        target_type=target_type,
        target_id=None if target_id is None else str(target_id),
        data=json.dumps(data),
    )


# Not by the session's unit of work: its flush costs more than the statement.
_APPEND = sa.text(
    """
    INSERT INTO audit_event
      (tag, actor_kind, actor_id, actor_label, agency_id, target_type, target_id, data)
    VALUES (:tag, :actor_kind, :actor_id, :actor_label, :agency_id, :target_type, :target_id,
      CAST(:data AS jsonb))
    """
)
