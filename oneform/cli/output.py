"""What commands print: documents, and errors in words."""

from __future__ import annotations

import os
import sqlite3
import sys
import traceback
from typing import Any, NoReturn

import click
import orjson
import sqlalchemy as sa

from oneform.cli.supervisor import CannotStart
from oneform.config import SettingsError
from oneform.engines import EngineError
from oneform.kernel.db import DISK_FULL
from oneform.kernel.errors import DomainError
from oneform.runtime.database_errors import is_away, sqlstate_of

OTHER_SCHEMA = frozenset({"42P01", "42703"})
"""SQLSTATE of a table or column that is not there."""

NOT_PERMITTED = frozenset({"42501", "25006"})
"""Of a role without the right, and of a server that only reads."""


def print_document(data: Any) -> None:
    """One JSON document on standard output, in UTF-8 whatever the terminal's encoding is."""
    click.echo(orjson.dumps(data, default=str))


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """`1 field`, `2 fields`, `1 person`, `0 people`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def tell(error: Exception, *, as_json: bool) -> NoReturn:
    """Say what was wrong, on standard error, and end with status 1; never a stack trace."""
    lines = _words(error)
    if as_json and isinstance(error, DomainError):
        document = {
            "type": f"urn:oneform:problem:{error.code}",
            "title": error.title,
            "detail": error.detail,
            "errors": [mistake.as_dict() for mistake in error.mistakes],
            **error.data,
        }
        print_document(document)
    for line in lines:
        click.echo(" ".join(line.split()), err=True)
    _let_go_of_output()
    raise SystemExit(1)


def _let_go_of_output() -> None:
    """What could not be printed is not tried again at the end, where it fails with a trace."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _words(error: Exception) -> list[str]:
    match error:
        case DomainError():
            mistakes = [filter(None, (each.pointer, each.detail)) for each in error.mistakes]
            return [error.detail, *map(": ".join, mistakes)]
        case SettingsError() | EngineError():
            return [str(error)]
        case CannotStart():
            return [f"{error}; the log says more"]
        case sa.exc.SQLAlchemyError() if words := _of_database(error):
            return [words]
        case OSError():
            return [_of_file(error)]
        case sqlite3.OperationalError():  # of the demo's stores; it names no file
            return [f"a SQLite file in the data folder cannot be used: {error}"]
    if os.environ.get("ONEFORM_LOG_LEVEL") == "debug":
        return traceback.format_exception(error)
    return [
        f"unexpected {type(error).__name__}: {error}",
        "this is a fault in oneform; ONEFORM_LOG_LEVEL=debug shows where",
    ]


def _of_database(error: sa.exc.SQLAlchemyError) -> str | None:
    """What the operator can do something about; None for a fault of ours."""
    said = str(getattr(error, "orig", error))
    state = sqlstate_of(error)
    if state in OTHER_SCHEMA:
        return "the database has no tables of this version yet: run `oneform db upgrade`"
    if state in NOT_PERMITTED:
        return f"the database does not permit it: {said}"
    if state == DISK_FULL:
        return f"the database's disk is full: {said}"
    return f"the database does not answer: {said}" if is_away(error) else None


def _of_file(error: OSError) -> str:
    if not error.filename:
        return error.strerror or str(error)
    return f"{click.format_filename(error.filename)}: {error.strerror}"
