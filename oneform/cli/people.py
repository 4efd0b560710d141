"""`oneform people`: people with accounts."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import NoReturn

import click

from oneform.cli.base import CliSession, command_group, pass_runtime
from oneform.cli.output import counted
from oneform.identity import people as service
from oneform.identity.policy import Role
from oneform.identity.rosters import import_people
from oneform.kernel.errors import Invalid, Mistake

people = command_group("people", "People with accounts.")

ROLES = f"Role; repeatable. One of {', '.join(Role)}."

LONGEST_LINE = 4096
"""Bytes; far more than a password may have."""


def _password_from_stdin() -> str:
    """The first line of standard input, without its end. Invalid where it is no text."""
    if sys.stdin is None:
        return _no_password("there is no standard input to read it from")
    line = sys.stdin.buffer.readline(LONGEST_LINE)
    try:
        return line.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        return _no_password("is not UTF-8")


def _no_password(words: str) -> NoReturn:
    raise Invalid(
        "The password cannot be read.", mistakes=[Mistake("/password", "unreadable", words)]
    )


@people.command()
@click.argument("username")
@click.option("--role", "roles", multiple=True, required=True, help=ROLES)
@click.option("--area", required=True, metavar="CODE", help="Area that is the person's reach.")
@click.option("--agency", metavar="CODE", help="Agency that the person works for.")
@click.option("--name", default="", help="Name as it is shown; else the username.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@pass_runtime
def add(
    session: CliSession,
    username: str,
    roles: tuple[str, ...],
    area: str,
    agency: str | None,
    name: str,
    password_stdin: bool,
) -> None:
    """Add a person. Without a password nobody can log in until `people password` sets one."""
    command = service.AddPerson(
        username=username,
        roles=roles,
        area=area,
        agency=agency,
        name=name,
        password=_password_from_stdin() if password_stdin else None,
    )
    with session.context() as ctx:
        person = service.add_person(ctx, command)
    text = f"{person.username} added"
    if command.password is None:
        setting = f"oneform people password {person.username} --password-stdin"
        text += f", and cannot log in until `{setting}` sets a password"
    session.result(dataclasses.asdict(person), text=text)


@people.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@pass_runtime
def import_(session: CliSession, file: Path) -> None:
    """Import people from a CSV file: username,name,roles,area,agency,password."""
    with session.context() as ctx:
        counts = import_people(ctx, file)
    session.result(
        counts,
        text=f"{counted(counts['created'], 'person', 'people')} created, {counts['updated']} updated, "
        f"{counts['unchanged']} unchanged",
    )


@people.command()
@click.argument("username")
@pass_runtime
def disable(session: CliSession, username: str) -> None:
    """Close an account, and end its sessions, at once."""
    with session.context() as ctx:
        service.disable_person(ctx, username)
    session.result({"disabled": username}, text=f"{username} disabled")


@people.command()
@click.argument("username")
@click.option("--password-stdin", is_flag=True, required=True, help="Read it from standard input.")
@pass_runtime
def password(session: CliSession, username: str, password_stdin: bool) -> None:
    """Set a person's password, read from standard input; ends their sessions and lifts a lock."""
    assert password_stdin
    given = _password_from_stdin()
    with session.context() as ctx:
        service.set_password(ctx, username, given)
    session.result({"password": "set"}, text=f"password of {username} set")
