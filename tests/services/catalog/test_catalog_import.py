"""Importing bundles: what is added, what is changed, what is refused, what is left alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from catalog.bundle import bundle_of
from catalog.errors import BadBundle
from catalog.importing import ImportReport, import_bundle
from catalog.reading import get_code_list, get_field, list_versions, whole_catalog
from catalog.stamp import record_change
from oneform.audit.tags import Tag
from oneform.identity.policy import PUBLIC, Principal, Role, permissions_of_roles
from oneform.kernel.actor import ActorKind
from oneform.kernel.context import Context
from oneform.kernel.errors import Forbidden, Unauthenticated

Importer = Callable[..., ImportReport]
Value = dict[str, Any]

TOTAL = "population.resident_total"


def count(ctx: Context, table: str) -> int:
    return int(ctx.sql(f"SELECT count(*) FROM {table}").scalar_one())


def test_first_import_adds_everything(sample: ImportReport, ctx: Context) -> None:
    assert replace(sample, warnings=[]) == ImportReport(
        agencies=2, kinds=2, code_lists=2, items=4, fields_added=6, versions_added=0, unchanged=0
    )
    field = get_field(ctx, TOTAL)
    assert (field.version, field.origin, field.ends_on) == (1, "operator", None)
    assert get_field(ctx, "resident.age").definition.personal


def test_unchanged_bundle_changes_nothing(
    sample: ImportReport, take_in: Importer, value: Value, ctx: Context
) -> None:
    before = count(ctx, "audit_event")
    report = take_in(value)
    assert not report.changed_anything
    assert (report.unchanged, report.skipped) == (6, [])
    assert count(ctx, "audit_event") == before


def test_export_of_the_catalogue_is_an_unchanged_bundle(
    sample: ImportReport, take_in: Importer, ctx: Context
) -> None:
    exported = whole_catalog(ctx.acting_as(PUBLIC))
    report = take_in(exported)
    assert not report.changed_anything
    assert report.unchanged == 6
    assert whole_catalog(ctx) == exported


def test_starter_catalogue_is_taken_in_whole_and_only_once(ctx: Context, starter: Path) -> None:
    report = import_bundle(ctx, starter)
    assert report.fields_added >= 240
    assert (report.skipped, report.warnings) == ([], [])
    again = import_bundle(ctx, starter)
    assert not again.changed_anything
    assert again.unchanged == report.fields_added


def test_import_is_on_record_as_the_operators(sample: ImportReport, ctx: Context) -> None:
    (event,) = ctx.sql("SELECT * FROM audit_event WHERE tag = 'catalog.imported'").all()
    assert (event.actor_kind, event.actor_id) == ("operator", "operator")
    assert event.data["agencies"] == ["civil_affairs", "stats"]
    assert TOTAL in event.data["fields_added"]


def changed(value: Value, **members: Any) -> Value:
    """The sample with its first field defined otherwise, from 1 July 2026."""
    value["fields"][0].update({"effective_from": "2026-07-01", "seconds": 30, **members})
    return value


def test_changed_definition_is_a_new_version_with_a_date(
    sample: ImportReport, take_in: Importer, value: Value, ctx: Context
) -> None:
    report = take_in(changed(value))
    assert (report.fields_added, report.versions_added, report.unchanged) == (0, 1, 5)
    first, second = list_versions(ctx, TOTAL)
    assert (first.version, first.ends_on, first.ended_as) == (1, dt.date(2026, 7, 1), "superseded")
    assert (second.version, second.definition.seconds, second.ends_on) == (2, 30, None)
    assert get_field(ctx, TOTAL).version == 1
    assert get_field(ctx, TOTAL, on=dt.date(2026, 6, 30)).version == 1
    assert get_field(ctx, TOTAL, on=dt.date(2026, 7, 1)).version == 2
    assert take_in(value).unchanged == 6


def test_bundle_of_a_changed_catalogue_can_be_imported_again(
    sample: ImportReport, take_in: Importer, value: Value, ctx: Context
) -> None:
    take_in(changed(value))
    report = take_in(whole_catalog(ctx))
    assert not report.changed_anything
    assert [each.code for each in report.skipped] == [TOTAL]
    assert "version 2 came after it" in report.skipped[0].reason


def test_version_that_has_expired_by_then_is_not_ended_twice(
    take_in: Importer, value: Value, ctx: Context
) -> None:
    value["fields"][0]["expires_on"] = "2026-05-31"
    take_in(value)
    take_in(changed(value, expires_on="2028-12-31"))
    first, second = list_versions(ctx, TOTAL)
    assert (first.ends_on, second.effective_from) == (None, dt.date(2026, 7, 1))


@pytest.mark.parametrize("day", ["2026-01-01", "2025-12-31"])
def test_change_without_a_later_day_of_its_own_is_refused(
    sample: ImportReport, take_in: Importer, value: Value, ctx: Context, day: str
) -> None:
    with pytest.raises(BadBundle) as caught:
        take_in(changed(value, effective_from=day))
    assert [(m.pointer, m.code) for m in caught.value.mistakes] == [
        ("/fields/0/effective_from", "effective_from")
    ]
    assert len(list_versions(ctx, TOTAL)) == 1


@pytest.mark.parametrize(
    ("pointer", "members"),
    [
        ("/unit", {"unit": "万人"}),
        ("/unit", {"unit": None}),
        ("/schema", {"schema": {"type": "number", "minimum": 0}}),
        ("/schema", {"schema": {"type": "string", "code_list": "sex"}, "rollup": "none", "levels": ["village"], "soft_checks": []}),
        ("/period_type", {"period_type": "quarter"}),
        ("/subject_kind", {"subject_kind": "enterprise", "levels": []}),
    ],
)  # fmt: skip
def test_another_thing_is_a_new_field_not_a_new_version(
    sample: ImportReport, take_in: Importer, value: Value, pointer: str, members: Value
) -> None:
    # Others that name the field would have mistakes of their own.
    value["fields"] = value["fields"][:1]
    with pytest.raises(BadBundle) as caught:
        take_in(changed(value, **members))
    assert ("/fields/0" + pointer, "new_field") in [
        (m.pointer, m.code) for m in caught.value.mistakes
    ]


def test_stricter_schema_and_other_words_are_the_same_field(
    sample: ImportReport, take_in: Importer, value: Value
) -> None:
    report = take_in(
        changed(
            value,
            schema={"type": "integer", "minimum": 0, "maximum": 100000},
            name={"zh": "常住人口总数"},
            owner="civil_affairs",
        )
    )
    assert report.versions_added == 1


def test_mistakes_of_the_bundle_and_of_its_changes_come_together_and_nothing_is_taken(
    sample: ImportReport, take_in: Importer, value: Value, ctx: Context
) -> None:
    before = {table: count(ctx, table) for table in ("agency", "field", "field_version")}
    value["agencies"].append({"code": "new", "name": {"zh": "新"}})
    value["fields"][1]["owner"] = "nobody"
    value["fields"].append({**value["fields"][0], "code": "fine.field"})
    with pytest.raises(BadBundle) as caught:
        take_in(changed(value, unit="户"))
    assert {m.code for m in caught.value.mistakes} == {
        "unknown_owner",
        "effective_from",
        "new_field",
    }
    assert {table: count(ctx, table) for table in before} == before


def end(ctx: Context, ended_as: str | None, origin: str) -> None:
    """As the workflow would: change the first field by a version of its own, or retire it."""
    ctx.sql(
        "UPDATE field_version AS v SET ends_on = '2026-03-01', ended_as = :ended_as "
        "FROM field AS f WHERE f.id = v.field_id AND f.code = :code",
        ended_as=ended_as or "superseded",
        code=TOTAL,
    )
    if ended_as is None:
        columns = (
            "field_id, name, definition, synonyms, topic, kind_id, levels, value_schema, unit, "
            "period_type, valid_for, mode, collected_at, review, owner_id, sharing_category, "
            "sharing, legal_basis, sensitivity, personal, rollup, derivation, soft_checks"
        )
        ctx.sql(
            f'INSERT INTO field_version ({columns}, seconds, "window", effective_from, '
            "expires_on, version, origin) "
            f"SELECT {columns}, 45, \"window\", '2026-03-01', expires_on, 2, :origin "
            "FROM field_version JOIN field AS f ON f.id = field_id WHERE f.code = :code",
            origin=origin,
            code=TOTAL,
        )
    # Whoever changes the catalogue says so.
    record_change(ctx, Tag.CATALOG_IMPORTED)


def test_field_that_the_workflow_has_changed_is_never_touched(
    sample: ImportReport, take_in: Importer, value: Value, ctx: Context
) -> None:
    end(ctx, None, "workflow")
    report = take_in(changed(value))
    assert [each.code for each in report.skipped] == [TOTAL]
    assert "reviewers" in report.skipped[0].reason
    assert (report.versions_added, report.unchanged) == (0, 5)
    assert len(list_versions(ctx, TOTAL)) == 2
    same = {"effective_from": "2026-03-01", "seconds": 45}
    assert take_in(changed(value, **same)).unchanged == 6


def test_retired_field_does_not_come_back_by_a_bundle(
    sample: ImportReport, take_in: Importer, value: Value, ctx: Context
) -> None:
    end(ctx, "retired", "operator")
    report = take_in(changed(value))
    assert [(each.code, each.reason) for each in report.skipped] == [(TOTAL, "it was retired")]
    assert report.versions_added == 0


def test_formula_cannot_name_a_retired_field(
    sample: ImportReport, take_in: Importer, value: Value, ctx: Context
) -> None:
    end(ctx, "retired", "operator")
    value["fields"] = [value["fields"][2]]
    with pytest.raises(BadBundle) as caught:
        take_in(value)
    assert [m.code for m in caught.value.mistakes] == ["unknown_field"]


def test_what_is_there_need_not_be_in_the_bundle(
    sample: ImportReport, take_in: Importer, value: Value
) -> None:
    extra = {**value["fields"][2], "code": "elderly.share_doubled", "synonyms": ["二倍"]}
    report = take_in({"bundle": value["bundle"], "fields": [extra]})
    assert (report.fields_added, report.agencies) == (1, 0)


def test_owner_that_is_there_is_left_alone(take_in: Importer, value: Value, ctx: Context) -> None:
    with_name = {"zh": "市统计局"}
    ctx.sql("INSERT INTO agency (code, name) VALUES ('stats', '{\"zh\": \"市统计局\"}')")
    assert take_in(value).agencies == 1
    assert ctx.sql("SELECT name FROM agency WHERE code = 'stats'").scalar_one() == with_name


def test_items_are_renamed_retired_and_back_but_never_deleted(
    sample: ImportReport, take_in: Importer, value: Value, ctx: Context
) -> None:
    tap, well = value["code_lists"][1]["items"]
    value["code_lists"][1]["items"] = [{**tap, "name": {"zh": "城镇自来水"}}]
    assert take_in(value).items == 2
    items = {item.code: item for item in get_code_list(ctx, "water_source").items}
    assert items["tap"].name == {"zh": "城镇自来水"}
    assert items["well"].retired_on == ctx.today()
    assert take_in(value).items == 0
    value["code_lists"][1]["items"].append(well)
    assert take_in(value).items == 1
    assert get_code_list(ctx, "water_source").live_codes == ["tap", "well"]


def test_code_list_that_is_not_mentioned_stays(
    sample: ImportReport, take_in: Importer, value: Value, ctx: Context
) -> None:
    del value["code_lists"][1]
    assert not take_in(value).changed_anything
    assert get_code_list(ctx, "water_source").live_codes == ["tap", "well"]


def test_kind_keeps_what_the_bundle_leaves_out(
    sample: ImportReport, take_in: Importer, value: Value, ctx: Context
) -> None:
    value["subject_kinds"] = [{"code": "resident", "name": {"zh": "居民个人"}}]
    assert take_in(value).kinds == 1
    kind = ctx.sql("SELECT * FROM subject_kind WHERE code = 'resident'").one()
    assert (kind.name, kind.personal) == ({"zh": "居民个人"}, True)
    assert kind.key_schema == {"type": "string", "format": "cn-resident-id"}


@pytest.mark.parametrize(
    ("roles", "error"), [((), Unauthenticated), ((Role.CATALOG_ADMIN,), Forbidden)]
)
def test_only_the_operator_goes_past_the_reviewers(
    ctx: Context, value: Value, roles: tuple[Role, ...], error: type[Exception]
) -> None:
    person = Principal(
        kind=ActorKind.PERSON,
        id="p",
        label="p",
        roles=frozenset(roles),
        permissions=permissions_of_roles(roles),
    )
    with pytest.raises(error):
        import_bundle(ctx.acting_as(person if roles else PUBLIC), bundle_of(value))


def test_published_version_cannot_be_changed_or_deleted(sample: ImportReport, ctx: Context) -> None:
    for statement in ("UPDATE field_version SET seconds = 1", "DELETE FROM field_version"):
        with pytest.raises(sa.exc.IntegrityError, match="published"), ctx.session.begin_nested():
            ctx.sql(statement)


def test_statements_of_an_import_do_not_grow_with_its_fields(
    value: Value,
    ctx: Context,
    statements: Callable[[Context], AbstractContextManager[list[str]]],
) -> None:
    with statements(ctx) as small:
        import_bundle(ctx, bundle_of(value))
    template = value["fields"][0]
    value["fields"] += [
        {**template, "code": f"many.f{n}", "name": {"zh": f"第{n}项"}, "synonyms": []}
        for n in range(500)
    ]
    with statements(ctx) as large:
        report = import_bundle(ctx, bundle_of(value))
    assert report.fields_added == 500
    assert len(large) == len(small)
