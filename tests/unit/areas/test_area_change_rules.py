"""Rules of area changes: what each kind does, what it refuses, in what order."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable

import pytest

from oneform.areas.changes import Changes
from oneform.areas.csvfile import read_table
from oneform.areas.formats import CHANGE_COLUMNS, change_lines
from oneform.areas.tree import Tree

DAY = "2025-06-30"
V1, V2, V3, V4 = "420102001001", "420102001002", "420102002001", "420103001001"
T1, T2, T3 = "420102001000", "420102002000", "420103001000"
C1 = "420102000000"
NEW = "420102001009"


def run(tree: Tree, today: dt.date, *lines: str) -> list[tuple[str, str]]:
    table = read_table("\n".join([",".join(CHANGE_COLUMNS), *lines]).encode(), CHANGE_COLUMNS)
    parsed = change_lines(table)
    work = Changes(tree, today)
    work.run(parsed)
    found = [(mistake.pointer, mistake.code) for mistake in table.mistakes + work.mistakes]
    return sorted(found)


def names(tree: Tree) -> dict[str, str]:
    return {code: node.name for code, node in tree.live.items()}


# ---- what each kind does -----------------------------------------------------------


def test_open_adds_an_area_below_its_parent(tree: Tree, today: dt.date) -> None:
    assert run(tree, today, f"open,,{NEW},{T1},5,九村,{DAY}") == []
    node = tree.live[NEW]
    assert (node.name, node.level, node.valid_from) == ("九村", 5, dt.date(2025, 6, 30))
    assert tree.nodes[node.region_id].code == C1
    (change,) = tree.outcome.changes
    assert (change.kind, change.from_id, change.to_id) == ("open", None, node.id)


def test_recode_keeps_the_area_and_its_children(tree: Tree, today: dt.date) -> None:
    before = tree.live[T1]
    assert run(tree, today, f"recode,{T1},420102009000,,,,{DAY}") == []
    assert tree.live["420102009000"] is before
    assert T1 not in tree.live
    assert [child.code for child in tree.children(before)] == [V1, V2]
    assert tree.outcome.moved == set()
    (past,) = tree.outcome.history
    assert (past.area_id, past.code, past.valid_to) == (before.id, T1, dt.date(2025, 6, 30))


def test_recode_may_name_another_parent_and_name(tree: Tree, today: dt.date) -> None:
    assert run(tree, today, f"recode,{V1},420103001002,{T3},5,新一村,{DAY}") == []
    node = tree.live["420103001002"]
    assert (node.name, tree.nodes[node.parent_id or 0].code) == ("新一村", T3)
    assert tree.outcome.moved == {node.id}
    assert len(tree.outcome.history) == 1


def test_rename_changes_the_name_alone(tree: Tree, today: dt.date) -> None:
    assert run(tree, today, f"rename,{V1},{V1},{T1},5,新一村,{DAY}") == []
    assert names(tree)[V1] == "新一村"
    assert (tree.outcome.changes[0].old_name, tree.outcome.changes[0].new_name) == (
        "一村",
        "新一村",
    )


def test_move_takes_the_whole_subtree_and_region_stays(tree: Tree, today: dt.date) -> None:
    assert run(tree, today, f"move,{T1},,420103000000,4,,{DAY}") == []
    township, village = tree.live[T1], tree.live[V1]
    assert tree.path(village) == f"/1/2/4/{township.id}/{village.id}/"
    assert tree.nodes[township.region_id].code == C1
    assert tree.outcome.moved == {township.id}


def test_move_may_give_another_code(tree: Tree, today: dt.date) -> None:
    assert run(tree, today, f"move,{V1},420103001002,{T3},5,一村,{DAY}") == []
    assert tree.live["420103001002"].parent_id == tree.live[T3].id


def test_merge_ends_the_old_area_and_gives_its_children_to_the_new_one(
    tree: Tree, today: dt.date
) -> None:
    old, new = tree.live[T1], tree.live[T2]
    assert run(tree, today, f"merge,{T1},{T2},{C1},4,甲二镇,{DAY}") == []
    assert old.valid_to == dt.date(2025, 6, 30)
    assert [child.code for child in tree.children(new)] == [V1, V2, V3]
    assert tree.outcome.successors() == {old.id: new.id}
    assert [change.kind for change in tree.outcome.changes] == ["move", "move", "merge"]


def test_merged_twice_in_one_file_ends_up_in_the_last(tree: Tree, today: dt.date) -> None:
    ids = [tree.live[code].id for code in (V1, V2, V3)]
    assert run(tree, today, f"merge,{V1},{V2},,,,{DAY}", f"merge,{V2},{V3},,,,{DAY}") == []
    assert tree.outcome.successors() == {ids[0]: ids[2], ids[1]: ids[2]}


def test_split_opens_an_area_beside_the_old_one(tree: Tree, today: dt.date) -> None:
    assert run(tree, today, f"split,{V1},{NEW},,,一村分村,{DAY}") == []
    assert {V1, NEW} <= set(tree.live)
    assert (tree.live[NEW].level, tree.live[NEW].parent_id) == (5, tree.live[T1].id)
    (change,) = tree.outcome.changes
    assert (change.from_id, change.to_id) == (tree.live[V1].id, tree.live[NEW].id)


def test_close_ends_an_area(tree: Tree, today: dt.date) -> None:
    node = tree.live[V1]
    assert run(tree, today, f"close,{V1},,{T1},5,一村,{DAY}") == []
    assert node.valid_to == dt.date(2025, 6, 30)
    assert tree.outcome.closed == {node.id}
    assert tree.outcome.history == []


# ---- order ------------------------------------------------------------------------


def test_lines_are_applied_in_their_order(tree: Tree, today: dt.date) -> None:
    assert (
        run(
            tree,
            today,
            f"open,,420102003000,{C1},4,甲三镇,{DAY}",
            f"open,,420102003001,420102003000,5,五村,{DAY}",
            f"move,{V1},420102003002,420102003000,,,{DAY}",
            f"close,{V2},,,,,{DAY}",
            f"close,{T1},,,,,{DAY}",
            f"recode,{V3},{V2},,,,{DAY}",
        )
        == []
    )
    assert names(tree)[V2] == "三村"
    assert T1 not in tree.live


def test_codes_may_change_places(tree: Tree, today: dt.date) -> None:
    spare = "420102001099"
    assert (
        run(
            tree,
            today,
            f"recode,{V1},{spare},,,,{DAY}",
            f"recode,{V2},{V1},,,,{DAY}",
            f"recode,{spare},{V2},,,,{DAY}",
        )
        == []
    )
    assert (names(tree)[V1], names(tree)[V2]) == ("二村", "一村")
    # A name that an area had for no day at all is not in its history.
    assert sorted(past.code for past in tree.outcome.history) == [V1, V2]


def test_several_changes_of_one_area_leave_its_states_end_to_end(
    tree: Tree, today: dt.date
) -> None:
    lines = [f"rename,{V1},,,,第{year}村,{year}-01-01" for year in (2020, 2021, 2023)]
    assert run(tree, today, *lines) == []
    states = [(past.name, past.valid_from, past.valid_to) for past in tree.outcome.history]
    days = [None, *(dt.date(year, 1, 1) for year in (2020, 2021, 2023))]
    assert [(state[1], state[2]) for state in states] == list(itertools.pairwise(days))
    assert tree.live[V1].valid_from == days[-1]


# ---- what is refused ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (f"open,,{V1},{T1},5,一村,{DAY}", "code_taken"),
        (f"open,{V1},{NEW},{T1},5,九村,{DAY}", "superfluous_cell"),
        (f"open,,{NEW},420199000000,5,九村,{DAY}", "unknown_area"),
        (f"open,,{NEW},,5,九村,{DAY}", "missing_parent"),
        (f"open,,{NEW},{T1},4,九村,{DAY}", "wrong_level"),
        (f"open,,{NEW},{T1},,九村,{DAY}", "missing_cell"),
        (f"open,,,{T1},5,九村,{DAY}", "missing_cell"),
        (f"open,,{NEW},{T1},5,,{DAY}", "missing_cell"),
        (f"open,,{NEW},{T1},5,九村,2026-03-17", "future"),
        (f"recode,{V1},{V2},,,,{DAY}", "code_taken"),
        (f"recode,{V1},{V1},,,,{DAY}", "nothing_changes"),
        (f"recode,{V1},,,,,{DAY}", "missing_cell"),
        (f"recode,{NEW},{V1},,,,{DAY}", "unknown_area"),
        (f"recode,{V1},{NEW},,4,,{DAY}", "wrong_level"),
        (f"recode,{T1},{NEW},{V1},,,{DAY}", "wrong_level"),
        (f"rename,{V1},,,,一村,{DAY}", "nothing_changes"),
        (f"rename,{V1},{NEW},,,新村,{DAY}", "superfluous_cell"),
        (f"rename,{V1},,{T2},,新村,{DAY}", "wrong_parent"),
        (f"rename,{V1},,,4,新村,{DAY}", "wrong_level"),
        (f"rename,{V1},,,,,{DAY}", "missing_cell"),
        (f"rename,{NEW},,,,新村,{DAY}", "unknown_area"),
        (f"move,{V1},,{T1},,,{DAY}", "nothing_changes"),
        (f"move,{V1},,,,,{DAY}", "missing_cell"),
        (f"move,{T1},,{V3},,,{DAY}", "wrong_level"),
        (f"move,{T1},,{T1},,,{DAY}", "wrong_level"),
        (f"move,{V1},{V3},{T2},,,{DAY}", "code_taken"),
        (f"merge,{V1},{V1},,,,{DAY}", "nothing_changes"),
        (f"merge,{V1},{NEW},,,,{DAY}", "unknown_area"),
        (f"merge,{V1},{T2},,,,{DAY}", "wrong_level"),
        (f"merge,{V1},{V2},,,三村,{DAY}", "wrong_name"),
        (f"merge,{V1},,,,,{DAY}", "missing_cell"),
        (f"split,{V1},{V2},,,分村,{DAY}", "code_taken"),
        (f"split,{V1},{NEW},,4,分村,{DAY}", "wrong_level"),
        (f"split,{V1},{NEW},,,,{DAY}", "missing_cell"),
        (f"close,{T1},,,,,{DAY}", "has_children"),
        (f"close,{V1},{V2},,,,{DAY}", "superfluous_cell"),
        (f"close,{V1},,{T2},,,{DAY}", "wrong_parent"),
        (f"close,{V1},,,,二村,{DAY}", "wrong_name"),
        (f"close,{NEW},,,,,{DAY}", "unknown_area"),
        (f"close,,,,,,{DAY}", "missing_cell"),
    ],
)
def test_change_that_cannot_be_is_refused_and_leaves_the_tree(
    tree: Tree, today: dt.date, line: str, code: str
) -> None:
    before = names(tree)
    assert run(tree, today, line) == [("line 2", code)]
    assert names(tree) == before
    assert (tree.outcome.opened, tree.outcome.changed, tree.outcome.changes) == ([], {}, [])


def test_change_before_the_last_one_of_its_area_is_refused(tree: Tree, today: dt.date) -> None:
    assert run(
        tree,
        today,
        f"rename,{V1},,,,新一村,2025-01-01",
        f"rename,{V1},,,,老一村,2024-12-31",
        f"close,{V1},,,,,2024-12-31",
    ) == [("line 3", "too_early"), ("line 4", "too_early")]


@pytest.mark.parametrize(("day", "codes"), [("2024-12-31", ["code_taken"]), ("2025-01-01", [])])
def test_code_is_free_from_the_day_on_which_its_area_gave_it_up(
    tree: Tree, today: dt.date, day: str, codes: list[str]
) -> None:
    found = run(tree, today, f"close,{V1},,,,,2025-01-01", f"open,,{V1},{T1},5,村,{day}")
    assert [code for _, code in found] == codes


def test_code_that_was_given_up_earlier_is_respected(
    make_tree: Callable[[dict[str, dt.date]], Tree], today: dt.date
) -> None:
    tree = make_tree({NEW: dt.date(2025, 7, 1)})
    assert run(tree, today, f"open,,{NEW},{T1},5,九村,{DAY}") == [("line 2", "code_taken")]


def test_one_slip_is_told_once(tree: Tree, today: dt.date) -> None:
    found = run(
        tree,
        today,
        f"open,,420102003000,{C1},9,甲三镇,{DAY}",
        f"open,,420102003001,420102003000,5,五村,{DAY}",
        f"rename,420102003001,,,,新五村,{DAY}",
        f"close,{V1},,,,错名,{DAY}",
        f"recode,{V2},{V1},,,,{DAY}",
        f"merge,{V3},420102003001,,,,{DAY}",
        f"close,{V4},,,,,{DAY},",
        f"close,{T3},,,,,{DAY}",
    )
    # Lines 3, 4, 6, 7 and 9 only follow from those.
    assert found == [("line 2", "level"), ("line 5", "wrong_name"), ("line 8", "cells")]


def test_same_mistake_on_two_lines_is_told_twice(tree: Tree, today: dt.date) -> None:
    line = f"open,,{V1},{T1},5,村,{DAY}"
    assert run(tree, today, line, line) == [("line 2", "code_taken"), ("line 3", "code_taken")]
