"""Schema migrations (Alembic): `upgrade(url)` brings a database to the newest schema."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from oneform.config import SettingsError
from oneform.kernel.clock import DEFAULT_TIMEZONE

HERE = Path(__file__).parent

LOCK = 0x6F6E65666F726D
"""Advisory key: two machines that start at once migrate one after the other."""


def config(url: str, timezone: str = DEFAULT_TIMEZONE) -> Config:
    settings = Config()
    settings.set_main_option("timezone_of_days", timezone)
    settings.set_main_option("script_location", str(HERE))
    settings.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return settings


def upgrade(url: str, timezone: str = DEFAULT_TIMEZONE) -> None:
    """Bring the schema to the newest revision; nothing to do is fine.

    SettingsError where the database does not know the zone that decides what day it is.
    """
    command.upgrade(config(url, timezone), "head")


def check_timezone(connection: sa.Connection, timezone: str) -> None:
    """SettingsError for a zone that this machine knows and the database does not."""
    try:
        connection.execute(sa.text("SELECT now() AT TIME ZONE :zone"), {"zone": timezone})
    except sa.exc.DataError:
        raise SettingsError(
            f"ONEFORM_TIMEZONE={timezone!r}: is no time zone that the database knows"
        ) from None


def head() -> str:
    """The newest revision that this program knows."""
    revision = ScriptDirectory.from_config(config("")).get_current_head()
    assert revision is not None
    return revision


def is_known(revision: str) -> bool:
    """Whether this program knows a revision: not, when a newer one has made it."""
    script = ScriptDirectory.from_config(config(""))
    return revision in {found.revision for found in script.walk_revisions()}


def current(connection: sa.Connection) -> str | None:
    """The revision of a database; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()
