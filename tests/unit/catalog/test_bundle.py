"""Writing bundles: canonical, and read back as what they were."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from catalog.bundle import bundle_document, bundle_of, dump_json, dump_yaml, read_bundle
from catalog.check import check_bundle
from catalog.definition import FieldDefinition
from catalog.documents import Syntax, read_document

SAMPLE = Path(__file__).parent / "sample_bundle.yaml"
VALUE: dict[str, Any] = read_document(SAMPLE.read_bytes(), Syntax.YAML).value


def canonical(value: dict[str, Any]) -> dict[str, Any]:
    """As an export writes it: normalised and in order."""
    found = check_bundle(bundle_of(value))
    assert found.mistakes == []
    return bundle_document(
        value["agencies"],
        value["subject_kinds"],
        value["code_lists"],
        [definition.as_bundle() for definition in found.definitions.values()],
    )


texts = st.text(st.characters(codec="utf-8"), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | texts
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["1e3", "01", "no", "~", "null", "2026-01-01", "=1", "- a", "\x85", "\ufeff", "<<"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(values)
def test_what_is_written_is_read_back_in_both_syntaxes(value: object) -> None:
    document = {"bundle": "x", "code_lists": [value]}
    assert read_document(dump_yaml(document).encode(), Syntax.YAML).value == {
        **document,
        "fields": [],
    }
    assert read_document(dump_json(document).encode(), Syntax.JSON).value == document


def test_days_of_a_field_stand_without_quotes_as_people_write_them() -> None:
    text = dump_yaml(canonical(VALUE))
    assert "\n  effective_from: 2026-01-01\n  expires_on: 2028-12-31\n" in text
    assert "window: {from: 11-01, to: 01-31}" in text


def test_export_is_the_same_whatever_the_order_of_the_file() -> None:
    shuffled = copy.deepcopy(VALUE)
    for kind in ("agencies", "subject_kinds", "code_lists", "fields"):
        random.Random(7).shuffle(shuffled[kind])
    for field in shuffled["fields"]:
        field["name"] = dict(reversed(field["name"].items()))
        field["levels"] = list(reversed(field.get("levels") or []))
    assert dump_yaml(canonical(shuffled)) == dump_yaml(canonical(VALUE))


def test_canonical_form_is_its_own_canonical_form() -> None:
    once = canonical(VALUE)
    assert canonical(once) == once


def test_starter_catalogue_survives_its_canonical_form() -> None:
    bundle = read_bundle(Path(__file__).resolve().parents[3] / "catalog" / "data")
    definitions = check_bundle(bundle).definitions
    written = dump_yaml({"fields": [each.as_bundle() for each in definitions.values()]})
    read = read_document(written.encode(), Syntax.YAML).value["fields"]
    assert [FieldDefinition.from_bundle(member) for member in read] == list(definitions.values())
