"""Recording values: the one way in which `cell_value` is ever written.

Set-based: one statement for any number of cells of a region. The old value goes
to the history; `since` survives as long as the cell was fresh without a gap.
Callers hold the region's lock (shared is enough) and have checked the values.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from oneform.kernel import locks
from oneform.kernel.actor import Actor
from oneform.kernel.context import Context
from oneform.values.cells import CREATE_STAGE, Cells
from oneform.values.errors import TryAgain
from oneform.values.events import (
    CellsChanged,
    CellsChanging,
    CellsLocking,
    CellsRecorded,
    CellsRecordingAtOnce,
    ChangesBegun,
    ChangesEnded,
)
from oneform.values.models import SINCE_KIND, ProvenanceKind

UNKNOWN_STANDING_DAYS = 90
"""How long "unknown" counts for a standing field (DESIGN.md §9)."""

UNIQUE_VIOLATION = "23505"
"""SQLSTATE: somebody else has just made the same cell."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the cells of a batch."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.created + other.created,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
        )


@dataclass(frozen=True, slots=True)
class Origin:
    """A provenance that is written already."""

    id: int
    kind: ProvenanceKind


_OPEN = sa.text(
    "INSERT INTO provenance (kind, actor_kind, actor_id, actor_label, agency_id, source_id, ref) "
    "VALUES (:kind, :actor_kind, :actor_id, :actor_label, :agency_id, :source_id, :ref) "
    "RETURNING id"
)


def open_provenance(
    ctx: Context,
    kind: ProvenanceKind,
    *,
    ref: uuid.UUID | None = None,
    agency_id: int | None = None,
    source_id: int | None = None,
    actor: Actor | None = None,
) -> Origin:
    """Write down where a batch comes from: who, when, and by which submission, run, import…"""
    who = actor or ctx.actor
    number = ctx.session.execute(
        _OPEN,
        {
            "kind": kind.value,
            "actor_kind": who.kind.value,
            "actor_id": who.id,
            "actor_label": who.label,
            "agency_id": agency_id,
            "source_id": source_id,
            "ref": ref,
        },
    ).scalar_one()
    return Origin(number, kind)


def prepare_stage(ctx: Context) -> None:
    """Make the temporary table `staged_value` of this connection; it is empty at each commit."""
    ctx.sql(CREATE_STAGE)


@contextmanager
def changing(ctx: Context, cells: Cells) -> Iterator[None]:
    """Around every write that can move the status of these cells: keeps the books balanced."""
    ctx.emit(CellsChanging(cells))
    yield
    ctx.emit(CellsChanged(cells))


@contextmanager
def together(ctx: Context) -> Iterator[None]:
    """Around several changes of one transaction: the books move once, after the last of them.

    So their rows are locked in one order, whatever the order of the changes.
    """
    ctx.emit(ChangesBegun())
    try:
        yield
    except BaseException:
        ctx.emit(ChangesEnded(failed=True))
        raise
    ctx.emit(ChangesEnded())


# By key, after the asks.
_HOLD = """
WITH held AS MATERIALIZED (
  SELECT v.field_id FROM {relation} JOIN cell_value AS v ON v.region_id = :c_region_id
    AND v.field_id = c.field_id AND v.period = c.period AND v.subject_id = c.subject_id
    {stale}
  ORDER BY v.field_id, v.period, v.subject_id FOR UPDATE OF v)
SELECT count(*) FROM held
"""

# A value that is fresh, or final for its period, can be replaced without moving a status.
_STALE = "AND c.period = '' AND v.fresh_until < oneform_today()"


def hold_cells(ctx: Context, cells: Cells, *, only_stale: bool = False) -> None:
    """Lock what there is of some cells, for whoever changes them without having been asked: their
    live asks, then their values (or only those whose replacement moves a status)."""
    ctx.emit(CellsLocking(cells))
    if not (only_stale and cells.are_final):
        statement = _HOLD.format(relation=cells.relation, stale=_STALE if only_stale else "")
        ctx.sql(statement, **cells.params, c_region_id=cells.region_id)


# Cells are in the order of their keys, so that two who write the same ones take turns.
_MATCH = """
WITH matched AS MATERIALIZED (
  SELECT c.field_id, c.period, c.subject_id, c.value, c.missing, c.observed_on,
    {fresh_until} AS fresh_until,
    o.value AS old_value, o.missing AS old_missing, o.observed_on AS old_observed_on,
    o.provenance_id AS old_provenance_id, o.recorded_at AS old_recorded_at, o.since AS old_since,
    o.since_kind AS old_since_kind, o.fresh_until AS old_fresh_until,
    o.field_id IS NOT NULL AS existed,
    o.field_id IS NOT NULL AND (o.fresh_until IS NULL OR o.fresh_until >= oneform_today()) AS was_fresh,
    o.field_id IS NULL
      OR (((c.value, c.missing) IS DISTINCT FROM (o.value, o.missing)
           OR (c.period = '' AND c.observed_on > o.observed_on))
          AND (:authoritative OR c.observed_on >= o.observed_on)) AS changes
  FROM {relation} {validity}
  LEFT JOIN {old} AS o ON o.region_id = :c_region_id AND o.field_id = c.field_id
    AND o.period = c.period AND o.subject_id = c.subject_id
  ORDER BY c.field_id, c.period, c.subject_id)
"""

# `fresh_until`: final for a period; else valid_for after the observation, 90 days for "unknown".
_MATCHED = _MATCH.format(
    fresh_until="""CASE WHEN c.period <> '' THEN NULL
         WHEN c.missing = 'unknown' THEN c.observed_on + :unknown_days
         ELSE (c.observed_on + v.valid_for::interval)::date END""",
    relation="{relation}",
    validity="""JOIN (
    SELECT f.field_id, l.valid_for
    FROM (SELECT DISTINCT c.field_id FROM {relation}) AS f
    JOIN LATERAL (
      SELECT valid_for FROM field_version AS fv WHERE fv.field_id = f.field_id
      ORDER BY fv.effective_from > oneform_today(), fv.version DESC LIMIT 1) AS l ON true
  ) AS v ON v.field_id = c.field_id""",
    old="cell_value",
)

# Few cells: looked up one by one (`OFFSET 0`), whatever the statistics say.
_MATCHED_FINAL = _MATCH.format(
    fresh_until="CAST(NULL AS date)",
    relation="{relation}",
    validity="",
    old="""LATERAL (SELECT * FROM cell_value AS o WHERE o.region_id = :c_region_id
    AND o.field_id = c.field_id AND o.period = c.period AND o.subject_id = c.subject_id OFFSET 0)""",
)

_SUMS = """count(*) AS total, count(*) FILTER (WHERE changes AND NOT existed) AS to_create,
  count(*) FILTER (WHERE changes AND existed) AS to_update"""

_FORESEE = f"{_MATCHED} SELECT {_SUMS} FROM matched"

# A cell that was fresh until now keeps `since`; one that had gone stale begins anew. No ON
# CONFLICT: it would look into the index twice for each row, and write as much again to the log.
_WRITE = """,
kept AS (
  INSERT INTO cell_value_history (region_id, field_id, period, subject_id, superseded_at, value,
    missing, observed_on, provenance_id, recorded_at, since, since_kind, fresh_until)
  SELECT :c_region_id, field_id, period, subject_id, statement_timestamp(), old_value, old_missing,
    old_observed_on, old_provenance_id, old_recorded_at, old_since, old_since_kind, old_fresh_until
  FROM matched WHERE changes AND existed),
created AS (
  INSERT INTO cell_value (region_id, field_id, period, subject_id, value, missing, observed_on,
    provenance_id, recorded_at, since, since_kind, fresh_until)
  SELECT :c_region_id, field_id, period, subject_id, value, missing, observed_on, :provenance_id,
    statement_timestamp(), statement_timestamp(), :since_kind, fresh_until
  FROM matched WHERE NOT existed ORDER BY field_id, period, subject_id
  RETURNING 1),
updated AS (
  UPDATE cell_value AS o SET value = c.value, missing = c.missing, observed_on = c.observed_on,
    provenance_id = :provenance_id, recorded_at = statement_timestamp(),
    since = CASE WHEN c.was_fresh THEN o.since ELSE statement_timestamp() END,
    since_kind = CASE WHEN c.was_fresh THEN o.since_kind ELSE :since_kind END,
    fresh_until = CASE WHEN NOT c.was_fresh THEN c.fresh_until
                       WHEN o.fresh_until IS NULL OR c.fresh_until IS NULL THEN NULL
                       ELSE greatest(o.fresh_until, c.fresh_until) END,
    refilled = o.refilled OR NOT c.was_fresh
  FROM matched AS c
  WHERE c.changes AND c.existed AND o.region_id = :c_region_id AND o.field_id = c.field_id
    AND o.period = c.period AND o.subject_id = c.subject_id AND o.recorded_at = c.old_recorded_at
  RETURNING 1)
"""

_OUTCOME = f"SELECT {_SUMS}, (SELECT count(*) FROM updated) AS updated {{columns}} FROM matched"


@lru_cache(maxsize=16)
def _statement(
    relation: str, final: bool, parts: tuple[str, ...] = (), columns: tuple[str, ...] = ()
) -> sa.TextClause:
    matched = (_MATCHED_FINAL if final else _MATCHED).format(relation=relation)
    added = "".join(f", {part}" for part in parts)
    outcome = _OUTCOME.format(columns="".join(f", {column}" for column in columns))
    return sa.text(f"{matched}{_WRITE}{added} {outcome}")


def foresee(ctx: Context, cells: Cells, *, authoritative: bool = False) -> Counts:
    """What `record` would make of these cells now. Writes nothing."""
    row = ctx.sql(
        _FORESEE.format(relation=cells.relation),
        **cells.params,
        c_region_id=cells.region_id,
        authoritative=authoritative,
        unknown_days=UNKNOWN_STANDING_DAYS,
    ).one()
    return Counts(row.to_create, row.to_update, row.total - row.to_create - row.to_update)


def record(ctx: Context, cells: Cells, origin: Origin, *, authoritative: bool = False) -> Counts:
    """Write the values of `cells` (with the columns `value, missing, observed_on`) as from `origin`.

    An observation older than the one held changes nothing, unless it is
    `authoritative` (owner's import, correction, amendment). Asks that wait for
    these cells end, and the books of the requests follow, in this transaction.
    Who records answers has locked their asks, and whoever amends has called `hold_cells`. Raises
    TryAgain when somebody else wrote one of the cells at the same instant.
    """
    # Cells are counted, then written, then counted again: nobody else may move them meanwhile, or
    # their move is booked twice. Answers and amendments have locked what they need before they were
    # judged.
    if origin.kind is not ProvenanceKind.SUBMISSION:
        locks.take(ctx, locks.Space.RECORDING, cells.region_id)
        hold_cells(ctx, cells, only_stale=True)
    if cells.are_final:
        at_once = CellsRecordingAtOnce(cells)
        ctx.emit(at_once)
        statement = _statement(cells.relation, True, tuple(at_once.parts), tuple(at_once.columns))
        row = _write(ctx, statement, cells, origin, authoritative)
        for then in at_once.then:
            then(row)
    else:
        with changing(ctx, cells):
            row = _write(ctx, _statement(cells.relation, False), cells, origin, authoritative)
            ctx.emit(CellsRecorded(cells))
    return Counts(row.to_create, row.updated, row.total - row.to_create - row.updated)


def _write(
    ctx: Context, statement: sa.TextClause, cells: Cells, origin: Origin, authoritative: bool
) -> sa.Row[Any]:
    try:
        row = ctx.sql(
            statement,
            **cells.params,
            c_region_id=cells.region_id,
            provenance_id=origin.id,
            since_kind=SINCE_KIND[origin.kind].value,
            authoritative=authoritative,
            **({} if cells.are_final else {"unknown_days": UNKNOWN_STANDING_DAYS}),
        ).one()
    except sa.exc.IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) != UNIQUE_VIOLATION:
            raise
        raise TryAgain() from error
    if row.updated != row.to_update:
        raise TryAgain()
    return row
