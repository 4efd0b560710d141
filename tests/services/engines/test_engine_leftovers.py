"""What a killed starter or a killed server leaves is found, taken over or cleared away."""

import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from oneform.engines import EngineError, PostgresServer, ValkeyServer, processes, start_engines
from oneform.engines import server as server_module
from oneform.engines.layout import open_layout

Connect = Callable[[PostgresServer], psycopg.Connection]

# A number that no process has.
NOBODY = 2**31 - 1


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def pid_of(home: Path, engine: str) -> int:
    name = {"postgres": "postmaster.pid", "valkey": "valkey.pid"}[engine]
    try:
        return int((home / engine / name).read_text().split()[0])
    except (FileNotFoundError, IndexError):  # a moment before it is written
        return NOBODY


def put_village(server: PostgresServer, connect: Connect) -> None:
    with connect(server) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS village AS SELECT 1 AS id")


def villages(server: PostgresServer, connect: Connect) -> int:
    with connect(server) as connection:
        row = connection.execute("SELECT count(*) FROM village").fetchone()
    assert row is not None
    return int(row[0])


def test_servers_of_a_killed_starter_are_taken_over(
    kept_home: Path, starter: Callable[..., Any]
) -> None:
    first = starter(kept_home, "postgres", "redis")
    assert first.says() == "ready"
    left = [pid_of(kept_home, "postgres"), pid_of(kept_home, "valkey")]
    first.kill()
    with start_engines(kept_home) as engines:
        assert [server.pid for server in engines.servers] == left
        assert engines.is_alive()
    assert not any(processes.is_running(pid) for pid in left)


def test_a_starter_killed_while_it_makes_the_cluster_leaves_nothing_half_made(
    home: Path, starter: Callable[..., Any], connect: Connect
) -> None:
    first = starter(home, "postgres")
    wait_until(lambda: (home / "postgres.new" / "PG_VERSION").exists())
    first.kill()
    with PostgresServer(home) as server:
        put_village(server, connect)
        assert villages(server, connect) == 1
    assert not (home / "postgres.new").exists()


def test_a_server_with_other_settings_is_replaced_and_keeps_its_data(
    kept_home: Path, starter: Callable[..., Any], connect: Connect
) -> None:
    first = starter(kept_home, "postgres", "redis")
    assert first.says() == "ready"
    left = [pid_of(kept_home, "postgres"), pid_of(kept_home, "valkey")]
    with redis.Redis(unix_socket_path=_valkey_socket(left[1], kept_home)) as cache:
        cache.set("job", "1")
    first.kill()
    for path in (kept_home / "postgres" / "postgresql.conf", kept_home / "valkey" / "valkey.conf"):
        path.write_text(path.read_text().replace("# ", "# of an older version "))
    with start_engines(kept_home) as engines:
        assert not set(left) & {server.pid for server in engines.servers}
        assert not any(processes.is_running(pid) for pid in left)
        with redis.Redis.from_url(engines.redis_url) as cache:
            assert cache.get("job") == b"1"


def _valkey_socket(pid: int, home: Path) -> str:
    lines = (home / "valkey" / "valkey.conf").read_text().splitlines()
    return next(line.split('"')[1] for line in lines if line.startswith("unixsocket "))


def test_a_server_that_waits_for_its_clients_to_leave_is_made_to_hurry(
    kept_home: Path, starter: Callable[..., Any], connect: Connect
) -> None:
    first = starter(kept_home, "postgres")
    assert first.says() == "ready"
    reached = PostgresServer(kept_home)
    left = pid_of(kept_home, "postgres")
    first.kill()
    with reached.start() as server, connect(server) as client:
        client.execute("SELECT 1")
        os.kill(left, signal.SIGTERM)  # a smart shutdown: as long as a client stays, so does it
        wait_until(lambda: "stopping" in (kept_home / "postgres" / "postmaster.pid").read_text())
        server._forget()  # as if this starter had been killed
        assert server.start().pid != left
    assert not processes.is_running(left)


def test_a_killed_postgres_recovers_what_was_committed_and_says_so_meanwhile(
    kept_home: Path,
    connect: Connect,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server_module, "_REPORT_SECONDS", 0.0)
    with PostgresServer(kept_home) as server:
        put_village(server, connect)
        server.kill()
        assert not server.alive()
        with caplog.at_level(logging.INFO, logger="oneform.engines"):
            server.start()
        assert villages(server, connect) == 1
    assert "PostgreSQL: not ready after 0 s" in caplog.text


def test_a_postmaster_killed_alone_is_started_again_after_its_busy_children(
    kept_home: Path, connect: Connect
) -> None:
    bystander = subprocess.Popen(["/bin/sleep", "60"], cwd=kept_home / "postgres")
    with start_engines(kept_home) as engines, bystander:
        server = engines.postgres
        assert server is not None
        put_village(server, connect)
        with connect(server) as busy:
            # Counts for minutes, and does not notice that its postmaster has gone.
            busy.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 100000000000)")
            assert server.pid is not None
            os.kill(server.pid, signal.SIGKILL)
            wait_until(lambda: not engines.is_alive())
            assert engines.revive() == ["PostgreSQL"]
            assert engines.revive() == []
            busy.close()
        assert bystander.poll() is None
        bystander.kill()
        assert engines.is_alive()
        assert villages(server, connect) == 1


def test_one_that_cannot_start_does_not_keep_the_other_down(kept_home: Path) -> None:
    with start_engines(kept_home) as engines:
        servers = engines.postgres, engines.valkey
        for server in servers:
            assert server is not None
            assert server.pid is not None
            os.kill(server.pid, signal.SIGKILL)
        wait_until(lambda: not any(server and server.alive() for server in servers))
        local = kept_home / "postgres" / "local.conf"
        kept = local.read_text()
        local.write_text("nonsense = 1\n")
        with pytest.raises(EngineError, match="PostgreSQL did not start"):
            engines.revive()
        assert engines.valkey is not None
        assert engines.valkey.alive()
        local.write_text(kept)
        rounds: list[int] = []
        assert engines.revive(lambda: rounds.append(1)) == ["PostgreSQL"]
        assert rounds, "others were looked after meanwhile"
        assert engines.is_alive()


def test_settings_that_are_the_same_need_no_room_on_the_disk(kept_home: Path) -> None:
    layout = open_layout(kept_home)
    path = layout.run / "some.conf"
    layout.write_for_server(path, "one")
    before = path.stat()
    layout.write_for_server(path, "one")
    assert os.path.samestat(before, path.stat())
    there = set(layout.run.iterdir())
    with pytest.raises(UnicodeEncodeError):
        layout.write_for_server(path, "\ud800")
    assert set(layout.run.iterdir()) == there
    assert path.read_text() == "one"


def test_a_killed_valkey_is_started_again(kept_home: Path) -> None:
    with start_engines(kept_home, postgres=False) as engines:
        assert engines.valkey is not None
        engines.valkey.kill()
        assert not engines.is_alive()
    with start_engines(kept_home, postgres=False) as engines:
        assert engines.valkey is not None
        assert engines.valkey.pid is not None
        os.kill(engines.valkey.pid, signal.SIGKILL)
        wait_until(lambda: not engines.is_alive())
        assert engines.revive() == ["Valkey"]
        with redis.Redis.from_url(engines.redis_url) as cache:
            assert cache.ping()


def test_a_pid_file_whose_number_belongs_to_another_process_is_no_obstacle(
    kept_home: Path, connect: Connect
) -> None:
    with PostgresServer(kept_home) as server:
        put_village(server, connect)
        account = server.layout.account
    # After a restart of the machine the number may be anybody's, also of the same account.
    stranger = subprocess.Popen(["/bin/sleep", "60"], **account.run_as())
    try:
        (kept_home / "postgres" / "postmaster.pid").write_text(
            f"{stranger.pid}\n{kept_home}/postgres\n1\n"
        )
        (kept_home / "valkey").mkdir(exist_ok=True)
        (kept_home / "valkey" / "valkey.pid").write_text(f"{stranger.pid}\n")
        with start_engines(kept_home) as engines:
            assert engines.postgres is not None
            assert villages(engines.postgres, connect) == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("content", ["", "\n", "not a number\n", "-1\n", "1\n", "99999999999\n"])
def test_a_damaged_pid_file_is_no_obstacle(home: Path, content: str) -> None:
    with ValkeyServer(home):
        pass
    (home / "valkey" / "valkey.pid").write_text(content)
    with ValkeyServer(home) as server:
        assert server.alive()


def test_of_two_starters_at_once_one_serves_and_one_is_told_why(
    kept_home: Path, starter: Callable[..., Any]
) -> None:
    both = [starter(kept_home, "postgres", "redis"), starter(kept_home, "postgres", "redis")]
    said = sorted((one.says() for one in both), key=len)
    assert said[0] == "ready"
    assert f"the data folder {kept_home} is already in use by another oneform (process " in said[1]
    # The one that came second may look before the first has written down who it is.
    known = [str(each.process.pid) for each in both] + ["unknown"]
    assert any(word in said[1] for word in known)


def test_the_same_process_cannot_start_twice_either(kept_home: Path) -> None:
    with start_engines(kept_home, postgres=False) as engines:
        with pytest.raises(EngineError, match="already in use"):
            start_engines(kept_home, postgres=False)
        assert engines.valkey is not None
        with pytest.raises(EngineError, match="started already"):
            engines.valkey.start()
        assert engines.is_alive()


def test_a_forked_child_does_not_hold_the_data_folder_after_its_parent(
    kept_home: Path, starter: Callable[..., Any]
) -> None:
    first = starter(kept_home, "redis", "fork")
    assert first.says() == "ready"
    first.process.kill()
    first.process.wait()
    with start_engines(kept_home, postgres=False) as engines:
        assert engines.is_alive()


def test_a_throwaway_server_ends_with_its_starter(
    kept_home: Path, starter: Callable[..., Any]
) -> None:
    first = starter(kept_home, "postgres", "redis", "throwaway")
    assert first.says() == "ready"
    left = [pid_of(kept_home, "postgres"), pid_of(kept_home, "valkey")]
    first.kill()
    wait_until(lambda: not any(processes.is_running(pid) for pid in left))


def test_a_long_recovery_is_told_of_and_left_to_go_on(
    kept_home: Path,
    connect: Connect,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with PostgresServer(kept_home) as server:
        put_village(server, connect)
        server.kill()
        hasty = PostgresServer(kept_home, start_limit=0.0)
        with pytest.raises(EngineError, match="not ready after 0 s and goes on"):
            hasty.start()
        wait_until(lambda: processes.is_running(pid_of(kept_home, "postgres")))
        left = pid_of(kept_home, "postgres")
        with caplog.at_level(logging.INFO, logger="oneform.engines"):
            assert server.start().pid == left
        assert villages(server, connect) == 1
    assert "taking over process" in caplog.text
