"""What is special about SQL sources: where they lead, what they may not do, how they fail."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sql_relay import Relay

from oneform.sources.connectors.base import Bounds, FetchQuery
from oneform.sources.connectors.sql import SqlConnector
from oneform.sources.connectors.sql_url import read_url, review_url
from oneform.sources.errors import SourceDown, SourceError, SourceTimeout

QUERY = FetchQuery(columns=("n",))


@pytest.fixture
def department(department: sa.Engine) -> sa.Engine:
    with department.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE numbers AS SELECT 1 AS n")
    return department


@pytest.fixture
def relay(department: sa.Engine) -> Iterator[Relay]:
    url = department.url
    host = url.host or url.normalized_query["host"][0]
    relay = Relay(host, url.port or 5432)
    yield relay
    relay.close()


def url_of(engine: sa.Engine, relay: Relay | None = None) -> str:
    url = engine.url
    if relay is not None:
        url = url.set(host="127.0.0.1", port=relay.port, query={})
    return url.render_as_string(hide_password=False)


def connector(url: str, table: str = "numbers", timeout_s: float = 20) -> SqlConnector:
    bounds = Bounds(timeout_s=timeout_s, allow_hosts=("unix", "127.0.0.1", "localhost"))
    return SqlConnector({"url": url, "table": table}, {}, bounds)


def fetched(connector: SqlConnector, query: FetchQuery = QUERY) -> list[tuple[int, ...]]:
    return [tuple(row) for batch in connector.fetch(query) for row in batch]


def test_views_and_schemas_can_be_read(department: sa.Engine) -> None:
    with department.begin() as connection:
        connection.exec_driver_sql('CREATE SCHEMA "Civil"')
        connection.exec_driver_sql('CREATE VIEW "Civil"."v" AS SELECT 7 AS n')
    assert fetched(connector(url_of(department), "Civil.v")) == [(7,)]
    named = SqlConnector(
        {"url": url_of(department), "table": "v", "schema": "Civil"},
        {},
        Bounds(allow_hosts=("unix", "localhost", "127.0.0.1")),
    )
    assert fetched(named) == [(7,)]


def test_names_are_quoted(department: sa.Engine) -> None:
    name = 'odd "name"; DROP TABLE numbers; --'
    quoted = name.replace('"', '""')
    with department.begin() as connection:
        connection.exec_driver_sql(f'CREATE TABLE "t; --" AS SELECT 5 AS "{quoted}"')
    source = connector(url_of(department), "t; --")
    assert fetched(source, FetchQuery(columns=(name,))) == [(5,)]
    assert fetched(connector(url_of(department))) == [(1,)]


def test_source_is_never_written(department: sa.Engine) -> None:
    with department.begin() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION sneak() RETURNS int LANGUAGE sql AS "
            "'INSERT INTO numbers VALUES (2) RETURNING n'"
        )
        connection.exec_driver_sql("CREATE VIEW trap AS SELECT sneak() AS n")
    with pytest.raises(SourceError, match="read-only"):
        fetched(connector(url_of(department), "trap"))
    assert fetched(connector(url_of(department))) == [(1,)]


@pytest.mark.parametrize("declared", ["char(14)", "bigint", "numeric(12)"])
def test_codes_are_compared_as_the_column_has_them(department: sa.Engine, declared: str) -> None:
    """And by its index, which a parameter of another type would not use."""
    with department.begin() as connection:
        connection.exec_driver_sql(
            f"CREATE TABLE places AS SELECT (420102000000 + n)::{declared} AS area, n "
            "FROM generate_series(1, 20000) AS n"
        )
        connection.exec_driver_sql("CREATE INDEX ON places (area)")
        connection.exec_driver_sql("ANALYZE places")
    source = connector(url_of(department), "places")
    query = FetchQuery(
        columns=("n",), area_column="area", area_codes=frozenset({"420102000007", "x"})
    )
    assert fetched(source, query) == [(7,)]
    with department.begin() as connection:
        ((statement),) = source.statements(query, source.columns_of(connection))
        compiled = statement.compile(
            department, compile_kwargs={"render_postcompile": True, "literal_binds": True}
        )
        plan = connection.exec_driver_sql(f"EXPLAIN {compiled}").scalars().all()
    assert any("Index" in line for line in plan)


def test_slow_statement_is_ended_by_the_server(department: sa.Engine) -> None:
    with department.begin() as connection:
        connection.exec_driver_sql("CREATE VIEW slow AS SELECT pg_sleep(60)::text AS n")
    with pytest.raises(SourceTimeout, match="in time"):
        fetched(connector(url_of(department), "slow", timeout_s=0.3))


def test_silent_connection_is_hung_up(department: sa.Engine, relay: Relay) -> None:
    with department.begin() as connection:
        connection.exec_driver_sql(
            "CREATE VIEW many AS SELECT n FROM generate_series(1, 9999) AS n"
        )
    source = connector(url_of(department, relay), "many", timeout_s=0.2)
    batches = source.fetch(FetchQuery(columns=("n",), batch_rows=10))
    next(batches)
    relay.silent.set()
    with pytest.raises(SourceTimeout, match="does not answer"):
        list(batches)


def test_lost_connection_is_a_source_that_is_down(department: sa.Engine, relay: Relay) -> None:
    with department.begin() as connection:
        connection.exec_driver_sql(
            "CREATE VIEW many AS SELECT n FROM generate_series(1, 9999) AS n"
        )
    source = connector(url_of(department, relay), "many")
    batches = source.fetch(FetchQuery(columns=("n",), batch_rows=10))
    next(batches)
    relay.close()
    with pytest.raises(SourceDown):
        list(batches)


def test_server_that_never_greets_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        source = connector(f"postgresql://u@127.0.0.1:{port}/x", timeout_s=1)
        with pytest.raises(SourceTimeout):
            fetched(source)


def test_refused_connection_is_a_source_that_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(SourceDown):
        fetched(connector(f"postgresql://u@127.0.0.1:{port}/x"))


def test_forbidden_table_is_told(department: sa.Engine) -> None:
    with department.begin() as connection:
        role = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
        if connection.exec_driver_sql(role).scalar_one():
            pytest.skip("a superuser is refused nothing")
        connection.exec_driver_sql("CREATE TABLE secret (n int)")
        connection.exec_driver_sql("REVOKE ALL ON secret FROM CURRENT_USER")
    url = department.url.render_as_string(hide_password=False)
    with pytest.raises(SourceError, match="permission denied"):
        fetched(connector(url, "secret"))


def test_missing_driver_is_told() -> None:
    source = SqlConnector({"url": "oracle://u@8.8.8.8/x", "table": "t"}, {}, Bounds())
    result = source.probe()
    assert not result.ok
    assert "no driver" in result.detail


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u@127.0.0.1/db",
        "postgresql://u@localhost/db",
        "postgresql://u@8.8.8.8,127.0.0.1/db",
        "postgresql://u@8.8.8.8/db?host=10.0.0.1",
        "postgresql://u@/db?host=8.8.8.8:5432,10.0.0.1:5432",
        "postgresql:///db",
        "postgresql:///db?host=/tmp",
        "postgresql://u@/db?host=@abstract",
        "mysql:///db",
        "mysql+pymysql://u@[::1]/db",
        "mssql+pyodbc://u@169.254.169.254/db",
    ],
)
def test_private_places_are_refused_when_a_source_is_added(url: str) -> None:
    (mistake,) = review_url(url, Bounds())
    assert mistake.pointer == "/url"
    assert mistake.code == "address-refused"


def test_name_that_leads_inside_is_refused_when_it_is_called() -> None:
    source = SqlConnector({"url": "postgresql://u@127.1/db", "table": "t"}, {}, Bounds())
    assert review_url("postgresql://u@127.1/db", Bounds()) == []
    with pytest.raises(SourceError, match="private network"):
        fetched(source)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "no URL"),
        ("postgresql://u@8.8.8.8/db?service=x", "parameters"),
        ("postgresql://u@8.8.8.8/db?passfile=/etc/passwd", "parameters"),
        ("postgresql://u@8.8.8.8/db?hostaddr=127.0.0.1", "parameters"),
        ("mysql://u@8.8.8.8/db?unix_socket=/run/mysqld.sock", "parameters"),
        ("mysql://u@8.8.8.8/db?read_default_file=/etc/my.cnf", "parameters"),
        ("mssql+pyodbc:///?odbc_connect=x", "parameters"),
        ("mssql+pyodbc://u@8.8.8.8/db?driver=/tmp/evil.so", "value"),
        ("sqlite://", "no database file"),
        ("sqlite:///:memory:", "no database file"),
        ("sqlite:///file:/etc/x?uri=true", "parameters"),
        ("sqlite:///file:x", "no database file"),
    ],
)
def test_urls_that_would_do_more_are_refused(url: str, words: str) -> None:
    (mistake,) = review_url(url, Bounds(allow_hosts=("unix",)))
    assert mistake.code == "url"
    assert words in mistake.detail


def test_password_is_taken_out_of_the_url() -> None:
    settings = {"url": "postgresql://reader:pa%40ss@8.8.8.8/db", "table": "t"}
    shown, secrets = SqlConnector.hide(settings)
    assert shown == {
        "url": "postgresql://reader@8.8.8.8/db",
        "table": "t",
        "password": "password",
    }
    assert secrets == {"password": "pa@ss"}
    assert SqlConnector.secret_names(shown) == {"password": "/password"}


def test_mistaken_url_does_not_repeat_itself() -> None:
    (mistake,) = review_url("postgresql://u:hunter2@8.8.8.8/db?evil=hunter3", Bounds())
    assert "hunter" not in mistake.detail


def test_destination_changes_with_host_and_port_only() -> None:
    here = SqlConnector.destination({"url": "postgresql://a@8.8.8.8/db", "table": "t"})
    same = SqlConnector.destination({"url": "postgresql://b@8.8.8.8/other", "table": "u"})
    there = SqlConnector.destination({"url": "postgresql://a@8.8.4.4/db", "table": "t"})
    assert here == same
    assert here != there


def test_sqlite_files_outside_the_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out.db").write_bytes(b"")
    source = SqlConnector(
        {"url": "sqlite:///../out.db", "table": "t"}, {}, Bounds(folders=(tmp_path / "in",))
    )
    with pytest.raises(SourceError, match="no file"):
        fetched(source)


def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("certainly no database, but long enough to look like one")
    source = SqlConnector({"url": "sqlite:///x.db", "table": "t"}, {}, Bounds(folders=(tmp_path,)))
    with pytest.raises(SourceError, match="not a database"):
        fetched(source)


def test_checked_address_is_the_one_that_is_called(department: sa.Engine, relay: Relay) -> None:
    """The driver gets the address, so that a name cannot lead elsewhere a moment later."""
    url = department.url.set(host="localhost", port=relay.port, query={})
    assert fetched(connector(url.render_as_string(hide_password=False))) == [(1,)]
    assert read_url(str(url)).hosts == ("localhost",)


def test_no_thread_is_left_behind(department: sa.Engine) -> None:
    before = set(threading.enumerate())
    fetched(connector(url_of(department)))
    assert {thread.name for thread in set(threading.enumerate()) - before} == set()
