"""`oneform catalog …`: import, export, check (API.md, section 8)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

import click

from catalog.bundle import dump_json, dump_yaml, read_bundle
from catalog.check import check_bundle
from catalog.errors import BadBundle
from catalog.importing import import_bundle
from catalog.places import BundleMistake
from catalog.reading import whole_catalog
from catalog.world import UNKNOWN_WORLD
from oneform.cli.base import CliSession, command_group, pass_runtime
from oneform.cli.files import OUTPUT, write_output
from oneform.cli.output import counted
from oneform.kernel.clock import Clock

BUNDLE = click.Path(exists=True, path_type=Path)

catalog = command_group("catalog", "Catalogue: the whitelist of what may be asked.")


@catalog.command("import")
@click.argument("file", type=BUNDLE)
@pass_runtime
def import_catalog(session: CliSession, file: Path) -> None:
    """Take in a bundle FILE (YAML or JSON, or a folder of them): all of it, or nothing."""
    session.note(f"importing {file} …")
    with session.context() as ctx:
        report = import_bundle(ctx, file)
    _warn(report.warnings)
    for skipped in report.skipped:
        click.echo(f"skipped {skipped.code}: {skipped.reason}", err=True)
    counts = dataclasses.asdict(report)
    del counts["warnings"]
    text = "\n".join(
        f"{name.replace('_', ' ')}: {len(value) if name == 'skipped' else value}"
        for name, value in counts.items()
    )
    session.result(counts, text=text)


@catalog.command("export")
@click.argument("file", type=OUTPUT)
@pass_runtime
def export_catalog(session: CliSession, file: Path) -> None:
    """Write the whitelist to FILE, as JSON if its name ends in .json, else YAML (- for standard
    output).

    Tables (CSV, XLSX) are for reading only: GET /api/v1/catalog.csv and catalog.xlsx."""
    if file.suffix.lower() in (".csv", ".xlsx"):
        raise click.BadParameter(
            "a bundle is YAML or JSON; tables are at /api/v1/catalog.csv, .xlsx."
        )
    with session.context() as ctx:
        document = whole_catalog(ctx)
    as_json = file.suffix.lower() == ".json" or (str(file) == "-" and session.as_json)
    text = dump_json(document) if as_json else dump_yaml(document)
    write_output(file, text.encode())
    if str(file) != "-":
        session.result(
            {"file": click.format_filename(file), "fields": len(document["fields"])},
        )


@catalog.command("check")
@click.argument("file", type=BUNDLE)
@pass_runtime
def check_catalog(session: CliSession, file: Path) -> None:
    """Find every mistake in a bundle FILE (or folder), without a database.

    Ends with 1 if there is one. Warnings are shown and do no harm.
    """
    clock = Clock(session.settings.timezone, session.settings.today)
    found = check_bundle(read_bundle(file), UNKNOWN_WORLD, on=clock.today())
    _warn(found.warnings)
    if found.mistakes:
        raise BadBundle(found.mistakes, only_checked=True)
    session.result(
        {"fields": len(found.definitions), "mistakes": [], "warnings": _plain(found.warnings)},
        text=f"{counted(len(found.definitions), 'field')}: no mistakes, "
        f"{counted(len(found.warnings), 'warning')}",
    )


def _warn(warnings: Iterable[BundleMistake]) -> None:
    for warning in warnings:
        click.echo(f"warning: {warning.place}: {warning.detail}", err=True)


def _plain(warnings: Iterable[BundleMistake]) -> list[dict[str, object]]:
    return [dataclasses.asdict(warning) for warning in warnings]
