"""What villages were spared is counted, not estimated upwards."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from oneform.demo.savings import PUT_TO_VILLAGES, joined_cells, savings_of

SECONDS = {"people": 15, "roads": 20, "register": 0}
STATUSES = ["held", "shared", "asked", "answered", "refused", "unavailable"]
cells = st.dictionaries(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(sorted(SECONDS))), st.sampled_from(STATUSES)
)


def test_a_cell_that_two_departments_want_is_put_once() -> None:
    first = {("a", "people"): "held", ("a", "roads"): "answered"}
    second = {("a", "roads"): "asked", ("b", "roads"): "asked"}
    saved = savings_of([first, second], SECONDS)
    assert (saved.wanted, saved.put, saved.spared) == (4, 2, 2)
    assert (saved.spared_seconds, saved.put_seconds) == (15 + 20, 20 + 20)
    assert joined_cells(first, second) == 1


def test_fields_that_villages_are_never_asked_count_nothing() -> None:
    saved = savings_of([{("a", "register"): "shared"}], SECONDS)
    assert (saved.wanted, saved.spared_seconds) == (0, 0)


@given(st.lists(cells, max_size=3))
def test_what_is_spared_and_what_is_put_make_up_what_is_wanted(
    requests: list[dict[tuple[str, str], str]],
) -> None:
    saved = savings_of(requests, SECONDS)
    wanted = [cell for each in requests for cell in each if SECONDS[cell[1]]]
    assert saved.wanted == len(wanted)
    assert saved.spared_seconds + saved.put_seconds == sum(SECONDS[field] for _, field in wanted)
    assert 0 <= saved.spared <= saved.wanted


@given(cells, cells)
def test_joining_is_mutual(
    first: dict[tuple[str, str], str], second: dict[tuple[str, str], str]
) -> None:
    both = {cell for cell, status in first.items() if status in PUT_TO_VILLAGES}
    both &= {cell for cell, status in second.items() if status in PUT_TO_VILLAGES}
    assert joined_cells(first, second) == joined_cells(second, first) == len(both)
