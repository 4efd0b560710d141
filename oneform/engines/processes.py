"""Looking at processes that may not be our children: is it alive, what is it, has it ended.

Linux is read from /proc (slim containers have no `ps`), other systems through `ps`.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_LINUX = sys.platform == "linux"
# Of /proc/PID/stat, counted after the name of the program.
_STATE, _THREADS = 0, 17
_POLL_SECONDS = 0.02


def is_running(pid: int) -> bool:
    """Tell whether a process exists and does not merely wait for its parent to notice its end."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):  # none, or no number of a process at all
        return False
    except PermissionError:
        pass
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    if not _LINUX:
        return _ps(pid, "state").startswith("Z")
    try:
        status = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    fields = status.rpartition(")")[2].split()
    # The first thread of a process may have ended before the others have.
    return fields[_STATE] == "Z" and int(fields[_THREADS]) <= 1


def command_line(pid: int) -> str | None:
    """Return a process's arguments joined by blanks, or None if that cannot be seen."""
    if not _LINUX:
        return _ps(pid, "args") or None
    try:
        raw = (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return None
    return os.fsdecode(raw.rstrip(b"\0").replace(b"\0", b" ")) or None


def processes_in(folder: Path, program: str) -> list[int]:
    """Return the processes that run a program, such as `postgres`, with this working folder.

    Known on Linux only, and of processes that we may look into; the others have to be waited for.
    """
    found = []
    for entry in _PROC.iterdir() if _LINUX else ():
        if entry.name.isdigit():
            with suppress(OSError):
                # An upgrade may have removed the file of a program that still runs.
                runs = Path(os.readlink(entry / "exe").removesuffix(" (deleted)")).name
                if runs == program and os.readlink(entry / "cwd") == str(folder):
                    found.append(int(entry.name))
    return found


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal; a process that has gone is no error."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def wait_gone(pid: int, seconds: float) -> bool:
    """Wait until a process is no longer running; tell whether it went in time."""
    deadline = time.monotonic() + seconds
    while is_running(pid):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _ps(pid: int, column: str) -> str:
    done = subprocess.run(
        ["ps", "-o", f"{column}=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()
