"""SQLAlchemy URLs of sources: where they lead, and what may stand in them.

Only a few parameters are let through: others make drivers read local files, run
statements or connect elsewhere than the URL says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from oneform.kernel import egress
from oneform.kernel.errors import Mistake
from oneform.sources.connectors.base import Bounds

# Where the plain name of a database does not lead to the driver that is installed with oneform.
_DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
_PARAMETERS = frozenset(
    {"host", "port", "sslmode", "charset", "service_name", "driver", "encrypt"}
    | {"trustservercertificate"}
)
_VALUE = re.compile(r"[\w .()-]{1,100}")
_FILES = frozenset({"sqlite", "sqlite+pysqlite"})


@dataclass(frozen=True, slots=True)
class SqlUrl:
    """A parsed URL: a file, or hosts (`""` and paths stand for unix sockets)."""

    url: sa.URL
    file: str | None = None
    hosts: tuple[str, ...] = field(default=())

    @property
    def unix(self) -> bool:
        return any(_is_socket(host) for host in self.hosts)

    @property
    def destination(self) -> str:
        """To whom a password would be told."""
        return self.file or f"{self.url.drivername}://{','.join(self.hosts)}:{self.url.port}"


def read_url(text: str) -> SqlUrl:
    """ValueError with words that do not repeat the URL, since a password may be in it."""
    try:
        url = sa.make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError("is no URL of a database, such as postgresql://reader@host/name") from None
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    strange = sorted(name for name in url.query if name.lower() not in _PARAMETERS)
    if strange:
        raise ValueError(f"has parameters that are not allowed: {', '.join(strange)[:200]}")
    for name, values in url.normalized_query.items():
        if name.lower() != "host" and not all(_VALUE.fullmatch(value) for value in values):
            raise ValueError(f"has a value that is not allowed in the parameter {name}")
    if url.drivername in _FILES:
        return _file_url(url)
    return SqlUrl(url, hosts=_hosts(url))


def _file_url(url: sa.URL) -> SqlUrl:
    if url.host or url.query:
        raise ValueError("has more than a path: write sqlite:////folder/file.db")
    if not url.database or url.database.startswith(":") or url.database.startswith("file:"):
        raise ValueError("names no database file")
    return SqlUrl(url, file=url.database)


def _hosts(url: sa.URL) -> tuple[str, ...]:
    """Every host that the driver may connect to. libpq splits at commas, and takes several."""
    written = [url.host] if url.host else []
    for name, values in url.normalized_query.items():
        if name.lower() == "host":
            written += [
                value if _is_socket(value) else re.sub(r":[0-9]*$", "", value)
                for item in values
                for value in item.split(",")
            ]
    # Without any, drivers connect to this machine.
    return tuple(host for text in written for host in text.split(",")) or ("",)


def _is_socket(host: str) -> bool:
    return host == "" or host.startswith(("/", "@"))


def review_url(text: str, bounds: Bounds) -> list[Mistake]:
    """What is wrong with the setting `url`; asks no name server."""
    try:
        parsed = read_url(text)
        for host in parsed.hosts:
            if _is_socket(host):
                egress.check_unix(bounds.allow_hosts)
            else:
                egress.check_written(host, bounds.allow_hosts)
    except ValueError as error:
        return [Mistake("/url", "url", str(error))]
    except egress.EgressRefused as error:
        return [Mistake("/url", error.code, error.detail)]
    return []


def resolve(parsed: SqlUrl, bounds: Bounds) -> list[str]:
    """The checked addresses of all hosts; empty for files and unix sockets.

    EgressRefused, HostUnknown.
    """
    found: list[str] = []
    for host in parsed.hosts:
        if _is_socket(host):
            egress.check_unix(bounds.allow_hosts)
        else:
            found += egress.check_host(host, bounds.allow_hosts)
    return found
