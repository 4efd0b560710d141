"""An undisturbed life: start, use, stop, start again."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import redis
import sqlalchemy as sa

from oneform.engines import EngineError, EngineUrls, PostgresServer, find_engines, start_engines
from oneform.engines.binaries import postgres_program

Connect = Callable[[PostgresServer], psycopg.Connection]


def test_a_fresh_data_folder_is_served_and_keeps_its_data(home: Path) -> None:
    with start_engines(home) as engines:
        database = sa.create_engine(engines.database_url)
        with database.begin() as connection:
            connection.execute(sa.text("CREATE TABLE village (name text)"))
            connection.execute(sa.text("INSERT INTO village VALUES ('湾里村')"))
        database.dispose()
        with redis.Redis.from_url(engines.redis_url) as cache:
            cache.set("job", "1")
        assert engines.is_alive()
        assert find_engines(home) == EngineUrls(engines.database_url, engines.redis_url)
    assert not engines.is_alive()
    assert not any(server.socket_folder.exists() for server in engines.servers)
    assert find_engines(home) is None
    with start_engines(home) as again:
        database = sa.create_engine(again.database_url)
        with database.connect() as connection:
            assert connection.scalar(sa.text("SELECT name FROM village")) == "湾里村"
        database.dispose()
        with redis.Redis.from_url(again.redis_url) as cache:
            assert cache.get("job") == b"1"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("jit", "off"),
        ("server_encoding", "UTF8"),
        ("TimeZone", "UTC"),
    ],
)
def test_postgres_is_durable_and_closed_to_the_network(
    durable: PostgresServer, connect: Connect, setting: str, value: str
) -> None:
    with connect(durable) as connection:
        row = connection.execute("SELECT current_setting(%s)", [setting]).fetchone()
    assert row == (value,)


def test_codes_sort_by_code_point_everywhere(durable: PostgresServer, connect: Connect) -> None:
    with connect(durable) as connection:
        row = connection.execute(
            "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = current_database()"
        ).fetchone()
        names = connection.execute(
            "SELECT string_agg(x, '' ORDER BY x) FROM unnest(ARRAY['村', 'b', 'Z', 'a']) AS x"
        ).fetchone()
    assert row == ("b", "C.UTF-8")
    assert names == ("Zab村",)


def test_the_application_is_no_superuser_but_may_make_databases(
    durable: PostgresServer, connect: Connect
) -> None:
    with connect(durable) as connection:
        row = connection.execute(
            "SELECT current_user, rolsuper, rolcreatedb, rolcreaterole FROM pg_roles "
            "WHERE rolname = current_user"
        ).fetchone()
        connection.execute("CREATE DATABASE copy TEMPLATE oneform")
        connection.execute("DROP DATABASE copy")
    assert row == ("oneform", False, True, False)


def test_valkey_writes_its_file_and_never_drops_a_job(home: Path) -> None:
    with start_engines(home, postgres=False) as engines:
        with redis.Redis.from_url(engines.redis_url, decode_responses=True) as cache:
            found = cache.config_get("appendonly", "appendfsync", "maxmemory-policy", "port")
    assert found == {
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "port": "0",
    }


def test_an_engine_that_was_not_asked_for_has_no_address(home: Path) -> None:
    with start_engines(home, postgres=False) as engines:
        with pytest.raises(EngineError, match="not asked for"):
            _ = engines.database_url
        assert find_engines(home) == EngineUrls(None, engines.redis_url)
    assert not (home / "postgres").exists()


def test_stopping_twice_is_no_error(home: Path) -> None:
    engines = start_engines(home, postgres=False)
    engines.stop()
    engines.stop()
    assert not engines.is_alive()


def test_the_run_file_is_not_believed_when_nobody_answers(home: Path) -> None:
    with start_engines(home, postgres=False):
        kept = (home / "run" / "engines.json").read_bytes()
    (home / "run" / "engines.json").write_bytes(kept)
    assert find_engines(home) is None
    for broken in (b"", b"[]", b"{", b'{"database_url": 3, "redis_url": 4, "server_uid": 0}'):
        (home / "run" / "engines.json").write_bytes(broken)
        assert find_engines(home) is None


def test_a_folder_that_was_never_started_is_left_untouched(open_folder: Path) -> None:
    assert find_engines(open_folder / "home") is None
    assert not (open_folder / "home").exists()


def test_backup_programs_are_found() -> None:
    assert postgres_program("pg_dump").is_file()
    with pytest.raises(EngineError, match="pg_nothing"):
        postgres_program("pg_nothing")


def test_paths_may_be_long_and_hold_any_character(open_folder: Path) -> None:
    home = open_folder / ("data of 'one' \"form\" 村 %d " + "x" * 120)
    with start_engines(home, durable=False) as engines:
        assert engines.is_alive()
        assert engines.postgres is not None
        assert list((home / "log").glob("postgresql-*.log"))
        assert len(str(engines.postgres.socket_folder)) < 60
