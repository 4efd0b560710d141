"""Who may look into a data folder, and as whom the servers run: root, and ordinary users."""

import os
import pwd
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from oneform.engines import (
    EngineError,
    PostgresServer,
    ValkeyServer,
    erase_engines,
    find_engines,
    layout,
    start_engines,
)
from oneform.engines.account import Account
from oneform.engines.binaries import postgres_install, runnable, valkey_program

Connect = Callable[[PostgresServer], psycopg.Connection]
ORDINARY = pwd.getpwnam("daemon").pw_uid

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as other accounts")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_nobody_else_may_enter_any_folder_or_read_any_file(kept_home: Path) -> None:
    with start_engines(kept_home) as engines:
        for server in engines.servers:
            assert mode(server.socket_folder) == 0o700
            for path in server.socket_folder.iterdir():
                assert path.name.endswith(".lock") or stat.S_ISSOCK(path.stat().st_mode)
        found = {path: mode(path) for path in kept_home.rglob("*")}
    assert mode(kept_home) == (0o710 if os.geteuid() == 0 else 0o700)
    assert found[kept_home / "run" / "engines.json"] == 0o600
    assert {path for path, bits in found.items() if bits & 0o077} == set()


@as_root
def test_root_gives_the_servers_to_an_account_without_privileges(kept_home: Path) -> None:
    with start_engines(kept_home, durable=False) as engines:
        for server in engines.servers:
            assert Path(f"/proc/{server.pid}").stat().st_uid == server.layout.account.uid != 0
    assert (kept_home / "run").stat().st_uid == 0


@as_root
def test_the_servers_account_itself_may_not_log_in(kept_home: Path, connect: Connect) -> None:
    with PostgresServer(kept_home, durable=False) as server:
        command = ["/bin/sh", "-c", 'exec "$0" --host "$1" -U oneform -c "SELECT 1" oneform']
        psql = postgres_install().bin / "psql"
        refused = subprocess.run(
            [*command, psql, server.socket_folder],
            **server.layout.account.run_as(),
            stderr=subprocess.PIPE,
            check=False,
        )
        with connect(server):
            pass
    assert b"Peer authentication failed" in refused.stderr


@as_root
def test_other_accounts_cannot_reach_the_sockets(kept_home: Path) -> None:
    with start_engines(kept_home, durable=False) as engines:
        for server in engines.servers:
            other = Account("daemon", ORDINARY, ORDINARY)
            assert not other.can_enter(server.socket_folder)
            assert server.layout.account.can_enter(server.socket_folder)


@as_root
def test_under_a_closed_folder_of_root_the_data_lies_elsewhere(
    open_folder: Path, elsewhere: Path, connect: Connect
) -> None:
    open_folder.chmod(0o700)
    home = open_folder / "home"
    with start_engines(home) as engines:
        assert engines.postgres is not None
        with connect(engines.postgres) as connection:
            connection.execute("CREATE TABLE village (id int)")
        assert find_engines(home) is not None
        place = engines.postgres.layout.place
    assert mode(open_folder) == 0o700
    assert place.parent == elsewhere
    assert not (home / "postgres").exists()
    moved = home.rename(open_folder / "moved")
    with PostgresServer(moved) as server, connect(server) as connection:
        connection.execute("SELECT * FROM village")
    copy = shutil.copytree(moved, open_folder / "copy")
    with pytest.raises(EngineError, match=f"{copy} is a copy of {moved}"):
        start_engines(copy)
    erase_engines(moved)
    assert list(elsewhere.iterdir()) == []
    with PostgresServer(moved, durable=False) as server, connect(server) as connection:
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("SELECT * FROM village")


@as_root
def test_a_data_folder_of_an_owner_without_a_name_is_crossed_too(home: Path) -> None:
    home.mkdir(mode=0o700)
    os.chown(home, 54321, 54321)  # a container's volume, say
    with ValkeyServer(home) as server:
        assert server.layout.place == home
        assert server.layout.account.uid not in (0, 54321)
    assert mode(home) == 0o710


@as_root
def test_a_lost_place_is_named_and_not_made_anew(open_folder: Path) -> None:
    open_folder.chmod(0o700)
    with ValkeyServer(open_folder / "home") as server:
        place = server.layout.place
    shutil.rmtree(place)
    with pytest.raises(EngineError, match=f"should be in {place}"):
        start_engines(open_folder / "home")


@as_root
def test_throwaway_data_elsewhere_goes_when_its_folder_has_gone(
    open_folder: Path, elsewhere: Path
) -> None:
    open_folder.chmod(0o700)
    places = {}
    for name, durable in (("tests", False), ("tests-2", False), ("real", True), ("last", True)):
        if name == "last":
            shutil.rmtree(open_folder / "tests")
            shutil.rmtree(open_folder / "real")
        with ValkeyServer(open_folder / name, durable=durable) as server:
            places[name] = server.layout.place
    assert set(elsewhere.iterdir()) == set(places.values()) - {places["tests"]}


@as_root
def test_programs_under_a_closed_folder_of_root_are_copied_for_the_servers(
    open_folder: Path,
) -> None:
    nobody = layout.open_layout(open_folder / "home").account
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    package = postgres_install().bin.parents[1]
    shutil.copytree(package / "pginstall18", closed / package.name / "pginstall18", symlinks=True)
    if (bundled := package.with_name(f"{package.name}.libs")).exists():
        shutil.copytree(bundled, closed / bundled.name)
    program = closed / package.name / "pginstall18" / "bin" / "postgres"
    copy = runnable(program, nobody, open_folder / "programs")
    assert copy.is_relative_to(open_folder / "programs")
    assert nobody.can([copy.with_name("initdb"), "--version"])
    assert runnable(program, nobody, open_folder / "programs") == copy
    assert [path.name for path in (open_folder / "programs").iterdir()] == [copy.parents[3].name]
    assert runnable(valkey_program(), Account("root", 0, 0), open_folder) == valkey_program()


@as_root
def test_an_ordinary_user_starts_engines_and_others_do_not(
    open_folder: Path, home: Path, starter: Callable[..., Any]
) -> None:
    os.chown(open_folder, ORDINARY, ORDINARY)
    first = starter(home, "postgres", "redis", user=ORDINARY)
    assert first.says() == "ready"
    assert home.stat().st_uid == ORDINARY
    assert mode(home) == 0o700
    urls = find_engines(home)  # root may use what it finds
    assert urls is not None
    assert urls.database_url is not None
    with psycopg.connect(urls.database_url.replace("+psycopg", "")):
        pass
    assert first.finish() == "stopped\n"
    other = starter(home, "redis", user=pwd.getpwnam("nobody").pw_uid)
    assert other.says() == f"the data folder {home} belongs to another user"


@as_root
def test_what_root_starts_in_a_users_folder_stays_the_users(
    open_folder: Path, home: Path, starter: Callable[..., Any], connect: Connect
) -> None:
    home.mkdir(mode=0o700)
    os.chown(home, ORDINARY, ORDINARY)
    with start_engines(home) as engines:
        assert engines.postgres is not None
        assert engines.postgres.layout.account.uid == ORDINARY
        with redis.Redis.from_url(engines.redis_url) as cache:
            cache.set("job", "1")
        with connect(engines.postgres) as connection:
            connection.execute("CREATE TABLE village (id int)")
    assert {path for path in home.rglob("*") if path.lstat().st_uid != ORDINARY} == set()
    own = starter(home, "postgres", "redis", user=ORDINARY)
    assert own.says() == "ready"
    assert own.finish() == "stopped\n"


@as_root
def test_a_cluster_that_root_has_copied_back_is_given_to_the_servers(
    kept_home: Path, connect: Connect
) -> None:
    with PostgresServer(kept_home, durable=False) as server, connect(server) as connection:
        connection.execute("CREATE TABLE village (id int)")
    for path in [kept_home / "postgres", *(kept_home / "postgres").rglob("*")]:
        os.chown(path, 0, 0)
    with PostgresServer(kept_home, durable=False) as server, connect(server) as connection:
        connection.execute("SELECT * FROM village")


def test_a_disk_that_takes_no_more_is_told_in_one_line(home: Path) -> None:
    """A limit on the size of files stands for the full disk."""
    program = (
        "import resource, sys; from pathlib import Path; "
        "from oneform.engines import EngineError, PostgresServer\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2**17, 2**17))\n"
        "try: PostgresServer(Path(sys.argv[1])).start()\n"
        "except EngineError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(home)], capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("PostgreSQL cannot make its cluster: "), done
    assert "could not" in done.stdout
    assert len(done.stdout) < 250
