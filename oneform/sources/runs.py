"""Runs: the record of each call to a source, and the report of what it brought.

A run is made by the resolver for one region (`fetching.fetch_region`), or by its
owner for the whole source (`start_run`, then the job `RUN_SOURCE`).
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import orjson

from oneform.audit import service as audit
from oneform.audit.tags import Tag
from oneform.identity import policy
from oneform.identity.policy import Permission
from oneform.kernel.context import Context
from oneform.kernel.errors import Conflict, NotFound
from oneform.kernel.ids import new_id
from oneform.kernel.paging import Page, decode_cursor, encode_cursor
from oneform.sources.jobs import SourceJob
from oneform.sources.models import Source
from oneform.sources.service import find_source

KEPT_DAYS = 90
INTERRUPTED_AFTER = dt.timedelta(days=1)


class RunState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class RunCounts:
    """What a run brought: rows read, values that fit, and what became of them."""

    rows: int = 0
    values: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    """Values and rows put aside, all of them in the report, without the conflicts."""
    conflicts: int = 0
    """Values put aside because something of more authority is held."""


@dataclass(frozen=True, slots=True)
class RunView:
    id: uuid.UUID
    source: str
    request_id: uuid.UUID | None
    state: RunState
    counts: dict[str, int]
    error: str | None
    created_at: dt.datetime
    finished_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class RefusedView:
    """A value that was put aside; `field` is `""` where it is the whole row."""

    subject: str
    field: str
    period: str
    value: Any
    code: str
    detail: str


class NoSuchRun(NotFound):
    title = "No such run"


def open_run(
    ctx: Context, source_id: int, *, run_id: uuid.UUID | None = None, request_id: uuid.UUID | None
) -> uuid.UUID:
    """Write down that a source is about to be called."""
    run_id = run_id or new_id()
    ctx.sql(
        "INSERT INTO source_run (id, source_id, request_id, state, counts, created_at) "
        "VALUES (:id, :source, :request, 'waiting', '{}', :at)",
        id=run_id,
        source=source_id,
        request=request_id,
        at=ctx.clock.now(),
    )
    return run_id


def book_run(ctx: Context, run_id: uuid.UUID, counts: RunCounts) -> None:
    """Bring the counts of a run up to date: its progress can be seen while it works."""
    ctx.sql(
        "UPDATE source_run SET counts = counts || CAST(:counts AS jsonb) WHERE id = :id",
        id=run_id,
        counts=orjson.dumps(asdict(counts)).decode(),
    )


def end_run(ctx: Context, run_id: uuid.UUID, error: str | None = None) -> None:
    """Done, or failed with these words."""
    ctx.sql(
        "UPDATE source_run SET state = :state, error = :error, finished_at = :at WHERE id = :id",
        id=run_id,
        state=(RunState.DONE if error is None else RunState.FAILED).value,
        error=error,
        at=ctx.clock.now(),
    )


def start_run(ctx: Context, ref: str, *, now: bool = False) -> RunView:
    """Have a whole source read, by a worker or (`now`) by whoever calls `fetching.run_source` next.

    A run that waits already is enough. NoSuchSource; Conflict for a source that is switched off.
    """
    source = find_source(ctx, ref)
    if not source.enabled:
        raise Conflict(f"The source {source.code} is switched off.")
    # One that waits alike is found by two at once, not made twice.
    ctx.sql("SELECT FROM source WHERE id = :id FOR NO KEY UPDATE", id=source.id)
    waiting = None if now else _waiting(ctx, source.id)
    if waiting is not None:
        return _view(ctx, source, waiting)
    run_id = open_run(ctx, source.id, request_id=None)
    audit.append(ctx, Tag.SOURCE_RUN_STARTED, "source", source.code, run=str(run_id))
    if not now:
        ctx.outbox.enqueue(SourceJob.RUN_SOURCE, agency_id=source.agency_id, run_id=run_id)
    return _view(ctx, source, run_id)


def _waiting(ctx: Context, source_id: int) -> uuid.UUID | None:
    found: uuid.UUID | None = ctx.sql(
        "SELECT id FROM source_run WHERE source_id = :id AND request_id IS NULL "
        "AND state = 'waiting' ORDER BY id LIMIT 1",
        id=source_id,
    ).scalar_one_or_none()
    return found


def put_off_run(ctx: Context, run_id: uuid.UUID, delay_s: float) -> None:
    """Have a run that failed tried again, after a while."""
    row = ctx.sql(
        "UPDATE source_run AS r SET state = 'waiting', finished_at = NULL FROM source AS s "
        "WHERE r.id = :id AND s.id = r.source_id RETURNING s.agency_id",
        id=run_id,
    ).one_or_none()
    if row is not None:
        ctx.outbox.enqueue(
            SourceJob.RUN_SOURCE, agency_id=row.agency_id, delay_s=delay_s, run_id=run_id
        )


_VIEW = """
SELECT r.id, s.code AS source, r.request_id, r.state, r.counts, r.error, r.created_at,
  r.finished_at
FROM source_run AS r JOIN source AS s ON s.id = r.source_id WHERE r.source_id = :source
"""


def _view(ctx: Context, source: Source, run_id: uuid.UUID) -> RunView:
    row = ctx.sql(_VIEW + "AND r.id = :id", source=source.id, id=run_id).one_or_none()
    if row is None:
        raise NoSuchRun(f"The source {source.code} has no such run.")
    return RunView(**{**row._mapping, "state": RunState(row.state)})


def get_run(ctx: Context, ref: str, run_id: uuid.UUID) -> RunView:
    """One run of a source. NoSuchSource, NoSuchRun."""
    return _view(ctx, find_source(ctx, ref), run_id)


def list_runs(
    ctx: Context, ref: str, *, limit: int = 50, cursor: str | None = None
) -> Page[RunView]:
    """Runs of a source, the latest first. NoSuchSource; BadCursor."""
    source = find_source(ctx, ref)
    (before,) = decode_cursor(cursor, [uuid.UUID]) if cursor else (uuid.UUID(int=2**128 - 1),)
    rows = ctx.sql(
        _VIEW + "AND r.id < :before ORDER BY r.id DESC LIMIT :limit",
        source=source.id,
        before=before,
        limit=limit + 1,
    ).all()
    items = [RunView(**{**row._mapping, "state": RunState(row.state)}) for row in rows[:limit]]
    return Page(items, encode_cursor(items[-1].id) if len(rows) > limit else None)


def list_refused(
    ctx: Context, ref: str, run_id: uuid.UUID, *, limit: int = 50, cursor: str | None = None
) -> Page[RefusedView]:
    """What a run put aside. NoSuchSource, NoSuchRun; BadCursor."""
    policy.require(ctx, Permission.MANAGE_SOURCES)
    get_run(ctx, ref, run_id)
    (after,) = decode_cursor(cursor, [int]) if cursor else (0,)
    rows = ctx.sql(
        "SELECT id, subject, field, period, value, code, detail FROM source_refused "
        "WHERE run_id = :run AND id > :after ORDER BY id LIMIT :limit",
        run=run_id,
        after=after,
        limit=limit + 1,
    ).all()
    items = [
        RefusedView(row.subject, row.field, row.period, row.value, row.code, row.detail)
        for row in rows[:limit]
    ]
    return Page(items, encode_cursor(rows[limit - 1].id) if len(rows) > limit else None)


def tidy_runs(ctx: Context) -> int:
    """Forget runs of long ago; say of those that a process left half-way that they failed."""
    now = ctx.clock.now()
    ctx.sql(
        "UPDATE source_run SET state = 'failed', error = 'interrupted', finished_at = :now "
        "WHERE state = 'running' AND created_at < :before",
        now=now,
        before=now - INTERRUPTED_AFTER,
    )
    return ctx.sql(
        "DELETE FROM source_run WHERE created_at < :before",
        before=now - dt.timedelta(days=KEPT_DAYS),
    ).rowcount
