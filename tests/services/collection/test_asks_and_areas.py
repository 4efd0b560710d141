"""Asks when areas and subjects change: they end with what they are about, and follow who moves."""

from __future__ import annotations

from typing import Any

import pytest
from collection_fixtures import World
from factories import (
    FAR_VILLAGE,
    FOREIGN_VILLAGE,
    NEXT_VILLAGE,
    OTHER_TOWNSHIP,
    TOWNSHIP,
    VILLAGE,
    ask_state,
    asks_of,
    counts_of,
    make_request,
    make_residents,
)

from catalog.formats import resident_id_check_digit
from oneform.areas.service import apply_changes
from oneform.areas.subjects import ChangeSubject, change_subject
from oneform.collection.commands import GivenAnswer, SaveDraft, SubmitAnswers
from oneform.collection.service import read_form, save_drafts, submit_answers
from oneform.kernel.context import Context

HEADER = "change,old_code,new_code,parent_code,level,name,on_date\n"


def change(ctx: Context, *lines: str) -> None:
    apply_changes(ctx, (HEADER + "\n".join(lines)).encode())


def units(ctx: Context, field: str) -> dict[str, str]:
    """Live asks of a field: key or name of the subject → code of the unit."""
    rows = ctx.sql(
        "SELECT CASE WHEN k.personal THEN s.name ELSE s.key END AS subject, u.code AS unit "
        "FROM ask AS a JOIN area AS u ON u.id = a.unit_id JOIN field AS f ON f.id = a.field_id "
        "JOIN subject AS s ON s.region_id = a.region_id AND s.id = a.subject_id "
        "JOIN subject_kind AS k ON k.id = s.kind_id "
        "WHERE f.code = :field AND a.state IN ('open', 'returned', 'in_review', 'refused')",
        field=field,
    )
    return {row.subject: row.unit for row in rows}


@pytest.fixture
def residents(ctx: Context, world: World) -> None:
    """张三 of the village and 李四 of the next one, asked for their age."""
    for area, born, name in ((VILLAGE, "19500101", "张三"), (NEXT_VILLAGE, "19751125", "李四")):
        first17 = f"420102{born}271"
        make_residents(ctx, area, (first17 + resident_id_check_digit(first17), name))
    make_request(ctx, world.health, ["resident.age"], kind="resident")


def resident(ctx: Context, name: str) -> str:
    row: Any = ctx.sql("SELECT region_id, id FROM subject WHERE name = :name", name=name).one()
    return f"{row.region_id}-{row.id}"


def test_asks_about_a_closing_area_are_withdrawn(ctx: Context, world: World) -> None:
    request = make_request(ctx, world.health, ["test.people", "road.length"])
    ask = asks_of(ctx)["test.people"]
    save_drafts(ctx.acting_as(world.village), [SaveDraft(ask=ask, value="1")])
    change(ctx, f"close,{VILLAGE},,,,,2026-03-10")
    assert ask_state(ctx, ask) == "withdrawn"
    assert VILLAGE not in units(ctx, "road.length")
    assert counts_of(ctx, request) == {"asked": 4, "unavailable": 2}
    assert ctx.sql("SELECT count(*) FROM answer_draft").scalar_one() == 0


def test_people_of_an_area_that_closes_are_not_asked_about(
    ctx: Context, world: World, residents: None
) -> None:
    change(ctx, f"close,{VILLAGE},,,,,2026-03-10")
    assert units(ctx, "resident.age") == {"李四": NEXT_VILLAGE}


def test_people_who_came_from_another_county_are_not_asked_about_either(
    ctx: Context, world: World, residents: None
) -> None:
    request = make_request(ctx, world.civil, ["resident.age"], kind="resident")
    change_subject(ctx, resident(ctx, "张三"), ChangeSubject(area=FOREIGN_VILLAGE))
    assert units(ctx, "resident.age")["张三"] == FOREIGN_VILLAGE
    change(ctx, f"close,{FOREIGN_VILLAGE},,,,,2026-03-10")
    assert units(ctx, "resident.age") == {"李四": NEXT_VILLAGE}
    assert counts_of(ctx, request) == {"asked": 1, "unavailable": 1}


def test_what_was_answered_stays_when_its_area_closes(ctx: Context, world: World) -> None:
    request = make_request(ctx, world.health, ["test.people"])
    given = GivenAnswer(ask=asks_of(ctx)["test.people"], value=3)
    submit_answers(ctx.acting_as(world.village), SubmitAnswers(answers=[given]))
    change(ctx, f"close,{VILLAGE},,,,,2026-03-10")
    assert counts_of(ctx, request) == {"answered": 1, "asked": 2}


def test_asks_follow_people_into_the_area_that_theirs_is_merged_into(
    ctx: Context, world: World, residents: None
) -> None:
    make_request(ctx, world.health, ["test.people"])
    change(ctx, f"merge,{VILLAGE},{FAR_VILLAGE},{OTHER_TOWNSHIP},5,三阳社区,2026-03-10")
    assert units(ctx, "resident.age") == {"张三": FAR_VILLAGE, "李四": NEXT_VILLAGE}
    assert VILLAGE not in units(ctx, "test.people")
    form = read_form(ctx.acting_as(world.far_village))
    assert {s.kind for s in form.sections} == {"area", "resident"}


def test_asks_follow_people_into_an_area_that_is_new(
    ctx: Context, world: World, residents: None
) -> None:
    change(
        ctx,
        f"open,,420102002009,{OTHER_TOWNSHIP},5,新社区,2026-03-10",
        f"merge,{VILLAGE},420102002009,{OTHER_TOWNSHIP},5,新社区,2026-03-10",
        f"merge,{NEXT_VILLAGE},420102002009,{OTHER_TOWNSHIP},5,新社区,2026-03-10",
    )
    assert units(ctx, "resident.age") == {"张三": "420102002009", "李四": "420102002009"}


def test_ask_for_the_township_goes_with_a_village_that_moves(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.people", "road.length"])
    change(ctx, f"move,{VILLAGE},,{OTHER_TOWNSHIP},5,车站社区,2026-03-10")
    assert units(ctx, "road.length") == {
        VILLAGE: OTHER_TOWNSHIP,
        NEXT_VILLAGE: TOWNSHIP,
        FAR_VILLAGE: OTHER_TOWNSHIP,
    }
    assert units(ctx, "test.people")[VILLAGE] == VILLAGE


def test_recoded_and_renamed_areas_keep_their_asks(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.people"])
    change(ctx, f"recode,{VILLAGE},420102001009,{TOWNSHIP},5,车站新社区,2026-03-10")
    assert units(ctx, "test.people")["420102001009"] == "420102001009"


def test_ask_follows_a_person_who_moves(ctx: Context, world: World, residents: None) -> None:
    request = make_request(ctx, world.civil, ["resident.age"], kind="resident")
    change_subject(ctx, resident(ctx, "张三"), ChangeSubject(area=FAR_VILLAGE))
    assert units(ctx, "resident.age") == {"张三": FAR_VILLAGE, "李四": NEXT_VILLAGE}
    assert counts_of(ctx, request) == {"asked": 2}
    form = read_form(ctx.acting_as(world.far_village))
    given = GivenAnswer(ask=form.sections[0].rows[0].asks[0].id, value=75)
    submit_answers(ctx.acting_as(world.far_village), SubmitAnswers(answers=[given]))
    assert counts_of(ctx, request) == {"asked": 1, "answered": 1}


def test_nobody_is_asked_about_a_person_who_is_no_more(
    ctx: Context, world: World, residents: None
) -> None:
    request = make_request(ctx, world.civil, ["resident.age"], kind="resident")
    change_subject(ctx, resident(ctx, "张三"), ChangeSubject(active_to=ctx.today()))
    assert units(ctx, "resident.age") == {"李四": NEXT_VILLAGE}
    assert counts_of(ctx, request) == {"asked": 1, "unavailable": 1}
