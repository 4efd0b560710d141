"""`oneform values …`: import (API.md, section 8)."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from oneform.cli.base import CliSession, command_group, pass_runtime
from oneform.cli.files import reading
from oneform.identity.policy import OPERATOR
from oneform.values.imports.conflicts import Conflict
from oneform.values.imports.ending import finish_import, stop_import
from oneform.values.imports.reading import guess_format
from oneform.values.imports.rows import FileFormat
from oneform.values.imports.service import MOST_CONFLICTS, accept_import, get_import
from oneform.values.imports.views import ImportView
from oneform.values.imports.working import Tell, on_one_connection, work_import

values = command_group("values", "Values: what is held about areas and other subjects.")

EXTENSIONS = {".csv": FileFormat.CSV, ".jsonl": FileFormat.JSONL, ".ndjson": FileFormat.JSONL}
CONFLICTS_AT_ONCE = MOST_CONFLICTS


@values.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check and count everything, and record nothing.")
@pass_runtime
def import_values(session: CliSession, file: Path, dry_run: bool) -> None:
    """Take in a FILE of values (CSV or JSON Lines): field,subject,period,value,observed_on.

    What is right is recorded. Every row refused is told with its line, and the status is 1 then.
    """
    session.note(f"reading {file} …")
    with reading(file) as stream:
        format = EXTENSIONS.get(file.suffix.lower()) or guess_format(stream)
        with session.context() as ctx:
            view = accept_import(ctx, stream, format, dry_run=dry_run, by_job=False)
    try:
        _work(session, view.id)
    except BaseException:
        # Nobody else would go on with it. What is recorded stays, and is found unchanged next time.
        with session.context() as ctx:
            stop_import(ctx, view.id)
        raise
    with session.context() as ctx:
        view = get_import(ctx, view.id, limit=CONFLICTS_AT_ONCE)
    session.result(view.as_dict(), text=_text(view))
    refused = False
    for conflict in _conflicts(session, view):
        refused = True
        place = f"line {conflict.row}{conflict.pointer and ', ' + conflict.pointer}"
        click.echo(f"{place}: {conflict.code}: {conflict.detail}", err=True)
    if refused:
        raise SystemExit(1)


def _work(session: CliSession, import_id: uuid.UUID) -> None:
    with on_one_connection(session.runtime) as runtime, _progress(session) as tell:
        work_import(lambda: runtime.context(OPERATOR), import_id, tell)
        with runtime.context(OPERATOR) as ctx:
            finish_import(ctx, import_id)


@contextmanager
def _progress(session: CliSession) -> Iterator[Tell]:
    """A bar on a terminal; nothing elsewhere."""
    hidden = session.as_json or not sys.stderr.isatty()
    with click.progressbar(
        length=0, label="recording", file=sys.stderr, hidden=hidden, show_pos=True
    ) as bar:

        def tell(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield tell


def _conflicts(session: CliSession, view: ImportView) -> Iterator[Conflict]:
    """All of them, page by page."""
    while True:
        yield from view.conflicts.items
        if view.conflicts.next is None:
            return
        with session.context() as ctx:
            following = view.conflicts.next
            view = get_import(ctx, view.id, limit=CONFLICTS_AT_ONCE, cursor=following)


def _text(view: ImportView) -> str:
    counts = view.counts
    words = f"{counts.created} created, {counts.updated} updated, {counts.unchanged} unchanged"
    done = "would be: " if view.dry_run else ""
    return f"{done}{words}, {counts.invalid} refused"
