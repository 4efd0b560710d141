"""Every command of docs/first-form.md is run, and answers what the page says."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

from live_server import serving, working
from pages import follow

from oneform.config import Settings
from oneform.runtime import Runtime

TODAY = dt.date(2026, 3, 16)


def test_every_command_answers_as_the_page_says(database_url: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    settings = Settings(home=home, database_url=database_url, secret_key="k" * 40, today=TODAY)
    runtime = Runtime(settings)
    commands = Path(sys.executable).parent
    given = {
        "PATH": f"{commands}:/usr/local/bin:/usr/bin:/bin",
        "ONEFORM_HOME": str(home),
        "ONEFORM_DATABASE_URL": database_url,
        "ONEFORM_SECRET_KEY": "k" * 40,
        "ONEFORM_TODAY": TODAY.isoformat(),
    }
    try:
        with working(runtime), serving(runtime) as address:
            follow("first-form.md", tmp_path, given | {"API": f"{address}/api/v1"})
    finally:
        runtime.close()
