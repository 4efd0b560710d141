"""Recording: freshness, since, history, authority, and two who write the same cells at once."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import hypothesis.strategies as st
import pytest
from factories import VILLAGE, field_id
from hypothesis import HealthCheck, given, settings
from values_world import World
from waiting import wait_until_blocked

from oneform.identity.policy import OPERATOR
from oneform.kernel.clock import FixedClock
from oneform.kernel.context import Context
from oneform.values.cells import CREATE_STAGE, Cells, staged, values_of
from oneform.values.errors import TryAgain
from oneform.values.models import SINCE_KIND, Missing, ProvenanceKind, SinceKind
from oneform.values.recording import Counts, foresee, open_provenance, record

TODAY = dt.date(2026, 3, 16)
YEARLY, STANDING = ("pop.total", "2026"), ("pop.note", "")
"""Cells of a village: final for its period, and fresh for 60 days."""


@dataclass(frozen=True)
class Given:
    """A value for a cell."""

    cell: tuple[str, str] = YEARLY
    value: Any = None
    missing: Missing | None = None
    age: int = 0
    """Days since it was observed."""


def cells_of(ctx: Context, *rows: Given, village: str = VILLAGE) -> Cells:
    subject = ctx.sql("SELECT id, region_id FROM area WHERE code = :code", code=village).one()
    return values_of(
        subject.region_id,
        fields=[field_id(ctx, row.cell[0]) for row in rows],
        periods=[row.cell[1] for row in rows],
        subjects=[subject.id] * len(rows),
        values=[None if row.missing else json.dumps(row.value) for row in rows],
        missing=[row.missing and row.missing.value for row in rows],
        observed_on=[ctx.today() - dt.timedelta(days=row.age) for row in rows],
    )


def write(
    world: World,
    *rows: Given,
    kind: ProvenanceKind = ProvenanceKind.SUBMISSION,
    authoritative: bool = False,
) -> Counts:
    with world.runtime.context(OPERATOR) as ctx:
        cells = cells_of(ctx, *rows)
        foreseen = foresee(ctx, cells, authoritative=authoritative)
        counts = record(ctx, cells, open_provenance(ctx, kind), authoritative=authoritative)
        assert foreseen == counts
        return counts


def held(world: World, cell: tuple[str, str] = YEARLY) -> Any:
    with world.runtime.context(OPERATOR) as ctx:
        return ctx.sql(
            "SELECT v.*, f.code FROM cell_value AS v JOIN field AS f ON f.id = v.field_id "
            "WHERE f.code = :field AND v.period = :period",
            field=cell[0],
            period=cell[1],
        ).one()


def history(world: World, cell: tuple[str, str] = YEARLY) -> Sequence[Any]:
    with world.runtime.context(OPERATOR) as ctx:
        return ctx.sql(
            "SELECT h.* FROM cell_value_history AS h JOIN field AS f ON f.id = h.field_id "
            "WHERE f.code = :field AND h.period = :period ORDER BY h.superseded_at",
            field=cell[0],
            period=cell[1],
        ).all()


CREATED, UPDATED, UNCHANGED = Counts(created=1), Counts(updated=1), Counts(unchanged=1)


# ---- freshness -----------------------------------------------------------------


def test_value_of_a_period_is_final(world: World) -> None:
    assert write(world, Given(value=1)) == CREATED
    assert held(world).fresh_until is None


def test_standing_value_is_fresh_for_its_time_from_the_day_it_was_observed(world: World) -> None:
    write(world, Given(STANDING, "a", age=10))
    assert held(world, STANDING).fresh_until == TODAY + dt.timedelta(days=50)


def test_unknown_counts_for_ninety_days_where_it_is_standing(world: World) -> None:
    write(world, Given(STANDING, missing=Missing.UNKNOWN), Given(missing=Missing.UNKNOWN))
    assert held(world, STANDING).fresh_until == TODAY + dt.timedelta(days=90)
    assert held(world).fresh_until is None


def test_what_does_not_apply_goes_stale_as_a_value_does(world: World) -> None:
    write(world, Given(STANDING, missing=Missing.NOT_APPLICABLE))
    assert held(world, STANDING).fresh_until == TODAY + dt.timedelta(days=60)


def test_freshness_is_never_taken_back_by_a_shorter_one(world: World) -> None:
    write(world, Given(STANDING, missing=Missing.UNKNOWN))
    write(world, Given(STANDING, "a"))
    assert held(world, STANDING).fresh_until == TODAY + dt.timedelta(days=90)


# ---- since ---------------------------------------------------------------------


def test_since_survives_changes_while_the_value_is_fresh(world: World, clock: FixedClock) -> None:
    write(world, Given(STANDING, "a"))
    first = held(world, STANDING)
    clock.advance(dt.timedelta(days=60))
    write(world, Given(STANDING, "b"), kind=ProvenanceKind.SOURCE)
    second = held(world, STANDING)
    assert (second.value, second.since, second.since_kind) == ("b", first.since, "answered")
    assert second.recorded_at > first.recorded_at
    assert not second.refilled


def test_value_that_had_gone_stale_begins_anew(world: World, clock: FixedClock) -> None:
    write(world, Given(STANDING, "a"))
    first = held(world, STANDING)
    clock.advance(dt.timedelta(days=61))
    assert write(world, Given(STANDING, "a"), kind=ProvenanceKind.SOURCE) == UPDATED
    second = held(world, STANDING)
    assert second.since == second.recorded_at > first.since
    assert (second.since_kind, second.refilled) == ("shared", True)


@pytest.mark.parametrize("kind", ProvenanceKind)
def test_how_a_cell_was_filled_first_follows_from_where_it_came_from(
    world: World, kind: ProvenanceKind
) -> None:
    write(world, Given(value=1), kind=kind)
    assert SinceKind(held(world).since_kind) is SINCE_KIND[kind]


# ---- history and counts --------------------------------------------------------


def test_old_value_is_kept_with_all_that_was_known_of_it(world: World) -> None:
    write(world, Given(value=1, age=3))
    first = held(world)
    assert write(world, Given(value=2)) == UPDATED
    (old,) = history(world)
    second = held(world)
    for name in ("value", "observed_on", "provenance_id", "recorded_at", "since", "fresh_until"):
        assert getattr(old, name) == getattr(first, name)
    assert old.superseded_at == second.recorded_at


def test_same_value_again_changes_nothing(world: World) -> None:
    write(world, Given(value=1, age=3))
    first = held(world)
    assert write(world, Given(value=1)) == UNCHANGED
    assert held(world) == first
    assert history(world) == []


def test_same_standing_value_observed_later_is_news(world: World) -> None:
    write(world, Given(STANDING, "a", age=3))
    assert write(world, Given(STANDING, "a", age=3)) == UNCHANGED
    assert write(world, Given(STANDING, "a", age=1)) == UPDATED
    assert held(world, STANDING).fresh_until == TODAY + dt.timedelta(days=59)


def test_numbers_are_compared_as_numbers(world: World) -> None:
    write(world, Given(value=1203))
    assert write(world, Given(value=1203.0)) == UNCHANGED


def test_older_observation_changes_nothing_unless_it_is_authoritative(world: World) -> None:
    write(world, Given(value=1, age=3))
    assert write(world, Given(value=2, age=4)) == UNCHANGED
    assert write(world, Given(value=2, age=3)) == UPDATED
    assert write(world, Given(value=1, age=9), authoritative=True) == UPDATED
    assert held(world).value == 1


def test_cells_of_a_batch_are_counted_each_for_itself(world: World) -> None:
    write(world, Given(value=1), Given(STANDING, "a"))
    counts = write(
        world, Given(value=1), Given(STANDING, "b"), Given(("pop.total", "2025"), 5, age=80)
    )
    assert counts == Counts(created=1, updated=1, unchanged=1)


def test_staged_cells_are_recorded_region_by_region(world: World) -> None:
    with world.runtime.context(OPERATOR) as ctx:
        ctx.sql(CREATE_STAGE)
        ctx.sql(
            "INSERT INTO staged_value (region_id, field_id, period, subject_id, value, observed_on)"
            " SELECT region_id, :field, '2026', id, '7', :day FROM area WHERE level = 5",
            field=field_id(ctx, "pop.total"),
            day=TODAY,
        )
        for region, number in ctx.sql(
            "SELECT region_id, count(*) FROM staged_value GROUP BY region_id ORDER BY region_id"
        ).all():
            origin = open_provenance(ctx, ProvenanceKind.SOURCE)
            assert record(ctx, staged(region), origin) == Counts(created=number)
    assert world.scalar("SELECT count(*) FROM cell_value WHERE value = '7'") == 4
    with world.runtime.context(OPERATOR) as ctx:
        ctx.sql(CREATE_STAGE)
        assert ctx.sql("SELECT count(*) FROM staged_value").scalar_one() == 0


# ---- two at once ---------------------------------------------------------------


@pytest.mark.parametrize("was_there", [False, True])
def test_of_two_who_write_one_cell_at_once_the_second_has_to_do_it_again(
    world: World, was_there: bool
) -> None:
    if was_there:
        write(world, Given(value=0))
    failures: list[Exception] = []

    def write_too() -> None:
        try:
            write(world, Given(value=2))
        except Exception as error:
            failures.append(error)

    with world.runtime.context(OPERATOR) as ctx:
        cells = cells_of(ctx, Given(value=1))
        record(ctx, cells, open_provenance(ctx, ProvenanceKind.SUBMISSION))
        other = threading.Thread(target=write_too)
        other.start()
        wait_until_blocked(world.runtime.engine)
    other.join(timeout=60)
    assert [type(error) for error in failures] == [TryAgain]
    assert held(world).value == 1
    assert len(history(world)) == int(was_there)
    # Done again, it goes through.
    assert write(world, Given(value=2)) == UPDATED


def test_of_two_who_write_one_cell_the_first_may_give_up(world: World) -> None:
    done: list[Counts] = []
    other = threading.Thread(target=lambda: done.append(write(world, Given(value=2))))
    with suppress(ZeroDivisionError), world.runtime.context(OPERATOR) as ctx:
        cells = cells_of(ctx, Given(value=1))
        record(ctx, cells, open_provenance(ctx, ProvenanceKind.SUBMISSION))
        other.start()
        wait_until_blocked(world.runtime.engine)
        raise ZeroDivisionError
    other.join(timeout=60)
    assert (done, held(world).value) == ([CREATED], 2)


# ---- against a plain model -------------------------------------------------------


@dataclass
class Kept:
    """A value of a cell in the model; instants are the numbers of batches."""

    value: Any
    missing: str | None
    observed_on: dt.date
    batch: int
    since: int
    since_kind: str
    fresh_until: dt.date | None
    refilled: bool = False

    def is_fresh(self, today: dt.date) -> bool:
        return self.fresh_until is None or self.fresh_until >= today


class Model:
    """What `record` is to do, one cell at a time."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], Kept] = {}
        self.history: list[tuple[tuple[str, str], Kept]] = []

    def record(
        self, batch: int, today: dt.date, rows: list[Given], kind: ProvenanceKind, force: bool
    ) -> Counts:
        counts = Counts()
        for row in rows:
            new = self._kept(batch, today, row, kind)
            old = self.held.get(row.cell)
            if old is None:
                self.held[row.cell] = new
                counts += CREATED
            elif self._is_news(row, old, new) and (force or new.observed_on >= old.observed_on):
                self._supersede(row.cell, old, new, old.is_fresh(today))
                counts += UPDATED
            else:
                counts += UNCHANGED
        return counts

    def _kept(self, batch: int, today: dt.date, row: Given, kind: ProvenanceKind) -> Kept:
        observed = today - dt.timedelta(days=row.age)
        fresh_until = None
        if row.cell == STANDING:
            days = 90 if row.missing is Missing.UNKNOWN else 60
            fresh_until = observed + dt.timedelta(days=days)
        value = None if row.missing else row.value
        missing = row.missing and row.missing.value
        since_kind = SINCE_KIND[kind].value
        return Kept(value, missing, observed, batch, batch, since_kind, fresh_until)

    def _is_news(self, row: Given, old: Kept, new: Kept) -> bool:
        if (old.value, old.missing) != (new.value, new.missing):
            return True
        return row.cell == STANDING and new.observed_on > old.observed_on

    def _supersede(self, cell: tuple[str, str], old: Kept, new: Kept, was_fresh: bool) -> None:
        # The history does not say whether there was a stretch before.
        self.history.append((cell, replace(old, refilled=False)))
        new.refilled = old.refilled or not was_fresh
        if was_fresh:
            new.since, new.since_kind = old.since, old.since_kind
            if old.fresh_until and new.fresh_until:
                new.fresh_until = max(old.fresh_until, new.fresh_until)
        self.held[cell] = new


def rows_strategy() -> st.SearchStrategy[list[Given]]:
    row = st.builds(
        Given,
        cell=st.sampled_from([YEARLY, STANDING]),
        value=st.integers(0, 2),
        missing=st.none() | st.none() | st.sampled_from(Missing),
        age=st.integers(0, 100),
    )
    return st.lists(row, min_size=1, max_size=2, unique_by=lambda row: row.cell)


STEPS = st.lists(
    st.tuples(
        rows_strategy(),
        st.sampled_from(ProvenanceKind),
        st.booleans(),
        st.sampled_from([0, 0, 1, 40, 61, 100]),
    ),
    min_size=1,
    max_size=12,
)

_READ = """
SELECT f.code, v.period, v.value, v.missing, v.observed_on, v.provenance_id, v.recorded_at,
  v.since, v.since_kind, v.fresh_until, {refilled} AS refilled
FROM {table} AS v JOIN field AS f ON f.id = v.field_id
"""


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(STEPS)
def test_any_sequence_of_batches_is_recorded_as_the_model_says(
    world: World, clock: FixedClock, steps: list[tuple[list[Given], ProvenanceKind, bool, int]]
) -> None:
    clock._instant = dt.datetime.combine(TODAY, dt.time(1), dt.UTC)
    with world.runtime.context(OPERATOR) as ctx:
        for table in ("cell_value", "cell_value_history"):
            ctx.sql(f"DELETE FROM {table}")
    model, batches = Model(), {}
    for number, (rows, kind, force, days) in enumerate(steps):
        clock.advance(dt.timedelta(days=days))
        with world.runtime.context(OPERATOR) as ctx:
            origin = open_provenance(ctx, kind)
            batches[origin.id] = number
            counts = record(ctx, cells_of(ctx, *rows), origin, authoritative=force)
        assert counts == model.record(number, clock.today(), rows, kind, force)
    held, history = read_kept(world, batches)
    assert held == model.held
    assert sorted(history, key=_place) == sorted(model.history, key=_place)


def _place(entry: tuple[tuple[str, str], Kept]) -> tuple[tuple[str, str], int]:
    return entry[0], entry[1].batch


def read_kept(
    world: World, batches: dict[int, int]
) -> tuple[dict[tuple[str, str], Kept], list[tuple[tuple[str, str], Kept]]]:
    """What is in the tables, in the model's terms."""
    with world.runtime.context(OPERATOR) as ctx:
        now = ctx.sql(_READ.format(table="cell_value", refilled="v.refilled")).all()
        before = ctx.sql(_READ.format(table="cell_value_history", refilled="false")).all()
    at = {row.recorded_at: batches[row.provenance_id] for row in (*now, *before)}

    def kept(row: Any) -> Kept:
        return Kept(
            row.value,
            row.missing,
            row.observed_on,
            at[row.recorded_at],
            at[row.since],
            row.since_kind,
            row.fresh_until,
            row.refilled,
        )

    held = {(row.code, row.period): kept(row) for row in now}
    return held, [((row.code, row.period), kept(row)) for row in before]
