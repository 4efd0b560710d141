"""Whatever sequence of changes is applied, the tree stays a tree and the past stays readable."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

import hypothesis.strategies as st
from hypothesis import given, settings
from small_area_tree import TODAY, small_tree

from oneform.areas.changes import Changes
from oneform.areas.formats import ChangeLine
from oneform.areas.models import REGION_LEVEL, AreaChangeKind, Level
from oneform.areas.tree import Node, Tree

K = AreaChangeKind
VILLAGES = [f"4201{rest}" for rest in ("02001001", "02001002", "02002001", "03001001")]
SPARE_VILLAGES = ["420102001008", "420102002009"]
TOWNSHIPS = ["420102001000", "420102002000", "420103001000"]
SPARE_TOWNSHIPS = ["420102003000"]
COUNTIES = ["420102000000", "420103000000"]
CODES = VILLAGES + SPARE_VILLAGES + TOWNSHIPS + SPARE_TOWNSHIPS + COUNTIES
days = st.dates(TODAY - dt.timedelta(days=9), TODAY)
names = st.sampled_from("甲乙丙丁")


NONE = st.none()
Codes = st.SearchStrategy[str | None]


def change(
    kind: AreaChangeKind,
    old: Codes = NONE,
    new: Codes = NONE,
    parent: Codes = NONE,
    level: st.SearchStrategy[Level | None] = NONE,
    name: st.SearchStrategy[str | None] = NONE,
) -> st.SearchStrategy[ChangeLine]:
    return st.builds(ChangeLine, st.just(2), st.just(kind), old, new, parent, level, name, days)


def likely(
    codes: list[str], spare: list[str], parents: list[str], level: Level
) -> list[st.SearchStrategy[ChangeLine]]:
    """Lines that often can be applied, for areas of one level."""
    old, new, parent = map(st.sampled_from, (codes + spare, spare + codes, parents))
    return [
        change(K.OPEN, new=new, parent=parent, level=st.just(level), name=names),
        change(K.RECODE, old, new, NONE | parent),
        change(K.RENAME, old, name=names),
        change(K.MOVE, old, parent=parent),
        change(K.MERGE, old, old),
        change(K.SPLIT, old, new, name=names),
        change(K.CLOSE, old),
    ]


any_code = NONE | st.sampled_from(CODES)
wild = st.sampled_from(K).flatmap(
    lambda kind: change(
        kind, any_code, any_code, any_code, NONE | st.sampled_from(Level), NONE | names
    )
)
lines = st.one_of(
    *likely(VILLAGES, SPARE_VILLAGES, TOWNSHIPS + SPARE_TOWNSHIPS, Level.VILLAGE),
    *likely(TOWNSHIPS, SPARE_TOWNSHIPS, COUNTIES, Level.TOWNSHIP),
    wild,
)
files = st.lists(lines, max_size=14).map(lambda file: sorted(file, key=lambda line: line.on_date))


def states(tree: Tree) -> dict[int, list[tuple[str, dt.date | None, dt.date | None]]]:
    """Every state that each area had, oldest first: code, first day, first day no more."""
    found: dict[int, list[tuple[str, dt.date | None, dt.date | None]]] = defaultdict(list)
    for past in tree.outcome.history:
        found[past.area_id].append((past.code, past.valid_from, past.valid_to))
    for node in tree.nodes.values():
        found[node.id].append((node.code, node.valid_from, node.valid_to))
    return found


def called(tree: Tree, code: str, on: dt.date) -> list[int]:
    """The areas that had a code on a day."""
    return [
        id
        for id, known in states(tree).items()
        for name, start, end in known
        if name == code and (start is None or start <= on) and (end is None or on < end)
    ]


@settings(deadline=None)
@given(files)
def test_any_changes_leave_a_tree_and_every_code_one_meaning_a_day(file: list[ChangeLine]) -> None:
    tree = small_tree()
    regions = {node.id: node.region_id for node in tree.nodes.values()}
    # Lines that are refused change nothing, so that the others can be judged as if alone.
    Changes(tree, TODAY).run(file)

    living: list[Node] = [node for node in tree.nodes.values() if node.valid_to is None]
    assert {node.code: node for node in living} == tree.live
    assert len(living) == len(tree.live)
    for node in living:
        above = tree.parent(node)
        assert node.level <= REGION_LEVEL if above is None else above.level < node.level
        assert above is None or above.valid_to is None
        assert tree.lineage(node)[-1] is node
    assert all(tree.nodes[id].region_id == region for id, region in regions.items())
    for known in states(tree).values():
        ends = [end for _, _, end in known[:-1]]
        assert [start for _, start, _ in known[1:]] == ends
        assert all(start is None or end is None or start <= end for _, start, end in known)
    for code in CODES:
        for days in range(-2, 12):
            assert len(called(tree, code, TODAY - dt.timedelta(days=days))) <= 1


@settings(deadline=None)
@given(files)
def test_codes_of_before_the_first_change_stay_readable(file: list[ChangeLine]) -> None:
    tree = small_tree()
    before = {node.code: node.id for node in tree.nodes.values()}
    Changes(tree, TODAY).run(file)
    day = TODAY - dt.timedelta(days=10)
    assert {code: called(tree, code, day) for code in before} == {
        code: [id] for code, id in before.items()
    }


@settings(deadline=None)
@given(files)
def test_outcome_names_exactly_what_is_different(file: list[ChangeLine]) -> None:
    tree, old = small_tree(), small_tree()
    Changes(tree, TODAY).run(file)
    different = {id for id, node in old.nodes.items() if node != tree.nodes[id]}
    assert different <= set(tree.outcome.changed)
    elsewhere = {id for id, node in old.nodes.items() if node.parent_id != tree.nodes[id].parent_id}
    assert elsewhere <= tree.outcome.moved
    ended = {id for id in old.nodes if tree.nodes[id].valid_to is not None}
    assert ended == tree.outcome.closed
    assert set(tree.outcome.successors()) <= ended
