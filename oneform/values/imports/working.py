"""The work of an import: its rows are sorted out once, and recorded region by region.

Each region is one transaction under its shared lock, in which its rows are recorded,
counted and taken off those that wait; so a run that is killed is begun anew from what
is left, and of two runs at once one records a region and the other finds nothing to do
there.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from copy import copy
from dataclasses import dataclass
from typing import Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from oneform.identity.reach import reach_of_person
from oneform.kernel import locks
from oneform.kernel.actor import Actor, ActorKind
from oneform.kernel.context import Context
from oneform.kernel.plans import plan_afresh
from oneform.values.cells import Cells
from oneform.values.errors import has_met_another
from oneform.values.imports.conflicts import ConflictCode
from oneform.values.imports.sorting import sort_rows
from oneform.values.imports.views import ImportState
from oneform.values.imports.waiting import leave_out, take_region
from oneform.values.models import ProvenanceKind
from oneform.values.recording import Counts, foresee, open_provenance, record

OpenUnit = Callable[[], AbstractContextManager[Context]]
"""Opens a unit of work; all of them on one connection."""

Tell = Callable[[int, int], None]
"""Told how many rows are done, of how many."""

ATTEMPTS = 6
"""How often a region is tried where somebody else writes the same cells."""


class Engined(Protocol):
    """What opens units of work from these (`oneform.runtime.Runtime` does)."""

    engine: sa.Engine
    sessions: sessionmaker[Session]


R = TypeVar("R", bound=Engined)


@contextmanager
def on_one_connection(runtime: R) -> Iterator[R]:
    """The same runtime, whose units of work all use one connection, with its temporary tables.

    The connection is closed at the end, and the tables are gone.
    """
    with runtime.engine.connect() as connection:
        pinned = copy(runtime)
        pinned.sessions = sessionmaker(connection, class_=Session, expire_on_commit=False)
        try:
            yield pinned
        finally:
            connection.invalidate()


@dataclass(frozen=True, slots=True)
class _Import:
    """An import that is not done yet."""

    id: uuid.UUID
    agency_id: int | None
    actor: Actor
    dry_run: bool


def work_import(open_unit: OpenUnit, import_id: uuid.UUID, tell: Tell = lambda *_: None) -> None:
    """Do what an import has left to do; `ending.finish_import` then says that it is done.

    May be run twice, also at once. Units of work are opened on one connection
    (`on_one_connection`).
    """
    with open_unit() as ctx:
        found = _hold(ctx, import_id)
        if found is None:
            return
        rows = sort_rows(ctx, import_id, agency_id=found.agency_id, reach=_reach(ctx, found))
        _count(ctx, import_id, Counts(), rows.refused, ImportState.RUNNING)
    done, total, seen = 0, sum(rows.regions.values()), rows.seen
    tell(done, total)
    for region_id, number in rows.regions.items():
        seen = _persist(open_unit, found.id, region_id, seen)
        done += number
        tell(done, total)


def _hold(ctx: Context, import_id: uuid.UUID) -> _Import | None:
    """Lock an import, so that two runs of it take turns; None where nothing is left of it."""
    row = ctx.sql(
        "SELECT id, agency_id, actor_kind, actor_id, actor_label, dry_run FROM value_import "
        "WHERE id = :id AND state IN ('waiting', 'running') FOR UPDATE",
        id=import_id,
    ).one_or_none()
    if row is None:
        return None
    actor = Actor(kind=ActorKind(row.actor_kind), id=row.actor_id, label=row.actor_label)
    return _Import(row.id, row.agency_id, actor, row.dry_run)


_REACH = """
SELECT a.path FROM area AS a JOIN agency AS g ON g.area_id = a.id WHERE g.id = :agency
"""


def _reach(ctx: Context, found: _Import) -> str | None:
    """Path of the area that whoever imports reaches today; None where it is none."""
    if found.agency_id is None:
        return ""  # the operator
    if found.actor.kind is ActorKind.PERSON:
        return reach_of_person(ctx, found.actor.id).path
    path: str | None = ctx.sql(_REACH, agency=found.agency_id).scalar_one_or_none()
    return path


def _count(
    ctx: Context,
    import_id: uuid.UUID,
    counts: Counts,
    refused: int,
    state: ImportState = ImportState.RUNNING,
) -> None:
    ctx.sql(
        "UPDATE value_import SET state = :state, created = created + :created, "
        "updated = updated + :updated, unchanged = unchanged + :unchanged, "
        "invalid = invalid + :refused WHERE id = :id",
        id=import_id,
        state=state.value,
        created=counts.created,
        updated=counts.updated,
        unchanged=counts.unchanged,
        refused=refused,
    )


# ---- one region ----------------------------------------------------------------


def _persist(open_unit: OpenUnit, import_id: uuid.UUID, region_id: int, seen: int) -> int:
    """Record a region; again, where two wrote the same cells at once and this one gave way.

    `seen`: the number under which rows were last taken off, as far as this run knows; given back
    as it is afterwards.
    """
    attempt = 1
    while True:
        try:
            with open_unit() as ctx:
                latest = _record_region(ctx, import_id, region_id, seen)
            return latest
        except Exception as error:
            if attempt == ATTEMPTS or not has_met_another(error):
                raise
        time.sleep(random.uniform(0, 0.05 * 2**attempt))
        attempt += 1


_CELLS = """(SELECT field_id, period, subject_id, CAST(value AS jsonb) AS value,
  CAST(NULL AS text) AS missing, observed_on
  FROM import_cell WHERE region_id = :c_region) AS c"""

# What ended while the lock was awaited. Subjects are few beside rows.
_ENDED = f"""
WITH ended AS MATERIALIZED (
  SELECT subject_id FROM (SELECT DISTINCT subject_id FROM import_cell WHERE region_id = :region) AS n
  WHERE NOT EXISTS (
    SELECT FROM subject AS s
    WHERE s.region_id = :region AND s.id = n.subject_id AND s.active_to IS NULL)),
gone AS (
  DELETE FROM import_cell AS c USING ended
  WHERE c.region_id = :region AND c.subject_id = ended.subject_id
  RETURNING c.row)
INSERT INTO value_conflict (import_id, row, pointer, code, detail)
SELECT :id, gone.row, '/subject', '{ConflictCode.UNKNOWN_SUBJECT}', 'it has just ended' FROM gone
"""

_DOUBLES = f"""
WITH cell AS (
  SELECT field_id, period, subject_id, min(row) AS first FROM import_cell
  WHERE region_id = :region GROUP BY field_id, period, subject_id HAVING count(*) > 1),
gone AS (
  DELETE FROM import_cell AS c USING cell
  WHERE c.region_id = :region AND c.field_id = cell.field_id AND c.period = cell.period
    AND c.subject_id = cell.subject_id AND c.row > cell.first
  RETURNING c.row, cell.first)
INSERT INTO value_conflict (import_id, row, pointer, code, detail)
SELECT :id, gone.row, '', '{ConflictCode.DUPLICATE}',
  'row ' || gone.first || ' has a value of this field, subject and period already' FROM gone
"""


def _record_region(ctx: Context, import_id: uuid.UUID, region_id: int, seen: int) -> int:
    """Record the rows of a region, count them, and take them off the waiting ones."""
    found = _hold(ctx, import_id)
    if found is None:
        return seen
    plan_afresh(ctx)
    locks.share_regions(ctx, [region_id])
    seen = leave_out(ctx, import_id, seen)
    if not take_region(ctx, import_id, seen + 1, region_id):
        return seen
    given = {"id": import_id, "region": region_id}
    refused = ctx.sql(_ENDED, **given).rowcount + ctx.sql(_DOUBLES, **given).rowcount
    cells = Cells(region_id, _CELLS, {"c_region": region_id})
    if found.dry_run:
        counts = foresee(ctx, cells, authoritative=True)
    else:
        origin = open_provenance(
            ctx,
            ProvenanceKind.IMPORT,
            ref=import_id,
            agency_id=found.agency_id,
            actor=found.actor,
        )
        counts = record(ctx, cells, origin, authoritative=True)
    _count(ctx, import_id, counts, refused)
    return seen + 1
