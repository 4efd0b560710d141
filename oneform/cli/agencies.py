"""`oneform agencies`: agencies and their keys."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

from oneform.cli.base import CliSession, command_group, pass_runtime
from oneform.cli.output import counted
from oneform.identity import agencies as service
from oneform.identity import keys
from oneform.identity.policy import ORDINARY_SCOPES, Scope

SCOPES = (
    f"Scope; repeatable. One of {', '.join(Scope)}. "
    f"Else all but {', '.join(sorted(set(Scope) - set(ORDINARY_SCOPES)))}."
)

agencies = command_group("agencies", "Agencies and their keys.")


@agencies.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@pass_runtime
def import_(session: CliSession, file: Path) -> None:
    """Import agencies from a CSV file: code,name,area,parent."""
    with session.context() as ctx:
        counts = service.import_agencies(ctx, file)
    session.result(
        counts,
        text=f"{counted(counts['created'], 'agency', 'agencies')} created, "
        f"{counts['updated']} updated, {counts['unchanged']} unchanged",
    )


@agencies.command()
@click.argument("code")
@click.argument("name")
@click.option("--area", required=True, metavar="CODE", help="Area that is the agency's reach.")
@click.option("--parent", metavar="CODE", help="Agency above it.")
@pass_runtime
def add(session: CliSession, code: str, name: str, area: str, parent: str | None) -> None:
    """Add an agency, or give its reach to one that only a bundle has named so far."""
    command = service.AddAgency(code=code, name=name, area=area, parent=parent)
    with session.context() as ctx:
        known = service.is_known(ctx, code)
        agency = service.add_agency(ctx, command)
        data = {"code": agency.code, "name": agency.name, "area": area, "parent": parent}
    data["result"] = "changed" if known else "added"
    change = f"was there, and reaches {area} now" if known else "added"
    session.result(data, text=f"agency {code}: {name.strip()}, {change}")


@agencies.command()
@click.argument("code")
@click.option("--scope", "scopes", multiple=True, help=SCOPES)
@click.option(
    "--expires",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="Last day on which it is valid.",
)
@click.option("--name", default="", help="What it is for.")
@pass_runtime
def key(
    session: CliSession, code: str, scopes: tuple[str, ...], expires: dt.datetime | None, name: str
) -> None:
    """Issue a key of an agency. It is shown once."""
    with session.context() as ctx:
        issued = keys.issue_key(ctx, code, scopes, expires and expires.date(), name=name)
    session.result(
        {
            "key": issued.key,
            "key_id": issued.key_id,
            "agency": issued.agency,
            "scopes": issued.scopes,
            "expires_at": issued.expires_at,
        },
        text=issued.key,
    )
    if not session.as_json:
        click.echo("shown once; keep it", err=True)
    if not issued.has_reach:
        click.echo(
            f"{issued.agency} reaches no area yet: oneform agencies add {issued.agency} NAME --area CODE",
            err=True,
        )


@agencies.command()
@click.argument("key_id")
@pass_runtime
def revoke(session: CliSession, key_id: str) -> None:
    """Revoke a key, by its id (the part after ofk_)."""
    with session.context() as ctx:
        revoked = keys.revoke_key(ctx, key_id)
    session.result({"revoked": revoked}, text=f"key {revoked} revoked")
