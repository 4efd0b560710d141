"""Connector `sql`: a table or view of any database that SQLAlchemy has a dialect for.

Settings: `url` (a password in it is taken out and sealed), `table` (`name` or
`schema.name`), `schema`, `password` (name of a secret). A query is no setting:
what a table does not say can be said by a view in the department's database.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.exc import NoSuchTableError, ProgrammingError

from oneform.kernel.errors import Mistake
from oneform.sources.connectors import sql_session
from oneform.sources.connectors.base import (
    PROBE_ROWS,
    Batch,
    Bounds,
    FetchQuery,
    ProbeResult,
    refuse_absent,
)
from oneform.sources.connectors.sql_url import read_url, review_url
from oneform.sources.errors import SourceError

CODES_PER_QUERY = 500
"""Oracle takes a thousand items in an IN list, and none likes a long one."""

_UNDEFINED = frozenset({"42P01", "3F000"})
"""SQLSTATEs: no such table, no such schema."""

_TYPES: dict[Any, sa.types.TypeEngine[Any]] = {
    **dict.fromkeys((20, 21, 23), sa.BigInteger()),
    1700: sa.Numeric(),
    **dict.fromkeys((25, 1042, 1043), sa.String()),
    1082: sa.Date(),
    **dict.fromkeys((1114, 1184), sa.DateTime()),
}
"""PostgreSQL's numbers of the types by which rows are chosen."""

Statement = sa.Select[*tuple[Any, ...]]
Columns = dict[str, sa.types.TypeEngine[Any]]


class SqlConnector:
    settings_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["url", "table"],
        "properties": {
            "url": {"type": "string", "minLength": 1, "maxLength": 2000},
            "table": {"type": "string", "minLength": 1, "maxLength": 200},
            "schema": {"type": "string", "minLength": 1, "maxLength": 100},
            "password": {"type": "string", "minLength": 1, "maxLength": 100},
        },
    }

    def __init__(
        self, settings: Mapping[str, Any], secrets: Mapping[str, str], bounds: Bounds
    ) -> None:
        self._settings = settings
        self._secrets = secrets
        self._bounds = bounds

    @classmethod
    def hide(cls, settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        shown = dict(settings)
        try:
            url = sa.make_url(shown["url"])
        except sa.exc.ArgumentError:
            return shown, {}
        if url.password is None:
            return shown, {}
        name = shown.setdefault("password", "password")
        bare = sa.URL.create(
            url.drivername, url.username, None, url.host, url.port, url.database, url.query
        )
        shown["url"] = bare.render_as_string(hide_password=False)
        return shown, {name: str(url.password)}

    @classmethod
    def review(cls, settings: Mapping[str, Any], bounds: Bounds) -> list[Mistake]:
        return review_url(settings["url"], bounds)

    @classmethod
    def secret_names(cls, settings: Mapping[str, Any]) -> dict[str, str]:
        return {settings["password"]: "/password"} if "password" in settings else {}

    @classmethod
    def destination(cls, settings: Mapping[str, Any]) -> str:
        return read_url(settings["url"]).destination

    def probe(self) -> ProbeResult:
        columns: list[str] = []
        try:
            with self._connected() as connection:
                columns = list(self.columns_of(connection))
                statement = sa.select(sa.literal(1)).select_from(self._table).limit(PROBE_ROWS)
                with sql_session.hung_up_after(connection, self._bounds.timeout_s):
                    count = len(connection.execute(statement).all())
        except SourceError as error:
            return ProbeResult(ok=False, detail=error.detail, columns=columns)
        return ProbeResult(
            ok=True,
            detail=f"{self._table.fullname} can be read.",
            columns=columns,
            sample_count=count,
        )

    def fetch(self, query: FetchQuery) -> Generator[Batch, None, None]:
        with self._connected() as connection:
            present = self.columns_of(connection)
            named = (query.area_column, query.period_column)
            refuse_absent([*query.columns, *(name for name in named if name)], present)
            for statement in self.statements(query, present):
                yield from self._stream(connection, statement, query.batch_rows)

    def _connected(self) -> AbstractContextManager[sa.Connection]:
        parsed = read_url(self._settings["url"])
        password = self._secrets.get(self._settings.get("password", ""))
        return sql_session.connect(parsed, password, self._bounds)

    @property
    def _table(self) -> sa.TableClause:
        name, schema = self._settings["table"], self._settings.get("schema")
        if schema is None and "." in name:
            schema, _, name = name.partition(".")
        return sa.table(name, schema=schema)

    def columns_of(self, connection: sa.Connection) -> Columns:
        """Columns of the table by name; SourceError where there is no such table for this reader."""
        with sql_session.hung_up_after(connection, self._bounds.timeout_s):
            if connection.dialect.name == "postgresql":
                return self._described(connection)
            try:
                found = sa.inspect(connection).get_columns(
                    self._table.name, schema=self._table.schema
                )
            except NoSuchTableError:
                raise self._absent() from None
        if not found:
            raise self._absent()
        return {column["name"]: column["type"] for column in found}

    def _described(self, connection: sa.Connection) -> Columns:
        """As PostgreSQL describes an empty result: much quicker than its catalogue tells it."""
        anything: sa.ColumnClause[Any] = sa.literal_column("*")
        try:
            result = connection.execute(sa.select(anything).select_from(self._table).limit(0))
        except ProgrammingError as error:
            if getattr(error.orig, "sqlstate", None) in _UNDEFINED:
                raise self._absent() from None
            raise
        assert result.cursor is not None
        return {
            column[0]: _TYPES.get(column[1], sa.types.NullType())
            for column in result.cursor.description
        }

    def _absent(self) -> SourceError:
        return SourceError(f"There is no table or view {self._table.fullname} that can be read.")

    def statements(self, query: FetchQuery, present: Columns) -> Iterator[Statement]:
        """One statement, or several where the list of areas is long."""
        # Columns without a type: values come as the driver has them.
        statement: Statement = sa.select(*(sa.column(name) for name in query.columns)).select_from(
            self._table
        )
        if query.period_column is not None and query.year is not None:
            within = _within_year(query.period_column, present[query.period_column], query.year)
            if within is not None:
                statement = statement.where(within)
        if query.area_column is None or query.area_codes is None:
            yield statement
            return
        codes = _as_stored(query.area_codes, present[query.area_column])
        if codes is None:
            yield statement
            return
        column: sa.ColumnClause[Any] = sa.column(query.area_column)
        for start in range(0, len(codes), CODES_PER_QUERY):
            some = codes[start : start + CODES_PER_QUERY]
            # Written into the statement, since drivers would give parameters a type, and an
            # index on a column of another (char, numeric) would not be used.
            items: sa.BindParameter[Any] = sa.bindparam(
                "codes", some, expanding=True, literal_execute=True
            )
            yield statement.where(column.in_(items))

    def _stream(
        self, connection: sa.Connection, statement: Statement, batch_rows: int
    ) -> Iterator[Batch]:
        limit = self._bounds.timeout_s
        streaming = connection.execution_options(stream_results=True, max_row_buffer=batch_rows)
        with sql_session.hung_up_after(connection, limit):
            result = streaming.execute(statement)
        with result:
            while True:
                with sql_session.hung_up_after(connection, limit):
                    rows = result.fetchmany(batch_rows)
                if not rows:
                    return
                yield rows


def _as_stored(codes: frozenset[str], type_: sa.types.TypeEngine[Any]) -> list[Any] | None:
    """Codes as the column holds them; None where that cannot be told, and nothing is filtered."""
    if isinstance(type_, sa.Integer | sa.Numeric):
        return sorted(int(code) for code in codes if code.isdecimal())
    if isinstance(type_, sa.String):
        return sorted(codes)
    return None


def _within_year(
    name: str, type_: sa.types.TypeEngine[Any], year: int
) -> sa.ColumnElement[bool] | None:
    column: sa.ColumnClause[Any] = sa.column(name)
    if isinstance(type_, sa.Integer | sa.Numeric):
        # 2025, 202511 and 20251122 are all ways to write one.
        return sa.or_(*(column.between(year * 10**n, (year + 1) * 10**n - 1) for n in (0, 2, 4)))
    if isinstance(type_, sa.String):
        return column.like(f"{year:04d}%")
    if isinstance(type_, sa.Date | sa.DateTime):
        dated = sa.column(name, type_)
        of = dt.date if isinstance(type_, sa.Date) else dt.datetime
        return sa.and_(dated >= of(year, 1, 1), dated < of(year + 1, 1, 1))
    return None
