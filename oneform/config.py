"""Settings: environment variables `ONEFORM_…`, declared once, here.

`oneform settings` lists them; a test holds `docs/settings.md` to this table. A
value that cannot be right raises `SettingsError` with one line that says so.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import os
import pwd
import re
import secrets
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import sqlalchemy as sa
from psycopg.conninfo import make_conninfo

FOR_TESTS = "ONEFORM_TEST_"
"""Variables that begin so are of the test suite, and no settings."""


class SettingsError(ValueError):
    """One line: which setting, what is wrong with it."""


def _whole(minimum: int, maximum: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
            raise ValueError("must be a whole number")
        number = int(text)
        if not minimum <= number <= maximum:
            raise ValueError(f"must be from {minimum} to {maximum}")
        return number

    return parse


def _expanded(text: str) -> Path:
    """With `~` resolved. An empty HOME counts as none: it would make `~` the root of the disk."""
    if text.split("/", maxsplit=1)[0] == "~" and not os.environ.get("HOME", "~"):
        with contextlib.suppress(KeyError):
            return Path(pwd.getpwuid(os.getuid()).pw_dir, *text.split("/")[1:])
    return Path(text).expanduser()


def _folder(text: str) -> Path:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("must be the name of a folder in UTF-8") from None
    try:
        return _expanded(text).absolute()
    except RuntimeError:
        raise ValueError("is in the home of nobody on this machine") from None


def _folders(text: str) -> tuple[str, ...]:
    folders = tuple(str(_folder(part)) for part in _list(text))
    for folder in folders:
        if "," in folder:  # of the folder that a relative path begins in
            raise ValueError(f"{folder} has a comma in it")
    return folders


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return text

    return parse


def _day(text: str) -> dt.date:
    try:
        if re.fullmatch(r"(20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}", text):
            return dt.date.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError("must be a day such as 2026-11-22, from 2000 to 2199")


def _timezone(text: str) -> str:
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):  # a folder of zones
        raise ValueError("is no time zone that this machine knows") from None
    return text


def _database_url(text: str) -> str:
    if not text.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
        raise ValueError("must begin with postgresql://")
    url = "postgresql+psycopg://" + text.split("://", 1)[1]
    try:
        made = sa.make_url(url)
        _, arguments = made.get_dialect()().create_connect_args(made)
        make_conninfo(**arguments)
    except (sa.exc.ArgumentError, psycopg.ProgrammingError, ValueError, TypeError):
        raise ValueError("must look like postgresql://user@host:5432/name") from None
    return url


def _redis_url(text: str) -> str:
    if not text.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must begin with redis://, rediss:// or unix://")
    try:
        _ = urlsplit(text).port
    except ValueError:
        raise ValueError("must look like redis://host:6379/0") from None
    return text


def _secret(text: str) -> str:
    if len(text) < 32:
        raise ValueError("must have 32 characters or more")
    return text


def _rate(text: str) -> int:
    number, _, per = text.partition("/")
    if per not in ("", "s", "second"):
        raise ValueError("is a number of requests a second, such as 50")
    return _whole(1, 1_000_000)(number)


def _token(text: str) -> str:
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError("must be visible ASCII characters without blanks: it goes into a header")
    return text


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _hosts(text: str) -> tuple[str, ...]:
    hosts = _list(text)
    for host in hosts:
        if re.search(r"\s|://", host) or ("/" in host and not _is_network(host)):
            raise ValueError(f"{host} is no name of a host, no address and no network")
    return hosts


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _setting(
    help: str,
    default: Any,
    parse: Callable[[str], Any] = str,
    shown: str | None = None,
    *,
    secret: bool = False,
) -> Any:
    shown = str(default) if shown is None else shown
    return field(
        default=default,
        metadata={"help": help, "parse": parse, "shown": shown, "secret": secret},
    )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings, checked. Names are those of the variables, without `ONEFORM_`, in lower case."""

    home: Path = _setting(
        "Data folder: embedded databases, keys, logs, backups.",
        _expanded("~/.oneform"),
        _folder,
        shown="~/.oneform",
    )
    env: str = _setting(
        "`production` refuses rehearsal days and made-up keys.",
        "development",
        _one_of("development", "production"),
    )
    database_url: str | None = _setting(
        "PostgreSQL 15 or newer; unset: one is started in the data folder.",
        None,
        _database_url,
        shown="",
        secret=True,
    )
    redis_url: str | None = _setting(
        "Redis or Valkey; unset: one is started in the data folder.",
        None,
        _redis_url,
        shown="",
        secret=True,
    )
    secret_key: str | None = _setting(
        "Signs cookies and encrypts secrets; unset: made and kept in the data folder.",
        None,
        _secret,
        shown="",
        secret=True,
    )
    timezone: str = _setting("Decides what day it is.", "Asia/Shanghai", _timezone)
    today: dt.date | None = _setting(
        "The day, for rehearsals; moves only the day, never an instant.", None, _day, shown=""
    )
    calendar: str = _setting("Working-day calendar.", "cn", _one_of("cn", "weekdays"))
    rate_limit: int = _setting("Requests a second of one client.", 50, _rate)
    log_level: str = _setting(
        "How much is logged.", "info", _one_of("debug", "info", "warning", "error")
    )
    log_format: str = _setting(
        "`text` for people, `json` for machines.", "text", _one_of("text", "json")
    )
    web_threads: int = _setting("Threads of each web worker.", 8, _whole(1, 256))
    max_body_mb: int = _setting(
        "Largest body of a request, in MB (imports and workbooks: ten times as much).",
        10,
        _whole(1, 1000),
    )
    max_exports: int = _setting("Exports that one web worker streams at once.", 2, _whole(1, 64))
    metrics_token: str | None = _setting(
        "Bearer token for `/metrics`; unset: only from the machine itself.",
        None,
        _token,
        shown="",
        secret=True,
    )
    allow_hosts: tuple[str, ...] = _setting(
        "Private hosts or networks that sources and webhooks may call, by comma.",
        (),
        _hosts,
        shown="",
    )
    allow_files: tuple[str, ...] = _setting(
        "Folders below which file sources may read, by comma; unset: the data folder's `files`.",
        (),
        _folders,
        shown="",
    )

    @property
    def production(self) -> bool:
        return self.env == "production"


def variable(name: str) -> str:
    return f"ONEFORM_{name.upper()}"


def make_home(home: Path) -> None:
    """Make the data folder, closed to others, unless it is there. SettingsError where that cannot be."""
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingsError(
            f"{home}: {error.strerror}; name another data folder with --data-dir or ONEFORM_HOME"
        ) from None


def load_settings(environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Read and check the environment. `overrides` (command line) win. SettingsError on the first fault."""
    environ = os.environ if environ is None else environ
    given: dict[str, Any] = {}
    for setting in fields(Settings):
        text = environ.get(variable(setting.name), "").strip()
        if text:
            try:
                given[setting.name] = setting.metadata["parse"](text)
            except ValueError as error:
                # What is secret, or an address with a password in it, is not for the log.
                value = "" if setting.metadata["secret"] else f"={text!r}"
                raise SettingsError(
                    f"{variable(setting.name)}{value}: {error}".replace("\n", " ")
                ) from None
    known = {setting.name for setting in fields(Settings)}
    unknown = sorted(
        name
        for name in environ
        if name.startswith("ONEFORM_")
        and name[8:].lower() not in known
        and not name.startswith(FOR_TESTS)
    )
    if unknown:
        raise SettingsError(f"{', '.join(unknown)}: no such setting; see `oneform settings`")
    given.update({name: value for name, value in overrides.items() if value is not None})
    settings = Settings(**given)
    if settings.production and settings.today is not None:
        raise SettingsError("ONEFORM_TODAY: refused when ONEFORM_ENV=production")
    if settings.production and settings.secret_key is None:
        raise SettingsError("ONEFORM_SECRET_KEY: must be set when ONEFORM_ENV=production")
    return settings


def secret_key(settings: Settings) -> str:
    """The configured key, or the data folder's own, made at first use (mode 0600)."""
    if settings.secret_key is not None:
        return settings.secret_key
    path = settings.home / "secret_key"
    settings.home.mkdir(parents=True, exist_ok=True)
    fresh = secrets.token_urlsafe(48)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(fresh + "\n")
    return fresh
