"""Whatever happens in whatever order: asked once, the books balance, nothing is asked that is held.

A state machine over real tables: requests, answers, values from elsewhere,
refusals and their decisions, cancellation, days that pass.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import defaultdict

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from small_world import RECOUNT, SmallWorld, make_world

from oneform.collection.asks import cells_in, hold_asks, move_asks
from oneform.collection.lifecycle import AskEvent
from oneform.identity.policy import OPERATOR
from oneform.kernel import locks
from oneform.kernel.clock import FixedClock
from oneform.requests import resolver
from oneform.requests.commands import SubmitRequest
from oneform.requests.errors import DueTooSoon, OffWhitelist, RequestEnded
from oneform.requests.models import CellStatus
from oneform.requests.service import submit_request
from oneform.requests.sweeps import close_due_request, requests_past_due
from oneform.requests.withdrawal import cancel_request, expire_asks
from oneform.runtime import Runtime
from oneform.values.cells import values_of
from oneform.values.models import ProvenanceKind
from oneform.values.recording import changing, open_provenance, record

STATUSES = [status.value for status in CellStatus]
SUBSETS = st.sets(st.integers(0, 3), min_size=1)


class Books(RuleBasedStateMachine):
    """One database for all runs of the machine; each run has its own period, so they do not meet."""

    runtime: Runtime
    clock: FixedClock
    world: SmallWorld
    run_number = 0

    @initialize()
    def begin(self) -> None:
        type(self).run_number += 1
        self.requests: list[uuid.UUID] = []
        self.totals: dict[uuid.UUID, int] = {}
        with self.runtime.context(OPERATOR) as ctx:
            for table in (
                "answer_draft", "ask", "request_unit", "request_region", "request_area",
                "request_field", "request_event", "request", "outbox", "cell_value",
                "cell_value_history", "exemption",
            ):  # fmt: skip
                ctx.sql(f"DELETE FROM {table}")
        self.clock._instant = dt.datetime(2026, 3, 16, 1, tzinfo=dt.UTC)

    @rule(
        agency=st.integers(0, 2),
        fields=SUBSETS,
        places=SUBSETS,
        days=st.integers(5, 40),
        leave=st.booleans(),
    )
    def submit(
        self, agency: int, fields: set[int], places: set[int], days: int, leave: bool
    ) -> None:
        command = SubmitRequest(
            title="t",
            purpose="p",
            legal_basis="l",
            fields=[self.world.field_codes[n] for n in sorted(fields)],
            areas=[self.world.village_codes[n] for n in sorted(places)],
            level="village",
            period="2026",
            due=self.clock.today() + dt.timedelta(days=days),
            gap="leave" if leave else "ask",
        )
        try:
            with self.runtime.context(self.world.principal(agency)) as ctx:
                request = submit_request(ctx, command)
        except (OffWhitelist, DueTooSoon):
            return
        self.requests.append(request.id)
        self.totals[request.id] = len(fields) * len(places)

        for region_id in self.world.regions:
            if (request.id, region_id) in self._unresolved():
                self._resolve(request.id, region_id)

    @rule(agency=st.integers(0, 2), field=st.integers(0, 3), place=st.integers(0, 3))
    def submit_unresolved(self, agency: int, field: int, place: int) -> None:
        """A request that waits for its turn while other things happen."""
        command = SubmitRequest(
            title="t",
            purpose="p",
            legal_basis="l",
            fields=[self.world.field_codes[field]],
            areas=[self.world.village_codes[place]],
            level="village",
            period="2026",
            due=self.clock.today() + dt.timedelta(days=20),
        )
        with self.runtime.context(self.world.principal(agency)) as ctx:
            request = submit_request(ctx, command)
        self.requests.append(request.id)
        self.totals[request.id] = 1

    def _unresolved(self) -> list[tuple[uuid.UUID, int]]:
        with self.runtime.context(OPERATOR) as ctx:
            return [
                tuple(row)
                for row in ctx.sql(
                    "SELECT request_id, region_id FROM request_region "
                    "WHERE resolved_at IS NULL ORDER BY request_id, region_id"
                )
            ]

    @rule(which=st.integers(0, 20))
    def resolve_one(self, which: int) -> None:
        waiting = self._unresolved()
        if waiting:
            self._resolve(*waiting[which % len(waiting)])

    @precondition(lambda self: self.requests)
    @rule(which=st.integers(0, 20), region=st.integers(0, 1))
    def resolve_again(self, which: int, region: int) -> None:
        request_id = self.requests[which % len(self.requests)]
        with self.runtime.context(OPERATOR) as ctx:
            known = ctx.sql(
                "SELECT count(*) FROM request_region WHERE request_id = :r AND region_id = :g",
                r=request_id,
                g=self.world.regions[region],
            ).scalar_one()
        if known:
            self._resolve(request_id, self.world.regions[region], again=True)

    def _resolve(self, request_id: uuid.UUID, region_id: int, *, again: bool = False) -> None:
        with self.runtime.context(OPERATOR) as ctx:
            if resolver.decide(ctx, request_id, region_id, again=again):
                resolver.judge(ctx, request_id, region_id)
                resolver.resolve(ctx, request_id, region_id)

    @rule(
        place=st.integers(0, 3),
        fields=SUBSETS,
        kind=st.sampled_from(list(ProvenanceKind)),
        value=st.integers(0, 2),
        age=st.integers(0, 100),
        unknown=st.booleans(),
    )
    def record_values(
        self,
        place: int,
        fields: set[int],
        kind: ProvenanceKind,
        value: int,
        age: int,
        unknown: bool,
    ) -> None:
        region = self.world.regions[1 if place == 3 else 0]
        chosen = sorted(fields)
        cells = values_of(
            region,
            fields=[self.world.fields[n] for n in chosen],
            periods=["" if n == 2 else "2026" for n in chosen],
            subjects=[self.world.villages[place]] * len(chosen),
            values=[None if unknown else str(value)] * len(chosen),
            missing=["unknown" if unknown else None] * len(chosen),
            observed_on=[self.clock.today() - dt.timedelta(days=age)] * len(chosen),
        )
        with self.runtime.context(OPERATOR) as ctx:
            locks.share_regions(ctx, [region])
            record(ctx, cells, open_provenance(ctx, kind))

    @rule(event=st.sampled_from(
        [AskEvent.REFUSE, AskEvent.UPHOLD, AskEvent.OVERTURN, AskEvent.SEND_TO_REVIEW,
         AskEvent.RETURN]
    ), which=st.integers(0, 40), many=st.integers(1, 3))  # fmt: skip
    def move(self, event: AskEvent, which: int, many: int) -> None:
        with self.runtime.context(OPERATOR) as ctx:
            rows = ctx.sql("SELECT region_id, id FROM ask ORDER BY region_id, id").all()
            if not rows:
                return
            region = rows[which % len(rows)].region_id
            ids = [row.id for row in rows if row.region_id == region][which % 3 :][:many]
            asks = hold_asks(ctx, [(region, id) for id in ids])
            with changing(ctx, cells_in(region, list(asks.values()))):
                move_asks(ctx, region, ids, event)

    @rule(field=st.just(1))
    def exempt(self, field: int) -> None:
        with self.runtime.context(OPERATOR) as ctx:
            ctx.sql(
                "INSERT INTO refusal (id, unit_id, staff_id, reason, state) VALUES "
                "('00000000-0000-0000-0000-000000000001', 1, gen_random_uuid(), 'other', 'upheld') "
                "ON CONFLICT DO NOTHING"
            )
            period = "" if field == 2 else "2026"
            locks.take_regions(ctx, self.world.regions)
            for region, places in (
                (self.world.regions[0], self.world.villages[:3]),
                (self.world.regions[1], self.world.villages[3:]),
            ):
                cells = values_of(
                    region,
                    fields=[self.world.fields[field]] * len(places),
                    periods=[period] * len(places),
                    subjects=places,
                    values=[None] * len(places),
                    missing=[None] * len(places),
                    observed_on=[self.clock.today()] * len(places),
                )
                with changing(ctx, cells):
                    ctx.sql(
                        "INSERT INTO exemption VALUES (:f, :p, "
                        "'00000000-0000-0000-0000-000000000001') ON CONFLICT DO NOTHING",
                        f=self.world.fields[field],
                        p=period,
                    )

    @precondition(lambda self: self.requests)
    @rule(which=st.integers(0, 20))
    def cancel(self, which: int) -> None:
        request_id = self.requests[which % len(self.requests)]
        try:
            with self.runtime.context(OPERATOR) as ctx:
                cancel_request(ctx, request_id)
        except RequestEnded:
            pass

    @rule(days=st.sampled_from([1, 10, 35, 70]), swept=st.booleans())
    def days_pass(self, days: int, swept: bool) -> None:
        self.clock.advance(dt.timedelta(days=days))
        if swept:
            self.sweep()

    @rule()
    def sweep(self) -> None:
        with self.runtime.context(OPERATOR) as ctx:
            for request_id in requests_past_due(ctx):
                close_due_request(ctx, request_id)
        for region in self.world.regions:
            with self.runtime.context(OPERATOR) as ctx:
                expire_asks(ctx, region)

    @invariant()
    def books_are_what_is_counted_afresh(self) -> None:
        if not getattr(self, "requests", None):
            return
        with self.runtime.context(OPERATOR) as ctx:
            counted: dict[tuple[object, ...], dict[str, int]] = defaultdict(
                lambda: dict.fromkeys(STATUSES, 0)
            )
            for row in ctx.session.execute(RECOUNT):
                counted[(row.id, row.place_id, row.unit_id)][row.status] = row.n
            booked = {
                (row.request_id, row.place_id, row.unit_id): {
                    status: row._mapping[status] for status in STATUSES
                }
                for row in ctx.sql(
                    "SELECT ru.* FROM request_unit AS ru JOIN request_region AS rr "
                    "ON rr.request_id = ru.request_id AND rr.region_id = ru.region_id "
                    "WHERE rr.resolved_at IS NOT NULL"
                )
            }
            assert booked == dict(counted)
            states = dict(ctx.sql("SELECT id, state FROM request").all())
            unresolved = {
                row.request_id
                for row in ctx.sql(
                    "SELECT request_id FROM request_region WHERE resolved_at IS NULL"
                )
            }
        for request_id, total in self.totals.items():
            rows = [counts for key, counts in booked.items() if key[0] == request_id]
            if request_id not in unresolved:
                assert sum(sum(counts.values()) for counts in rows) == total
                open_cells = sum(counts["asked"] + counts["pending_grant"] for counts in rows)
                left = sum(
                    sum(counts[s] for s in ("asked", "refused", "unavailable", "pending_grant"))
                    for counts in rows
                )
                if states[request_id] == "fulfilled":
                    assert left == 0
                if states[request_id] == "collecting":
                    assert open_cells > 0
                if states[request_id] == "partial":
                    assert left > 0

    @invariant()
    def what_is_held_is_not_asked(self) -> None:
        if not getattr(self, "requests", None):
            return
        with self.runtime.context(OPERATOR) as ctx:
            asked_although_known = ctx.sql(
                "SELECT count(*) FROM ask AS a JOIN cell_value AS v USING "
                "(region_id, field_id, period, subject_id) "
                "WHERE a.state IN ('open', 'returned', 'in_review', 'refused') "
                "AND v.recorded_at > a.created_at "
                "AND (v.fresh_until IS NULL OR v.fresh_until >= :today)",
                today=self.clock.today(),
            ).scalar_one()
        assert asked_although_known == 0


def test_books_balance_whatever_happens(runtime: Runtime, clock: FixedClock) -> None:
    with runtime.context(OPERATOR) as ctx:
        world = make_world(ctx)
    Books.runtime, Books.clock, Books.world = runtime, clock, world
    run_state_machine_as_test(Books, settings=_SETTINGS)


_SETTINGS = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
