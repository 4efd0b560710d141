"""Handing in a file of values, and reading what became of it (API.md, section 6).

An agency imports values of the fields that it owns, within its reach; the operator
any. Nothing of a file that was taken in is lost: its rows are in the database when
the answer leaves, and the job that records them is on the outbox.
"""

from __future__ import annotations

import uuid
from typing import BinaryIO

from catalog.snapshot import snapshot
from oneform.audit import service as audit
from oneform.audit.tags import Tag
from oneform.identity import policy
from oneform.identity.policy import Permission
from oneform.kernel.context import Context
from oneform.kernel.errors import NotFound
from oneform.kernel.ids import new_id
from oneform.kernel.paging import Page, decode_cursor, encode_cursor
from oneform.values.imports.conflicts import Conflict, ConflictCode
from oneform.values.imports.jobs import ValueJob
from oneform.values.imports.reading import read_rows
from oneform.values.imports.rows import FileFormat
from oneform.values.imports.staging import stage_rows
from oneform.values.imports.texts import CellReader, Schema
from oneform.values.imports.views import ImportCounts, ImportState, ImportView

MOST_CONFLICTS = 500
"""Conflicts shown at once."""


def accept_import(
    ctx: Context,
    file: BinaryIO,
    format: FileFormat,
    *,
    dry_run: bool = False,
    by_job: bool = True,
) -> ImportView:
    """Take in a file of values. A dry run checks and counts everything, and records nothing.

    Rows that are wrong are reported in the import, not here; Invalid for a file that cannot
    be read as a whole. Without `by_job` the caller sees to it that the work is done.
    """
    actor = policy.require(ctx, Permission.WRITE_VALUES)
    agency_id = None if actor.may(Permission.OPERATE) else policy.require_agency(ctx)
    import_id = new_id()
    ctx.sql(
        "INSERT INTO value_import (id, agency_id, actor_kind, actor_id, actor_label, dry_run, "
        "  state, created_at) "
        "VALUES (:id, :agency, :kind, :actor, :label, :dry_run, 'waiting', :at)",
        id=import_id,
        agency=agency_id,
        kind=actor.kind.value,
        actor=actor.id,
        label=actor.label,
        dry_run=dry_run,
        at=ctx.clock.now(),
    )
    batches = read_rows(file, format, read_cell=_cell_reader(ctx), today=ctx.today().isoformat())
    refused = stage_rows(ctx, import_id, batches)
    ctx.sql("UPDATE value_import SET invalid = :n WHERE id = :id", n=refused, id=import_id)
    if not dry_run:
        audit.append(ctx, Tag.VALUES_IMPORTED, "import", import_id, format=format.value)
    if by_job:
        ctx.outbox.enqueue(
            ValueJob.IMPORT_VALUES, agency_id=agency_id or 0, import_id=str(import_id)
        )
    return get_import(ctx, import_id)


def _cell_reader(ctx: Context) -> CellReader:
    versions = snapshot(ctx).by_code

    def schema_of(code: str) -> Schema | None:
        # Another version may have other bounds, but never another type (DESIGN.md §4, 10).
        return versions[code][-1].definition.schema if code in versions else None

    return CellReader(schema_of)


def get_import(
    ctx: Context, import_id: uuid.UUID, *, limit: int = MOST_CONFLICTS, cursor: str | None = None
) -> ImportView:
    """An import of the actor's own agency, with a page of its conflicts. NotFound; BadCursor."""
    actor = policy.require(ctx, Permission.WRITE_VALUES)
    row = ctx.sql(
        "SELECT id, agency_id, state, dry_run, created, updated, unchanged, invalid, created_at, "
        "finished_at FROM value_import WHERE id = :id",
        id=import_id,
    ).one_or_none()
    if row is None or not (
        actor.may(Permission.OPERATE)
        or (actor.agency_id is not None and row.agency_id == actor.agency_id)
    ):
        raise NotFound("There is no such import within your reach.")
    return ImportView(
        id=row.id,
        state=ImportState(row.state),
        dry_run=row.dry_run,
        counts=ImportCounts(row.created, row.updated, row.unchanged, row.invalid),
        conflicts=_conflicts(ctx, import_id, limit, cursor),
        created_at=row.created_at,
        finished_at=row.finished_at,
    )


def _conflicts(
    ctx: Context, import_id: uuid.UUID, limit: int, cursor: str | None
) -> Page[Conflict]:
    after = decode_cursor(cursor, [int, str, str]) if cursor else (0, "", "")
    rows = ctx.sql(
        "SELECT row, pointer, code, detail FROM value_conflict WHERE import_id = :id "
        "AND (row, pointer, code) > (:row, :pointer, :code) "
        "ORDER BY row, pointer, code LIMIT :limit",
        id=import_id,
        limit=limit + 1,
        **dict(zip(("row", "pointer", "code"), after, strict=True)),
    ).all()
    items = [Conflict(r.row, r.pointer, ConflictCode(r.code), r.detail) for r in rows[:limit]]
    more = len(rows) > limit
    last = items[-1] if items else None
    return Page(
        items, encode_cursor(last.row, last.pointer, last.code.value) if more and last else None
    )
