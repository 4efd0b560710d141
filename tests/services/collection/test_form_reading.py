"""The one form: what is due, with everything that is known beside it."""

from __future__ import annotations

import datetime as dt

import pytest
from collection_fixtures import World
from factories import (
    FAR_VILLAGE,
    FOREIGN_VILLAGE,
    NEXT_VILLAGE,
    TOWNSHIP,
    VILLAGE,
    asks_of,
    hold_values,
    make_request,
    make_residents,
    pass_days,
)

from catalog.formats import resident_id_check_digit
from oneform.collection import form as form_module
from oneform.collection.commands import (
    GivenAnswer,
    RefusalReason,
    RefuseAsks,
    SaveDraft,
    SubmitAnswers,
)
from oneform.collection.service import read_form, refuse_asks, save_drafts, submit_answers
from oneform.collection.views import Form, FormAsk
from oneform.identity.policy import Principal
from oneform.kernel.context import Context
from oneform.kernel.errors import Forbidden, Invalid, NotFound
from oneform.kernel.paging import BadCursor
from oneform.requests.withdrawal import cancel_request


def form_of(ctx: Context, who: Principal, unit: str | None = None, **options: str) -> Form:
    return read_form(ctx.acting_as(who), unit, **options)


def asks_in(form: Form) -> dict[str, FormAsk]:
    return {ask.field: ask for s in form.sections for row in s.rows for ask in row.asks}


def test_form_without_asks_is_empty(ctx: Context, world: World) -> None:
    form = form_of(ctx, world.village)
    assert (form.unit.code, form.unit.name, form.due) == (VILLAGE, "车站社区", None)
    assert form.sections == []
    assert (form.counts.open, form.counts.draft) == (0, 0)


def test_form_has_what_is_asked_of_the_unit_alone(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.people"])
    form = form_of(ctx, world.village)
    (section,) = form.sections
    (row,) = section.rows
    assert (section.topic, section.kind, section.period) == ("test", "area", "2026")
    assert (row.subject.key, row.subject.name) == (VILLAGE, "车站社区")
    assert [ask.field for ask in row.asks] == ["test.people"]
    assert form.counts.open == 1


def test_sections_come_soonest_due_first(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.people"], due=dt.date(2026, 9, 30))
    make_request(ctx, world.health, ["test.people"], period="2025", due=dt.date(2026, 12, 31))
    make_request(ctx, world.civil, ["road.paved"], period="", due=dt.date(2026, 5, 1))
    form = form_of(ctx, world.village)
    assert form.due == dt.date(2026, 5, 1)
    assert [(s.topic, s.period, s.due.month) for s in form.sections] == [
        ("road", None, 5),
        ("test", "2026", 9),
        ("test", "2025", 12),
    ]


def test_field_is_described_as_it_is_asked(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.care"])
    (described,) = form_of(ctx, world.village).sections[0].fields
    assert described.name == "数据项test.care"
    assert described.schema == {"type": "string", "enum": ["1", "2"]}
    assert described.codes is not None
    assert [(code.code, code.name) for code in described.codes] == [("1", "低保"), ("2", "特困")]
    assert described.legal_basis == "《中华人民共和国统计法》第七条"
    assert described.seconds == 15
    assert not described.review


def test_form_speaks_english_where_the_catalogue_does(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.people"])
    (described,) = form_of(ctx, world.village, language="en").sections[0].fields
    assert described.name == "test.people"


def test_previous_value_is_that_of_the_latest_earlier_period(ctx: Context, world: World) -> None:
    hold_values(ctx, "test.people", {VILLAGE: 900}, period="2022")
    hold_values(ctx, "test.people", {VILLAGE: 1203, NEXT_VILLAGE: 7}, period="2024")
    hold_values(ctx, "test.people", {NEXT_VILLAGE: 8}, period="2025")
    hold_values(ctx, "test.people", {VILLAGE: 5000}, period="2027")
    make_request(ctx, world.health, ["test.people"])
    previous = asks_in(form_of(ctx, world.village))["test.people"].previous
    assert previous is not None
    assert (previous.value, previous.period) == (1203, "2024")
    assert (previous.observed_on, previous.source) == (dt.date(2026, 1, 31), "import")


def test_answer_without_a_value_is_no_previous_value(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.people"], period="2025")
    ask = asks_of(ctx)["test.people"]
    unknown = GivenAnswer(ask=ask, missing="unknown", note="册子丢了")
    submit_answers(ctx.acting_as(world.village), SubmitAnswers(answers=[unknown]))
    make_request(ctx, world.health, ["test.people"])
    assert asks_in(form_of(ctx, world.village))["test.people"].previous is None


def test_stale_value_is_the_previous_one_of_a_standing_field(ctx: Context, world: World) -> None:
    hold_values(ctx, "road.paved", {VILLAGE: True}, observed_on=dt.date(2026, 1, 31))
    make_request(ctx, world.health, ["road.paved"], period="")
    previous = asks_in(form_of(ctx, world.village))["road.paved"].previous
    assert previous is not None
    assert (previous.value, previous.period) == (True, None)


def test_ask_says_who_asks_and_why(ctx: Context, world: World) -> None:
    later = make_request(ctx, world.health, ["test.people"], due=dt.date(2026, 9, 30))
    make_request(ctx, world.civil, ["test.people", "test.old"])
    asks = asks_in(form_of(ctx, world.village))
    first, second = asks["test.people"].requested_by
    assert (first.agency, first.agency_name, second.agency) == ("civil", "部门civil", "health")
    assert (first.purpose, first.legal_basis) == ("测试用途", "《测试法》第一条")
    assert first.due == asks["test.people"].due == dt.date(2026, 6, 30)
    assert (
        second.control_no
        == ctx.sql("SELECT control_no FROM request WHERE id = :id", id=later).scalar_one()
    )
    assert [asker.agency for asker in asks["test.old"].requested_by] == ["civil"]


def test_those_who_do_not_wait_are_not_named(ctx: Context, world: World) -> None:
    make_request(ctx, world.civil, ["test.people"], gap="leave")
    cancelled = make_request(ctx, world.civil, ["test.people"])
    make_request(ctx, world.health, ["test.people"])
    cancel_request(ctx.acting_as(world.civil), cancelled)
    (asker,) = asks_in(form_of(ctx, world.village))["test.people"].requested_by
    assert asker.agency == "health"


def test_who_held_an_older_value_does_not_wait_for_the_new_one(ctx: Context, world: World) -> None:
    hold_values(ctx, "road.paved", {VILLAGE: True}, observed_on=dt.date(2026, 3, 1))
    make_request(ctx, world.civil, ["road.paved"], period="")
    pass_days(ctx, 35)
    make_request(ctx, world.health, ["road.paved"], period="", areas=[VILLAGE])
    (asker,) = asks_in(form_of(ctx, world.village))["road.paved"].requested_by
    assert asker.agency == "health"


def test_draft_is_shown_with_whose_it_is(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.people"])
    ask = asks_of(ctx)["test.people"]
    save_drafts(ctx.acting_as(world.colleague), [SaveDraft(ask=ask, value="12")])
    form = form_of(ctx, world.village)
    draft = asks_in(form)["test.people"].draft
    assert draft is not None
    assert (draft.value, draft.by, draft.updated_at) == ("12", "zhao同志", ctx.clock.now())
    assert (form.counts.open, form.counts.draft) == (1, 1)


def test_undecided_refusal_stays_in_the_form(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.people"])
    ask = asks_of(ctx)["test.people"]
    refuse_asks(ctx.acting_as(world.village), RefuseAsks(asks=[ask], reason=RefusalReason.NOT_OURS))
    form = form_of(ctx, world.village)
    assert asks_in(form)["test.people"].state == "refused"
    assert form.due is None


def test_answered_ask_leaves_the_form(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.people", "test.old"])
    given = GivenAnswer(ask=asks_of(ctx)["test.people"], value=3)
    submit_answers(ctx.acting_as(world.village), SubmitAnswers(answers=[given]))
    assert set(asks_in(form_of(ctx, world.village))) == {"test.old"}


ZHANG, WANG, LI = (
    ("420102195001012715", "张三"),
    ("42010219600305135X", "王五"),
    ("420102197511250024", "李四"),
)


def ask_residents(ctx: Context, world: World) -> None:
    people = [
        (key[:17] + resident_id_check_digit(key[:17]), name) for key, name in (ZHANG, WANG, LI)
    ]
    make_residents(ctx, VILLAGE, *people)
    make_request(ctx, world.health, ["resident.age"], kind="resident")


def test_people_are_in_order_of_names_with_masked_keys(ctx: Context, world: World) -> None:
    ask_residents(ctx, world)
    (section,) = form_of(ctx, world.village).sections
    assert [row.subject.name for row in section.rows] == sorted(["张三", "王五", "李四"])
    for row in section.rows:
        assert row.subject.key.count("*") == 11
        assert row.subject.key[-4:].isalnum()


def test_long_sections_come_in_pages(
    ctx: Context, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(form_module, "ROWS", 2)
    ask_residents(ctx, world)
    make_request(ctx, world.health, ["test.people"])
    form = form_of(ctx, world.village)
    roster = next(s for s in form.sections if s.kind == "resident")
    short = next(s for s in form.sections if s.kind == "area")
    assert (len(roster.rows), short.next) == (2, None)
    assert roster.next is not None
    assert form.counts.open == 4
    rest = form_of(ctx, world.village, section=roster.section, cursor=roster.next)
    (last,) = rest.sections
    assert (len(last.rows), last.next, last.section) == (1, None, roster.section)
    assert len({row.subject.id for row in [*roster.rows, *last.rows]}) == 3


def test_one_section_can_be_read_by_itself(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["test.people", "road.paved"])
    (section,) = form_of(ctx, world.village, section="road/area/").sections
    assert section.topic == "road"


@pytest.mark.parametrize("section", ["", "test", "test/area", "a/b/c/d", "test/area/2026\0"])
def test_section_that_is_none_is_refused(ctx: Context, world: World, section: str) -> None:
    with pytest.raises(Invalid):
        form_of(ctx, world.village, section=section)


def test_malformed_cursor_is_refused(ctx: Context, world: World) -> None:
    with pytest.raises(BadCursor):
        form_of(ctx, world.village, section="test/area/2026", cursor="???")


def test_township_answers_what_is_collected_there(ctx: Context, world: World) -> None:
    make_request(ctx, world.health, ["road.length"])
    assert form_of(ctx, world.village).sections == []
    (section,) = form_of(ctx, world.township).sections
    assert [row.subject.key for row in section.rows] == [VILLAGE, NEXT_VILLAGE]


@pytest.mark.parametrize("who", ["village", "township", "reviewer", "county_reviewer"])
def test_form_is_read_from_the_unit_and_above(ctx: Context, world: World, who: str) -> None:
    assert form_of(ctx, getattr(world, who), VILLAGE).unit.code == VILLAGE


@pytest.mark.parametrize(
    ("who", "unit"),
    [
        ("village", NEXT_VILLAGE),
        ("village", TOWNSHIP),
        ("reviewer", FAR_VILLAGE),
        ("county_reviewer", FOREIGN_VILLAGE),
        ("health", VILLAGE),
        ("catalog_admin", VILLAGE),
    ],
)
def test_form_is_closed_to_others(ctx: Context, world: World, who: str, unit: str) -> None:
    with pytest.raises(Forbidden):
        form_of(ctx, getattr(world, who), unit)


def test_unit_that_does_not_exist_is_not_found(ctx: Context, world: World) -> None:
    with pytest.raises(NotFound):
        form_of(ctx, world.village, "999999999999")


def test_number_of_queries_does_not_grow(ctx: Context, world: World, count_statements) -> None:
    make_request(ctx, world.health, ["test.people"])
    form_of(ctx, world.village)
    with count_statements() as few:
        form_of(ctx, world.village)
    ask_residents(ctx, world)
    hold_values(ctx, "test.old", {VILLAGE: 12}, period="2025")
    make_request(ctx, world.civil, ["test.people", "test.old", "test.care", "road.paved"])
    with count_statements() as many:
        form_of(ctx, world.village)
    assert len(many) == len(few) <= 7
