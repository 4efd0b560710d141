"""`oneform sources …`: add, probe, run (API.md, section 8)."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click

from catalog.documents import Document, Syntax, Unreadable, read_document
from oneform.cli.base import CliSession, command_group, pass_runtime
from oneform.cli.output import counted
from oneform.identity.policy import OPERATOR
from oneform.kernel.errors import Invalid, Mistake
from oneform.sources.errors import SourceError
from oneform.sources.fetching import run_source
from oneform.sources.house import bounds_of
from oneform.sources.probing import probe_source
from oneform.sources.runs import get_run, list_refused, start_run
from oneform.sources.service import get_source, put_source

MOST_REFUSED = 50
"""So many values that were put aside are told."""

sources = command_group("sources", "Sources: departments' shared stores and what they answer for.")


@sources.command("add")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@pass_runtime
def add(session: CliSession, file: Path) -> None:
    """Offer the source that FILE (YAML or JSON) defines, or bring it up to the file."""
    syntax = Syntax.JSON if file.suffix.lower() == ".json" else Syntax.YAML
    try:
        document = read_document(file.read_bytes(), syntax, file.name)
    except Unreadable as error:
        mistakes = [mistake.as_mistake() for mistake in error.mistakes]
        raise Invalid("The file cannot be read.", mistakes=mistakes) from None
    try:
        with session.context() as ctx:
            view, done = put_source(ctx, document.value, session.settings)
    except Invalid as error:
        mistakes = [_located(document, mistake) for mistake in error.mistakes]
        words = error.detail
        if any(mistake.code == "path" for mistake in error.mistakes):
            words = f"{words} {_folders(session)}"
        raise Invalid(words, mistakes=mistakes) from None
    session.result(
        {"source": view.code, "result": done, "fields": sorted(view.fields)},
        text=f"{view.code}: {done}, {counted(len(view.fields), 'field')}",
    )


def _located(document: Document, mistake: Mistake) -> Mistake:
    """The mistake with the line of the file that it is in."""
    line = document.line_of(mistake.pointer)
    place = f"{document.name}, line {line}" if line else document.name
    return Mistake(", ".join(filter(None, (place, mistake.pointer))), mistake.code, mistake.detail)


@sources.command("probe")
@click.argument("code")
@pass_runtime
def probe(session: CliSession, code: str) -> None:
    """Try the source CODE: can it be reached, are its columns there."""
    result = probe_source(session.runtime, code)
    if not result.ok:
        raise _failed(session, code, result.detail, **dataclasses.asdict(result))
    session.result(
        dataclasses.asdict(result),
        text=f"{result.detail} Columns: {', '.join(result.columns)}. "
        f"Rows read on trial: {result.sample_count}.",
    )


@sources.command("run")
@click.argument("code")
@pass_runtime
def run(session: CliSession, code: str) -> None:
    """Read the whole source CODE now, and record what it has.

    What is put aside is told, the first of it; it is no failure.
    """
    with session.context() as ctx:
        started = start_run(ctx, code, now=True)
    session.note(f"reading {code} …")
    report = run_source(session.runtime, started.id, actor=OPERATOR)
    if report.error is not None:
        raise _failed(session, code, report.error, run=str(started.id))
    with session.context() as ctx:
        view = get_run(ctx, code, started.id)
        refused = list_refused(ctx, code, started.id, limit=MOST_REFUSED)
    session.result({"run": str(view.id), "state": view.state.value, **view.counts})
    for each in refused.items:
        place = ", ".join(filter(None, (each.subject, each.field, each.period)))
        click.echo(f"{place}: {each.code}: {each.detail}", err=True)
    if refused.next is not None:
        more = view.counts["refused"] + view.counts["conflicts"] - len(refused.items)
        rest = f"/api/v1/sources/{view.source}/runs/{view.id}"
        click.echo(f"… and {more} more; GET {rest} has all of them", err=True)


def _failed(session: CliSession, code: str, words: str, **data: Any) -> SourceError:
    """The error, for a source of files with the folders where they may be."""
    with session.context() as ctx:
        is_file = get_source(ctx, code).kind == "file"
    return SourceError(f"{words} {_folders(session)}" if is_file else words, data=data)


def _folders(session: CliSession) -> str:
    """Where files may be: for the operator, who needs not feel their way about the machine."""
    folders = ", ".join(map(str, bounds_of(session.settings).folders))
    return f"Files of sources are read below {folders} (ONEFORM_ALLOW_FILES)."
