"""The command line, for operators: `oneform …`.

One module for each group of commands, found through the table below and
imported only when it is used. Shared machinery is in `base`.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import click

from oneform import __version__
from oneform.cli.base import Group

COMMANDS = {
    "up": "oneform.cli.up:up",
    "demo": "oneform.cli.demo:demo",
    "db": "oneform.cli.db:db",
    "areas": "oneform.cli.areas:areas",
    "subjects": "oneform.cli.subjects:subjects",
    "catalog": "oneform.cli.catalog:catalog",
    "agencies": "oneform.cli.agencies:agencies",
    "people": "oneform.cli.people:people",
    "sources": "oneform.cli.sources:sources",
    "values": "oneform.cli.values:values",
    "settings": "oneform.cli.settings:settings",
}
"""Name of each command to `module:attribute`."""


class LazyGroup(Group):
    """Imports a command's module when the command is used, so that `--help` stays quick."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return [
            name
            for name, place in COMMANDS.items()
            if importlib.util.find_spec(place.partition(":")[0]) is not None
        ]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        found: Any = getattr(importlib.import_module(module), attribute)
        assert isinstance(found, click.Command)
        return found


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="oneform")
def main() -> None:
    """oneform (一表通): ask the grassroots once, and only for what is not known."""
