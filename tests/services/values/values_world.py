"""A county with fields of two owners, and imports of values into it."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Callable
from typing import Any

from factories import (
    CARE,
    COUNTY,
    about_residents,
    field,
    make_agency,
    make_county,
    make_fields,
)

from oneform.identity.policy import OPERATOR, Principal
from oneform.kernel.actor import SYSTEM
from oneform.runtime import Runtime
from oneform.values.imports.ending import finish_import
from oneform.values.imports.rows import FileFormat
from oneform.values.imports.service import accept_import, get_import
from oneform.values.imports.views import ImportView
from oneform.values.imports.working import OpenUnit, on_one_connection, work_import

WAITING = """
SELECT count(*) FROM (
  SELECT b.import_id, unnest(b.rows) AS row FROM value_import_block AS b
  EXCEPT SELECT t.import_id, unnest(t.rows) FROM value_import_taken AS t) AS waiting
"""
TAKEN_TWICE = """
SELECT count(*) - count(DISTINCT (t.import_id, t.row))
FROM (SELECT import_id, unnest(rows) AS row FROM value_import_taken) AS t
"""
STANDING = {"period_type": "none", "valid_for": "P60D"}


class World:
    """The county, who pushes values into it, and what is held then."""

    def __init__(self, runtime: Runtime, stats: Principal, civil: Principal) -> None:
        self.runtime = runtime
        self.stats = stats
        """Owns the fields `pop.…` and reaches the whole province."""
        self.civil = civil
        """Owns the fields `aid.…` and reaches one county."""

    def accept(
        self,
        rows: str | list[dict[str, Any]],
        actor: Principal | None = None,
        *,
        dry_run: bool = False,
    ) -> uuid.UUID:
        """Hand in a file: CSV as text, JSON Lines as rows."""
        if isinstance(rows, str):
            data, format = rows, FileFormat.CSV
        else:
            data = "".join(json.dumps(row) + "\n" for row in rows)
            format = FileFormat.JSONL
        with self.runtime.context(actor or self.stats) as ctx:
            file = io.BytesIO(data.encode())
            return accept_import(ctx, file, format, dry_run=dry_run).id

    def work(
        self, import_id: uuid.UUID, wrap: Callable[[OpenUnit], OpenUnit] | None = None
    ) -> None:
        """What the job does. `wrap` stands between the work and its units."""
        with on_one_connection(self.runtime) as runtime:

            def open_unit() -> Any:
                return runtime.context(SYSTEM)

            work_import(wrap(open_unit) if wrap else open_unit, import_id)
        with self.runtime.context(SYSTEM) as ctx:
            finish_import(ctx, import_id)

    def take(
        self,
        rows: str | list[dict[str, Any]],
        actor: Principal | None = None,
        *,
        dry_run: bool = False,
    ) -> ImportView:
        """Hand in a file, have it worked on, and see what became of it."""
        import_id = self.accept(rows, actor, dry_run=dry_run)
        self.work(import_id)
        return self.view(import_id)

    def view(self, import_id: uuid.UUID) -> ImportView:
        with self.runtime.context(OPERATOR) as ctx:
            return get_import(ctx, import_id)

    def held(self) -> dict[tuple[str, str, str], Any]:
        """Values held, by field, key of the subject, period."""
        with self.runtime.context(OPERATOR) as ctx:
            rows = ctx.sql(
                "SELECT f.code, s.key, v.period, v.value FROM cell_value AS v "
                "JOIN field AS f ON f.id = v.field_id "
                "JOIN subject AS s ON s.region_id = v.region_id AND s.id = v.subject_id"
            )
            return {(row.code, row.key, row.period): row.value for row in rows}

    def waiting(self) -> int:
        """Rows of imports that are neither recorded nor refused."""
        assert self.scalar(TAKEN_TWICE) == 0
        return int(self.scalar(WAITING))

    def scalar(self, statement: str, **params: Any) -> Any:
        with self.runtime.context(OPERATOR) as ctx:
            return ctx.sql(statement, **params).scalar_one()


def make_world(runtime: Runtime) -> World:
    """Fields in force from 2026; today is 16 March 2026."""
    with runtime.context(OPERATOR) as ctx:
        make_county(ctx)
        stats = make_agency(ctx, "stats")
        civil = make_agency(ctx, "civil", COUNTY)
        text = {"type": "string", "maxLength": 20}
        code = {"type": "string", "code_list": CARE["code"]}
        percent = {"type": "number", "minimum": 0, "maximum": 100}
        make_fields(
            ctx,
            field("pop.total"),
            field("pop.rate", schema=percent, unit="%"),
            field("pop.monthly", period_type="month"),
            field("pop.note", schema=text, unit=None, **STANDING),
            field("pop.far", effective_from="2026-06-01"),
            field("aid.status", schema=code, unit=None, owner="civil"),
            about_residents("aid.age", owner="civil", **STANDING),
        )
    return World(runtime, stats, civil)
