"""Rules of importing areas: every mistake with its line, and what a file changes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from oneform.areas.csvfile import read_table
from oneform.areas.formats import AREA_COLUMNS, AREA_OPTIONAL, area_lines
from oneform.areas.importing import AreaImport, ImportReport
from oneform.areas.models import AreaChangeKind
from oneform.areas.tree import Node, Tree

HEADER = ",".join((*AREA_COLUMNS, *AREA_OPTIONAL))


def importing(
    tree: Tree,
    today: dt.date,
    *lines: str,
    ended: dict[tuple[str, dt.date], Node] | None = None,
) -> AreaImport:
    data = "\n".join([HEADER, *(line + "," * (6 - line.count(",")) for line in lines)])
    good, broken = area_lines(read_table(data.encode(), AREA_COLUMNS, AREA_OPTIONAL))
    return AreaImport(good, broken, tree, ended or {}, today)


def judged(tree: Tree, today: dt.date, *lines: str) -> list[tuple[str, str]]:
    found = importing(tree, today, *lines).judge()
    return sorted((mistake.pointer, mistake.code) for mistake in found)


def applied(tree: Tree, today: dt.date, *lines: str) -> ImportReport:
    work = importing(tree, today, *lines)
    assert work.judge() == []
    return work.apply()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["420104000000,420199000000,3,丙县"], [("line 2", "missing_parent")]),
        (["420102003001,,5,五村"], [("line 2", "missing_parent")]),
        (["420102003000,,4,镇"], [("line 2", "missing_parent")]),
        (["430100000000,,2,市", "430102000000,,3,县"], []),
        (["420104000000,420104000000,3,丙县"], [("line 2", "own_parent")]),
        (
            ["420104000000,420105000000,3,丙县", "420105000000,420104000000,3,丁县"],
            [("line 2", "cycle"), ("line 3", "cycle")],
        ),
        (
            [
                "420106001000,420104000000,4,镇",
                "420104000000,420105000000,3,丙县",
                "420105000000,420106000000,3,丁县",
                "420106000000,420104000000,3,戊县",
            ],
            [("line 3", "cycle"), ("line 4", "cycle"), ("line 5", "cycle")],
        ),
        (
            ["420104000000,420100000000,3,丙县", "420104000000,420100000000,3,丙县"],
            [("line 3", "duplicate_code")],
        ),
        (["420104000000,420102001000,3,丙县"], [("line 2", "wrong_level")]),
        (["420104000000,420102000000,3,丙县"], [("line 2", "wrong_level")]),
        (["430000000000,420000000000,1,省"], [("line 2", "wrong_level")]),
        (["420102001001,420102001000,6,一村"], [("line 2", "level_changed")]),
        (["420102001001,,5,一村"], [("line 2", "missing_parent")]),
        (["420102000000,,3,甲县"], [("line 2", "missing_parent")]),
        (["420104000000,420100000000,3,丙县,2026-03-17"], [("line 2", "future")]),
        (["420104000000,420100000000,3,丙县,,2026-03-17"], [("line 2", "future")]),
        (["420104000000,420100000000,3,丙县,2026-03-16,2026-03-16"], []),
        (["420102001001,420102001000,5,一村,,2025-01-01"], [("line 2", "closes")]),
        (
            ["420104000000,420100000000,3,丙县,,2020-01-01", "420104001000,420104000000,4,镇"],
            [("line 3", "parent_ended")],
        ),
        (
            [
                "420104000000,420100000000,3,丙县,,2020-01-01",
                "420104001000,420104000000,4,镇,,2020-01-01",
            ],
            [],
        ),
        # A village may hang below a county: levels need not follow each other.
        (["420102999001,420102000000,5,村"], []),
    ],
)
def test_lines_that_do_not_fit_are_named(
    tree: Tree, today: dt.date, lines: list[str], expected: list[tuple[str, str]]
) -> None:
    assert judged(tree, today, *lines) == expected


def test_line_with_mistakes_of_its_own_is_not_held_against_those_below_it(
    tree: Tree, today: dt.date
) -> None:
    assert (
        judged(tree, today, "420104000000,420100000000,9,丙县", "420104001000,420104000000,4,镇")
        == []
    )


def test_parents_may_come_after_their_children(tree: Tree, today: dt.date) -> None:
    report = applied(
        tree,
        today,
        "420104001001,420104001000,5,村",
        "420104001000,420104000000,4,镇",
        "420104000000,420100000000,3,丙县",
    )
    assert report == ImportReport(created=3)
    county, township, village = tree.outcome.opened
    assert [county.level, township.level, village.level] == [3, 4, 5]
    assert tree.path(village) == f"/1/2/{county.id}/{township.id}/{village.id}/"


def test_region_is_the_county_above_or_the_area_itself(tree: Tree, today: dt.date) -> None:
    applied(
        tree,
        today,
        "430000000000,,1,别省",
        "430100000000,430000000000,2,别市",
        "430102000000,430100000000,3,别县",
        "430102001000,430102000000,4,别镇",
        "430102001001,430102001000,5,别村",
        "430103001000,430100000000,4,直管镇",
        "420102001003,420102001000,5,新村",
    )
    region = {node.name: tree.nodes[node.region_id].name for node in tree.outcome.opened}
    assert region == {
        "别省": "别省",
        "别市": "别市",
        "别县": "别县",
        "别镇": "别县",
        "别村": "别县",
        "直管镇": "直管镇",
        "新村": "甲县",
    }


def test_same_statement_changes_nothing(tree: Tree, today: dt.date) -> None:
    report = applied(tree, today, "420000000000,,1,省", "420102001001,420102001000,5,一村")
    assert report == ImportReport(unchanged=2)
    assert (tree.outcome.changed, tree.outcome.changes, tree.outcome.history) == ({}, [], [])


def test_other_name_is_a_rename_of_today(tree: Tree, today: dt.date) -> None:
    assert applied(tree, today, "420102001001,420102001000,5,新一村") == ImportReport(updated=1)
    (change,) = tree.outcome.changes
    assert (change.kind, change.on_date) == (AreaChangeKind.RENAME, today)
    assert (change.old_name, change.new_name) == ("一村", "新一村")
    (past,) = tree.outcome.history
    assert (past.name, past.valid_from, past.valid_to) == ("一村", None, today)
    assert tree.live["420102001001"].valid_from == today


def test_other_name_with_a_day_is_a_rename_of_that_day(tree: Tree, today: dt.date) -> None:
    applied(tree, today, "420102001001,420102001000,5,新一村,2024-05-01")
    assert tree.outcome.changes[0].on_date == dt.date(2024, 5, 1)
    assert tree.live["420102001001"].valid_from == dt.date(2024, 5, 1)


def test_other_name_from_before_the_last_change_is_refused(tree: Tree, today: dt.date) -> None:
    tree.live["420102001001"].valid_from = dt.date(2025, 1, 1)
    line = "420102001001,420102001000,5,新一村,2024-05-01"
    assert judged(tree, today, line) == [("line 2", "too_early")]


def test_other_parent_is_a_move_and_region_stays(tree: Tree, today: dt.date) -> None:
    assert applied(tree, today, "420102001001,420103001000,5,一村") == ImportReport(updated=1)
    village = tree.live["420102001001"]
    assert tree.outcome.moved == {village.id}
    assert tree.nodes[village.region_id].name == "甲县"
    assert [change.kind for change in tree.outcome.changes] == [AreaChangeKind.MOVE]


def test_class_is_written_over_and_an_empty_cell_says_nothing(tree: Tree, today: dt.date) -> None:
    assert applied(tree, today, "420102001001,420102001000,5,一村,,,111") == ImportReport(updated=1)
    assert applied(tree, today, "420102001001,420102001000,5,一村") == ImportReport(unchanged=1)
    assert tree.live["420102001001"].urban_rural_class == "111"
    assert tree.outcome.history == []


def test_first_day_is_learnt_and_not_unlearnt(tree: Tree, today: dt.date) -> None:
    line = "420102001001,420102001000,5,一村,{}"
    assert applied(tree, today, line.format("2001-01-01")) == ImportReport(updated=1)
    assert applied(tree, today, line.format("")) == ImportReport(unchanged=1)
    assert applied(tree, today, line.format("2002-02-02")) == ImportReport(unchanged=1)
    assert tree.live["420102001001"].valid_from == dt.date(2001, 1, 1)


def test_area_that_is_no_more_is_added_as_such_and_known_again(tree: Tree, today: dt.date) -> None:
    line = "420102001009,420102001000,5,旧村,,2019-01-01"
    assert applied(tree, today, line) == ImportReport(created=1)
    (old,) = tree.outcome.opened
    assert old.valid_to == dt.date(2019, 1, 1)
    assert "420102001009" not in tree.live
    ended = {(old.code, old.valid_to): old}
    again = importing(tree, today, line, ended=ended)
    assert again.judge() == []
    assert again.apply() == ImportReport(unchanged=1)
    other = importing(tree, today, line.replace("旧村", "故村"), ended=ended)
    assert [mistake.code for mistake in other.judge()] == ["ended"]


def test_code_that_was_in_use_before_is_taken_from_today(
    make_tree: Callable[[dict[str, dt.date]], Tree], today: dt.date
) -> None:
    tree = make_tree({"420102001009": dt.date(2020, 1, 1)})
    assert applied(tree, today, "420102001009,420102001000,5,新村") == ImportReport(created=1)
    assert tree.live["420102001009"].valid_from == today
    assert [change.kind for change in tree.outcome.changes] == [AreaChangeKind.OPEN]


@pytest.mark.parametrize(
    ("days", "codes"),
    [
        ("2019-12-31,", ["code_taken"]),
        ("2020-01-01,", []),
        (",2019-06-01", ["code_taken"]),
        ("2020-01-01,2021-01-01", []),
    ],
)
def test_code_cannot_be_two_areas_on_one_day(
    make_tree: Callable[[dict[str, dt.date]], Tree], today: dt.date, days: str, codes: list[str]
) -> None:
    tree = make_tree({"420102001009": dt.date(2020, 1, 1)})
    found = importing(tree, today, f"420102001009,420102001000,5,新村,{days}").judge()
    assert [mistake.code for mistake in found] == codes
