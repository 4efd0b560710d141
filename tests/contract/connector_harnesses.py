"""One harness for each connector: puts the same data into a real store of its kind."""

from __future__ import annotations

import csv
import datetime as dt
import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from oneform.sources.connectors.base import Bounds, Connector
from oneform.sources.connectors.file import FileConnector
from oneform.sources.connectors.sql import SqlConnector

COLUMNS = {
    "area": "varchar(12)",
    "year": "integer",
    "total": "integer",
    "rate": "numeric(6,2)",
    "surveyed": "date",
    "grade": "char(2)",
    "note": "text",
}
ROWS: list[tuple[Any, ...]] = [
    ("420102001001", 2025, 1203, Decimal("12.50"), dt.date(2025, 11, 1), "01", "山水，“引号”"),
    ("420102001002", 2025, 0, Decimal("0.07"), dt.date(2024, 2, 29), "02", None),
    ("420102001003", 2025, None, None, None, None, "a\nb"),
    ("420102001001", 2024, 1199, Decimal("3.00"), dt.date(2024, 12, 31), "01", "x"),
    ("420103001001", 2025, 7, Decimal("1.10"), dt.date(2025, 1, 1), "09", 'say "no"'),
]


class Harness(Protocol):
    """A store with a table `villages` of `ROWS`."""

    bounds: Bounds

    def connector(self, table: str = "villages", *, timeout_s: float = 20) -> Connector: ...

    def add_long_table(self, rows: int) -> None:
        """A table `long` with the columns `area` and `total`."""

    def stalled(self) -> Any:
        """A context in which `villages` gives no answer."""


class PostgresHarness:
    """A department's own PostgreSQL."""

    def __init__(self, server_url: str, folder: Path) -> None:
        self._server = sa.make_url(server_url)
        self._name = f"department_{uuid.uuid4().hex[:8]}"
        with self._admin() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {self._name}")
        self.url = self._server.set(database=self._name)
        self.bounds = Bounds(allow_hosts=("unix", "127.0.0.1"))
        self.engine = sa.create_engine(self.url)
        with self.engine.begin() as connection:
            columns = ", ".join(f"{name} {type_}" for name, type_ in COLUMNS.items())
            connection.exec_driver_sql(f"CREATE TABLE villages ({columns})")
            marks = ", ".join(["%s"] * len(COLUMNS))
            connection.exec_driver_sql(f"INSERT INTO villages VALUES ({marks})", ROWS)

    @contextmanager
    def _admin(self) -> Iterator[sa.Connection]:
        engine = sa.create_engine(self._server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            yield connection
        engine.dispose()

    def connector(self, table: str = "villages", *, timeout_s: float = 20) -> Connector:
        url = self.url.render_as_string(hide_password=False)
        bounds = Bounds(timeout_s=timeout_s, allow_hosts=self.bounds.allow_hosts)
        return SqlConnector({"url": url, "table": table}, {}, bounds)

    def add_long_table(self, rows: int) -> None:
        with self.engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE VIEW long AS SELECT '420102001001' AS area, n AS total "
                f"FROM generate_series(1, {rows}) AS n"
            )

    @contextmanager
    def stalled(self) -> Iterator[None]:
        with self.engine.begin() as connection:
            connection.exec_driver_sql("LOCK TABLE villages IN ACCESS EXCLUSIVE MODE")
            yield

    def close(self) -> None:
        self.engine.dispose()
        with self._admin() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {self._name} WITH (FORCE)")


class SqliteHarness:
    """A department's database in one file."""

    def __init__(self, _server_url: str, folder: Path) -> None:
        self.bounds = Bounds(folders=(folder,))
        self._file = folder / "department.db"
        with closing(sqlite3.connect(self._file)) as connection:
            columns = ", ".join(f"{name} {type_}" for name, type_ in COLUMNS.items())
            connection.execute(f"CREATE TABLE villages ({columns})")
            marks = ", ".join("?" * len(COLUMNS))
            rows = [[_for_sqlite(value) for value in row] for row in ROWS]
            connection.executemany(f"INSERT INTO villages VALUES ({marks})", rows)
            connection.commit()

    def connector(self, table: str = "villages", *, timeout_s: float = 20) -> Connector:
        bounds = Bounds(timeout_s=timeout_s, folders=self.bounds.folders)
        return SqlConnector({"url": "sqlite:///department.db", "table": table}, {}, bounds)

    def add_long_table(self, rows: int) -> None:
        with closing(sqlite3.connect(self._file)) as connection:
            connection.execute(
                "CREATE VIEW long (area, total) AS WITH RECURSIVE n(i) AS "
                f"(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) "
                "SELECT '420102001001', i FROM n"
            )
            connection.commit()

    @contextmanager
    def stalled(self) -> Iterator[None]:
        with closing(sqlite3.connect(self._file, isolation_level=None)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            yield

    def close(self) -> None:
        pass


def _for_sqlite(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, dt.date) else value


class CsvHarness:
    """A department's CSV file."""

    encoding = "utf-8"

    def __init__(self, _server_url: str, folder: Path) -> None:
        self.folder = folder
        self.bounds = Bounds(folders=(folder,))
        self._write("villages", [list(COLUMNS), *ROWS])

    def _write(self, table: str, rows: list[Any]) -> None:
        with open(self.folder / f"{table}.csv", "w", encoding=self.encoding, newline="") as file:
            csv.writer(file).writerows(rows)

    def connector(self, table: str = "villages", *, timeout_s: float = 20) -> Connector:
        bounds = Bounds(timeout_s=timeout_s, folders=self.bounds.folders)
        return FileConnector({"path": f"{table}.csv"}, {}, bounds)

    def add_long_table(self, rows: int) -> None:
        self._write("long", [("area", "total"), *(("420102001001", n) for n in range(1, rows + 1))])

    @contextmanager
    def stalled(self) -> Iterator[None]:
        path = self.folder / "villages.csv"
        path.unlink()
        os.mkfifo(path)  # nobody ever writes into it
        yield

    def close(self) -> None:
        pass


class CsvWithMarkHarness(CsvHarness):
    encoding = "utf-8-sig"


class ChineseCsvHarness(CsvHarness):
    encoding = "gb18030"


class CsvFolderHarness(CsvHarness):
    """A folder whose files are read as one table."""

    def _write(self, table: str, rows: list[Any]) -> None:
        (self.folder / table).mkdir()
        (self.folder / table / "readme.txt").write_text("not a table")
        for number, some in enumerate((rows[1:3], rows[3:])):
            super()._write(f"{table}/{number}", [rows[0], *some])

    def connector(self, table: str = "villages", *, timeout_s: float = 20) -> Connector:
        bounds = Bounds(timeout_s=timeout_s, folders=self.bounds.folders)
        return FileConnector({"path": table}, {}, bounds)

    @contextmanager
    def stalled(self) -> Iterator[None]:
        path = self.folder / "villages" / "1.csv"
        path.unlink()
        os.mkfifo(path)
        yield
