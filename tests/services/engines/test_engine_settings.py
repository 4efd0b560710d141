"""The configuration of PostgreSQL follows the machine, and the text says what was meant."""

from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneform.engines import PostgresServer, memory
from oneform.engines import postgres_settings as settings
from oneform.engines.memory import GIB, MIB


def settings_for(size: int, *, cores: int = 2, durable: bool = True) -> dict[str, str]:
    return settings.server_settings(
        memory=size,
        cores=cores,
        durable=durable,
        socket_folder="/tmp/x",
        log_folder="/var/log/it's here",
        roomy_shm=True,
    )


@pytest.mark.parametrize(
    ("size", "buffers", "work"),
    [
        (512 * MIB, "128MB", "4MB"),
        (2 * GIB, "512MB", "4MB"),
        (8 * GIB, "2048MB", "16MB"),
        (256 * GIB, "2048MB", "64MB"),
    ],
)
def test_memory_follows_the_machine_within_limits(size: int, buffers: str, work: str) -> None:
    found = settings_for(size)
    assert (found["shared_buffers"], found["work_mem"]) == (buffers, work)


@given(st.integers(64 * MIB, 2048 * GIB), st.integers(1, 256))
def test_every_machine_gets_a_durable_server(size: int, cores: int) -> None:
    found = settings_for(size, cores=cores)
    assert {found[name] for name in ("fsync", "synchronous_commit", "full_page_writes")} == {"on"}
    assert 0 <= int(found["max_parallel_workers_per_gather"]) <= 4


def test_only_a_throwaway_server_skips_the_disk() -> None:
    assert settings_for(GIB, durable=False)["fsync"] == "off"


def test_values_are_quoted() -> None:
    text = settings.configuration(settings_for(GIB), "18.4")
    assert "log_directory = '/var/log/it''s here'" in text
    assert text.startswith("# PostgreSQL 18.4.")


def test_every_setting_is_in_force(durable: PostgresServer) -> None:
    with psycopg.connect(durable.admin_url.replace("+psycopg", "")) as connection:
        rows = connection.execute(
            "SELECT name, error FROM pg_file_settings WHERE NOT applied AND error IS NOT NULL"
        ).fetchall()
    assert rows == []


def test_this_machine_has_memory() -> None:
    assert memory.total_memory() > 64 * MIB


def test_a_services_limit_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = tmp_path / "system.slice" / "oneform.service"
    service.mkdir(parents=True)
    (tmp_path / "cgroup").write_text("12:cpu:/x\n0::/system.slice/oneform.service\n")
    monkeypatch.setattr(memory, "_CONTROL_GROUPS", tmp_path)
    monkeypatch.setattr(memory, "_OWN_GROUP", tmp_path / "cgroup")
    (service / "memory.max").write_text("max\n")
    unlimited = memory.total_memory()
    (service.parent / "memory.max").write_text(f"{100 * MIB}\n")
    assert memory.total_memory() == 100 * MIB < unlimited
