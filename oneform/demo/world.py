"""Puts the demo into an installation whose tables are empty: county, whitelist, people, sources.

The sources are ordinary ones. Two are left for the story to fetch from; two are
read here: what the land survey says is held already, and last year's answers
stand beside this year's questions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from catalog import starter
from catalog.importing import import_bundle
from oneform.areas.service import import_areas
from oneform.demo.county import (
    ACCOUNTS,
    AGRICULTURE,
    AREAS_FILE,
    ASKING,
    CIVIL_AFFAIRS,
    CIVIL_AFFAIRS_COLUMNS,
    COUNTY,
    DEPARTMENTS,
    LAND,
    LAND_COLUMNS,
    LAST_YEAR_COLUMNS,
    LAST_YEAR_TITLE,
    STATISTICS,
    STATISTICS_COLUMNS,
    Column,
    Department,
)
from oneform.demo.stores import CODE, TABLE, YEAR, Stores, write_stores
from oneform.identity.agencies import AddAgency, add_agency
from oneform.identity.keys import issue_key
from oneform.identity.people import AddPerson, add_person
from oneform.identity.policy import OPERATOR
from oneform.kernel.context import Context
from oneform.runtime import Runtime
from oneform.sources.fetching import run_source
from oneform.sources.runs import start_run
from oneform.sources.service import change_source, put_source

FIRST_DAY, LAST_DAY = dt.date(2026, 1, 5), dt.date(2028, 11, 30)
"""When the fields of the starter catalogue that the story needs are in force."""

REHEARSAL_DAY = dt.date(2026, 3, 16)


@dataclass(frozen=True, slots=True)
class World:
    """What the story has to know of the installation."""

    today: dt.date
    keys: dict[str, str]
    """Of the departments that ask, by code."""
    password: str
    """Of all accounts."""

    @property
    def year(self) -> int:
        """The last year that is over: the one that everybody asks about."""
        return self.today.year - 1


def rehearsal_day(today: dt.date) -> dt.date | None:
    """The day to pretend, where the starter catalogue is not in force today."""
    return None if FIRST_DAY <= today <= LAST_DAY else REHEARSAL_DAY


def build_world(runtime: Runtime, password: str) -> World:
    """Fill an empty installation. The stores go into the data folder's `files`."""
    with runtime.context(OPERATOR) as ctx:
        world = World(ctx.today(), {}, password)
        stores = write_stores(runtime.settings.home / "files", world.year)
        import_bundle(ctx, starter.FOLDER)
        import_areas(ctx, AREAS_FILE)
        for department in DEPARTMENTS:
            command = AddAgency(code=department.code, name=department.name, area=COUNTY)
            add_agency(ctx, command)
        for department in ASKING:
            world.keys[department.code] = issue_key(ctx, department.code, name="demo").key
        _add_people(ctx, password)
        read_first = _put_sources(runtime, ctx, stores)
        runs = [start_run(ctx, code, now=True) for code in read_first]
    for run in runs:
        report = run_source(runtime, run.id, actor=OPERATOR)
        if report.error is not None or report.counts.refused:
            words = report.error or f"{report.counts.refused} values were refused"
            raise RuntimeError(f"the source {run.source} of the demo: {words}")
    with runtime.context(OPERATOR) as ctx:
        # They hold nothing else; switched off, nobody counts on them.
        for code in read_first:
            change_source(ctx, code, {"enabled": False}, runtime.settings)
    return world


def _add_people(ctx: Context, password: str) -> None:
    for account in ACCOUNTS:
        command = AddPerson(
            username=account.username,
            name=account.name,
            roles=[account.role],
            area=account.area,
            agency=account.agency,
            password=password,
        )
        add_person(ctx, command)


def _put_sources(runtime: Runtime, ctx: Context, stores: Stores) -> list[str]:
    """Make the sources; the codes of those that are to be read at once."""
    database = {"url": f"sqlite:///{stores.civil_affairs}", "table": TABLE}
    land = _source("land", LAND, LAND_COLUMNS, "file", {"path": str(stores.land)})
    forms = {"path": str(stores.last_year)}
    last_year = _source("forms", AGRICULTURE, LAST_YEAR_COLUMNS, "file", forms, LAST_YEAR_TITLE)
    statistics = {"path": str(stores.statistics)}
    definitions = [
        land,
        last_year,
        _source("statistics", STATISTICS, STATISTICS_COLUMNS, "file", statistics),
        _source("civil_affairs", CIVIL_AFFAIRS, CIVIL_AFFAIRS_COLUMNS, "sql", database),
    ]
    for definition in definitions:
        put_source(ctx, definition, runtime.settings)
    return [land["code"], last_year["code"]]


def _source(
    name: str,
    department: Department,
    columns: Sequence[Column],
    kind: str,
    settings: dict[str, Any],
    title: dict[str, str] | None = None,
) -> dict[str, Any]:
    """A definition as in a file. Its code stands beside every value that it brings; people read
    its title, or else the department's name."""
    return {
        "code": f"demo.invented.{name}",
        "name": title,
        "agency": department.code,
        "kind": kind,
        "settings": settings,
        "keys": {"subject": CODE, "period": YEAR},
        "fields": {each.field: each.heading for each in columns},
        "areas": [COUNTY],
    }
