"""The departments' stores: files below one folder, which is all that the demo's sources may read.

    statistics/420527101000-2025.csv …   one file for each township and year; one is missing
    civil_affairs.db                     a SQL database (SQLite) with the table village_care
    land/land-2025.csv                   taken in before the story: what is held already
    last_year/forms-2024.csv             last year's answers, taken in before the story

Each file and table says that it is invented. A file appears whole or not at all.
"""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oneform.demo.county import (
    CIVIL_AFFAIRS_COLUMNS,
    COUNTY_NAME,
    INVENTED,
    LAND_COLUMNS,
    LAST_YEAR_COLUMNS,
    STATISTICS_COLUMNS,
    TOWNSHIP,
    Column,
    Place,
    villages,
)
from oneform.demo.figures import Figures, figures_of

CODE, NAME, YEAR, NOTE = "区划代码", "名称", "年份", "说明"
TABLE = "village_care"

_ABOUT = f"""{INVENTED}

These are the stores of two departments of {COUNTY_NAME} in the demo of oneform. The places are
real; every figure is invented by a generator and says nothing about them.

这里是 oneform 演示用的部门数据。地名属实，数字全部由程序虚构，与当地实际情况无关。
"""


@dataclass(frozen=True, slots=True)
class Stores:
    """Where the stores are."""

    folder: Path

    @property
    def statistics(self) -> Path:
        return self.folder / "statistics"

    @property
    def civil_affairs(self) -> Path:
        return self.folder / "civil_affairs.db"

    @property
    def land(self) -> Path:
        return self.folder / "land"

    @property
    def last_year(self) -> Path:
        return self.folder / "last_year"


def write_stores(folder: Path, year: int) -> Stores:
    """Write all stores for a year and the one before it; what was there is replaced."""
    stores = Stores(folder)
    for each in (folder, stores.statistics, stores.land, stores.last_year):
        each.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*/*.csv"):
        old.unlink()
    _write(folder / "README.txt", _ABOUT)
    places = villages()
    for township in sorted({place.township for place in places}):
        own = [place for place in places if place.township == township]
        for each_year in (year - 1, year):
            if (township, each_year) == (TOWNSHIP, year):
                continue  # not delivered yet: what it would say has to be asked
            path = stores.statistics / f"{township}-{each_year}.csv"
            _write_csv(path, STATISTICS_COLUMNS, _rows(own, [each_year]))
    _write_csv(stores.land / f"land-{year}.csv", LAND_COLUMNS, _rows(places, [year]))
    forms = stores.last_year / f"forms-{year - 1}.csv"
    _write_csv(forms, LAST_YEAR_COLUMNS, _rows(places, [year - 1]))
    _write_database(stores.civil_affairs, _rows(places, [year - 1, year]))
    return stores


Row = tuple[Place, int, Figures]


def _rows(places: Iterable[Place], years: Sequence[int]) -> Iterator[Row]:
    for place in places:
        for year in years:
            yield place, year, figures_of(place.code, year, is_community=place.is_community)


def _cells(row: Row, columns: Sequence[Column]) -> list[Any]:
    place, year, figures = row
    return [place.code, place.name, year, *(figures[each.field] for each in columns), INVENTED]


def _headings(columns: Sequence[Column]) -> list[str]:
    return [CODE, NAME, YEAR, *(each.heading for each in columns), NOTE]


def _write_csv(path: Path, columns: Sequence[Column], rows: Iterable[Row]) -> None:
    made = path.with_name(f".{path.name}")
    # With a mark at its start, as Excel writes it: departments' files come so.
    with made.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_headings(columns))
        writer.writerows(_cells(row, columns) for row in rows)
    made.replace(path)


def _write_database(path: Path, rows: Iterable[Row]) -> None:
    made = path.with_name(f".{path.name}")
    made.unlink(missing_ok=True)
    headings = _headings(CIVIL_AFFAIRS_COLUMNS)
    with closing(sqlite3.connect(made)) as connection, connection:
        connection.execute(f"CREATE TABLE about ({NOTE} TEXT)")
        connection.execute("INSERT INTO about VALUES (?)", [_ABOUT])
        types = ["TEXT", "TEXT", *["INTEGER"] * (len(headings) - 3), f"TEXT DEFAULT '{INVENTED}'"]
        members = ", ".join(map(" ".join, zip(headings, types, strict=True)))
        connection.execute(f"CREATE TABLE {TABLE} ({members}, PRIMARY KEY ({CODE}, {YEAR}))")
        marks = ", ".join("?" * len(headings))
        connection.executemany(
            f"INSERT INTO {TABLE} VALUES ({marks})",
            (_cells(row, CIVIL_AFFAIRS_COLUMNS) for row in rows),
        )
    made.replace(path)


def _write(path: Path, text: str) -> None:
    made = path.with_name(f".{path.name}")
    made.write_text(text, encoding="utf-8")
    made.replace(path)
