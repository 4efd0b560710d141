"""What every command shares: options, the session, and how errors are told.

A command is declared with `command_group(...)` and `@pass_runtime`; it opens
`session.context()`, calls a service, and ends with `session.result(...)`. No
rules of the domain are here, and no command either.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, NoReturn, ParamSpec, TypeVar

import click
import orjson
import sqlalchemy as sa

from oneform.config import Settings, SettingsError, load_settings
from oneform.engines import EngineError, EngineUrls, find_engines
from oneform.identity.policy import OPERATOR
from oneform.kernel.context import Context
from oneform.kernel.errors import DomainError
from oneform.runtime import Runtime

P = ParamSpec("P")
R = TypeVar("R")

_DATA_DIR = "oneform.data_dir"
_JSON = "oneform.json"
_SESSION = "oneform.session"


class CliSession:
    """What one command works with. Nothing is opened before it is asked for."""

    def __init__(self, *, data_dir: Path | None = None, as_json: bool = False) -> None:
        self._data_dir = data_dir
        self.as_json = as_json

    @functools.cached_property
    def settings(self) -> Settings:
        """The environment's settings, with `--data-dir`; SettingsError."""
        return load_settings(home=self._data_dir)

    @functools.cached_property
    def runtime(self) -> Runtime:
        """On the configured servers, or those that `oneform up` runs in the data folder."""
        settings = self.settings
        if settings.database_url is None or settings.redis_url is None:
            running = find_engines(settings.home) or EngineUrls(None, None)
            settings = dataclasses.replace(
                settings,
                database_url=settings.database_url or running.database_url,
                redis_url=settings.redis_url or running.redis_url,
            )
        if settings.database_url is None:
            raise SettingsError(
                f"no server is running in {settings.home}: start `oneform up`, name the folder "
                "with --data-dir, or set ONEFORM_DATABASE_URL"
            )
        return Runtime(settings, application="oneform cli")

    @contextmanager
    def context(self) -> Iterator[Context]:
        """One unit of work as the operator, committed at its end."""
        with self.runtime.context(OPERATOR) as ctx:
            yield ctx

    def result(self, data: Any, *, text: str | None = None) -> None:
        """Print what came out: `data` as one JSON document with `--json`, else `text`.

        Without `text`, the members of `data` are listed. Dates, UUIDs and dataclasses may be in it.
        """
        if self.as_json:
            click.echo(orjson.dumps(data, default=str).decode())
        elif text is not None:
            click.echo(text)
        elif isinstance(data, dict):
            for name, value in data.items():
                click.echo(f"{name.replace('_', ' ')}: {value}")
        else:
            click.echo(str(data))

    def note(self, words: str) -> None:
        """Tell a person at a terminal how far the work is; scripts see nothing of it."""
        if sys.stderr.isatty():
            click.echo(words, err=True)

    def close(self) -> None:
        if "runtime" in self.__dict__:
            self.runtime.close()


def current_session() -> CliSession:
    """The running command's session."""
    context = click.get_current_context()
    if _SESSION not in context.meta:
        session = CliSession(
            data_dir=context.meta.get(_DATA_DIR), as_json=bool(context.meta.get(_JSON))
        )
        context.meta[_SESSION] = session
        context.find_root().call_on_close(session.close)
    found = context.meta[_SESSION]
    assert isinstance(found, CliSession)
    return found


def pass_runtime(command: Callable[Concatenate[CliSession, P], R]) -> Callable[P, R]:
    """Give the command its `CliSession` as the first argument."""

    @functools.wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        return command(current_session(), *args, **kwargs)

    return wrapper


def _keep(key: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    def callback(context: click.Context, _parameter: click.Parameter, value: Any) -> Any:
        if value not in (None, False):
            context.meta[key] = value
        return value

    return callback


def _common_options() -> list[click.Parameter]:
    return [
        click.Option(
            ["--data-dir"],
            type=click.Path(file_okay=False, path_type=Path, resolve_path=True),
            help="Data folder (else ONEFORM_HOME, else ~/.oneform).",
            expose_value=False,
            callback=_keep(_DATA_DIR),
        ),
        click.Option(
            ["--json", "as_json"],
            is_flag=True,
            help="Print one JSON document.",
            expose_value=False,
            callback=_keep(_JSON),
        ),
    ]


class Command(click.Command):
    """A command with `--data-dir` and `--json`, whose errors are told in words."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(_common_options())

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            _tell(error, as_json=bool(ctx.meta.get(_JSON)))


class Group(click.Group):
    """A group of such commands; the common options may stand before or after the command's name."""

    command_class = Command
    group_class = type

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(_common_options())


def command_group(name: str, help: str) -> Group:
    """A group for one module of commands: `areas = command_group("areas", "…")`."""
    return Group(name=name, help=help, context_settings={"help_option_names": ["-h", "--help"]})


def _tell(error: Exception, *, as_json: bool) -> NoReturn:
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
        click.echo(orjson.dumps(document, default=str).decode())
    for line in lines:
        click.echo(" ".join(line.split()), err=True)
    raise SystemExit(1)


def _words(error: Exception) -> list[str]:
    match error:
        case DomainError():
            return [
                error.detail,
                *(f"{mistake.pointer}: {mistake.detail}" for mistake in error.mistakes),
            ]
        case SettingsError() | EngineError():
            return [str(error)]
        case sa.exc.OperationalError():
            return [f"the database does not answer: {error.orig}"]
        case sa.exc.ProgrammingError() if getattr(error.orig, "sqlstate", "") == "42P01":
            return ["the database has no tables of this version yet: run `oneform db upgrade`"]
        case OSError():
            return [f"{error.filename}: {error.strerror}" if error.filename else str(error)]
    if os.environ.get("ONEFORM_LOG_LEVEL") == "debug":
        return traceback.format_exception(error)
    return [
        f"unexpected {type(error).__name__}: {error}",
        "this is a fault in oneform; ONEFORM_LOG_LEVEL=debug shows where",
    ]
