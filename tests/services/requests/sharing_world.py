"""A county whose data an agency asks for: a field for everybody, and one that its owner grants."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, replace

from factories import (
    VILLAGE,
    field,
    hold_values,
    make_agency,
    make_county,
    make_fields,
    make_request,
    resolve_request,
)

from oneform.identity.policy import OPERATOR, Principal
from oneform.requests.data import DataFormat, Export, ReadData, begin_export, stream
from oneform.requests.grants import GrantView, decide_grant, list_grants
from oneform.requests.reading import get_request
from oneform.requests.views import RequestView
from oneform.runtime import Runtime

PEOPLE, AID = "test.people", "test.aid"
CONDITIONAL = {"category": "conditional", "conditions": "限社会救助", "basis": "《办法》"}


@dataclass(frozen=True)
class Sharing:
    """What agencies do; `stats` owns both fields."""

    runtime: Runtime
    health: Principal
    other: Principal
    stats: Principal

    def request(self, *fields: str, agency: Principal | None = None) -> uuid.UUID:
        with self.runtime.context(OPERATOR) as ctx:
            return make_request(ctx, agency or self.health, fields)

    def resolve(self, request: uuid.UUID) -> None:
        with self.runtime.context(OPERATOR) as ctx:
            resolve_request(ctx, request)

    def grants(self) -> list[GrantView]:
        """The newest first."""
        with self.runtime.context(self.stats) as ctx:
            return list(list_grants(ctx).items)

    def grant(self, *, until: dt.date | None = None) -> None:
        """The newest grant is given; its request waits to be resolved anew."""
        with self.runtime.context(self.stats) as ctx:
            grant = list_grants(ctx, state="pending").items[0]
            decide_grant(
                ctx, grant.id, decision="grant", reason=None, valid_until=until, conditions=None
            )

    def hold(self, code: str, values: dict[str, int]) -> None:
        with self.runtime.context(OPERATOR) as ctx:
            hold_values(ctx, code, values, period="2026")

    def read(self, request: uuid.UUID) -> RequestView:
        with self.runtime.context(OPERATOR) as ctx:
            return get_request(ctx, request)

    def export(self, request: uuid.UUID, **more: object) -> Export:
        with self.runtime.context(OPERATOR) as ctx:
            command = ReadData(request_id=request, format=DataFormat.CSV)
            return begin_export(ctx, replace(command, **more))  # type: ignore[arg-type]

    def rows(self, export: Export) -> list[str]:
        return b"".join(stream(self.runtime.engine, export)).decode().splitlines()[1:]

    def on_record(self) -> tuple[int, bool]:
        """Number of values of the latest release, and whether it is finished."""
        with self.runtime.context(OPERATOR) as ctx:
            row = ctx.sql(
                "SELECT values_count AS n, finished_at FROM release ORDER BY id DESC LIMIT 1"
            ).one()
            return row.n, row.finished_at is not None


def make_sharing(runtime: Runtime) -> Sharing:
    with runtime.context(OPERATOR) as ctx:
        make_county(ctx)
        make_fields(ctx, field(PEOPLE), field(AID, sharing=CONDITIONAL))
        health, other = make_agency(ctx, "health"), make_agency(ctx, "other")
        owner = ctx.sql("SELECT id FROM agency WHERE code = 'stats'").scalar_one()
        return Sharing(runtime, health, other, replace(health, agency_id=owner, label="stats"))


__all__ = ["AID", "PEOPLE", "VILLAGE", "Sharing", "make_sharing"]
