"""Rows of a file into the database, by COPY, in the transaction of whoever hands it in."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from psycopg import Copy

from oneform.kernel.context import Context
from oneform.values.imports.conflicts import Conflict
from oneform.values.imports.packing import COLUMNS, Packer
from oneform.values.imports.rows import Batch

CONFLICTS_AT_ONCE = 20_000

_BLOCKS = f"COPY value_import_block ({COLUMNS}) FROM STDIN"
_CONFLICTS = "COPY value_conflict (import_id, row, pointer, code, detail) FROM STDIN (FORMAT csv)"


def stage_rows(ctx: Context, import_id: uuid.UUID, batches: Iterable[Batch]) -> int:
    """Put the rows of a file aside for the job, and report those that could not be read.

    How many were reported.
    """
    packer, refused = Packer(str(import_id)), 0
    conflicts: list[Conflict] = []
    waiting = iter(batches)
    finished = False
    while not finished:
        # One COPY as long as it can be: the server works while the next rows are read.
        with open_copy(ctx, _BLOCKS) as copy:
            for batch in waiting:
                for line in packer.lines(batch.rows):
                    copy.write(line)
                conflicts += batch.conflicts
                refused += batch.refused
                if len(conflicts) >= CONFLICTS_AT_ONCE:
                    break
            else:
                finished = True
        report(ctx, import_id, conflicts)
        conflicts.clear()
    return refused


def report(ctx: Context, import_id: uuid.UUID, conflicts: Sequence[Conflict]) -> None:
    """Put conflicts on record."""
    id = str(import_id)
    lines = ((id, c.row, c.pointer, c.code.value, c.detail) for c in conflicts)
    copy_csv(ctx, _CONFLICTS, lines)


def copy_csv(ctx: Context, statement: str, rows: Iterable[Sequence[object]]) -> None:
    """COPY some rows, without a NULL in them, by a statement that reads CSV."""
    if text := as_csv(rows):
        with open_copy(ctx, statement) as copy:
            copy.write(text)


def as_csv(rows: Iterable[Sequence[object]]) -> str:
    """Rows in the CSV format of COPY: many times as fast as writing each value by itself."""
    text = io.StringIO()
    # All quoted, so that nothing is taken for NULL.
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return text.getvalue()


@contextmanager
def open_copy(ctx: Context, statement: str) -> Iterator[Copy]:
    """A COPY under way in this transaction."""
    # The dialect's connection speaks no COPY; the driver's own one is in the same transaction.
    connection = ctx.session.connection().connection.driver_connection
    assert connection is not None
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        yield copy
