"""The real house under the machine: its world, who calls it over HTTP, its jobs one at a time.

Every run of the machine has a database of its own, copied from one in which the
world was made once. The department's store is a CSV file that the house reads
through a source of the kind `file`.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import factories
import flask
import sqlalchemy as sa
from factories import CITY, COUNTY, PROVINCE
from machine_fields import FIELDS
from werkzeug.test import TestResponse

from catalog import writing
from catalog.formats import resident_id_check_digit
from catalog.models import EndedAs
from catalog.stamp import record_change
from oneform.app import create_app
from oneform.areas.service import apply_changes
from oneform.audit.tags import Tag
from oneform.config import Settings
from oneform.identity.agencies import AddAgency, add_agency
from oneform.identity.keys import issue_key
from oneform.identity.models import Staff
from oneform.identity.people import AddPerson, add_person
from oneform.identity.policy import OPERATOR, ORDINARY_SCOPES, Scope
from oneform.identity.sessions import open_session
from oneform.kernel import locks
from oneform.kernel.actor import SYSTEM
from oneform.kernel.clock import FixedClock
from oneform.kernel.context import Context
from oneform.runtime import Runtime
from oneform.runtime.http import EXTENSION
from oneform.sources.service import add_source
from workers.maintenance import MaintenanceJob
from workers.perform import perform_with

BEGINNING = dt.datetime(2026, 3, 16, 1, tzinfo=dt.UTC)

PEOPLE = {
    "wang": ("staff", factories.VILLAGE),
    "zhao": ("staff", factories.VILLAGE),
    "chen": ("staff", factories.FAR_VILLAGE),
    "liu": ("staff", factories.FOREIGN_VILLAGE),
    "zhou": ("staff", factories.TOWNSHIP),
    "li": ("township_reviewer", factories.TOWNSHIP),
    "sun": ("township_reviewer", CITY),
    "qian": ("catalog_admin", PROVINCE),
    "tang": ("staff", CITY),
    "bao": ("supervisor", PROVINCE),
}
AGENCIES = {"stats": PROVINCE, "health": PROVINCE, "civil": COUNTY}
URGENT = "health"
"""The agency whose key may make urgent requests."""
RESIDENTS = (
    ("42010219500101271", factories.VILLAGE),
    ("42010319751125271", factories.FOREIGN_VILLAGE),
)
"""Identity numbers without their check digits, and where they live."""


@dataclass(frozen=True)
class Template:
    """The database that runs are copied from, and the keys of the agencies in it."""

    server: str
    name: str
    keys: dict[str, str]
    folder: Path

    def url(self, name: str) -> str:
        made = sa.make_url(self.server).set(database=name)
        return made.render_as_string(hide_password=False)

    def settings(self, name: str) -> Settings:
        return Settings(
            home=self.folder / "home",
            database_url=self.url(name),
            secret_key="k" * 40,
            rate_limit=1_000_000,
            allow_files=(str(self.folder),),
        )


@contextmanager
def made_template(server: str, empty: str, folder: Path) -> Iterator[Template]:
    """Make the world, for as long as this is open."""
    template = Template(server, f"machine_{uuid.uuid4().hex[:8]}", {}, folder)
    (folder / "store.csv").write_text("code,year,town.shared,town.people\n")
    with _copied(template, empty, template.name):
        runtime = Runtime(template.settings(template.name), clock=FixedClock(BEGINNING))
        with runtime.context(OPERATOR) as ctx:
            _make_world(ctx, template, runtime.settings)
        runtime.close()
        yield template


@contextmanager
def _copied(template: Template, source: str, name: str) -> Iterator[None]:
    admin = sa.create_engine(template.server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        # Copying files is several times faster here than writing them through the log.
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {source} STRATEGY file_copy")
    try:
        yield
    finally:
        with admin.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        admin.dispose()


def _make_world(ctx: Context, template: Template, settings: Settings) -> None:
    factories.make_county(ctx)
    for code, area in AGENCIES.items():
        add_agency(ctx, AddAgency(code=code, name=f"部门{code}", area=area))
        scopes = [*ORDINARY_SCOPES, *([Scope.REQUESTS_URGENT] if code == URGENT else [])]
        template.keys[code] = issue_key(ctx, code, [scope.value for scope in scopes]).key
    factories.make_fields(ctx, *FIELDS)
    for first17, area in RESIDENTS:
        key = first17 + resident_id_check_digit(first17)
        factories.make_residents(ctx, area, (key, f"居民{key[6:10]}"))
    for name, (role, area) in PEOPLE.items():
        add_person(ctx, AddPerson(username=name, roles=[role], area=area, name=name))
    add_source(
        ctx,
        {
            "code": "stats.store",
            "agency": "stats",
            "kind": "file",
            "settings": {"path": str(template.folder / "store.csv")},
            "keys": {"subject": "code", "period": {"column": "year"}},
            "fields": {"town.shared": "town.shared", "town.people": "town.people"},
            "areas": [COUNTY],
        },
        settings,
    )


class Died(Exception):
    """A worker's process has ended."""


@dataclass
class DyingRun:
    """A run of a job whose process dies before its n-th unit of work is opened."""

    runtime: Runtime
    lives: int

    def context(self) -> AbstractContextManager[Context]:
        if not self.lives:
            raise Died
        self.lives -= 1
        return self.runtime.context(SYSTEM)

    def last(self) -> AbstractContextManager[Context]:
        raise Died


class House:
    """One run's house: a database, a clock, an application."""

    app: flask.Flask | None = None

    def __init__(self, template: Template) -> None:
        self.template = template
        self.clock = FixedClock(BEGINNING)
        self.name = f"machine_{uuid.uuid4().hex[:12]}"
        self._copy = _copied(template, template.name, self.name)
        self._copy.__enter__()
        self.runtime = Runtime(template.settings(self.name), clock=self.clock)
        if House.app is None:
            House.app = create_app(self.runtime)
        # One application for all runs: making one costs more than a run.
        House.app.extensions[EXTENSION] = self.runtime
        self._client = House.app.test_client(use_cookies=False)
        self._tokens: dict[str, str] = {}

    def close(self) -> None:
        self.runtime.close()
        self._copy.__exit__(None, None, None)

    def operator(self) -> AbstractContextManager[Context]:
        return self.runtime.context(OPERATOR)

    def earliest_due(self) -> dt.date:
        """The third working day after today."""
        return self.runtime.calendar.add_working_days(self.clock.today(), 3).day

    # ---- over HTTP -------------------------------------------------------------

    def call(
        self, who: str, method: str, path: str, body: Any = None, *, key: str | None = None
    ) -> TestResponse:
        """One call by an agency or a person. A body of text is a file of JSON Lines."""
        headers = {"Authorization": f"Bearer {self._token(who)}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        given: dict[str, Any] = {"json": body} if body is not None else {}
        if isinstance(body, str):
            given = {"data": body, "content_type": "application/x-ndjson"}
        answer = self._client.open(f"/api/v1{path}", method=method, headers=headers, **given)
        assert answer.status_code < 500, answer.get_data(as_text=True)
        return answer

    def _token(self, who: str) -> str:
        if who in self.template.keys:
            return self.template.keys[who]
        if who not in self._tokens:
            with self.operator() as ctx:
                person = ctx.session.query(Staff).filter_by(username=who).one()
                self._tokens[who] = open_session(ctx, person).token
        return self._tokens[who]

    # ---- the operator ----------------------------------------------------------

    def pass_days(self, days: int) -> None:
        self.clock.advance(dt.timedelta(days=days))
        self._tokens.clear()

    def change_areas(self, line: str) -> None:
        header = "change,old_code,new_code,parent_code,level,name,on_date\n"
        with self.operator() as ctx:
            apply_changes(ctx, f"{header}{line},{self.clock.today()}\n".encode())

    def supersede_field(self, code: str, **members: Any) -> None:
        """A new version of a field from today on: as it was at first, but for what is given."""
        first = next(f for f in FIELDS if f["code"] == code)
        members["effective_from"] = self.clock.today().isoformat()
        with self.operator() as ctx:
            factories.make_fields(ctx, {**first, **members})

    def retire_field(self, code: str) -> None:
        with self.operator() as ctx:
            locks.take(ctx, locks.Space.CATALOG)
            version = ctx.sql(
                "SELECT v.id FROM field_version AS v JOIN field AS f ON f.id = v.field_id "
                "WHERE f.code = :code ORDER BY v.version DESC LIMIT 1",
                code=code,
            ).scalar_one()
            writing.end_versions(ctx, {version: ctx.today()}, EndedAs.RETIRED)
            record_change(ctx, Tag.CATALOG_IMPORTED, retired=code)

    def write_store(self, rows: list[tuple[str, int | None, int | None]]) -> None:
        """What the department knows of 2026: code of the area, shared, people."""
        lines = ["code,year,town.shared,town.people"]
        lines += [f"{code},2026,{_text(shared)},{_text(people)}" for code, shared, people in rows]
        (self.template.folder / "store.csv").write_text("\n".join(lines) + "\n")

    # ---- jobs ------------------------------------------------------------------

    def waiting(self) -> list[Any]:
        with self.operator() as ctx:
            return ctx.sql("SELECT id, job, args, lease FROM outbox ORDER BY id").all()

    def work(self, row_id: int, lease: int) -> None:
        """What a worker does with a row that was handed to it."""
        perform_with(self.runtime, row_id, lease)
        with self.operator() as ctx:
            error = ctx.sql("SELECT last_error FROM outbox WHERE id = :id", id=row_id).scalar()
        assert error is None, error

    def sweep(self, job: MaintenanceJob) -> None:
        """A sweep, and what it hands out, but for what was waiting before."""
        before = {row.id for row in self.waiting()}
        with self.operator() as ctx:
            ctx.outbox.enqueue(job, key=f"sweep:{job.value}")
        while rows := [row for row in self.waiting() if row.id not in before]:
            self.work(rows[0].id, rows[0].lease)


def _text(value: int | None) -> str:
    return "" if value is None else str(value)
