"""`oneform settings`: every setting, its default, what it is now."""

from __future__ import annotations

import dataclasses

import click

from oneform.cli.base import CliSession, Command, pass_runtime
from oneform.config import Settings, variable


@click.command("settings", cls=Command)
@pass_runtime
def settings(session: CliSession) -> None:
    """List the settings (environment variables) with their defaults."""
    present = session.settings
    rows = []
    for setting in dataclasses.fields(Settings):
        value = getattr(present, setting.name)
        if isinstance(value, tuple):
            value = ",".join(value)
        if setting.metadata["secret"] and value is not None:
            value = "(set)"
        rows.append(
            {
                "name": variable(setting.name),
                "default": setting.metadata["shown"],
                "value": None if value is None else str(value),
                "help": setting.metadata["help"],
            }
        )
    words = "\n".join(
        f"{row['name']}={row['value'] or ''}\n    {row['help']} Default: {row['default'] or 'unset'}"
        for row in rows
    )
    session.result({"settings": rows}, text=words)
