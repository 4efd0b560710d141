"""Fetching: what a source says becomes what is held, or is put aside with a reason."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from oneform.areas.service import apply_changes
from oneform.identity.policy import OPERATOR
from oneform.kernel.clock import FixedClock
from oneform.kernel.ids import new_id
from oneform.runtime import Runtime
from oneform.sources.fetching import (
    FetchReport,
    SourcePlan,
    fetch_region,
    run_source,
    sources_for,
)
from oneform.sources.runs import RefusedView, RunState, get_run, list_refused, start_run
from oneform.sources.service import SourceView, change_source

Offer = Callable[..., SourceView]
COUNTY, OTHER = "420102000000", "420103000000"
V1, V2, V3, W1 = "420102001001", "420102001002", "420102001003", "420103001001"


@pytest.fixture
def fetch(runtime: Runtime, held: Any) -> Callable[..., list[FetchReport]]:
    """Fetch some fields of a region from all sources that have them, in order."""

    def run(*codes: str, region: str = COUNTY, **other: Any) -> list[FetchReport]:
        with runtime.context(OPERATOR) as ctx:
            plans = sources_for(ctx, [held.field(code) for code in codes], held.region(region))
        return [fetch_region(runtime, plan, held.region(region), **other) for plan in plans]

    return run


@pytest.fixture
def run_all(runtime: Runtime) -> Callable[[str], FetchReport]:
    """Run a whole source."""

    def run(code: str = "stats.villages") -> FetchReport:
        with runtime.context(OPERATOR) as ctx:
            view = start_run(ctx, code)
        return run_source(runtime, view.id)

    return run


@pytest.fixture
def refused(runtime: Runtime) -> Callable[..., list[RefusedView]]:
    def read(report: FetchReport, code: str = "stats.villages") -> list[RefusedView]:
        assert report.run_id is not None
        with runtime.context(OPERATOR) as ctx:
            return list(list_refused(ctx, code, report.run_id).items)

    return read


def execute(engine: sa.Engine, statement: str) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)


def test_values_of_a_region_are_recorded(offered: Offer, fetch: Any, held: Any) -> None:
    offered()
    (report,) = fetch("pop.total", "pop.rate", period="2025")
    assert held.values() == {
        (V1, "pop.total", "2025"): 1203,
        (V1, "pop.rate", "2025"): 12.5,
        (V2, "pop.total", "2025"): 7,
    }
    assert (report.counts.values, report.counts.created, report.counts.refused) == (3, 3, 0)


def test_only_fields_asked_for_are_fetched(offered: Offer, fetch: Any, held: Any) -> None:
    offered()
    fetch("pop.rate", period="2025")
    assert {field for _, field, _ in held.values()} == {"pop.rate"}


def test_without_a_period_all_are_taken(offered: Offer, fetch: Any, held: Any) -> None:
    offered()
    fetch("pop.total")
    assert held.values()[V1, "pop.total", "2024"] == 1199


def test_second_fetch_changes_nothing(offered: Offer, fetch: Any, runtime: Runtime) -> None:
    offered()
    fetch("pop.total")
    (report,) = fetch("pop.total")
    assert (report.counts.created, report.counts.updated, report.counts.unchanged) == (0, 0, 3)
    with runtime.context(OPERATOR) as ctx:
        assert ctx.sql("SELECT count(*) FROM cell_value_history").scalar_one() == 0


def test_changed_value_keeps_the_old_one(
    offered: Offer, fetch: Any, held: Any, department: sa.Engine, runtime: Runtime
) -> None:
    offered()
    fetch("pop.total")
    execute(department, "UPDATE dept.villages SET total = '8' WHERE total = '7'")
    (report,) = fetch("pop.total")
    assert report.counts.updated == 1
    assert held.values()[V2, "pop.total", "2025"] == 8
    with runtime.context(OPERATOR) as ctx:
        assert ctx.sql("SELECT value FROM cell_value_history").scalars().all() == [7]


def test_value_knows_its_source_and_run(offered: Offer, fetch: Any, runtime: Runtime) -> None:
    source = offered()
    request_id = new_id()
    (report,) = fetch("pop.rate", request_id=request_id)
    with runtime.context(OPERATOR) as ctx:
        row = ctx.sql(
            "SELECT DISTINCT p.kind, p.source_id, p.ref, p.agency_id, v.since_kind "
            "FROM cell_value AS v JOIN provenance AS p ON p.id = v.provenance_id"
        ).one()
        agency = ctx.sql("SELECT id FROM agency WHERE code = 'stats'").scalar_one()
        run = get_run(ctx, source.code, report.run_id)
    assert (row.kind, row.source_id, row.ref, row.agency_id) == (
        "source",
        source.id,
        report.run_id,
        agency,
    )
    assert row.since_kind == "shared"
    assert (run.state, run.request_id) == (RunState.DONE, request_id)
    assert run.counts["created"] == 2


def test_whole_source_is_recorded_region_by_region(offered: Offer, run_all: Any, held: Any) -> None:
    offered()
    report = run_all()
    assert held.values()[W1, "pop.total", "2025"] == 55
    assert report.counts.rows == 4
    assert report.counts.created == len(held.values()) == 7


def test_run_that_has_ended_is_not_repeated(offered: Offer, run_all: Any, runtime: Runtime) -> None:
    offered()
    report = run_all()
    assert run_source(runtime, report.run_id).run_id is None


def test_wrong_values_are_put_aside_and_the_others_recorded(
    offered: Offer, fetch: Any, held: Any, department: sa.Engine, refused: Any
) -> None:
    execute(department, "UPDATE dept.villages SET total = '-5' WHERE total = '7'")
    execute(department, "UPDATE dept.villages SET rate = 101 WHERE rate = 11")
    offered()
    (report,) = fetch("pop.total", "pop.rate")
    assert (V2, "pop.total", "2025") not in held.values()
    assert (V1, "pop.rate", "2024") not in held.values()
    assert held.values()[V1, "pop.total", "2024"] == 1199
    found = {(r.subject, r.field, r.period, r.value, r.code) for r in refused(report)}
    assert found == {
        (V2, "pop.total", "2025", "-5", "schema"),
        (V1, "pop.rate", "2024", "101", "schema"),
    }
    assert report.counts.refused == 2


def test_codes_are_mapped(offered: Offer, fetch: Any, held: Any, refused: Any) -> None:
    offered(
        code="civil.aid",
        agency="civil",
        fields={"aid.status": {"column": "status", "codes": {"A": "1"}}},
    )
    (report,) = fetch("aid.status", period="2025")
    assert held.values() == {(V1, "aid.status", "2025"): "1", (V2, "aid.status", "2025"): "2"}
    assert report.counts.refused == 0


def test_code_off_the_list_is_refused(offered: Offer, fetch: Any, refused: Any, held: Any) -> None:
    offered(code="civil.aid", agency="civil", fields={"aid.status": "status"})
    (report,) = fetch("aid.status", period="2025")
    (row,) = refused(report, "civil.aid")
    assert (row.value, row.code) == ("A", "schema")


def test_standing_value_of_the_latest_period_wins(offered: Offer, fetch: Any, held: Any) -> None:
    offered(code="civil.roads", agency="civil", fields={"road.length": "road"})
    (report,) = fetch("road.length", period="2025")
    assert held.values() == {(V1, "road.length", ""): 900}
    assert report.counts.refused == 1  # what was so a year before


def test_standing_value_is_observed_when_the_source_says(
    offered: Offer, fetch: Any, runtime: Runtime
) -> None:
    offered(
        code="civil.roads",
        agency="civil",
        keys={"subject": "code", "observed_on": "surveyed"},
        fields={"road.length": "road"},
    )
    fetch("road.length")
    with runtime.context(OPERATOR) as ctx:
        days = ctx.sql("SELECT observed_on FROM cell_value").scalars().all()
    assert days == [dt.date(2026, 1, 10)]


def test_standing_value_too_old_for_the_source_is_refused(
    offered: Offer, fetch: Any, held: Any, refused: Any
) -> None:
    offered(
        code="civil.roads",
        agency="civil",
        keys={"subject": "code", "observed_on": "surveyed"},
        fields={"road.length": "road"},
        fresh_for="P30D",
    )
    (report,) = fetch("road.length")
    assert held.values() == {}
    assert {row.code for row in refused(report, "civil.roads")} == {"stale"}


def test_observation_in_the_future_is_refused(
    offered: Offer, fetch: Any, held: Any, department: sa.Engine, refused: Any
) -> None:
    execute(department, "UPDATE dept.villages SET surveyed = '2026-03-17' WHERE total = '7'")
    offered(keys={"subject": "code", "period": "year", "observed_on": "surveyed"})
    (report,) = fetch("pop.total", period="2025")
    assert set(held.values()) == {(V1, "pop.total", "2025")}
    (row,) = refused(report)
    assert (row.subject, row.code) == (V2, "observed_on")


def test_period_of_the_current_year_is_observed_today(
    offered: Offer, fetch: Any, department: sa.Engine, runtime: Runtime
) -> None:
    execute(department, "DELETE FROM dept.villages WHERE year = '2024'")
    execute(department, "UPDATE dept.villages SET year = '2026'")
    offered()
    fetch("pop.rate")
    with runtime.context(OPERATOR) as ctx:
        days = ctx.sql("SELECT DISTINCT observed_on FROM cell_value").scalars().all()
    assert days == [dt.date(2026, 3, 16)]


def test_unreadable_period_is_refused(
    offered: Offer, fetch: Any, held: Any, department: sa.Engine, refused: Any
) -> None:
    execute(department, "UPDATE dept.villages SET year = '2025-11' WHERE total = '7'")
    offered()
    (report,) = fetch("pop.total")
    assert (V2, "pop.total", "2025") not in held.values()
    (row,) = refused(report)
    assert (row.subject, row.field, row.code) == (V2, "pop.total", "period")


def test_constant_period_holds_for_all_rows(
    offered: Offer, fetch: Any, held: Any, department: sa.Engine
) -> None:
    execute(department, "DELETE FROM dept.villages WHERE year = '2024'")
    offered(keys={"subject": "code", "period": 2025})
    fetch("pop.total")
    assert {period for _, _, period in held.values()} == {"2025"}


def test_unknown_subjects_are_reported_by_a_whole_run(
    offered: Offer, run_all: Any, department: sa.Engine, refused: Any, held: Any
) -> None:
    execute(department, "INSERT INTO dept.villages VALUES ('420102009999', '2025', '1')")
    offered()
    report = run_all()
    (row,) = refused(report)
    assert (row.subject, row.field, row.code) == ("420102009999", "", "unknown_area")
    assert report.counts.refused == 1
    assert len(held.values()) == 7


def test_areas_that_are_not_the_sources_are_no_mistake(
    offered: Offer, run_all: Any, fetch: Any, held: Any, refused: Any
) -> None:
    offered(areas=[COUNTY])
    report = run_all()
    assert W1 not in {subject for subject, _, _ in held.values()}
    assert report.counts.refused == 0
    assert refused(report) == []
    assert fetch("pop.total", region=OTHER) == []


def test_part_of_a_region_can_be_covered(offered: Offer, fetch: Any, held: Any) -> None:
    offered(areas=[V2])
    fetch("pop.total", period="2025")
    assert set(held.values()) == {(V2, "pop.total", "2025")}


def test_value_for_an_area_of_another_level_is_refused(
    offered: Offer, fetch: Any, held: Any, department: sa.Engine, refused: Any
) -> None:
    execute(department, "UPDATE dept.villages SET code = '420102001000' WHERE total = '7'")
    offered()
    (report,) = fetch("pop.total", period="2025")
    assert len(held.values()) == 1
    (row,) = refused(report)
    assert (row.subject, row.code) == ("420102001000", "level")


def test_former_code_still_means_the_area(
    offered: Offer, fetch: Any, held: Any, runtime: Runtime
) -> None:
    offered()
    with runtime.context(OPERATOR) as ctx:
        apply_changes(
            ctx,
            b"change,old_code,new_code,parent_code,level,name,on_date\n"
            b"recode,420102001002,420102001902,420102001000,5,,2026-02-01\n",
        )
    fetch("pop.total", period="2025")
    assert held.values()["420102001902", "pop.total", "2025"] == 7


def test_cell_given_twice_the_same_counts_once(
    offered: Offer, fetch: Any, held: Any, department: sa.Engine
) -> None:
    execute(department, "INSERT INTO dept.villages VALUES ('420102001002', '2025', '7')")
    offered()
    (report,) = fetch("pop.total", period="2025")
    assert held.values()[V2, "pop.total", "2025"] == 7
    assert (report.counts.created, report.counts.refused) == (2, 0)


def test_cell_given_twice_differently_is_refused(
    offered: Offer, fetch: Any, held: Any, department: sa.Engine, refused: Any
) -> None:
    execute(department, "INSERT INTO dept.villages VALUES ('420102001002', '2025', '8')")
    offered()
    (report,) = fetch("pop.total", period="2025")
    assert (V2, "pop.total", "2025") not in held.values()
    assert {(row.subject, row.value, row.code) for row in refused(report)} == {
        (V2, 7, "duplicate"),
        (V2, 8, "duplicate"),
    }


def test_later_of_two_observations_is_taken(
    offered: Offer, fetch: Any, held: Any, department: sa.Engine, refused: Any
) -> None:
    execute(
        department,
        "INSERT INTO dept.villages VALUES "
        "('420102001002', '2025', '8', NULL, NULL, NULL, '2026-02-01')",
    )
    offered(keys={"subject": "code", "period": "year", "observed_on": "surveyed"})
    (report,) = fetch("pop.total", period="2025")
    assert held.values()[V2, "pop.total", "2025"] == 8
    (row,) = refused(report)
    assert (row.value, row.code) == (7, "duplicate")


@pytest.fixture
def residents(runtime: Runtime, department: sa.Engine) -> None:
    """Two people in the ledger of one village, and three in the department's table."""
    with runtime.context(OPERATOR) as ctx:
        ctx.sql(
            "INSERT INTO subject (region_id, kind_id, key, name, area_id) "
            "SELECT a.region_id, k.id, p.key, p.key, a.id FROM area AS a, subject_kind AS k, "
            "unnest(CAST(:keys AS text[])) AS p(key) WHERE a.code = :village AND k.code = 'resident'",
            keys=["P1", "P2"],
            village=V1,
        )
    execute(department, "CREATE TABLE dept.people (id text, village bigint, age int)")
    execute(
        department,
        f"INSERT INTO dept.people VALUES ('P1', {V1}, 70), (' P2 ', {V1}, 8), ('P3', {V2}, 9)",
    )


PEOPLE = {
    "code": "civil.people",
    "agency": "civil",
    "keys": {"subject": "id", "area": "village"},
    "fields": {"person.age": "age"},
}


@pytest.fixture
def people(offered: Offer, settings: Any, residents: None) -> SourceView:
    return offered(**PEOPLE, settings={"url": settings.database_url, "table": "dept.people"})


def test_people_are_found_by_their_key(
    people: SourceView, fetch: Any, held: Any, refused: Any
) -> None:
    (report,) = fetch("person.age")
    assert held.values() == {("P1", "person.age", ""): 70, ("P2", "person.age", ""): 8}
    (row,) = refused(report, people.code)
    assert (row.subject, row.code) == ("P3", "unknown_subject")
    assert report.counts.refused == 1


def test_whole_source_of_people_is_recorded(people: SourceView, run_all: Any, held: Any) -> None:
    report = run_all(people.code)
    assert len(held.values()) == 2
    assert (report.counts.created, report.counts.refused) == (2, 1)


def test_person_who_moved_to_another_county_is_still_found(
    people: SourceView, fetch: Any, held: Any, runtime: Runtime, department: sa.Engine
) -> None:
    with runtime.context(OPERATOR) as ctx:
        ctx.sql(
            "UPDATE subject SET area_id = (SELECT id FROM area WHERE code = :to) WHERE key = 'P1'",
            to=W1,
        )
    execute(department, f"UPDATE dept.people SET village = {W1} WHERE id = 'P1'")
    execute(department, f"INSERT INTO dept.people VALUES ('Q1', {W1}, 30)")
    (report,) = fetch("person.age")
    assert held.values()["P1", "person.age", ""] == 70
    assert report.counts.refused == 1  # P3; Q1 is the other county's business


def test_closed_subject_gets_no_value(
    people: SourceView, fetch: Any, held: Any, runtime: Runtime
) -> None:
    with runtime.context(OPERATOR) as ctx:
        ctx.sql("UPDATE subject SET active_to = '2026-01-01' WHERE key = 'P1'")
    fetch("person.age")
    assert set(held.values()) == {("P2", "person.age", "")}


def test_files_are_fetched_alike(
    offered: Offer, fetch: Any, held: Any, settings: Any, refused: Any
) -> None:
    Path(settings.allow_files[0], "2025.csv").write_bytes(
        f'code,total\n{V1},"1,203"\n{V2},\n{V3},many\n'.encode("utf-8-sig")
    )
    offered(
        kind="file",
        settings={"path": "2025.csv"},
        keys={"subject": "code", "period": 2025},
        fields={"pop.total": "total"},
    )
    (report,) = fetch("pop.total")
    assert held.values() == {(V1, "pop.total", "2025"): 1203}
    (row,) = refused(report)
    assert (row.subject, row.value, row.code) == (V3, "many", "schema")


def test_odd_texts_come_through(
    offered: Offer, fetch: Any, refused: Any, department: sa.Engine
) -> None:
    execute(
        department,
        r"UPDATE dept.villages SET total = E'a\tb\\N\nc\\\\d \"q\"' WHERE total = '7'",
    )
    offered()
    (report,) = fetch("pop.total", period="2025")
    (row,) = refused(report)
    assert row.value == 'a\tb\\N\nc\\\\d "q"'


def test_field_not_in_force_is_not_fetched(
    offered: Offer, fetch: Any, clock: FixedClock, held: Any, runtime: Runtime
) -> None:
    source = offered()
    plan = SourcePlan(source.id, source.code, (held.field("pop.total"),), owner=True)
    clock.advance(dt.timedelta(days=3 * 366))
    assert fetch_region(runtime, plan, held.region()).run_id is None


def test_source_switched_off_is_not_called(offered: Offer, fetch: Any, runtime: Runtime) -> None:
    offered()
    with runtime.context(OPERATOR) as ctx:
        change_source(ctx, "stats.villages", {"enabled": False}, runtime.settings)
    assert fetch("pop.total") == []


def test_absent_table_is_told_in_the_report_and_nothing_is_recorded(
    offered: Offer, fetch: Any, held: Any, department: sa.Engine, runtime: Runtime
) -> None:
    offered()
    execute(department, "ALTER TABLE dept.villages RENAME TO hamlets")
    (report,) = fetch("pop.total")
    assert "There is no table or view dept.villages" in str(report.error)
    with runtime.context(OPERATOR) as ctx:
        run = get_run(ctx, "stats.villages", report.run_id)
    assert (run.state, run.error) == (RunState.FAILED, report.error)
    assert held.values() == {}


def test_source_that_breaks_half_way_leaves_nothing(
    offered: Offer, fetch: Any, held: Any, department: sa.Engine, runtime: Runtime
) -> None:
    execute(department, "ALTER TABLE dept.villages RENAME TO real_villages")
    execute(
        department,
        "CREATE VIEW dept.villages AS SELECT code, year, total, rate FROM dept.real_villages "
        "UNION ALL SELECT '420102001001', '2023', (1 / (n - 20000))::text, 1 "
        "FROM generate_series(1, 20000) AS n",
    )
    offered()
    (report,) = fetch("pop.total")
    assert "division by zero" in str(report.error)
    assert held.values() == {}
    with runtime.context(OPERATOR) as ctx:
        assert ctx.sql("SELECT count(*) FROM source_refused").scalar_one() == 0


def test_owner_comes_before_others(offered: Offer, runtime: Runtime, held: Any) -> None:
    offered(code="a.civil", agency="civil", fields={"pop.total": "total", "aid.status": "status"})
    offered(code="b.stats", fields={"pop.total": "total"})
    with runtime.context(OPERATOR) as ctx:
        total, status = held.field("pop.total"), held.field("aid.status")
        plans = sources_for(ctx, [total, status, total], held.region())
    assert [(plan.code, plan.field_ids, plan.owner) for plan in plans] == [
        ("a.civil", (status,), True),
        ("b.stats", (total,), True),
        ("a.civil", (total,), False),
    ]


def test_no_fields_have_no_sources(offered: Offer, runtime: Runtime, held: Any) -> None:
    offered()
    with runtime.context(OPERATOR) as ctx:
        assert sources_for(ctx, [], held.region()) == []
        assert sources_for(ctx, [held.field("road.length")], held.region()) == []
