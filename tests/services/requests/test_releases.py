"""What is on record of data that is let out: as many values as left the house."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from factories import (
    FOREIGN_VILLAGE,
    NEXT_VILLAGE,
    VILLAGE,
    field,
    hold_values,
    make_agency,
    make_county,
    make_fields,
    make_request,
)

from oneform.identity.policy import OPERATOR, Principal
from oneform.requests.data import DataFormat, Export, Layout, ReadData, begin_export, stream
from oneform.requests.grants import decide_grant, list_grants
from oneform.requests.models import CellStatus
from oneform.runtime import Runtime

CONDITIONAL = {"category": "conditional", "conditions": "限社会救助", "basis": "《办法》"}


@pytest.fixture
def health(runtime: Runtime) -> Principal:
    """An agency, and two fields of which one needs the owner's consent."""
    with runtime.context(OPERATOR) as ctx:
        make_county(ctx)
        make_fields(ctx, field("test.people"), field("test.aid", sharing=CONDITIONAL))
        return make_agency(ctx, "health")


def request_of(runtime: Runtime, agency: Principal, *fields: str) -> uuid.UUID:
    with runtime.context(OPERATOR) as ctx:
        return make_request(ctx, agency, fields)


def hold(runtime: Runtime, values: dict[str, int]) -> None:
    with runtime.context(OPERATOR) as ctx:
        hold_values(ctx, "test.people", values, period="2026")


def export_of(runtime: Runtime, agency: Principal, request: uuid.UUID, **more: object) -> Export:
    with runtime.context(agency) as ctx:
        command = ReadData(request_id=request, format=DataFormat.CSV)
        return begin_export(ctx, replace(command, **more))  # type: ignore[arg-type]


def rows_of(runtime: Runtime, export: Export) -> list[str]:
    return b"".join(stream(runtime.engine, export)).decode().splitlines()[1:]


def on_record(runtime: Runtime) -> tuple[int, bool]:
    """Number of values of the only release, and whether it is finished."""
    with runtime.context(OPERATOR) as ctx:
        row = ctx.sql("SELECT values_count AS n, finished_at FROM release").one()
        return row.n, row.finished_at is not None


@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize(
    ("more", "values"),
    [({}, 2), ({"status": CellStatus.HELD}, 2), ({"status": CellStatus.ASKED}, 0), ({"area": VILLAGE}, 1)],
)  # fmt: skip
def test_a_release_has_as_many_values_as_were_let_out(
    runtime: Runtime, health: Principal, layout: Layout, more: dict[str, object], values: int
) -> None:
    hold(runtime, {VILLAGE: 4711, NEXT_VILLAGE: 4712})
    request = request_of(runtime, health, "test.people")
    rows = rows_of(runtime, export_of(runtime, health, request, layout=layout, **more))
    assert sum("471" in row for row in rows) == values
    assert on_record(runtime) == (values, True)


def test_what_awaits_its_being_resolved_anew_is_not_counted(
    runtime: Runtime, health: Principal
) -> None:
    hold(runtime, {VILLAGE: 7})
    request = request_of(runtime, health, "test.people", "test.aid")
    with runtime.context(OPERATOR) as ctx:
        owner = ctx.sql("SELECT id FROM agency WHERE code = 'stats'").scalar_one()
    with runtime.context(replace(health, agency_id=owner)) as ctx:
        [grant] = list_grants(ctx).items
        decide_grant(
            ctx, grant.id, decision="grant", reason=None, valid_until=None, conditions=None
        )
    export = export_of(runtime, health, request)
    assert on_record(runtime) == (0, False)
    assert rows_of(runtime, export) == []
    assert on_record(runtime) == (0, True)


def test_values_that_come_after_the_export_began_are_counted(
    runtime: Runtime, health: Principal
) -> None:
    request = request_of(runtime, health, "test.people")
    export = export_of(runtime, health, request)
    hold(runtime, {VILLAGE: 7})
    assert sum(",7,shared," in row for row in rows_of(runtime, export)) == 1
    assert on_record(runtime) == (1, True)


def test_values_that_come_while_it_is_streamed_are_neither_let_out_nor_counted(
    runtime: Runtime, health: Principal
) -> None:
    hold(runtime, {VILLAGE: 7})
    request = request_of(runtime, health, "test.people")
    chunks = stream(runtime.engine, export_of(runtime, health, request))
    next(chunks)
    first = next(chunks)
    hold(runtime, {FOREIGN_VILLAGE: 8, NEXT_VILLAGE: 8})
    rest = b"".join([first, *chunks]).decode()
    assert (",7,held," in rest, ",8," in rest) == (True, False)
    assert on_record(runtime) == (1, True)


def test_a_release_whose_reader_went_away_keeps_its_first_number(
    runtime: Runtime, health: Principal
) -> None:
    hold(runtime, {VILLAGE: 7})
    chunks = stream(
        runtime.engine, export_of(runtime, health, request_of(runtime, health, "test.people"))
    )
    next(chunks)
    chunks.close()  # type: ignore[attr-defined]
    assert on_record(runtime) == (1, False)
