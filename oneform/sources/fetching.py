"""Calling sources: claim, call, record. No call is made inside a transaction.

One short transaction reads what is needed and claims the call; then the rows are
read, understood and spooled; then each region is recorded in a transaction of
its own. A call that fails half-way leaves nothing but the record of the run.
"""

from __future__ import annotations

import time
import uuid
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
import structlog

from catalog.periods import Period, parse_period
from oneform.kernel.actor import SYSTEM, Actor
from oneform.kernel.context import Context
from oneform.kernel.ids import new_id
from oneform.sources import claims, runs
from oneform.sources.connectors.registry import connector_class
from oneform.sources.errors import SourceDown, SourceError, SourceUnavailable
from oneform.sources.house import House, bounds_of
from oneform.sources.intake import Intake
from oneform.sources.models import Source, SourceRun
from oneform.sources.plans import Call, SourcePlan, read_call, sources_for
from oneform.sources.recording import record_region, record_strays
from oneform.sources.runs import RunCounts, RunState
from oneform.sources.spool import NOWHERE, Spool, SpoolFailed
from oneform.sources.trouble import told_as_source_errors
from oneform.values.errors import TryAgain

__all__ = ["FetchReport", "SourcePlan", "fetch_region", "run_source", "sources_for"]

RETRY_PAUSES_S = (0.5, 2.0)
"""Pauses before a source that does not answer is called again, within one run."""

RECORDING_ATTEMPTS = 5

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FetchReport:
    """How a run ended. `run_id` is None where there was nothing to call the source for."""

    run_id: uuid.UUID | None
    counts: RunCounts
    error: str | None = None
    """Why the source cannot be used as it is; nothing was recorded then."""


def fetch_region(
    house: House,
    plan: SourcePlan,
    region_id: int,
    *,
    period: str | None = None,
    request_id: uuid.UUID | None = None,
    actor: Actor = SYSTEM,
) -> FetchReport:
    """Fetch a plan's fields for all subjects of a region, and record what comes.

    `period`: only this one (and standing values); None or `""`: all there are.
    SourceUnavailable where the source is down, SourceBusy where its limits are
    reached: try again after `retry_after` seconds. A source that is there but
    cannot be used (no such table) is told in the report: waiting does not help.
    """
    run_id = new_id()
    with house.context(actor) as ctx:
        source = ctx.session.get(Source, plan.source_id)
        if source is None or not source.enabled:
            return FetchReport(None, RunCounts())
        try:
            call = _read_call(
                ctx, source, house, run_id, region_id=region_id, field_ids=set(plan.field_ids)
            )
        except SourceError as error:
            runs.open_run(ctx, source.id, run_id=run_id, request_id=request_id)
            return _failed(ctx, source.code, run_id, error)
        if call is None:
            return FetchReport(None, RunCounts())
        engine = ctx.session.get_bind().engine
    only = parse_period(period) if period else None
    work = _Work(house, actor, call, run_id, only, request_id=request_id)
    return work.carry_out(engine)


def run_source(house: House, run_id: uuid.UUID, *, actor: Actor = SYSTEM) -> FetchReport:
    """Carry out a run over a whole source. A run that has ended is left as it is.

    SourceUnavailable and SourceBusy as for a region: `runs.put_off_run` has it tried again.
    """
    with house.context(actor) as ctx:
        run = ctx.session.get(SourceRun, run_id)
        if run is None or run.state in (RunState.DONE, RunState.FAILED):
            return FetchReport(None, RunCounts())
        source = ctx.session.get_one(Source, run.source_id)
        try:
            call = _read_call(ctx, source, house, run_id) if source.enabled else None
        except SourceError as error:
            return _failed(ctx, source.code, run_id, error)
        if call is None:
            words = "The source is switched off, or none of its fields is in force."
            runs.end_run(ctx, run_id, words)
            return FetchReport(run_id, RunCounts(), words)
        engine = ctx.session.get_bind().engine
    return _Work(house, actor, call, run_id, None, is_opened=True).carry_out(engine)


def _read_call(
    ctx: Context, source: Source, house: House, run_id: uuid.UUID, **narrowed: Any
) -> Call | None:
    """As `plans.read_call`; SourceError where the source is kept so that it cannot be called."""
    with told_as_source_errors(sa.exc.SQLAlchemyError, source=source.code, run=str(run_id)):
        return read_call(ctx, source, house.settings, **narrowed)


def _failed(ctx: Context, code: str, run_id: uuid.UUID, error: SourceError) -> FetchReport:
    """End a run before any call was made."""
    log.warning("source.failed", source=code, run=str(run_id), error=error.detail)
    runs.end_run(ctx, run_id, error.detail)
    return FetchReport(run_id, RunCounts(), error.detail)


class _Work:
    """One run, from its claim to its end."""

    def __init__(
        self,
        house: House,
        actor: Actor,
        call: Call,
        run_id: uuid.UUID,
        only_period: Period | None,
        *,
        request_id: uuid.UUID | None = None,
        is_opened: bool = False,
    ) -> None:
        self._house = house
        self._actor = actor
        self._call = call
        self._run_id = run_id
        self._only = only_period
        self._request_id = request_id
        self._is_opened = is_opened
        self._counts = RunCounts()

    def carry_out(self, engine: sa.Engine) -> FetchReport:
        call, run_id = self._call, self._run_id
        with claims.slot(engine, call.source_id, call.limits, run_id), Spool() as spool:
            try:
                intake = self._read(spool)
            except SourceError as error:
                log.warning("source.failed", source=call.code, run=str(run_id), error=error.detail)
                return FetchReport(run_id, self._counts, error.detail)
            self._record(intake, spool)
        return FetchReport(run_id, self._counts)

    def _read(self, spool: Spool) -> Intake:
        """Call the source, again after a pause if it does not answer; SourceError, SourceUnavailable."""
        pauses = iter(RETRY_PAUSES_S)
        while True:
            self._claim()
            intake = Intake(self._call, self._run_id, spool, self._only)
            try:
                self._call_once(intake)
                return intake
            except SourceDown as error:
                spool.clear()
                pause = next(pauses, None)
                retry_after = self._fail(error, last=pause is None)
                if pause is None:
                    raise SourceUnavailable(error.detail, retry_after=retry_after) from error
                time.sleep(pause)
            except SourceError as error:
                self._fail(error, last=True)
                raise

    def _claim(self) -> None:
        was_opened = self._is_opened
        try:
            with self._house.context(self._actor) as ctx:
                if not was_opened:
                    runs.open_run(
                        ctx, self._call.source_id, run_id=self._run_id, request_id=self._request_id
                    )
                claims.claim(ctx, self._call.source_id, self._call.limits, self._run_id)
                # What an earlier attempt at this run reported is reported anew.
                ctx.sql("DELETE FROM source_refused WHERE run_id = :run", run=self._run_id)
            self._is_opened = True
        except SourceUnavailable as error:
            if was_opened:
                with self._house.context(self._actor) as ctx:
                    runs.end_run(ctx, self._run_id, error.detail)
            raise

    def _call_once(self, intake: Intake) -> None:
        call = self._call
        bounds = bounds_of(self._house.settings, call.limits.timeout_s)
        with told_as_source_errors(SpoolFailed, source=call.code, run=str(self._run_id)):
            kind = connector_class(call.kind)
            if kind is None:
                raise SourceError(f"There is no connector {call.kind} on this machine.")
            connector = kind(call.settings, call.secrets, bounds)
            with closing(connector.fetch(intake.query())) as batches:
                for batch in batches:
                    intake.take(batch)

    def _fail(self, error: SourceError, *, last: bool) -> float:
        with self._house.context(self._actor) as ctx:
            retry_after = claims.note_failure(ctx, self._call.source_id)
            if last:
                runs.end_run(ctx, self._run_id, error.detail)
        return retry_after

    def _record(self, intake: Intake, spool: Spool) -> None:
        taken = intake.taken
        self._counts = RunCounts(rows=taken.rows, values=taken.values, refused=taken.refused)
        for region_id in spool.regions():
            self._record_one(region_id, spool, doubled=taken.doubled)
        with self._house.context(self._actor) as ctx:
            claims.note_success(ctx, self._call.source_id)
            runs.book_run(ctx, self._run_id, self._counts)
            runs.end_run(ctx, self._run_id)

    def _record_one(self, region_id: int, spool: Spool, *, doubled: bool) -> None:
        for attempt in range(1, RECORDING_ATTEMPTS + 1):
            try:
                with self._house.context(self._actor) as ctx:
                    counts = self._record_in(ctx, region_id, spool, doubled=doubled)
                    runs.book_run(ctx, self._run_id, counts)
                self._counts = counts
                return
            except TryAgain:
                if attempt == RECORDING_ATTEMPTS:
                    raise

    def _record_in(self, ctx: Context, region_id: int, spool: Spool, *, doubled: bool) -> RunCounts:
        """Record a region; the counts of the run with it."""
        counts = self._counts
        if region_id == NOWHERE:
            elsewhere = record_strays(ctx, self._run_id, spool)
            return replace(counts, refused=counts.refused - elsewhere)
        made, refused, conflicts = record_region(
            ctx, self._call, self._run_id, region_id, spool, doubled=doubled
        )
        return replace(
            counts,
            created=counts.created + made.created,
            updated=counts.updated + made.updated,
            unchanged=counts.unchanged + made.unchanged,
            refused=counts.refused + refused,
            conflicts=counts.conflicts + conflicts,
        )
