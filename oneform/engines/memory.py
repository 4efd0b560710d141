"""How much memory this machine, or this container, has."""

import os
from pathlib import Path

MIB = 1024 * 1024
GIB = 1024 * MIB

_CONTAINER_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
_SHARED_MEMORY = Path("/dev/shm")


def total_memory() -> int:
    """Return the bytes of memory that may be used: the machine's, or the container's if less."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for path in _CONTAINER_LIMITS:
        try:
            limit = int(path.read_text(encoding="ascii"))
        except (OSError, ValueError):  # no such controller, or "max"
            continue
        total = min(total, limit)
    return total


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
