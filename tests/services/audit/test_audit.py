"""The audit trail names who did what, with the deed or not at all."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from oneform.audit import service as audit
from oneform.audit.models import AuditEvent
from oneform.audit.tags import Tag
from oneform.identity.policy import OPERATOR, Principal
from oneform.kernel.actor import SYSTEM, ActorKind
from oneform.runtime import Runtime

AGENCY = Principal(kind=ActorKind.AGENCY, id="7f", label="civil_affairs", agency_id=12)


def recorded(runtime: Runtime) -> list[AuditEvent]:
    with runtime.context() as ctx:
        return list(ctx.session.scalars(sa.select(AuditEvent).order_by(AuditEvent.id)))


def test_entry_names_actor_agency_target_and_data(runtime: Runtime) -> None:
    with runtime.context(AGENCY) as ctx:
        audit.append(ctx, Tag.SUBJECT_MOVED, "subject", "3-17", from_area="a", to_area="b")
    with runtime.context(SYSTEM) as ctx:
        audit.append(ctx, Tag.AREAS_IMPORTED, created=3)
    first, second = recorded(runtime)
    assert (first.tag, first.actor_kind, first.actor_id, first.actor_label, first.agency_id) == (
        "subject.moved",
        "agency",
        "7f",
        "civil_affairs",
        12,
    )
    assert (first.target_type, first.target_id) == ("subject", "3-17")
    assert first.data == {"from_area": "a", "to_area": "b"}
    assert (second.actor_kind, second.agency_id, second.target_id) == ("system", None, None)


def test_entry_of_a_failed_deed_is_gone_with_it(runtime: Runtime) -> None:
    def fail_after_recording() -> None:
        with runtime.context(OPERATOR) as ctx:
            audit.append(ctx, Tag.AREAS_IMPORTED, created=3)
            ctx.session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_recording()
    assert recorded(runtime) == []
