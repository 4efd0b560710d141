"""The job of an import, as a worker runs it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from factories import COUNTY, FOREIGN_VILLAGE, PROVINCE, VILLAGE, area_id
from values_world import World

from oneform.identity.models import Staff
from oneform.identity.people import AddPerson, add_person
from oneform.identity.policy import OPERATOR
from oneform.identity.sessions import open_session, principal_of_session
from oneform.values.imports import working
from oneform.values.imports.conflicts import ConflictCode
from oneform.values.imports.views import ImportCounts, ImportState
from workers.perform import perform_with
from workers.registry import STOPPING

ROWS = [
    {"field": "pop.total", "subject": village, "period": "2026", "value": 7}
    for village in (VILLAGE, FOREIGN_VILLAGE)
]


@pytest.fixture(autouse=True)
def not_stopping() -> Iterator[None]:
    yield
    STOPPING.clear()


def hand_over(world: World) -> tuple[int, int]:
    """Lease the only row of the outbox, as the relay does."""
    with world.runtime.context() as ctx:
        row = ctx.sql(
            "UPDATE outbox SET lease = lease + 1, "
            "leased_until = clock_timestamp() + interval '30 s' RETURNING id, lease"
        ).one()
        return row.id, row.lease


def waiting(world: World) -> tuple[int, int]:
    """Rows of the outbox, and of imports."""
    return (
        world.scalar("SELECT count(*) FROM outbox"),
        world.waiting(),
    )


def test_job_does_the_import_and_is_gone(world: World) -> None:
    import_id = world.accept(ROWS)
    assert waiting(world) == (1, 2)
    handed = hand_over(world)
    perform_with(world.runtime, *handed)
    view = world.view(import_id)
    assert (view.state, view.counts) == (ImportState.DONE, ImportCounts(created=2))
    assert waiting(world) == (0, 0)
    # Handed over once more, by whoever did not hear of it.
    perform_with(world.runtime, *handed)
    assert world.view(import_id) == view


def test_job_counts_against_the_agency_that_pushes(world: World) -> None:
    world.accept(ROWS)
    assert world.scalar("SELECT agency_id FROM outbox") == world.stats.agency_id


def test_person_imports_no_further_than_the_agency_reaches_today(world: World) -> None:
    with world.runtime.context(OPERATOR) as ctx:
        owner = AddPerson(username="wu", roles=["source_owner"], area=PROVINCE, agency="stats")
        add_person(ctx, owner)
        wu = ctx.session.query(Staff).filter_by(username="wu").one()
        actor = principal_of_session(ctx, open_session(ctx, wu).token)
    import_id = world.accept(ROWS, actor)
    with world.runtime.context(OPERATOR) as ctx:
        ctx.sql("UPDATE agency SET area_id = :area WHERE code = 'stats'", area=area_id(ctx, COUNTY))
    world.work(import_id)
    assert world.held() == {("pop.total", VILLAGE, "2026"): 7}
    conflicts = [
        (conflict.row, conflict.code) for conflict in world.view(import_id).conflicts.items
    ]
    assert conflicts == [(2, ConflictCode.OUTSIDE_REACH)]


def after_the_first_region(monkeypatch: pytest.MonkeyPatch, event: Any) -> None:
    persist = working._persist

    def persist_and_tell(*args: Any) -> int:
        latest = persist(*args)
        event()
        return latest

    monkeypatch.setattr(working, "_persist", persist_and_tell)


def test_job_of_a_process_that_is_to_end_is_handed_back_and_gone_on_with(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = world.accept(ROWS)
    with monkeypatch.context() as patch:
        after_the_first_region(patch, STOPPING.set)
        perform_with(world.runtime, *hand_over(world))
    half = world.view(import_id)
    assert (half.state, half.counts) == (ImportState.RUNNING, ImportCounts(created=1))
    assert waiting(world) == (1, 1)

    STOPPING.clear()
    perform_with(world.runtime, *hand_over(world))
    view = world.view(import_id)
    assert (view.state, view.counts) == (ImportState.DONE, ImportCounts(created=2))
    assert waiting(world) == (0, 0)


def test_job_that_fails_is_tried_again_later_from_where_it_was(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = world.accept(ROWS)

    def fail() -> None:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patch:
        after_the_first_region(patch, fail)
        perform_with(world.runtime, *hand_over(world))
    assert "the disk is full" in world.scalar("SELECT last_error FROM outbox")
    assert waiting(world) == (1, 1)
    perform_with(world.runtime, *hand_over(world))
    assert world.view(import_id).counts == ImportCounts(created=2)
    assert waiting(world) == (0, 0)
