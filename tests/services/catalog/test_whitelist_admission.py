"""The whitelist check against the database: whole demands, suggestions, cost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from catalog.importing import ImportReport, import_bundle
from catalog.judging import Reason
from catalog.reading import get_field
from catalog.whitelist import Admission, Demand, admit
from oneform.kernel.context import Context

Statements = Callable[[Context], AbstractContextManager[list[str]]]
Importer = Callable[..., ImportReport]

TOTAL, AGED = "population.resident_total", "elderly.aged_60_plus"


def demand(*fields: str, **parts: Any) -> Demand:
    whole = Demand(
        fields=fields,
        kind="area",
        level=5,
        period="2026",
        area_paths=["/1/"],
        agency_id=None,
        agency_path="/1/",
    )
    return replace(whole, **parts)


def reasons(admission: Admission) -> dict[str, str]:
    return {each.field: each.reason.value for each in admission.rejected}


def test_demand_is_divided_into_accepted_and_rejected_in_its_order(
    sample: ImportReport, ctx: Context
) -> None:
    found = admit(
        ctx, demand("x.y", TOTAL, AGED, "elderly.share", "resident.sex", "常住人口"), ctx.today()
    )
    assert [field.code for field in found.accepted] == [TOTAL, "elderly.share"]
    assert list(reasons(found).items()) == [
        ("x.y", "unknown"),
        (AGED, "outside_window"),
        ("resident.sex", "wrong_kind"),
        ("常住人口", "unknown"),
    ]


def test_accepted_field_carries_what_a_request_needs(sample: ImportReport, ctx: Context) -> None:
    (field,) = admit(ctx, demand(TOTAL), ctx.today()).accepted
    view = get_field(ctx, TOTAL)
    assert (field.field_id, field.version_id) == (view.field_id, view.version_id)
    assert (field.owner_id, field.sharing_category) == (view.owner_id, "unconditional")
    assert (field.code, field.name["zh"], field.unit) == (TOTAL, "常住人口数", "人")
    assert (field.period_type, field.valid_for, field.mode) == ("year", None, "collect")
    assert (field.collected_at, field.review, field.seconds) == (5, "none", 15)
    assert field.personal is False


@pytest.mark.parametrize(
    "text",
    ["", " ", "\0", "\ud800", "常住人口", "x" * 100_000, "'; drop table field --", "%", "A.B"],
)
def test_any_string_may_be_demanded_and_is_unknown(
    sample: ImportReport, ctx: Context, text: str
) -> None:
    found = admit(ctx, demand(text, TOTAL), ctx.today())
    assert reasons(found) == {text: "unknown"}
    assert len(found.accepted) == 1


def test_force_follows_the_day(take_in: Importer, value: dict[str, Any], ctx: Context) -> None:
    value["fields"][0].update(effective_from="2026-03-17", expires_on="2026-03-18")
    take_in(value)
    days = {
        day: reasons(admit(ctx, demand(TOTAL), day)).get(TOTAL)
        for day in (dt.date(2026, 3, d) for d in (16, 17, 18, 19))
    }
    assert list(days.values()) == ["not_in_force", None, None, "expired"]


def test_retired_field_cannot_be_requested(sample: ImportReport, ctx: Context) -> None:
    ctx.sql(
        "UPDATE field_version AS v SET ends_on = '2026-03-16', ended_as = 'retired' "
        "FROM field AS f WHERE f.id = v.field_id AND f.code = :code",
        code=TOTAL,
    )
    assert reasons(admit(ctx, demand(TOTAL), ctx.today())) == {TOTAL: "retired"}
    assert reasons(admit(ctx, demand(TOTAL), dt.date(2026, 3, 15))) == {}


def test_restricted_field_is_for_its_owner_only(sample: ImportReport, ctx: Context) -> None:
    of_residents = demand("resident.sex", kind="resident", level=None, period="")
    assert reasons(admit(ctx, of_residents, ctx.today())) == {"resident.sex": "restricted"}
    owner = get_field(ctx, "resident.sex").owner_id
    assert reasons(admit(ctx, replace(of_residents, agency_id=owner), ctx.today())) == {}


def test_scope_beyond_the_agency_rejects_every_field(sample: ImportReport, ctx: Context) -> None:
    beyond = demand(TOTAL, "elderly.share", area_paths=["/1/2/", "/3/"])
    assert set(reasons(admit(ctx, beyond, ctx.today())).values()) == {"outside_agency_area"}


def test_nearest_field_is_suggested_with_name_score_and_reasons(
    sample: ImportReport, ctx: Context
) -> None:
    (rejected,) = admit(ctx, demand("常住人数"), ctx.today()).rejected
    best = rejected.suggestions[0]
    assert (best.field, best.name["zh"]) == (TOTAL, "常住人口数")
    assert 0 < best.score <= 1
    assert best.reasons == ["synonym:常住人数"]
    assert rejected.as_dict() == {
        "field": "常住人数",
        "reason": "unknown",
        "detail": rejected.detail,
        "suggestions": [
            {
                "field": each.field,
                "name": each.name,
                "score": each.score,
                "reasons": each.reasons,
            }
            for each in rejected.suggestions
        ],
    }


def test_suggestion_is_named_as_it_is_on_the_day(
    take_in: Importer, value: dict[str, Any], ctx: Context
) -> None:
    take_in(value)
    coming = value["fields"][0]
    coming["name"] = {"zh": "实有人口数", "en": "people present"}
    coming["effective_from"] = "2026-06-01"
    take_in(value)
    named = {
        day: admit(ctx, demand("常住人数"), day).rejected[0].suggestions[0]
        for day in (ctx.today(), dt.date(2026, 6, 1))
    }
    assert {each.field for each in named.values()} == {TOTAL}
    assert [each.name["zh"] for each in named.values()] == ["常住人口数", "实有人口数"]


def test_no_suggestion_is_of_another_kind_restricted_or_the_field_itself(
    ctx: Context, starter: Path
) -> None:
    import_bundle(ctx, starter)
    asked = demand(
        "姓名", "性别", "身份证号", "resident.name", "低保人数", "household.member_count"
    )
    found = admit(ctx, asked, ctx.today())
    assert len(found.rejected) == 6
    for rejected in found.rejected:
        assert len(rejected.suggestions) <= 3
        for suggestion in rejected.suggestions:
            assert suggestion.field != rejected.field
            field = get_field(ctx, suggestion.field).definition
            assert field.subject_kind == "area"
            assert field.sharing["category"] != "restricted"


def test_field_that_has_gone_leads_to_the_one_that_says_the_same(
    take_in: Importer, value: dict[str, Any], ctx: Context
) -> None:
    old = {**value["fields"][0], "code": "old.code", "synonyms": [], "expires_on": "2026-02-01"}
    value["fields"].append(old)
    take_in(value)
    (rejected,) = admit(ctx, demand("old.code"), ctx.today()).rejected
    assert rejected.reason is Reason.EXPIRED
    assert rejected.suggestions[0].field == TOTAL


def test_check_costs_one_statement_and_one_more_for_suggestions(
    ctx: Context, starter: Path, statements: Statements
) -> None:
    import_bundle(ctx, starter)
    admit(ctx, demand("no.such"), ctx.today())
    with statements(ctx) as sent:
        admit(ctx, demand(*[TOTAL] * 500), ctx.today())
    assert len(sent) == 1
    with statements(ctx) as sent:
        admit(ctx, demand(*[f"no.such{n}" for n in range(100)]), ctx.today())
    assert len(sent) == 2


def test_check_of_an_empty_catalogue_rejects_without_suggestions(ctx: Context) -> None:
    (rejected,) = admit(ctx, demand("a.b"), ctx.today()).rejected
    assert (rejected.reason, rejected.suggestions) == (Reason.UNKNOWN, [])
