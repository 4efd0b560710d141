"""`oneform areas …`: import, changes, export (API.md, section 8)."""

from __future__ import annotations

from pathlib import Path

import click

from oneform.areas import service
from oneform.cli.base import CliSession, command_group, pass_runtime
from oneform.cli.files import OUTPUT, write_output

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

areas = command_group("areas", "Areas: the administrative tree and what becomes of it.")


@areas.command("import")
@click.argument("file", type=FILE)
@pass_runtime
def import_areas(session: CliSession, file: Path) -> None:
    """Take in an areas FILE (CSV): all of it, or nothing.

    Columns: code,parent_code,level,name, and if you like valid_from,valid_to,urban_rural_class."""
    session.note(f"importing {file} …")
    with session.context() as ctx:
        report = service.import_areas(ctx, file)
    session.result(
        {"created": report.created, "updated": report.updated, "unchanged": report.unchanged}
    )


@areas.command("changes")
@click.argument("file", type=FILE)
@pass_runtime
def apply_changes(session: CliSession, file: Path) -> None:
    """Apply an area changes FILE (CSV) in its order: all of it, or nothing.

    Columns: change,old_code,new_code,parent_code,level,name,on_date."""
    session.note(f"applying {file} …")
    with session.context() as ctx:
        counts = service.apply_changes(ctx, file)
    session.result({"applied": sum(counts.values()), **counts})


@areas.command("export")
@click.argument("file", type=OUTPUT)
@pass_runtime
def export_areas(session: CliSession, file: Path) -> None:
    """Write the areas that exist to FILE (- for standard output), in the import format."""
    if session.as_json and str(file) == "-":
        raise click.BadParameter("with --json, areas go into a file: they are CSV.")
    with session.context() as ctx:
        content = b"".join(service.export_areas(ctx))
    write_output(file, content)
    if str(file) != "-":
        session.result({"file": click.format_filename(file), "bytes": len(content)})
