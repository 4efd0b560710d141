"""Who wins when a source and what is held disagree."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from oneform.identity.policy import OPERATOR
from oneform.runtime import Runtime
from oneform.sources.fetching import FetchReport, SourcePlan, fetch_region
from oneform.sources.service import SourceView, change_source, delete_source
from oneform.values.cells import values_of
from oneform.values.models import ProvenanceKind
from oneform.values.recording import open_provenance, record

V1 = "420102001001"
DATED = {"subject": "code", "period": "year", "observed_on": "surveyed"}
UNDATED = {"subject": "code", "period": "year"}
ROAD_DATED = {"subject": "code", "observed_on": "surveyed"}


class World:
    """One cell, written in many ways. The owner of pop.total is stats, of road.length civil."""

    def __init__(self, runtime: Runtime, offered: Any, department: sa.Engine, held: Any) -> None:
        self.runtime, self.offered, self.department, self.held = runtime, offered, department, held

    def hold(
        self,
        value: int,
        kind: ProvenanceKind,
        *,
        on: str = "2026-01-05",
        agency: str | None = None,
        source: SourceView | None = None,
        field: str = "pop.total",
        period: str = "2025",
        missing: str | None = None,
    ) -> None:
        """Put a value into the cell."""
        region, field_id = self.held.region(), self.held.field(field)
        with self.runtime.context(OPERATOR) as ctx:
            agency_id = ctx.sql(
                "SELECT id FROM agency WHERE code = :code", code=agency
            ).scalar_one_or_none()
            subject = ctx.sql("SELECT id FROM area WHERE code = :code", code=V1).scalar_one()
            origin = open_provenance(
                ctx, kind, agency_id=agency_id, source_id=source.id if source else None
            )
            cells = values_of(
                region,
                fields=[field_id],
                periods=[period],
                subjects=[subject],
                values=[None if missing else str(value)],
                missing=[missing],
                observed_on=[dt.date.fromisoformat(on)],
            )
            record(ctx, cells, origin, authoritative=True)

    def source(self, agency: str, code: str = "", **other: Any) -> SourceView:
        """A source of an agency with one row: 500 for the cell, observed 2026-01-10."""
        with self.department.connect() as connection:
            connection.exec_driver_sql("DELETE FROM dept.villages")
            connection.exec_driver_sql(
                f"INSERT INTO dept.villages VALUES "
                f"('{V1}', '2025', '500', 1, NULL, 500, '2026-01-10')"
            )
        given = {"fields": {"pop.total": "total"}, "keys": UNDATED} | other
        view: SourceView = self.offered(code=code or f"{agency}.source", agency=agency, **given)
        return view

    def fetch(self, source: SourceView, field: str = "pop.total") -> FetchReport:
        plan = SourcePlan(source.id, source.code, (self.held.field(field),), owner=True)
        return fetch_region(self.runtime, plan, self.held.region())

    def value(self, field: str = "pop.total", period: str = "2025") -> Any:
        return self.held.values()[V1, field, period]


@pytest.fixture
def world(
    runtime: Runtime, offered: Callable[..., SourceView], department: sa.Engine, held: Any
) -> World:
    return World(runtime, offered, department, held)


SUBMITTED, IMPORTED, COMPUTED, CORRECTED = (
    ProvenanceKind.SUBMISSION,
    ProvenanceKind.IMPORT,
    ProvenanceKind.COMPUTATION,
    ProvenanceKind.CORRECTION,
)
EARLY, LATE = "2026-01-05", "2026-01-15"
KEPT, TAKEN = 77, 500


@pytest.mark.parametrize(
    ("held_as", "on", "agency", "keys", "result"),
    [
        # The owner's source replaces what others gave, unless they observed later than it says.
        (SUBMITTED, EARLY, "stats", UNDATED, TAKEN),
        (SUBMITTED, LATE, "stats", UNDATED, TAKEN),
        (SUBMITTED, EARLY, "stats", DATED, TAKEN),
        (SUBMITTED, LATE, "stats", DATED, KEPT),
        (COMPUTED, EARLY, "stats", UNDATED, TAKEN),
        (IMPORTED, EARLY, "stats", UNDATED, TAKEN),
        (IMPORTED, LATE, "stats", DATED, KEPT),
        # Another agency's source replaces none of them.
        (SUBMITTED, EARLY, "civil", UNDATED, KEPT),
        (SUBMITTED, EARLY, "civil", DATED, KEPT),
        (COMPUTED, EARLY, "civil", DATED, KEPT),
        (IMPORTED, EARLY, "civil", DATED, KEPT),
        # A correction stays for both.
        (CORRECTED, EARLY, "stats", UNDATED, KEPT),
        (CORRECTED, EARLY, "civil", UNDATED, KEPT),
        (CORRECTED, EARLY, "stats", DATED, KEPT),
    ],
)
def test_value_held_for_a_period(
    world: World, held_as: ProvenanceKind, on: str, agency: str, keys: dict[str, str], result: int
) -> None:
    world.hold(KEPT, held_as, on=on, agency="stats")
    report = world.fetch(world.source(agency, keys=keys))
    assert world.value() == result
    assert report.counts.conflicts == (0 if result == TAKEN else 1)
    assert report.counts.updated == (1 if result == TAKEN else 0)


def test_conflict_is_reported_with_the_value_that_lost(world: World) -> None:
    world.hold(KEPT, SUBMITTED)
    report = world.fetch(world.source("civil"))
    with world.runtime.context(OPERATOR) as ctx:
        row = ctx.sql("SELECT * FROM source_refused WHERE run_id = :id", id=report.run_id).one()
    assert (row.subject, row.field, row.period, row.value, row.code) == (
        V1,
        "pop.total",
        "2025",
        TAKEN,
        "conflict",
    )
    assert "authority" in row.detail


def test_equal_value_is_no_conflict(world: World) -> None:
    world.hold(TAKEN, SUBMITTED)
    report = world.fetch(world.source("civil"))
    assert (report.counts.conflicts, report.counts.unchanged) == (0, 1)


def test_unknown_gives_way_to_any_value(world: World) -> None:
    world.hold(0, SUBMITTED, on=LATE, missing="unknown")
    world.fetch(world.source("civil", keys=DATED))
    assert world.value() == TAKEN


def test_correction_gives_way_to_a_later_observation(world: World) -> None:
    world.hold(KEPT, CORRECTED, agency="stats", field="road.length", period="")
    source = world.source("civil", fields={"road.length": "road"}, keys=ROAD_DATED)
    with world.runtime.context(OPERATOR) as ctx:
        # Recorded long before the source observed.
        ctx.sql("UPDATE cell_value SET recorded_at = '2026-01-08'")
    world.fetch(source, "road.length")
    assert world.value("road.length", "") == TAKEN


def test_owner_replaces_another_agencys_source_also_with_an_older_observation(
    world: World,
) -> None:
    other = world.source("civil", "civil.other")
    world.hold(KEPT, ProvenanceKind.SOURCE, on=LATE, agency="civil", source=other)
    world.fetch(world.source("stats", keys=DATED))
    assert world.value() == TAKEN


def test_other_source_does_not_replace_the_owners(world: World) -> None:
    owners = world.source("stats")
    world.hold(KEPT, ProvenanceKind.SOURCE, on=EARLY, agency="stats", source=owners)
    report = world.fetch(world.source("civil", keys=DATED))
    assert (world.value(), report.counts.conflicts) == (KEPT, 1)


def test_source_replaces_its_own_value(world: World) -> None:
    source = world.source("civil")
    world.hold(KEPT, ProvenanceKind.SOURCE, on=LATE, agency="civil", source=source)
    world.fetch(source)
    assert world.value() == TAKEN


@pytest.mark.parametrize("agency", ["stats", "civil"])
@pytest.mark.parametrize(
    ("on", "keys", "result"),
    [(EARLY, UNDATED, KEPT), (EARLY, DATED, TAKEN), (LATE, DATED, KEPT)],
)
def test_of_two_sources_of_one_authority_the_later_observation_wins(
    world: World, agency: str, on: str, keys: dict[str, str], result: int
) -> None:
    first = world.source(agency, "first")
    world.hold(KEPT, ProvenanceKind.SOURCE, on=on, agency=agency, source=first)
    world.fetch(world.source(agency, "second", keys=keys))
    assert world.value() == result


@pytest.mark.parametrize("agency", ["stats", "civil"])
@pytest.mark.parametrize("end", ["deleted", "disabled"])
def test_source_that_is_gone_gives_way(world: World, agency: str, end: str) -> None:
    first = world.source(agency, "first")
    world.hold(KEPT, ProvenanceKind.SOURCE, agency=agency, source=first)
    second = world.source(agency, "second")
    with world.runtime.context(OPERATOR) as ctx:
        if end == "deleted":
            delete_source(ctx, "first")
        else:
            change_source(ctx, "first", {"enabled": False}, world.runtime.settings)
    world.fetch(second)
    assert world.value() == TAKEN


def test_owners_source_that_is_gone_does_not_give_way_to_another_agency(world: World) -> None:
    first = world.source("stats", "first")
    world.hold(KEPT, ProvenanceKind.SOURCE, agency="stats", source=first)
    second = world.source("civil", "second")
    with world.runtime.context(OPERATOR) as ctx:
        delete_source(ctx, "first")
    world.fetch(second)
    assert world.value() == KEPT


@pytest.mark.parametrize(("on", "result"), [("2023-12-01", TAKEN), (LATE, KEPT)])
def test_stale_standing_value_gives_way_to_any_agency(world: World, on: str, result: int) -> None:
    world.hold(KEPT, SUBMITTED, on=on, field="road.length", period="")
    source = world.source("stats", fields={"road.length": "road"}, keys=ROAD_DATED)
    world.fetch(source, "road.length")
    assert world.value("road.length", "") == result


def test_value_written_meanwhile_is_not_run_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody submits between the look for conflicts and the recording: it is done again."""
    from oneform.sources import recording

    source = world.source("civil")
    world.hold(KEPT - 1, ProvenanceKind.SOURCE, agency="civil", source=source)
    genuine, submitted = recording.record, []

    def interrupted(*arguments: Any, **named: Any) -> Any:
        if not submitted:
            submitted.append(True)
            world.hold(KEPT, SUBMITTED)
        return genuine(*arguments, **named)

    monkeypatch.setattr(recording, "record", interrupted)
    report = world.fetch(source)
    assert submitted
    assert (world.value(), report.counts.conflicts, report.counts.updated) == (KEPT, 1, 0)
