"""The demo erases its folder at every start; it must never be another one."""

from __future__ import annotations

import csv
import datetime as dt
import sqlite3
from pathlib import Path

import pytest

from oneform.config import Settings, SettingsError
from oneform.demo.county import INVENTED, TOWNSHIP
from oneform.demo.folder import MARK, demo_settings, open_folder
from oneform.demo.stores import TABLE, write_stores
from oneform.demo.world import rehearsal_day


def test_a_folder_keeps_its_password(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "demo"
    password = open_folder(folder)
    assert len(password) >= 12
    (folder / "postgres").mkdir()
    assert open_folder(folder) == password
    assert open_folder(tmp_path / "other") != password
    assert (folder / MARK).stat().st_mode & 0o077 == 0


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    with pytest.raises(SettingsError, match="postgres"):
        open_folder(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["postgres"]


def test_a_mark_half_written_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / f".{MARK}x1").touch()
    password = open_folder(tmp_path)
    (tmp_path / MARK).write_text("{")
    assert open_folder(tmp_path) != password


def test_the_demo_keeps_to_itself(tmp_path: Path) -> None:
    users = Settings(
        home=tmp_path / "home",
        database_url="postgresql+psycopg://real",
        redis_url="redis://real",
        allow_hosts=("10.0.0.0/8",),
        allow_files=("/",),
        timezone="Asia/Urumqi",
    )
    own = demo_settings(users, tmp_path / "demo")
    assert own == Settings(home=tmp_path / "demo", timezone="Asia/Urumqi")


def test_stores_say_that_they_are_invented(tmp_path: Path) -> None:
    stores = write_stores(tmp_path, 2025)
    files = list(tmp_path.glob("*/*.csv"))
    assert len(files) == 2 * 12 - 1 + 2
    assert not (stores.statistics / f"{TOWNSHIP}-2025.csv").exists()
    for path in files:
        with path.open(encoding="utf-8-sig", newline="") as file:
            assert {row["说明"] for row in csv.DictReader(file)} == {INVENTED}, path
    with sqlite3.connect(stores.civil_affairs) as database:
        notes = database.execute(f"SELECT DISTINCT 说明 FROM {TABLE}").fetchall()
        assert notes == [(INVENTED,)]
        (about,) = database.execute("SELECT * FROM about").fetchone()
    database.close()
    assert INVENTED in about
    assert INVENTED in (tmp_path / "README.txt").read_text(encoding="utf-8")


def test_stores_are_written_anew_for_another_year(tmp_path: Path) -> None:
    write_stores(tmp_path, 2025)
    again = write_stores(tmp_path, 2026)
    years = {path.stem[-4:] for path in again.statistics.iterdir()}
    assert years == {"2025", "2026"}


@pytest.mark.parametrize(
    ("today", "pretends"),
    [("2025-12-31", True), ("2026-03-16", False), ("2028-01-10", False), ("2029-01-01", True)],
)
def test_outside_of_the_whitelists_term_another_day_is_pretended(
    today: str, pretends: bool
) -> None:
    day = rehearsal_day(dt.date.fromisoformat(today))
    assert (day is not None) == pretends
    assert day is None or rehearsal_day(day) is None
