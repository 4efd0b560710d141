"""Reading the catalogue: versions, search, lists; and that what is kept in memory is never old."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from catalog import reading
from catalog.bundle import bundle_of
from catalog.documents import Syntax, read_document
from catalog.errors import NoSuchCodeList, NoSuchField
from catalog.force import VersionState
from catalog.importing import ImportReport, import_bundle
from catalog.reading import get_field, list_fields, list_versions
from catalog.snapshot import snapshot
from oneform.areas.service import import_areas
from oneform.identity.agencies import AddAgency, add_agency, import_agencies
from oneform.identity.policy import PUBLIC
from oneform.kernel.actor import SYSTEM
from oneform.kernel.clock import FixedClock
from oneform.kernel.context import Context
from oneform.kernel.errors import Forbidden
from oneform.kernel.paging import BadCursor

Importer = Callable[..., ImportReport]
Statements = Callable[[Context], AbstractContextManager[list[str]]]

TOTAL = "population.resident_total"


@pytest.fixture
def reader(ctx: Context, sample: ImportReport) -> Context:
    """Somebody without a token."""
    return ctx.acting_as(PUBLIC)


def codes(page: Any) -> list[str]:
    return [field.code for field in page.items]


def test_field_is_read_in_force_by_day_or_by_number(
    reader: Context, take_in: Importer, value: dict[str, Any]
) -> None:
    value["fields"][0].update(effective_from="2026-07-01", seconds=30)
    take_in(value)
    assert get_field(reader, TOTAL).version == 1
    assert get_field(reader, TOTAL, on=dt.date(2026, 7, 1)).version == 2
    assert get_field(reader, TOTAL, version=2).state_on(reader.today()) is VersionState.APPROVED
    assert [each.version for each in list_versions(reader, TOTAL)] == [1, 2]


@pytest.mark.parametrize(
    ("code", "how"),
    [
        ("no.such", {}),
        ("\0", {}),
        (TOTAL, {"version": 7}),
        (TOTAL, {"on": dt.date(2025, 12, 31)}),
        (TOTAL, {"on": dt.date(2029, 1, 1)}),
    ],
)
def test_what_is_not_there_is_not_found(reader: Context, code: str, how: dict[str, Any]) -> None:
    with pytest.raises(NoSuchField):
        get_field(reader, code, **how)


def test_versions_of_no_field_and_unknown_lists_are_not_found(reader: Context) -> None:
    with pytest.raises(NoSuchField):
        list_versions(reader, "no.such")
    with pytest.raises(NoSuchCodeList):
        reading.get_code_list(reader, "no_such")


def test_list_is_in_the_order_of_codes_page_by_page(reader: Context) -> None:
    first = list_fields(reader, limit=4)
    assert first.next is not None
    last = list_fields(reader, limit=4, cursor=first.next)
    assert last.next is None
    assert codes(first) + codes(last) == sorted(codes(first) + codes(last))
    assert len(codes(first) + codes(last)) == 6


def test_cursor_of_something_else_is_refused(reader: Context) -> None:
    with pytest.raises(BadCursor):
        list_fields(reader, cursor="x")


@pytest.mark.parametrize(
    ("criteria", "found"),
    [
        ({"topic": "resident"}, ["resident.age", "resident.sex"]),
        ({"kind": "resident", "owner": "civil_affairs"}, ["resident.age", "resident.sex"]),
        ({"owner": "stats"}, [TOTAL]),
        ({"mode": "derive"}, ["elderly.on_ledger", "elderly.share"]),
        ({"mode": "derive", "topic": "resident"}, []),
        ({"state": VersionState.RETIRED}, []),
    ],
)
def test_list_has_what_fits_all_criteria(
    reader: Context, criteria: dict[str, Any], found: list[str]
) -> None:
    assert codes(list_fields(reader, **criteria)) == found


@pytest.mark.parametrize("q", ["常住人数", "resident population", TOTAL, "统计局"])
def test_search_finds_by_words_of_either_language_code_and_owner(reader: Context, q: str) -> None:
    assert codes(list_fields(reader, q=q))[0] == TOTAL


def test_search_tells_of_each_field_how_well_it_fits_and_why(reader: Context) -> None:
    found = list_fields(reader, q="常住人口数").items
    assert [each.match.code for each in found if each.match] == codes(
        list_fields(reader, q="常住人口数")
    )
    best, *others = [each.match for each in found if each.match]
    assert (best.score, best.reasons) == (1.0, ["name:常住人口数"])
    assert all(0 < other.score < 1 and other.reasons for other in others)
    assert [each.match for each in list_fields(reader).items] == [None] * 6


def test_search_looks_only_at_what_fits_the_other_criteria(reader: Context) -> None:
    assert TOTAL not in codes(list_fields(reader, q="人口", owner="civil_affairs"))
    assert codes(list_fields(reader, q="人口", state=VersionState.EXPIRED)) == []
    assert TOTAL in codes(list_fields(reader, q="人口", state=None))


def test_search_comes_in_pages_too(reader: Context) -> None:
    whole = codes(list_fields(reader, q="人口"))
    assert len(whole) >= 2
    found: list[str] = []
    cursor = None
    while len(found) < len(whole):
        page = list_fields(reader, q="人口", limit=1, cursor=cursor)
        found += codes(page)
        cursor = page.next
    assert (found, cursor) == (whole, None)


def test_state_of_a_field_follows_the_day(
    reader: Context, clock: FixedClock, take_in: Importer, value: dict[str, Any]
) -> None:
    value["fields"][0].update(effective_from="2026-03-18", seconds=30)
    take_in(value)
    assert codes(list_fields(reader, state=VersionState.APPROVED)) == [TOTAL]
    clock.advance(dt.timedelta(days=2))
    assert codes(list_fields(reader, state=VersionState.APPROVED)) == []
    assert codes(list_fields(reader, state=VersionState.SUPERSEDED)) == [TOTAL]
    assert get_field(reader, TOTAL).version == 2
    clock.advance(dt.timedelta(days=365 * 3))
    assert codes(list_fields(reader)) == []
    assert len(codes(list_fields(reader, state=VersionState.EXPIRED))) == 6


def test_code_lists_and_kinds_are_public(reader: Context) -> None:
    assert [each.code for each in reading.list_code_lists(reader)] == ["sex", "water_source"]
    assert [i.code for i in reading.get_code_list(reader, "sex").items] == ["1", "2"]
    kinds = {each.code: each.personal for each in reading.list_subject_kinds(reader)}
    assert kinds == {"area": False, "enterprise": False, "resident": True}


def test_catalogue_with_future_fields_shows_them_in_whole(
    reader: Context, take_in: Importer, value: dict[str, Any]
) -> None:
    extra = {
        **value["fields"][0],
        "code": "later.field",
        "effective_from": "2026-09-01",
        "synonyms": [],
    }
    take_in({"bundle": value["bundle"], "fields": [{**extra, "name": {"zh": "以后"}}]})
    whole = reading.whole_catalog(reader)
    assert "later.field" in [field["code"] for field in whole["fields"]]
    assert "later.field" not in codes(list_fields(reader))
    assert [row[1].code for row in reading.whitelist_rows(reader)] == [
        field["code"] for field in whole["fields"]
    ]
    assert [each["code"] for each in whole["agencies"]] == ["civil_affairs", "stats"]


def test_catalogue_is_written_once_until_it_changes(
    reader: Context, take_in: Importer, value: dict[str, Any]
) -> None:
    for syntax in Syntax:
        text = reading.whole_catalog_text(reader, syntax)
        assert read_document(text.encode(), syntax).value == reading.whole_catalog(reader)
        assert reading.whole_catalog_text(reader, syntax) is text
    value["fields"][0].update(effective_from="2026-03-02", seconds=77)
    take_in(value)
    assert "seconds: 77" in reading.whole_catalog_text(reader, Syntax.YAML)


def test_index_of_words_is_kept_while_the_fields_in_force_are_the_same(
    reader: Context, take_in: Importer, value: dict[str, Any]
) -> None:
    today = reader.today()
    kept = snapshot(reader).index(today)
    assert snapshot(reader).index(today + dt.timedelta(days=1)) is kept
    value["fields"].append(
        {**value["fields"][0], "code": "later.field", "effective_from": "2026-09-01"}
    )
    take_in(value)
    assert snapshot(reader).index(today) is kept
    assert snapshot(reader).index(dt.date(2026, 9, 1)) is not kept


@pytest.fixture
def rename(ctx: Context, tmp_path: Path) -> Callable[[str], None]:
    """Give the owner `stats` a name, as an operator does with a file of agencies."""

    def rename(name: str) -> None:
        path = tmp_path / "agencies.csv"
        path.write_text(f"code,name\nstats,{name}\n")
        import_agencies(ctx, path)
        ctx.session.flush()

    return rename


def test_owner_that_gets_its_area_is_shown_and_found_by_its_new_name(
    ctx: Context, reader: Context
) -> None:
    assert "秭归县统计局" not in get_field(reader, TOTAL).owner_name.values()
    import_areas(ctx, "code,parent_code,level,name\n420000000000,,1,湖北省\n".encode())
    add_agency(ctx, AddAgency(code="stats", name="秭归县统计局", area="420000000000"))
    ctx.session.flush()
    assert get_field(reader, TOTAL).owner_name["zh"] == "秭归县统计局"
    assert codes(list_fields(reader, q="秭归")) == [TOTAL]


def test_owner_that_a_file_renames_is_shown_and_found_by_its_new_name(
    reader: Context, rename: Callable[[str], None]
) -> None:
    assert codes(list_fields(reader, q="秭归")) == []
    rename("秭归县统计局")
    assert get_field(reader, TOTAL).owner_name["zh"] == "秭归县统计局"
    assert codes(list_fields(reader, q="秭归")) == [TOTAL]


def test_agencies_that_change_no_owners_name_leave_the_index_alone(
    ctx: Context, reader: Context, rename: Callable[[str], None]
) -> None:
    rename("统计局")
    state, kept = snapshot(reader), snapshot(reader).index(reader.today())
    rename("统计局")
    assert snapshot(reader) is state
    import_areas(ctx, "code,parent_code,level,name\n420000000000,,1,湖北省\n".encode())
    add_agency(ctx, AddAgency(code="owns_nothing", name="其他局", area="420000000000"))
    ctx.session.flush()
    assert snapshot(reader).index(reader.today()) is kept


def test_nothing_is_read_by_who_has_no_reach(ctx: Context) -> None:
    with pytest.raises(Forbidden):
        list_fields(ctx.acting_as(SYSTEM))


def test_first_start_finds_the_catalogue_empty(ctx: Context, value: dict[str, Any]) -> None:
    assert reading.is_empty(ctx)
    import_bundle(ctx, bundle_of(value))
    assert not reading.is_empty(ctx)


def test_every_read_costs_one_statement_once_the_state_is_in_memory(
    reader: Context, statements: Statements
) -> None:
    first = reading.list_fields(reader).items[0].version
    reads: list[Callable[[], object]] = [
        lambda: get_field(reader, TOTAL),
        lambda: list_versions(reader, TOTAL),
        lambda: list_fields(reader),
        lambda: list_fields(reader, q="人口"),
        lambda: reading.list_code_lists(reader),
        lambda: reading.list_subject_kinds(reader),
        lambda: reading.whole_catalog(reader),
        lambda: reading.whole_catalog_text(reader, Syntax.YAML),
        lambda: reading.whitelist_rows(reader),
        lambda: reading.versions_by_id(reader, [first.version_id]),
        lambda: reading.fields_by_id(reader, [first.field_id]),
        lambda: reading.value_validator(reader, first.version_id),
    ]
    for read in reads:
        with statements(reader) as sent:
            read()
        assert len(sent) == 1


def test_state_is_shared_while_nothing_changes(reader: Context, take_in: Importer) -> None:
    kept = snapshot(reader)
    assert snapshot(reader) is kept
    take_in({"bundle": "oneform-catalog/1", "agencies": [{"code": "x", "name": {"zh": "某局"}}]})
    assert snapshot(reader) is not kept


def test_value_is_judged_by_the_live_codes_of_its_list(
    reader: Context, take_in: Importer, value: dict[str, Any]
) -> None:
    sex = get_field(reader, "resident.sex").version_id
    assert reading.resolved_schema(reader, sex) == {"type": "string", "enum": ["1", "2"]}
    assert reading.value_validator(reader, sex).is_valid("2")
    assert not reading.value_validator(reader, sex).is_valid("3")
    value["code_lists"][0]["items"][1]["code"] = "3"
    value["fields"][3]["derivation"] = {"count": "resident"}
    value["fields"][3]["effective_from"] = "2026-03-02"
    take_in(value)
    assert reading.value_validator(reader, sex).is_valid("3")
    assert not reading.value_validator(reader, sex).is_valid("2")
    # What was there before keeps its definition: only the list has changed.
    assert get_field(reader, "resident.sex").version_id == sex


def test_compiled_schema_is_kept(reader: Context) -> None:
    id = get_field(reader, TOTAL).version_id
    assert reading.value_validator(reader, id) is reading.value_validator(reader, id)
    with pytest.raises(NoSuchField):
        reading.value_validator(reader, 0)


def test_house_reads_by_ids_without_being_anybody(reader: Context) -> None:
    total, age = get_field(reader, TOTAL), get_field(reader, "resident.age")
    house = reader.acting_as(SYSTEM)
    fields = reading.fields_by_id(house, [total.field_id, age.field_id, 0])
    versions = reading.versions_by_id(house, [total.version_id, 0])
    assert fields == {total.field_id: total, age.field_id: age}
    assert versions == {total.version_id: total}
