"""The configuration of the embedded PostgreSQL, as text. Pure: no file is touched here.

What an operator wants otherwise goes into `local.conf` beside it, which is read last and never
written by us.
"""

from collections.abc import Mapping, Sequence

from oneform.engines.memory import GIB, MIB, between

PORT = 5432  # of the socket's name only; nothing listens on the network
ADMIN = "postgres"
ROLE = "oneform"
DATABASE = "oneform"


def server_settings(
    *, memory: int, cores: int, durable: bool, socket_folder: str, log_folder: str, roomy_shm: bool
) -> dict[str, str]:
    """Return the settings for a machine of `memory` bytes that the applications share with it."""
    settings = {
        # Reached through a private socket by the processes of this machine only.
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": socket_folder,
        "unix_socket_permissions": "0700",
        "max_connections": "150",
        # A kept plan locks every part of the tables that it names. Also how many locks a process
        # may have without a look into the table that all processes share (PostgreSQL 18).
        "max_locks_per_transaction": "512",
        # Memory.
        "shared_buffers": _mib(between(64 * MIB, memory // 4, 2 * GIB)),
        "effective_cache_size": _mib(max(memory // 2, 256 * MIB)),
        "work_mem": _mib(between(4 * MIB, memory // 512, 64 * MIB)),
        "maintenance_work_mem": _mib(between(64 * MIB, memory // 32, 512 * MIB)),
        "dynamic_shared_memory_type": "posix" if roomy_shm else "mmap",
        # Nothing accepted is lost (DESIGN.md section 4, point 5).
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "wal_compression": "on",
        "max_wal_size": "4GB",
        "min_wal_size": "256MB",
        "checkpoint_timeout": "15min",
        "checkpoint_completion_target": "0.9",
        # Plans: short statements and solid-state disks.
        "jit": "off",
        "random_page_cost": "1.1",
        "max_parallel_workers_per_gather": str(between(0, cores // 2, 4)),
        # What is asked of the grassroots must not wait for the vacuum of a big table.
        "autovacuum_vacuum_scale_factor": "0.1",
        "autovacuum_analyze_scale_factor": "0.05",
        # The same everywhere, whatever the machine says.
        "timezone": "UTC",
        "log_timezone": "UTC",
        "datestyle": "iso, ymd",
        "lc_messages": "C",
        "lc_monetary": "C",
        "lc_numeric": "C",
        "lc_time": "C",
        "default_text_search_config": "pg_catalog.simple",
        # One file for each day of the week; no values of anybody in it (DETAIL shows rows).
        "logging_collector": "on",
        "log_directory": log_folder,
        "log_filename": "postgresql-%a.log",
        "log_rotation_age": "1d",
        "log_rotation_size": "0",
        "log_truncate_on_rotation": "on",
        "log_line_prefix": "%m [%p] ",
        "log_error_verbosity": "terse",
        "log_parameter_max_length": "0",
        "log_min_duration_statement": "10s",
        "log_lock_waits": "on",
        "cluster_name": "oneform",
    }
    if not durable:
        settings |= {
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "wal_compression": "off",
            "wal_level": "minimal",
            "max_wal_senders": "0",
            "checkpoint_timeout": "1h",
            "shared_buffers": _mib(between(64 * MIB, memory // 16, 256 * MIB)),
            # Whoever drops a database meanwhile may not end its processes.
            "autovacuum": "off",
        }
    return settings


def configuration(settings: Mapping[str, str], version: str) -> str:
    """Return the text of postgresql.conf; it names the version, so that an upgrade changes it."""
    lines = [f"{name} = {_quoted(value)}" for name, value in settings.items()]
    return "\n".join(
        [
            f"# PostgreSQL {version}. Written by oneform at every start; put changes into local.conf.",
            *lines,
            "include_if_exists = 'local.conf'",
            "",
        ]
    )


def access_rules() -> str:
    """Return the text of pg_hba.conf: the socket only, and who you are is what the system says."""
    return "local all all peer map=oneform\n"


def access_map(names: Sequence[str]) -> str:
    """Return the text of pg_ident.conf: these accounts of the system may be any role."""
    return "".join(f'oneform "{name}" all\n' for name in dict.fromkeys(names))


def _mib(size: int) -> str:
    return f"{size // MIB}MB"


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
