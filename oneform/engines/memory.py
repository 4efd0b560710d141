"""How much memory this machine, or this container, has."""

import os
from pathlib import Path

MIB = 1024 * 1024
GIB = 1024 * MIB

_CONTROL_GROUPS = Path("/sys/fs/cgroup")
_OWN_GROUP = Path("/proc/self/cgroup")
_SHARED_MEMORY = Path("/dev/shm")


def total_memory() -> int:
    """Return the bytes of memory that may be used: the machine's, or less where it is limited."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for path in _limits():
        try:
            limit = int(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # no such controller, or "max"
            continue
        total = min(total, limit)
    return total


def _limits() -> list[Path]:
    """Return where a container's or a service's limit may be written (control groups 1 and 2)."""
    found = [_CONTROL_GROUPS / "memory" / "memory.limit_in_bytes", _CONTROL_GROUPS / "memory.max"]
    try:
        groups = _OWN_GROUP.read_text(encoding="utf-8").splitlines()
    except OSError:
        return found
    for group in groups:
        number, _, path = group.split(":", 2)
        if number == "0":
            own = _CONTROL_GROUPS / path.lstrip("/")
            found += [folder / "memory.max" for folder in (own, *own.parents)]
    return found


def roomy_shared_memory() -> bool:
    """Tell whether /dev/shm takes parallel queries; containers often give it 64 MiB only."""
    try:
        size = os.statvfs(_SHARED_MEMORY)
    except OSError:  # not Linux: POSIX shared memory is no file system there
        return True
    return size.f_blocks * size.f_frsize >= 512 * MIB


def between(low: int, size: int, high: int) -> int:
    """Return `size`, or the nearest of the two bounds."""
    return max(low, min(size, high))
