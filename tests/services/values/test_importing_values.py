"""Imports of values: what is recorded, what is refused, and who may."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import Any

import pytest
from factories import (
    COUNTY,
    FAR_VILLAGE,
    FOREIGN_VILLAGE,
    NEXT_VILLAGE,
    TOWNSHIP,
    VILLAGE,
    field,
    make_fields,
    make_person,
    make_residents,
)
from values_world import World

from oneform.areas.service import apply_changes
from oneform.identity.policy import OPERATOR, PUBLIC
from oneform.kernel.clock import FixedClock
from oneform.kernel.errors import Forbidden, Invalid, NotFound, Unauthenticated
from oneform.values.imports.ending import KEPT_DAYS, stop_import, tidy_imports
from oneform.values.imports.service import get_import
from oneform.values.imports.views import ImportCounts, ImportState, ImportView

WANG, LI = "420102199001010014", "420102198505050023"


def row(field: str, subject: str, value: Any, period: str = "2026", **more: Any) -> dict[str, Any]:
    return {"field": field, "subject": subject, "period": period, "value": value, **more}


def told(view: ImportView) -> list[tuple[int, str, str]]:
    return [(c.row, c.pointer, c.code.value) for c in view.conflicts.items]


def one(world: World, given: dict[str, Any], **options: Any) -> list[tuple[str, str]]:
    """What is said of a single row."""
    return [(pointer, code) for _, pointer, code in told(world.take([given], **options))]


# ---- what is recorded ----------------------------------------------------------


def test_rows_are_recorded_with_their_day_and_provenance(world: World) -> None:
    view = world.take(
        [
            row("pop.total", VILLAGE, 1203, observed_on="2026-02-01"),
            row("pop.rate", FOREIGN_VILLAGE, 12.5),
            row("pop.note", VILLAGE, "近郊", ""),
            row("pop.monthly", NEXT_VILLAGE, 7, "2026-02"),
        ]
    )
    assert (view.state, view.counts) == (ImportState.DONE, ImportCounts(created=4))
    assert told(view) == []
    assert world.held() == {
        ("pop.total", VILLAGE, "2026"): 1203,
        ("pop.rate", FOREIGN_VILLAGE, "2026"): 12.5,
        ("pop.note", VILLAGE, ""): "近郊",
        ("pop.monthly", NEXT_VILLAGE, "2026-02"): 7,
    }
    with world.runtime.context(OPERATOR) as ctx:
        rows = ctx.sql(
            "SELECT DISTINCT p.kind, p.actor_kind, p.actor_id, p.actor_label, p.agency_id, p.ref, "
            "v.since_kind, v.observed_on FROM cell_value AS v "
            "JOIN provenance AS p ON p.id = v.provenance_id ORDER BY v.observed_on"
        ).all()
    who = ("import", "agency", world.stats.id, "stats", world.stats.agency_id, view.id, "shared")
    assert [tuple(each) for each in rows] == [
        (*who, dt.date(2026, 2, 1)),
        (*who, dt.date(2026, 3, 16)),
    ]


def test_csv_cells_become_values_by_the_type_of_their_field(world: World) -> None:
    view = world.take(
        "field,subject,period,value,observed_on\n"
        f'pop.total,{VILLAGE},2026,"1,203",2026/2/1\n'
        f"pop.rate,{VILLAGE},2026,12.50,\n"
        f"pop.note,{VILLAGE},,007,\n"
    )
    assert (view.counts, told(view)) == (ImportCounts(created=3), [])
    assert world.held() == {
        ("pop.total", VILLAGE, "2026"): 1203,
        ("pop.rate", VILLAGE, "2026"): 12.5,
        ("pop.note", VILLAGE, ""): "007",
    }


@pytest.mark.parametrize(
    "text", ["a\tb", "a\nb", "a\r\nb", "\\N", "\\.", '\\"', "a\\tb", '"', ",", "'", "%s {x} :y"]
)
def test_text_is_kept_as_it_is_whatever_characters_are_in_it(world: World, text: str) -> None:
    quoted = text.replace('"', '""')
    world.take(f'field,subject,value\npop.note,{VILLAGE},"{quoted}"\n')
    world.take([row("pop.note", NEXT_VILLAGE, text, "")])
    assert world.held() == {
        ("pop.note", VILLAGE, ""): text,
        ("pop.note", NEXT_VILLAGE, ""): text,
    }
    # Names of things that are not there come through as well.
    view = world.take([row(text, text, 1, text, observed_on=text)])
    assert view.counts == ImportCounts(invalid=1)


def test_the_same_file_again_changes_nothing(world: World) -> None:
    rows = [row("pop.total", VILLAGE, 1), row("pop.note", VILLAGE, "x", "")]
    world.take(rows)
    assert world.take(rows).counts == ImportCounts(unchanged=2)
    assert world.scalar("SELECT count(*) FROM cell_value_history") == 0


def test_owner_replaces_what_is_held_even_by_an_older_observation(world: World) -> None:
    world.take([row("pop.total", VILLAGE, 1, observed_on="2026-03-01")])
    view = world.take([row("pop.total", VILLAGE, 2, observed_on="2026-02-01")])
    assert view.counts == ImportCounts(updated=1)
    assert world.held() == {("pop.total", VILLAGE, "2026"): 2}
    assert world.scalar("SELECT value FROM cell_value_history") == 1


def test_what_is_right_is_recorded_beside_what_is_wrong(world: World) -> None:
    view = world.take(
        "field,subject,value,period\n"
        f"pop.total,{VILLAGE},-1,2026\n"
        f"pop.total,{NEXT_VILLAGE},5,2026\n"
        f"pop.total,{FAR_VILLAGE}\n"
    )
    assert view.counts == ImportCounts(created=1, invalid=2)
    assert told(view) == [(2, "/value", "schema"), (4, "", "malformed")]
    assert world.held() == {("pop.total", NEXT_VILLAGE, "2026"): 5}


def test_dry_run_counts_the_same_and_records_nothing(world: World) -> None:
    world.take([row("pop.total", VILLAGE, 1), row("pop.total", NEXT_VILLAGE, 2)])
    before = world.held()
    rows = [
        row("pop.total", VILLAGE, 1),
        row("pop.total", NEXT_VILLAGE, 3),
        row("pop.total", FAR_VILLAGE, 4),
        row("pop.total", FAR_VILLAGE, 5),
        row("pop.total", FOREIGN_VILLAGE, "many"),
    ]
    foreseen = world.take(rows, dry_run=True)
    assert foreseen.dry_run
    assert foreseen.state is ImportState.DONE
    assert foreseen.counts == ImportCounts(created=1, updated=1, unchanged=1, invalid=2)
    assert world.held() == before
    assert world.scalar("SELECT count(*) FROM provenance") == 1
    done = world.take(rows)
    assert (done.counts, told(done)) == (foreseen.counts, told(foreseen))


def test_of_two_rows_of_a_cell_the_first_that_is_right_counts(world: World) -> None:
    view = world.take(
        [
            row("pop.total", VILLAGE, "wrong"),
            row("pop.total", VILLAGE, 1),
            row("pop.total", NEXT_VILLAGE, 9),
            row("pop.total", VILLAGE, 2),
            row("pop.total", VILLAGE, 1),
        ]
    )
    assert view.counts == ImportCounts(created=2, invalid=3)
    assert told(view) == [(1, "/value", "schema"), (4, "", "duplicate"), (5, "", "duplicate")]
    assert view.conflicts.items[1].detail.startswith("row 2 ")
    assert world.held()["pop.total", VILLAGE, "2026"] == 1


def test_nothing_waits_when_an_import_is_done(world: World) -> None:
    world.take([row("pop.total", VILLAGE, 1), row("pop.total", VILLAGE, "x"), {"field": 1}])
    for table in ("value_import_block", "value_import_taken"):
        assert world.scalar(f"SELECT count(*) FROM {table}") == 0


# ---- what is refused -----------------------------------------------------------


def test_value_that_breaks_the_schema_is_refused_in_its_words(world: World) -> None:
    view = world.take(
        [
            row("pop.total", VILLAGE, "12"),
            row("pop.total", NEXT_VILLAGE, 1.5),
            row("pop.rate", VILLAGE, 100.5),
            row("pop.note", VILLAGE, "x" * 21, ""),
            row("pop.total", FAR_VILLAGE, {"a": [1]}),
        ]
    )
    assert [(c.row, c.pointer, c.detail) for c in view.conflicts.items] == [
        (1, "/value", "must be an integer, not a string"),
        (2, "/value", "must be an integer, not a number"),
        (3, "/value", "must be at most 100"),
        (4, "/value", "must have at most 20 characters"),
        (5, "/value", "must be an integer, not an object"),
    ]
    assert view.counts == ImportCounts(invalid=5)


def test_code_that_is_not_on_the_list_is_refused(world: World) -> None:
    assert one(world, row("aid.status", VILLAGE, "1"), actor=world.civil) == []
    assert one(world, row("aid.status", NEXT_VILLAGE, "9"), actor=world.civil) == [
        ("/value", "schema")
    ]


MISFITS: list[tuple[dict[str, Any], str, str]] = [
    (row("pop.unheard_of", VILLAGE, 1), "/field", "unknown_field"),
    (row("pop.far", VILLAGE, 1), "/field", "not_in_force"),
    (row("aid.status", VILLAGE, "1"), "/field", "not_owner"),
    (row("pop.total", "420199999999", 1), "/subject", "unknown_subject"),
    (row("pop.total", "somewhere", 1), "/subject", "unknown_subject"),
    (row("pop.total", TOWNSHIP, 1), "/subject", "wrong_level"),
    (row("pop.total", VILLAGE, 1, "2026-01"), "/period", "wrong_period"),
    (row("pop.total", VILLAGE, 1, ""), "/period", "wrong_period"),
    (row("pop.total", VILLAGE, 1, "26"), "/period", "wrong_period"),
    (row("pop.note", VILLAGE, "a", "2026"), "/period", "wrong_period"),
    (row("pop.total", VILLAGE, 1, observed_on="2026-03-17"), "/observed_on", "observed_on"),
    (row("pop.total", VILLAGE, 1, observed_on="2026-02-30"), "/observed_on", "observed_on"),
    (row("pop.total", VILLAGE, 1, observed_on="1.3.2026"), "/observed_on", "observed_on"),
    (row("pop.total", VILLAGE, "1", observed_on="0001-01-01"), "/value", "schema"),
]


def test_rows_that_do_not_fit_are_refused_each_with_its_reason(world: World) -> None:
    view = world.take([given for given, _, _ in MISFITS])
    assert told(view) == [
        (number, pointer, code) for number, (_, pointer, code) in enumerate(MISFITS, start=1)
    ]
    assert view.counts == ImportCounts(invalid=len(MISFITS))


def test_every_mistake_of_a_row_is_told_at_once(world: World) -> None:
    view = world.take([row("pop.rate", TOWNSHIP, 101, "2026-01", observed_on="2027-01-01")])
    assert told(view) == [
        (1, "/observed_on", "observed_on"),
        (1, "/period", "wrong_period"),
        (1, "/subject", "wrong_level"),
        (1, "/value", "schema"),
    ]
    assert view.counts == ImportCounts(invalid=1)


def test_old_observation_is_judged_by_the_version_of_its_day(
    world: World, clock: FixedClock
) -> None:
    with world.runtime.context(OPERATOR) as ctx:
        wider = {"type": "integer", "minimum": -10}
        make_fields(ctx, field("pop.total", schema=wider, effective_from="2026-04-01"))
    clock.advance(dt.timedelta(days=30))
    assert one(world, row("pop.total", VILLAGE, -5)) == []
    assert one(world, row("pop.total", NEXT_VILLAGE, -5, observed_on="2026-03-31")) == [
        ("/value", "schema")
    ]
    # Before the field was in force at all, today's version is the measure.
    assert one(world, row("pop.total", NEXT_VILLAGE, -5, observed_on="2020-12-31")) == []


# ---- subjects ------------------------------------------------------------------


def test_area_outside_the_agencys_reach_is_refused(world: World) -> None:
    assert one(world, row("aid.status", FOREIGN_VILLAGE, "1"), actor=world.civil) == [
        ("/subject", "outside_reach")
    ]


CHANGES = "change,old_code,new_code,parent_code,level,name,on_date\n"


def change_areas(world: World, *lines: str) -> None:
    with world.runtime.context(OPERATOR) as ctx:
        apply_changes(ctx, (CHANGES + "\n".join(lines) + "\n").encode())


def test_code_that_an_area_had_before_still_means_it(world: World) -> None:
    change_areas(world, f"recode,{VILLAGE},420102001099,,,,2026-03-01")
    assert one(world, row("pop.total", VILLAGE, 1)) == []
    assert one(world, row("pop.total", "420102001099", 2)) == []
    assert world.held() == {("pop.total", "420102001099", "2026"): 2}


def test_code_that_another_area_took_over_means_the_new_one(world: World) -> None:
    change_areas(
        world,
        f"recode,{VILLAGE},420102001099,,,,2026-03-01",
        f"recode,{NEXT_VILLAGE},{VILLAGE},,,,2026-03-02",
    )
    world.take([row("pop.total", VILLAGE, 1)])
    assert world.held() == {("pop.total", VILLAGE, "2026"): 1}
    assert one(world, row("pop.total", NEXT_VILLAGE, 2)) == []
    assert world.held() == {("pop.total", VILLAGE, "2026"): 2}


def test_area_that_is_no_more_is_refused_with_its_last_day(world: World) -> None:
    change_areas(world, f"close,{VILLAGE},,,,,2026-03-01")
    view = world.take([row("pop.total", VILLAGE, 1)])
    assert told(view) == [(1, "/subject", "unknown_subject")]
    assert "2026-03-01" in view.conflicts.items[0].detail


def resident_id(world: World, key: str) -> str:
    region_and_id = "SELECT region_id || '-' || id FROM subject WHERE key = :key"
    return str(world.scalar(region_and_id, key=key))


def test_people_are_named_by_their_key_or_by_their_id(world: World) -> None:
    with world.runtime.context(OPERATOR) as ctx:
        make_residents(ctx, VILLAGE, (WANG, "王"), (LI, "李"))
    rows = [row("aid.age", WANG, 36, ""), row("aid.age", resident_id(world, LI), 40, "")]
    view = world.take(rows, world.civil)
    assert told(view) == []
    assert world.held() == {("aid.age", WANG, ""): 36, ("aid.age", LI, ""): 40}


def test_key_and_id_of_one_person_are_one_cell(world: World) -> None:
    with world.runtime.context(OPERATOR) as ctx:
        make_residents(ctx, VILLAGE, (WANG, "王"))
    rows = [row("aid.age", WANG, 36, ""), row("aid.age", resident_id(world, WANG), 40, "")]
    assert told(world.take(rows, world.civil)) == [(2, "", "duplicate")]


def test_people_outside_reach_are_not_told_from_people_who_are_not_there(world: World) -> None:
    with world.runtime.context(OPERATOR) as ctx:
        make_residents(ctx, FOREIGN_VILLAGE, (WANG, "王"))
    rows = [
        row("aid.age", WANG, 36, ""),
        row("aid.age", resident_id(world, WANG), 36, ""),
        row("aid.age", LI, 36, ""),
        row("aid.age", "1-999999999999999999", 36, ""),
        row("aid.age", "9999999999999999999-1", 36, ""),
    ]
    view = world.take(rows, world.civil)
    assert {(c.pointer, c.code.value, c.detail) for c in view.conflicts.items} == {
        ("/subject", "unknown_subject", "there is no such subject within your reach")
    }
    assert view.counts == ImportCounts(invalid=5)


def test_key_that_two_people_have_is_refused(world: World) -> None:
    with world.runtime.context(OPERATOR) as ctx:
        make_residents(ctx, VILLAGE, (WANG, "王"))
        # Another county entered the same person before it was noticed.
        ctx.sql(
            "INSERT INTO subject (region_id, kind_id, key, name, area_id) "
            "SELECT a.region_id, s.kind_id, s.key, s.name, a.id FROM subject AS s, area AS a "
            "WHERE s.key = :key AND a.code = :code",
            key=WANG,
            code=FOREIGN_VILLAGE,
        )
    given = row("aid.age", WANG, 36, "")
    assert one(world, given, actor=OPERATOR) == [("/subject", "ambiguous_subject")]
    # Within the county there is only one of them.
    assert one(world, given, actor=world.civil) == []


@pytest.mark.parametrize("few", [0, 1000])
def test_keys_are_found_alike_by_index_and_by_hashing(
    world: World, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr("oneform.values.imports.subjects.FEW", few)
    with world.runtime.context(OPERATOR) as ctx:
        make_residents(ctx, VILLAGE, (WANG, "王"))
    view = world.take([row("aid.age", WANG, 36, ""), row("aid.age", LI, 40, "")], world.civil)
    assert told(view) == [(2, "/subject", "unknown_subject")]
    assert world.held() == {("aid.age", WANG, ""): 36}


# ---- who may -------------------------------------------------------------------


def test_operator_may_write_everybodys_fields_everywhere(world: World) -> None:
    rows = [row("pop.total", FOREIGN_VILLAGE, 1), row("aid.status", FOREIGN_VILLAGE, "1")]
    assert world.take(rows, OPERATOR).counts == ImportCounts(created=2)


def test_person_of_an_agency_imports_within_their_own_area(world: World) -> None:
    with world.runtime.context(OPERATOR) as ctx:
        person = make_person(ctx, "zhang", "staff", COUNTY)
    actor = dataclasses.replace(
        person, agency_id=world.stats.agency_id, permissions=world.stats.permissions
    )
    rows = [row("pop.total", VILLAGE, 1), row("pop.total", FOREIGN_VILLAGE, 2)]
    view = world.take(rows, actor)
    assert told(view) == [(2, "/subject", "outside_reach")]
    assert world.held() == {("pop.total", VILLAGE, "2026"): 1}


def test_whoever_has_no_agency_or_no_permission_cannot_import(world: World) -> None:
    with world.runtime.context(OPERATOR) as ctx:
        staff = make_person(ctx, "wang", "staff", VILLAGE)
    with pytest.raises(Forbidden):
        world.accept([row("pop.total", VILLAGE, 1)], staff)
    with pytest.raises(Unauthenticated):
        world.accept([row("pop.total", VILLAGE, 1)], PUBLIC)
    assert world.scalar("SELECT count(*) FROM value_import") == 0


def test_import_is_shown_to_its_agency_only(world: World) -> None:
    view = world.take([row("pop.total", VILLAGE, 1)])
    with world.runtime.context(world.stats) as ctx:
        assert get_import(ctx, view.id).counts == view.counts
    for actor, import_id in ((world.civil, view.id), (world.stats, uuid.uuid4())):
        with world.runtime.context(actor) as ctx, pytest.raises(NotFound):
            get_import(ctx, import_id)


def test_import_is_on_record_and_a_dry_run_is_not(world: World) -> None:
    world.take([row("pop.total", VILLAGE, 1)], dry_run=True)
    view = world.take([row("pop.total", VILLAGE, 1)])
    with world.runtime.context(OPERATOR) as ctx:
        (event,) = ctx.sql("SELECT * FROM audit_event WHERE tag = 'values.imported'").all()
    assert (event.actor_label, event.target_id, event.data) == (
        "stats",
        str(view.id),
        {"format": "jsonl"},
    )


def test_broken_file_leaves_nothing_behind(world: World) -> None:
    good = f"pop.total,{VILLAGE},2026,1,\n" * 20_000
    with pytest.raises(Invalid):
        world.accept("field,subject,period,value,observed_on\n" + good + 'pop.total,"a"b,,1,\n')
    for table in ("value_import", "value_import_block", "value_conflict", "outbox"):
        assert world.scalar(f"SELECT count(*) FROM {table}") == 0


# ---- reports -------------------------------------------------------------------


def test_conflicts_come_page_by_page_in_the_order_of_the_file(world: World) -> None:
    rows: list[dict[str, Any]] = [row("pop.rate", TOWNSHIP, 101) for _ in range(7)] + [{}]
    view = world.take(rows)
    found, cursor = [], None
    with world.runtime.context(world.stats) as ctx:
        while True:
            page = get_import(ctx, view.id, limit=4, cursor=cursor).conflicts
            found += page.items
            assert len(page.items) <= 4
            if (cursor := page.next) is None:
                break
    assert found == list(view.conflicts.items)
    assert len(found) == 7 * 2 + 3


def test_reports_are_forgotten_after_a_while_and_killed_commands_stopped(
    world: World, clock: FixedClock
) -> None:
    old = world.take([{}])
    killed = world.accept([row("pop.total", VILLAGE, 1)], OPERATOR)
    waiting = world.accept([row("pop.total", VILLAGE, 2)])
    clock.advance(dt.timedelta(days=KEPT_DAYS + 1))
    with world.runtime.context(OPERATOR) as ctx:
        assert tidy_imports(ctx) == 1
        with pytest.raises(NotFound):
            get_import(ctx, old.id)
    assert world.view(killed).state is ImportState.STOPPED
    assert world.view(waiting).state is ImportState.WAITING
    assert world.waiting() == 1


def test_stopped_import_is_not_worked_on_any_more(world: World) -> None:
    import_id = world.accept([row("pop.total", VILLAGE, 1)], OPERATOR)
    with world.runtime.context(OPERATOR) as ctx:
        stop_import(ctx, import_id)
    world.work(import_id)
    assert (world.view(import_id).state, world.held()) == (ImportState.STOPPED, {})
