"""What every command shares: options, the session, and how errors are told.

A command is declared with `command_group(...)` and `@pass_runtime`; it opens
`session.context()`, calls a service, and ends with `session.result(...)`. No
rules of the domain are here, and no command either.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import click

from oneform import interrupting
from oneform.cli.output import print_document, tell
from oneform.config import Settings, SettingsError, load_settings
from oneform.engines import EngineUrls, find_engines
from oneform.identity.policy import OPERATOR
from oneform.kernel.context import Context
from oneform.runtime import Runtime

P = ParamSpec("P")
R = TypeVar("R")

_DATA_DIR = "oneform.data_dir"
_JSON = "oneform.json"
_SESSION = "oneform.session"

_NO_TEXT = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
"""Surrogates stand for bytes of another encoding."""


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
            if _is_closed(settings.home / "run"):
                raise SettingsError(
                    f"{settings.home} is closed to this user: use the account that runs `oneform up` "
                    "there, or set ONEFORM_DATABASE_URL"
                )
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
            print_document(data)
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


def _is_closed(folder: Path) -> bool:
    """Whether this user may not even look into it."""
    try:
        os.listdir(folder)
    except OSError as error:
        return isinstance(error, PermissionError)
    return False


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
        if isinstance(value, Path) and _NO_TEXT.search(str(value)):
            raise click.BadParameter("is no line of text in UTF-8.")
        if value not in (None, False):
            context.meta[key] = value
        return value

    return callback


HOME = "ONEFORM_HOME, else ~/.oneform"


def _common_options(home: str = HOME) -> list[click.Parameter]:
    return [
        click.Option(
            ["--data-dir"],
            type=click.Path(file_okay=False, path_type=Path, resolve_path=True),
            help=f"Data folder (else {home}).",
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

    home = HOME
    """The data folder where none is named, as its help tells it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(_common_options(self.home))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, args)
        for parameter in self.params:
            if not isinstance(parameter.type, click.Path):
                _check_words(ctx, parameter)
        return rest

    def invoke(self, ctx: click.Context) -> Any:
        interrupting.raise_from_here()
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except KeyboardInterrupt:
            click.echo("\nStopped.", err=True)
            raise SystemExit(interrupting.INTERRUPTED) from None
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            tell(error, as_json=bool(ctx.meta.get(_JSON)))


def _check_words(ctx: click.Context, parameter: click.Parameter) -> None:
    """BadParameter for what no name or code can be: bytes of another encoding, or nothing."""
    given = ctx.params.get(parameter.name or "")
    for word in given if isinstance(given, tuple) else (given,):
        if not isinstance(word, str):
            continue
        if _NO_TEXT.search(word):
            raise click.BadParameter("is no line of text in UTF-8.", ctx, parameter)
        if parameter.required and not word.strip():
            raise click.BadParameter("is empty.", ctx, parameter)


class Group(click.Group):
    """A group of such commands; the common options may stand before or after the command's name."""

    command_class = Command
    group_class = type

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(_common_options())


class Port(click.IntRange):
    """A port to listen on; what is none is called that."""

    name = "port"

    def __init__(self) -> None:
        super().__init__(1, 65535)


def command_group(name: str, help: str) -> Group:
    """A group for one module of commands: `areas = command_group("areas", "…")`."""
    return Group(name=name, help=help, context_settings={"help_option_names": ["-h", "--help"]})
