"""Imports that are killed half-way, run twice, or meet each other and the rest of the house."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from factories import (
    COUNTY,
    FAR_VILLAGE,
    FOREIGN_VILLAGE,
    NEXT_VILLAGE,
    OTHER_COUNTY,
    VILLAGE,
    area_id,
    ask_state,
    asks_of,
    assert_balanced,
    counts_of,
    make_agency,
    make_request,
)
from values_world import World
from waiting import wait_until_blocked

from oneform.identity.policy import OPERATOR
from oneform.kernel import locks
from oneform.kernel.context import Context
from oneform.values.imports.ending import stop_import
from oneform.values.imports.views import ImportCounts, ImportState
from oneform.values.imports.working import OpenUnit

VILLAGES = [VILLAGE, NEXT_VILLAGE, FAR_VILLAGE, FOREIGN_VILLAGE]


def rows_of(value: int, *, bad: bool = False) -> list[dict[str, Any]]:
    """A value of two fields for every village of both counties, and a row that is wrong in each."""
    rows = [
        {"field": field, "subject": village, "period": "2026", "value": value}
        for field in ("pop.total", "pop.rate")
        for village in VILLAGES
    ]
    if bad:
        rows += [{**rows[0], "value": "bad"}, {**rows[3], "value": 1000 + value}, rows[3]]
    return rows


class Killed(BaseException):
    """Stands for the death of the process."""


def dying(unit: int, *, committed: bool) -> Callable[[OpenUnit], OpenUnit]:
    """Die in the n-th unit of work, after its work or even after its commit."""
    opened = 0

    def wrap(open_unit: OpenUnit) -> OpenUnit:
        @contextmanager
        def open_and_die() -> Iterator[Context]:
            nonlocal opened
            opened += 1
            number = opened
            with open_unit() as ctx:
                yield ctx
                if number == unit and not committed:
                    raise Killed
            if number == unit:
                raise Killed

        return lambda: open_and_die()

    return wrap


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("unit", [1, 2, 3])
def test_import_killed_at_any_unit_is_finished_by_the_next_run(
    world: World, unit: int, committed: bool
) -> None:
    import_id = world.accept(rows_of(7, bad=True))
    with pytest.raises(Killed):
        world.work(import_id, dying(unit, committed=committed))
    half = world.view(import_id)
    assert half.state is not ImportState.DONE
    assert half.counts.created == len(world.held())
    waiting = world.waiting()
    assert waiting + half.counts.created + half.counts.invalid == 11

    world.work(import_id)
    view = world.view(import_id)
    assert view.state is ImportState.DONE
    assert view.counts == ImportCounts(created=8, invalid=3)
    assert [(c.row, c.code.value) for c in view.conflicts.items] == [
        (9, "schema"),
        (10, "duplicate"),
        (11, "duplicate"),
    ]
    assert set(world.held().values()) == {7}
    assert world.scalar("SELECT count(*) FROM cell_value_history") == 0


def test_done_import_run_again_changes_nothing(world: World) -> None:
    view = world.take(rows_of(7))
    world.take(rows_of(8))
    world.work(view.id)
    assert world.view(view.id) == view
    assert set(world.held().values()) == {8}


def test_two_runs_of_one_import_record_each_row_once(world: World) -> None:
    import_id = world.accept(rows_of(7, bad=True))
    at_the_regions = threading.Barrier(2)

    def wrap(open_unit: OpenUnit) -> OpenUnit:
        units = 0

        def open_together() -> AbstractContextManager[Context]:
            nonlocal units
            units += 1
            if units == 2:
                # Both have sorted the same rows out, and go for the same regions.
                at_the_regions.wait(timeout=60)
            return open_unit()

        return open_together

    failures = together(*[lambda: world.work(import_id, wrap)] * 2)
    assert failures == []
    assert world.view(import_id).counts == ImportCounts(created=8, invalid=3)
    assert world.scalar("SELECT count(*) FROM provenance") == 2


def swap_codes(world: World) -> None:
    """Two villages of different counties take each other's codes."""
    with world.runtime.context(OPERATOR) as ctx:
        for old, new in ((VILLAGE, "x"), (FOREIGN_VILLAGE, VILLAGE), ("x", FOREIGN_VILLAGE)):
            ctx.sql("UPDATE area SET code = :new WHERE code = :old", new=new, old=old)


def test_row_that_came_to_another_region_is_not_recorded_twice(world: World) -> None:
    import_id = world.accept(rows_of(7))
    with pytest.raises(Killed):
        world.work(import_id, dying(2, committed=True))
    assert world.view(import_id).counts == ImportCounts(created=6)
    swap_codes(world)
    world.work(import_id)
    # The rows of the first county are done with, whatever they would mean now; the two others
    # name a village of the first one by now.
    assert world.view(import_id).counts == ImportCounts(created=6, unchanged=2)
    assert world.scalar("SELECT count(*) FROM provenance") == 2


def test_what_another_run_has_done_meanwhile_is_left_out_row_by_row(world: World) -> None:
    import_id = world.accept(rows_of(7, bad=True))

    def wrap(open_unit: OpenUnit) -> OpenUnit:
        units = 0

        def open_late() -> AbstractContextManager[Context]:
            nonlocal units
            units += 1
            if units == 2:
                # This run has sorted its rows out; another one finds them elsewhere, refuses one
                # that was right, and gets as far as the first county.
                swap_codes(world)
                with world.runtime.context(OPERATOR) as ctx:
                    ctx.sql(
                        "UPDATE area SET valid_to = '2026-03-16' WHERE code = :code",
                        code=NEXT_VILLAGE,
                    )
                with pytest.raises(Killed):
                    world.work(import_id, dying(2, committed=True))
            return open_unit()

        return open_late

    world.work(import_id, wrap)
    view = world.view(import_id)
    counts = view.counts
    assert counts.created + counts.updated + counts.unchanged + counts.invalid == 11
    assert sorted({c.row for c in view.conflicts.items if c.code.value == "unknown_subject"}) == [
        2,
        6,
    ]
    assert ("pop.total", NEXT_VILLAGE, "2026") not in world.held()


def test_import_that_is_stopped_while_a_region_is_recorded_leaves_nothing_waiting(
    world: World,
) -> None:
    import_id = world.accept(rows_of(7), OPERATOR)

    def stop() -> None:
        with world.runtime.context(OPERATOR) as ctx:
            stop_import(ctx, import_id)

    stopping = threading.Thread(target=stop)

    def wrap(open_unit: OpenUnit) -> OpenUnit:
        units = 0

        @contextmanager
        def open_and_stop() -> Iterator[Context]:
            nonlocal units
            units += 1
            with open_unit() as ctx:
                yield ctx
                if units == 2:
                    stopping.start()
                    wait_until_blocked(world.runtime.engine)

        return lambda: open_and_stop()

    world.work(import_id, wrap)
    stopping.join(timeout=60)
    assert not stopping.is_alive()
    view = world.view(import_id)
    assert view.counts.created == len(world.held())
    for table in ("value_import_block", "value_import_taken"):
        assert world.scalar(f"SELECT count(*) FROM {table}") == 0


def test_imports_of_the_same_cells_at_once_both_come_through(world: World) -> None:
    imports = [world.accept(rows_of(number)) for number in range(1, 5)]
    failures = together(*[lambda id=id: world.work(id) for id in imports])  # type: ignore[misc]
    assert failures == []
    counts = [world.view(id).counts for id in imports]
    assert sum(each.created for each in counts) == 8
    assert sum(each.created + each.updated for each in counts) == 8 * 4
    assert world.scalar("SELECT count(*) FROM cell_value_history") == 8 * 3
    # Each region was recorded as a whole, so it has the values of one of them.
    held = world.held()
    assert len({held[field, village, "2026"] for field in ("pop.total", "pop.rate")
                for village in VILLAGES[:3]}) == 1  # fmt: skip


def test_import_waits_for_whoever_holds_the_region_alone(world: World) -> None:
    import_id = world.accept(rows_of(7))
    with world.runtime.context(OPERATOR) as ctx:
        locks.take_regions(ctx, [area_id(ctx, COUNTY)])
        thread = threading.Thread(target=world.work, args=[import_id])
        thread.start()
        wait_until_blocked(world.runtime.engine)
        # An area that ends meanwhile is not written to any more.
        ctx.sql(
            "UPDATE subject SET active_to = '2026-03-16' WHERE id = :id", id=area_id(ctx, VILLAGE)
        )
    thread.join(timeout=60)
    view = world.view(import_id)
    assert view.counts == ImportCounts(created=6, invalid=2)
    assert {(c.pointer, c.code.value) for c in view.conflicts.items} == {
        ("/subject", "unknown_subject")
    }


def test_import_ends_the_asks_of_its_cells_and_keeps_the_books(world: World) -> None:
    with world.runtime.context(OPERATOR) as ctx:
        agency = make_agency(ctx, "health")
        request_id = make_request(ctx, agency, ["pop.total"], areas=[COUNTY, OTHER_COUNTY])
        ask = asks_of(ctx)["pop.total"]
        assert counts_of(ctx, request_id) == {"asked": 4}
    world.take([{"field": "pop.total", "subject": VILLAGE, "period": "2026", "value": 5}])
    with world.runtime.context(OPERATOR) as ctx:
        assert ask_state(ctx, ask) == "answered"
        assert counts_of(ctx, request_id) == {"asked": 3, "shared": 1}
        assert_balanced(ctx)
    world.take(rows_of(6))
    with world.runtime.context(OPERATOR) as ctx:
        assert counts_of(ctx, request_id) == {"shared": 4}
        assert ctx.sql("SELECT state FROM request").scalar_one() == "fulfilled"


def test_dry_run_leaves_asks_open(world: World) -> None:
    with world.runtime.context(OPERATOR) as ctx:
        request_id = make_request(ctx, make_agency(ctx, "health"), ["pop.total"])
    assert world.take(rows_of(6), dry_run=True).counts == ImportCounts(created=8)
    with world.runtime.context(OPERATOR) as ctx:
        assert counts_of(ctx, request_id) == {"asked": 3}


# ---- tools ---------------------------------------------------------------------


def together(*works: Callable[[], None]) -> list[BaseException]:
    """Do all of it at the same time; what failed."""
    failures: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return failures
