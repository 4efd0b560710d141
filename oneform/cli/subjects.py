"""`oneform subjects …` (API.md, section 8)."""

from __future__ import annotations

from pathlib import Path

import click

from oneform.areas import subject_import
from oneform.cli.base import CliSession, command_group, pass_runtime

subjects = command_group("subjects", "Subjects: households, residents, enterprises …")


@subjects.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@pass_runtime
def import_subjects(session: CliSession, file: Path) -> None:
    """Take in a subjects FILE (CSV): all of it, or nothing.

    Columns: kind,key,name,area, and if you like active_from."""
    session.note(f"importing {file} …")
    with session.context() as ctx:
        report = subject_import.import_subjects(ctx, file)
    session.result(
        {"created": report.created, "updated": report.updated, "unchanged": report.unchanged}
    )
