"""What each command refuses: how it is called rightly, and what it is told when it is not.

Every command of the program has its place in both tables (tests/architecture holds it).
`{dir}` is a folder with the files below; `{old}` is another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import click

from oneform.cli import main

COUNTY, VILLAGE = "420102000000", "420102001001"

AREAS = "code,parent_code,level,name\n"
CHANGES = "change,old_code,new_code,parent_code,level,name,on_date\n"

FILES = {
    "areas.csv": AREAS + "430000000000,,1,湖南省\n",
    "areas-wrong.csv": AREAS + "1,,9,\n430000000000,990000000000,2,湖南省\n",
    "changes.csv": CHANGES + f"rename,{VILLAGE},,,,新社区,2026-03-16\n",
    "changes-wrong.csv": CHANGES + "rename,999999999999,,,,新社区,2026-02-30\n",
    "subjects.csv": f"kind,key,name,area\nresident,420102196001010010,王桂兰,{VILLAGE}\n",
    "subjects-wrong.csv": "kind,key,name,area\nghost,1,无,1\nresident,1,无,1\n",
    "agencies.csv": f"code,name,area\ncivil,民政局,{COUNTY}\n",
    "agencies-wrong.csv": "code,name,area,parent\nb b,,1,nobody\n",
    "people.csv": f"username,roles,area\nli,staff,{VILLAGE}\n",
    "people-wrong.csv": "username,roles,area\nl i,king,1\n",
    "values.csv": f"field,subject,period,value\npop.total,{VILLAGE},2026,12\n",
    "values-wrong.csv": "field,subject,period,value\npop.total,1,2026-13,-1\npop.none,1,,\n",
    "bundle.yaml": "bundle: oneform-catalog/1\n",
    "bundle-wrong.yaml": "bundle: oneform-catalog/9\nfields: [{code: X}]\n",
    "source.yaml": """code: stats.villages
agency: stats
kind: file
settings: {path: villages.csv}
keys: {subject: code, period: 2025}
fields: {pop.total: total}
areas: ["420102000000"]
""",
    "source-wrong.yaml": "code: x y\nagency: nobody\nkind: fax\nareas: []\n",
    "no.backup": "PGDMP" * 400,
}

WELL = {
    "up": "",
    "demo": "--once",
    "db upgrade": "",
    "db backup": "{dir}/new.backup",
    "db restore": "{dir}/good.backup",
    "areas import": "{dir}/areas.csv",
    "areas changes": "{dir}/changes.csv",
    "areas export": "{dir}/new.csv",
    "subjects import": "{dir}/subjects.csv",
    "catalog import": "{dir}/bundle.yaml",
    "catalog export": "{dir}/new.yaml",
    "catalog check": "{dir}/bundle.yaml",
    "agencies import": "{dir}/agencies.csv",
    "agencies add": f"civil 民政局 --area {COUNTY}",
    "agencies key": "stats",
    "agencies revoke": "abcdefghjkmn",
    "people add": f"li --role staff --area {COUNTY}",
    "people import": "{dir}/people.csv",
    "people disable": "wang",
    "people password": "wang --password-stdin",
    "sources add": "{dir}/source.yaml",
    "sources probe": "stats.villages",
    "sources run": "stats.villages",
    "values import": "{dir}/values.csv",
    "settings": "",
}
"""Each command, called rightly."""


@dataclass(frozen=True)
class Refused:
    """One call, what is said on standard error, and the problem's name with `--json`."""

    command: str
    arguments: str
    words: tuple[str, ...]
    problem: str | None = None
    typed: bytes = b""
    environment: dict[str, str] = field(default_factory=dict)


NO_DATABASE = {"ONEFORM_DATABASE_URL": ""}

REFUSED = [
    Refused("up", "--host ''", ("cannot listen on",)),
    Refused("up", f"--host {'a' * 70}", ("no name of a host",)),
    Refused("up", "--data-dir {dir}/areas.csv/x", ("areas.csv/x: Not a directory",)),
    Refused("demo", "--data-dir {dir}", ("holds something else", "--data-dir")),
    Refused("demo", "--data-dir {dir}/areas.csv/x", ("areas.csv/x: Not a directory",)),
    Refused("db upgrade", "", ("Not a directory",), environment={**NO_DATABASE, "ONEFORM_HOME": "{dir}/areas.csv/x"}),
    Refused("db backup", "{dir}/absent/x.backup", ("absent/x.backup: No such file",)),
    Refused("db backup", "{dir}/" + "x" * 300, ("File name too long",)),
    Refused("db restore", "{dir}/no.backup", ("is no backup of oneform",), "bad-backup"),
    Refused("areas import", "{dir}/areas-wrong.csv", ("line 2", "line 3"), "invalid"),
    Refused("areas changes", "{dir}/changes-wrong.csv", ("line 2",), "invalid"),
    Refused("areas export", "{dir}/absent/x.csv", ("absent/x.csv: No such file",)),
    Refused("areas export", "/dev/full", ("No space left on device",)),
    Refused("subjects import", "{dir}/subjects-wrong.csv", ("line 2", "line 3"), "invalid"),
    Refused("catalog import", "{dir}/bundle-wrong.yaml", ("line 1",), "invalid-bundle"),
    Refused("catalog import", "{dir}/folder", ("holds no YAML or JSON file",), "invalid-bundle"),
    Refused("catalog check", "{dir}/bundle-wrong.yaml", ("line 1",), "invalid-bundle"),
    Refused("catalog export", "{dir}/absent/x.yaml", ("absent/x.yaml: No such file",)),
    Refused("agencies import", "{dir}/agencies-wrong.csv", ("line 2",), "invalid"),
    Refused("agencies add", "'b b' 民政局 --area 1 --parent nobody", ("/code: ", "/area: ", "/parent: "), "invalid"),
    Refused("agencies add", f"stats 统计局 --area {COUNTY}", ("There is an agency stats already.",), "already-there"),
    Refused("agencies key", "nobody", ("There is no agency nobody.",), "not-found"),
    Refused("agencies key", "stats --scope king --expires 2020-01-01", ("/scopes: ", "/expires: "), "invalid"),
    Refused("agencies key", "stats --expires 9999-12-31", ("/expires: leave it out",), "invalid"),
    Refused("agencies revoke", "nothing", ("There is no key nothing.",), "not-found"),
    Refused("people add", "'l i' --role king --area 1 --agency nobody", ("/username: ", "/roles: ", "/area: ", "/agency: "), "invalid"),
    Refused("people add", f"wang --role staff --area {COUNTY}", ("There is a person wang already.",), "already-there"),
    Refused("people add", f"li --role staff --area {COUNTY} --password-stdin", ("/password: is not UTF-8",), "invalid", typed=b"\xd6\xd0\xb9\xfa\xd6\xd0\xb9\xfa\n"),
    Refused("people import", "{dir}/people-wrong.csv", ("line 2",), "invalid"),
    Refused("people disable", "nobody", ("There is no person nobody.",), "not-found"),
    Refused("people password", "nobody --password-stdin", ("There is no person nobody.",), "not-found", typed=b"correct horse\n"),
    Refused("people password", "wang --password-stdin", ("/password: must have 8",), "invalid", typed=b"\n"),
    Refused("sources add", "{dir}/source-wrong.yaml", ("source-wrong.yaml, line 1, /code", "line 2, /agency"), "invalid"),
    Refused("sources probe", "nobody", ("There is no source nobody",), "not-found"),
    Refused("sources probe", "stats.lost", ("There is no file",), "source-failed"),
    Refused("sources run", "nobody", ("There is no source nobody",), "not-found"),
    Refused("values import", "{dir}/values-wrong.csv", ("line 2, ", "line 3, ")),
    Refused("values import", "{dir}/areas.csv", ("line 1: there is no column subject",), "invalid"),
    Refused("settings", "", ("ONEFORM_PORT: no such setting",), environment={"ONEFORM_PORT": "1"}),
]  # fmt: skip
"""Inputs that end with status 1. Wrong usage, a server that is away and a wrong setting are tried
of every command without being listed."""


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command of the program by its words."""
    yield from _below("", main)


def _below(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield name, command
        return
    context = click.Context(command)
    for word in command.list_commands(context):
        child = command.get_command(context, word)
        assert child is not None
        yield from _below(f"{name} {word}".strip(), child)
