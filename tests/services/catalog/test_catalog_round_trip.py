"""Whatever a bundle holds: what is imported is exported, and changes nothing when it comes back."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.bundle import bundle_of, dump_json, dump_yaml, parse_bundle
from catalog.check import check_bundle
from catalog.documents import Syntax
from catalog.importing import import_bundle
from catalog.reading import whole_catalog
from oneform.kernel.context import Context

lines = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp", "Cs"]),
    min_size=1,
    max_size=20,
).filter(lambda text: text.strip() != "")
words = st.fixed_dictionaries({"zh": lines}, optional={"en": lines, "bo": lines})
schemas = st.sampled_from(
    [
        {"type": "integer", "minimum": 0, "maximum": 2**53},
        {"type": "number", "multipleOf": 0.01, "exclusiveMaximum": 1e15},
        {"type": "string", "format": "cn-mobile"},
        {"type": "string", "code_list": "sex"},
        {"type": "array", "items": {"type": "string", "code_list": "sex"}, "uniqueItems": True},
        {"type": "string", "enum": ["1e3", "01", "no", "甲"], "description": "a: b # c"},
        {"type": "boolean"},
        {"type": "string", "format": "date"},
    ]
)
members = st.fixed_dictionaries(
    {
        "name": words,
        "definition": words,
        "synonyms": st.lists(lines, max_size=3),
        "schema": schemas,
        "unit": st.none() | lines,
        "legal_basis": lines,
        "seconds": st.integers(1, 3600),
        "sensitivity": st.integers(1, 4),
        "review": st.sampled_from(["none", "township"]),
        "window": st.none() | st.just({"from": "11-01", "to": "02-29"}),
        "sharing": st.sampled_from(
            [
                {"category": "unconditional"},
                {"category": "conditional", "conditions": "目的\n范围"},
                {"category": "restricted", "basis": "第二十八条"},
            ]
        ),
        "expires_on": st.dates().map(lambda day: day.replace(year=2027)).map(str),
    }
)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(members, min_size=1, max_size=4), lines)
def test_import_and_export_are_each_others_inverse(
    ctx: Context, value: dict[str, Any], fields: list[dict[str, Any]], item: str
) -> None:
    bundle = copy.deepcopy(value)
    bundle["code_lists"][1]["items"][0]["code"] = item
    for number, parts in enumerate(fields):
        plain = {"rollup": "none", "levels": ["village"], "soft_checks": []}
        template = {**bundle["fields"][0], **plain, "code": f"made.f{number}"}
        bundle["fields"].append({**template, **parts})
    assert check_bundle(bundle_of(bundle)).mistakes == []
    with ctx.session.begin_nested() as savepoint:
        import_bundle(ctx, bundle_of(bundle))
        exported = whole_catalog(ctx)
        for text, syntax in (
            (dump_yaml(exported), Syntax.YAML),
            (dump_json(exported), Syntax.JSON),
        ):
            report = import_bundle(ctx, parse_bundle(text.encode(), syntax))
            assert not report.changed_anything
            assert report.unchanged == len(bundle["fields"])
        savepoint.rollback()
    given_codes = sorted(field["code"] for field in bundle["fields"])
    assert [field["code"] for field in exported["fields"]] == given_codes
