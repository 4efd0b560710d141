"""Several transactions and processes at once: each change once, and seen by all when it is there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from catalog.bundle import bundle_of
from catalog.errors import BadBundle
from catalog.importing import ImportReport, import_bundle
from catalog.reading import get_field, list_versions
from oneform.config import Settings
from oneform.identity.policy import OPERATOR, PUBLIC
from oneform.kernel.clock import FixedClock
from oneform.runtime import Runtime

Value = dict[str, Any]

TOTAL = "population.resident_total"


@pytest.fixture
def filled(runtime: Runtime, value: Value) -> Runtime:
    """A runtime on a database of its own, with the sample in it."""
    with runtime.context(OPERATOR) as ctx:
        import_bundle(ctx, bundle_of(value))
    return runtime


def changed(value: Value, seconds: int) -> Value:
    first = {**value["fields"][0], "effective_from": "2026-03-02", "seconds": seconds}
    return {**value, "fields": [first]}


def test_two_imports_at_once_take_each_field_in_once(runtime: Runtime, value: Value) -> None:
    def run(_: int) -> ImportReport:
        with runtime.context(OPERATOR) as mine:
            return import_bundle(mine, bundle_of(value))

    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(run, range(4)))
    assert sorted(report.fields_added for report in reports) == [0, 0, 0, 6]
    assert sorted(report.unchanged for report in reports) == [0, 6, 6, 6]
    with runtime.context(PUBLIC) as ctx:
        assert len(list_versions(ctx, TOTAL)) == 1


def test_two_changes_at_once_supersede_one_after_the_other(filled: Runtime, value: Value) -> None:
    def run(seconds: int) -> str:
        with filled.context(OPERATOR) as own:
            try:
                import_bundle(own, bundle_of(changed(value, seconds)))
            except BadBundle as error:
                return error.mistakes[0].code
        return "taken"

    with ThreadPoolExecutor(2) as pool:
        ends = sorted(pool.map(run, (31, 32)))
    assert ends == ["effective_from", "taken"]
    with filled.context(PUBLIC) as ctx:
        assert len(list_versions(ctx, TOTAL)) == 2


def test_change_by_another_process_is_seen_when_it_is_committed_and_not_before(
    filled: Runtime, settings: Settings, clock: FixedClock, value: Value
) -> None:
    other = Runtime(settings, clock=clock)
    with filled.context(PUBLIC) as reader:
        assert get_field(reader, TOTAL).definition.seconds == 15
        with other.context(OPERATOR) as theirs:
            import_bundle(theirs, bundle_of(changed(value, 30)))
            assert get_field(theirs, TOTAL).definition.seconds == 30
            assert get_field(reader, TOTAL).definition.seconds == 15
        assert get_field(reader, TOTAL).definition.seconds == 30
    other.close()


def test_change_that_was_rolled_back_was_never_seen(filled: Runtime, value: Value) -> None:
    with filled.context(PUBLIC) as reader:
        before = get_field(reader, TOTAL)
        for seconds in (30, 31):
            with filled.context(OPERATOR) as ctx:
                import_bundle(ctx, bundle_of(changed(value, seconds)))
                assert get_field(ctx, TOTAL).definition.seconds == seconds
                ctx.session.rollback()
            assert get_field(reader, TOTAL) == before
