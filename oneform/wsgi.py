"""For WSGI servers: `gunicorn oneform.wsgi:app`, with the settings of the environment."""

from __future__ import annotations

import sys

from oneform.app import create_app
from oneform.config import SettingsError, load_settings
from oneform.runtime import Runtime


def _load() -> Runtime:
    settings = load_settings()
    if settings.database_url is None:
        raise SettingsError("ONEFORM_DATABASE_URL must be set; `oneform up` does it by itself")
    return Runtime(settings, application="oneform web")


try:
    app = create_app(_load())
except SettingsError as error:
    # One line for the operator instead of a stack trace out of the server.
    sys.exit(str(error))
