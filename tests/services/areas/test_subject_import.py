"""Importing subjects: all or nothing, twice without a change, every mistake with its line."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest

from oneform.areas import queries, subjects
from oneform.areas.errors import BrokenFile
from oneform.areas.importing import ImportReport
from oneform.areas.subject_import import import_subjects
from oneform.areas.subjects import ChangeSubject
from oneform.identity.policy import OPERATOR, PUBLIC
from oneform.kernel.errors import Conflict, Unauthenticated
from oneform.runtime import Runtime

HEADER = "kind,key,name,area,active_from\n"
V1, V2, V4 = "420102002003", "420102002004", "420103006002"


@pytest.fixture
def ledger(small: Runtime) -> Runtime:
    with small.context(OPERATOR) as ctx:
        ctx.sql(
            "INSERT INTO subject_kind (code, name, key_schema) VALUES "
            """('household', '{"zh": "户"}', '{"type": "string", "pattern": "^H[0-9]+$"}'),"""
            """('enterprise', '{"zh": "企业"}', NULL)"""
        )
    return small


def take_in(runtime: Runtime, *lines: str) -> ImportReport:
    with runtime.context(OPERATOR) as ctx:
        return import_subjects(ctx, (HEADER + "\n".join(lines)).encode())


def mistakes(runtime: Runtime, *lines: str) -> list[tuple[str, str]]:
    with pytest.raises(BrokenFile) as refused:
        take_in(runtime, *lines)
    return [(mistake.pointer, mistake.code) for mistake in refused.value.mistakes]


def present(runtime: Runtime) -> list[tuple[object, ...]]:
    with runtime.context(OPERATOR) as ctx:
        rows = ctx.sql(
            "SELECT k.code, s.key, s.name, a.code, r.code, s.active_from::text FROM subject AS s "
            "JOIN subject_kind AS k ON k.id = s.kind_id AND k.code <> 'area' "
            "JOIN area AS a ON a.id = s.area_id JOIN area AS r ON r.id = s.region_id ORDER BY 1, 2"
        )
        return [tuple(row) for row in rows]


def test_subjects_are_taken_into_their_areas_and_regions(ledger: Runtime) -> None:
    report = take_in(ledger, f"household,H1,张家,{V1},2020-01-01", f"enterprise,E1,𬒗厂 ,{V4},")
    assert report == ImportReport(created=2)
    assert present(ledger) == [
        ("enterprise", "E1", "𬒗厂 ", V4, "420103000000", None),
        ("household", "H1", "张家", V1, "420102000000", "2020-01-01"),
    ]


def test_second_import_changes_nothing(ledger: Runtime) -> None:
    lines = [f"household,H{n},张家,{V1}," for n in range(5)]
    take_in(ledger, *lines)
    before = present(ledger)
    assert take_in(ledger, *lines) == ImportReport(unchanged=5)
    assert present(ledger) == before
    with ledger.context(OPERATOR) as ctx:
        assert ctx.sql("SELECT count(*) FROM subject_history").scalar_one() == 0
        tags = ctx.sql("SELECT data FROM audit_event WHERE tag = 'subjects.imported'").scalars()
        assert list(tags) == [{"created": 5, "updated": 0, "unchanged": 0}]


def test_other_name_is_written_over_and_the_old_one_kept(ledger: Runtime) -> None:
    take_in(ledger, f"household,H1,张家,{V1},")
    assert take_in(ledger, f"household,H1,李家,{V1},") == ImportReport(updated=1)
    assert [row[2] for row in present(ledger)] == ["李家"]
    with ledger.context(OPERATOR) as ctx:
        assert list(ctx.sql("SELECT name FROM subject_history").scalars()) == ["张家"]


def test_every_mistake_is_told_with_its_line(ledger: Runtime) -> None:
    assert mistakes(
        ledger,
        f"household,H1,张家,{V1},",
        f"household,H1,李家,{V2},",
        f"ghost,G1,鬼,{V1},",
        f"area,{V1},保成社区,{V1},",
        f"household,1,张家,{V1},",
        "household,H2,张家,420199000000,",
        f"household,,,{V1},never",
        f"household,H3,张家,{V1}",
        f"household,H4,张家,{V4},2020-01-01",
    ) == [
        ("line 3", "duplicate_key"),
        ("line 4", "unknown_kind"),
        ("line 5", "area_kind"),
        ("line 6", "key"),
        ("line 7", "unknown_area"),
        ("line 8", "empty"),
        ("line 8", "empty"),
        ("line 8", "date"),
        ("line 9", "cells"),
    ]
    assert present(ledger) == []


def test_mistake_about_a_key_does_not_repeat_it(ledger: Runtime) -> None:
    with pytest.raises(BrokenFile) as refused:
        take_in(ledger, f"household,42010219990101123X,张家,{V1},")
    assert all("42010219990101123X" not in m.detail for m in refused.value.mistakes)


def test_known_subject_elsewhere_is_a_mistake_also_in_another_region(ledger: Runtime) -> None:
    take_in(ledger, f"household,H1,张家,{V1},", f"household,H2,李家,{V1},")
    assert mistakes(ledger, f"household,H1,张家,{V2},", f"household,H2,李家,{V4},") == [
        ("line 2", "elsewhere"),
        ("line 3", "elsewhere"),
    ]


def test_subject_that_moved_in_is_known_where_it_is_now(ledger: Runtime) -> None:
    take_in(ledger, f"household,H1,张家,{V4},")
    with ledger.context(OPERATOR) as ctx:
        (view,) = subjects.list_subjects(ctx, kind="household").items
        subjects.change_subject(ctx, view.id, ChangeSubject(area=V1))
    assert take_in(ledger, f"household,H1,李家,{V1},") == ImportReport(updated=1)
    assert [row[2:5] for row in present(ledger)] == [("李家", V1, "420103000000")]


def test_closed_subject_can_come_again(ledger: Runtime) -> None:
    take_in(ledger, f"household,H1,张家,{V1},")
    with ledger.context(OPERATOR) as ctx:
        (view,) = subjects.list_subjects(ctx, kind="household").items
        subjects.change_subject(ctx, view.id, ChangeSubject(active_to=dt.date(2026, 1, 1)))
    assert take_in(ledger, f"household,H1,张家,{V2},") == ImportReport(created=1)
    assert len(present(ledger)) == 2


def test_same_file_twice_at_once_makes_each_subject_once(ledger: Runtime) -> None:
    lines = [f"household,H{n},张家,{V1}," for n in range(200)]
    start = threading.Barrier(2)

    def importing(_: int) -> int:
        start.wait()
        try:
            return take_in(ledger, *lines).created
        except Conflict:
            return 0

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(importing, range(2))) == [0, 200]
    assert len(present(ledger)) == 200


def test_number_of_statements_does_not_grow_with_the_file(
    ledger: Runtime, count_statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    counts = []
    for n in (1, 300):
        with count_statements() as sent:
            take_in(ledger, *(f"household,H{n}{i},张家,{V1}," for i in range(n)))
        counts.append(len(sent))
    assert counts[0] == counts[1]


def test_only_the_operator_imports(ledger: Runtime) -> None:
    with ledger.context(PUBLIC) as ctx:
        with pytest.raises(Unauthenticated):
            import_subjects(ctx, b"")
        assert queries.areas_by_code(ctx, [V1])
