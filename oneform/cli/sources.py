"""`oneform sources …`: add, probe, run (API.md, section 8)."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from catalog.documents import Document, Syntax, Unreadable, read_document
from oneform.cli.base import CliSession, command_group, pass_runtime
from oneform.cli.output import counted
from oneform.identity.policy import OPERATOR
from oneform.kernel.errors import Invalid, Mistake
from oneform.sources.errors import SourceError
from oneform.sources.fetching import run_source
from oneform.sources.probing import probe_source
from oneform.sources.runs import get_run, start_run
from oneform.sources.service import put_source

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
        raise Invalid(error.detail, mistakes=mistakes) from None
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
        raise SourceError(result.detail, data=dataclasses.asdict(result))
    session.result(
        dataclasses.asdict(result),
        text=f"{result.detail} Columns: {', '.join(result.columns)}. "
        f"Rows read on trial: {result.sample_count}.",
    )


@sources.command("run")
@click.argument("code")
@pass_runtime
def run(session: CliSession, code: str) -> None:
    """Read the whole source CODE now, and record what it has."""
    with session.context() as ctx:
        started = start_run(ctx, code, now=True)
    session.note(f"reading {code} …")
    report = run_source(session.runtime, started.id, actor=OPERATOR)
    if report.error is not None:
        raise SourceError(report.error, data={"run": str(started.id)})
    with session.context() as ctx:
        view = get_run(ctx, code, started.id)
    session.result({"run": str(view.id), "state": view.state.value, **view.counts})
