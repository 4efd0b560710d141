"""Reading areas: single ones, lists, changes; who may, what it costs, what is odd input."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from oneform.areas import queries
from oneform.areas.errors import UnknownArea
from oneform.areas.models import AreaChangeKind, Level
from oneform.identity.policy import OPERATOR, PUBLIC, SIGNED_IN, Principal
from oneform.kernel.actor import ActorKind
from oneform.kernel.errors import Unauthenticated
from oneform.kernel.paging import BadCursor
from oneform.runtime import Runtime

CLERK = Principal(kind=ActorKind.PERSON, id="1", label="clerk", permissions=SIGNED_IN)
V1, V2, TOWNSHIP = "420102002003", "420102002004", "420102002000"


def codes(runtime: Runtime, **given: object) -> list[str]:
    with runtime.context(CLERK) as ctx:
        return [view.code for view in queries.list_areas(ctx, **given).items]  # type: ignore[arg-type]


def test_area_is_shown_with_its_parent_and_level(library: Runtime) -> None:
    with library.context(CLERK) as ctx:
        view = queries.get_area(ctx, V1)
    assert (view.code, view.name, view.level, view.parent) == (
        V1,
        "保成社区",
        Level.VILLAGE,
        TOWNSHIP,
    )
    assert (view.valid_from, view.valid_to) == (None, None)


def test_area_of_a_day_is_shown_as_it_was_with_the_parent_as_it_was(
    small: Runtime, change: Callable[..., object]
) -> None:
    change(
        f"recode,{TOWNSHIP},420102009000,,,大智镇,2024-01-01",
        f"move,{V1},420102003009,420102003000,5,保成村,2025-01-01",
    )
    with small.context(CLERK) as ctx:
        first = queries.get_area(ctx, V1, dt.date(2023, 12, 31))
        second = queries.get_area(ctx, V1, dt.date(2024, 12, 31))
        third = queries.get_area(ctx, "420102003009", dt.date(2025, 1, 1))
        with pytest.raises(UnknownArea):
            queries.get_area(ctx, V1, dt.date(2025, 1, 1))
    assert first.id == second.id == third.id
    assert [view.parent for view in (first, second, third)] == [
        TOWNSHIP,
        "420102009000",
        "420102003000",
    ]
    assert [view.name for view in (first, second, third)] == ["保成社区", "保成社区", "保成村"]


@pytest.mark.parametrize(
    "code", ["420199000000", "", "x", "4201\x00", "４２０１０２００２００３", "%"]
)
def test_code_that_nobody_has_is_unknown(library: Runtime, code: str) -> None:
    with library.context(CLERK) as ctx:
        for read in (queries.get_area, queries.list_changes):
            with pytest.raises(UnknownArea):
                read(ctx, code)
        with pytest.raises(UnknownArea):
            queries.list_areas(ctx, parent=code)


def test_list_takes_children_or_a_level_below_or_words(library: Runtime) -> None:
    assert len(codes(library)) == 11
    assert codes(library, parent=TOWNSHIP) == [V1, V2]
    assert codes(library, parent="420102000000") == [TOWNSHIP, "420102003000"]
    assert codes(library, parent="420102000000", level=Level.VILLAGE) == [V1, V2, "420102003001"]
    assert codes(library, level=Level.COUNTY) == ["420102000000", "420103000000"]
    assert codes(library, q="社区", parent=TOWNSHIP) == [V1, V2]
    assert codes(library, q="泰宁") == [V2]
    assert codes(library, q="420103", level=Level.VILLAGE) == ["420103006002"]


@pytest.mark.parametrize("q", ["%", "_", "\\", "保%", "\x00", "\ud800", "'; DROP TABLE area; --"])
def test_odd_words_find_what_they_say_and_nothing_else(library: Runtime, q: str) -> None:
    assert codes(library, q=q) == []


def test_closed_areas_are_not_listed(small: Runtime, change: Callable[..., object]) -> None:
    change(f"close,{V1},,,,,2025-01-01")
    assert codes(small, parent=TOWNSHIP) == [V2]


def test_pages_follow_each_other_without_gap_or_double(library: Runtime) -> None:
    seen: list[str] = []
    cursor: str | None = None
    with library.context(CLERK) as ctx:
        for _ in range(4):
            page = queries.list_areas(ctx, limit=3, cursor=cursor)
            seen += [view.code for view in page.items]
            cursor = page.next
    assert cursor is None
    assert seen == codes(library)


@pytest.mark.parametrize("cursor", ["x", "W10", "W1siaSIsMV1d"])
def test_altered_cursor_is_refused(library: Runtime, cursor: str) -> None:
    with library.context(CLERK) as ctx:
        for read in (
            lambda: queries.list_areas(ctx, cursor=cursor),
            lambda: queries.list_changes(ctx, V1, cursor=cursor),
        ):
            with pytest.raises(BadCursor):
                read()


def test_changes_of_an_area_are_found_under_every_code_it_had(
    small: Runtime, change: Callable[..., object]
) -> None:
    change(
        f"rename,{V1},,,,新保成社区,2024-01-01",
        f"recode,{V1},420102002009,,,,2024-06-01",
        f"merge,{V2},420102002009,,,,2025-01-01",
    )
    with small.context(CLERK) as ctx:
        old = queries.list_changes(ctx, V1)
        new = queries.list_changes(ctx, "420102002009")
        merged = queries.list_changes(ctx, V2)
    assert old == new
    assert [(view.kind, view.old_code, view.new_code) for view in old.items] == [
        (AreaChangeKind.RENAME, V1, V1),
        (AreaChangeKind.RECODE, V1, "420102002009"),
        (AreaChangeKind.MERGE, V2, "420102002009"),
    ]
    assert [view.kind for view in merged.items] == [AreaChangeKind.MERGE]
    with small.context(CLERK) as ctx:
        page = queries.list_changes(ctx, V1, limit=2)
        rest = queries.list_changes(ctx, V1, limit=2, cursor=page.next)
    assert [*page.items, *rest.items] == list(old.items)
    assert rest.next is None


def test_number_of_statements_does_not_grow_with_the_list(
    small: Runtime, count_statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    with small.context(OPERATOR) as ctx:
        with count_statements() as sent:
            queries.list_areas(ctx, parent="420000000000", level=Level.VILLAGE)
        assert len(sent) == 2
        with count_statements() as sent:
            queries.list_changes(ctx, V1)
        assert len(sent) == 2
        with count_statements() as sent:
            queries.get_area(ctx, V1, dt.date(2020, 1, 1))
        assert len(sent) == 1


def test_whoever_is_not_signed_in_reads_no_areas(library: Runtime) -> None:
    with library.context(PUBLIC) as ctx:
        for read in (
            lambda: queries.list_areas(ctx),
            lambda: queries.get_area(ctx, V1),
            lambda: queries.list_changes(ctx, V1),
        ):
            with pytest.raises(Unauthenticated):
                read()
