"""The embedded Valkey, a Redis-protocol server. It only carries work.

Whatever it holds can be lost: jobs are in PostgreSQL's outbox until they are done. So its file is
written every second, and one that cannot be read any more is put aside for an empty one.
"""

import shutil
import signal
from pathlib import Path

from oneform.engines import memory
from oneform.engines.binaries import runnable, valkey_program, version_of
from oneform.engines.layout import Layout, give_tree
from oneform.engines.locks import LifeLock
from oneform.engines.ping import valkey_answers
from oneform.engines.server import Server, logger

_SOCKET = "valkey.sock"


class ValkeyServer(Server):
    """Valkey in `home`; see `Server` for its life."""

    title = "Valkey"
    key = "valkey"
    program_name = "valkey-server"
    short_key = "kv"
    stop_signals = ((signal.SIGTERM, 60.0), (signal.SIGKILL, 20.0))

    _program: Path
    _version: str
    _mended: bool

    @property
    def url(self) -> str:
        """Its address for redis-py and RQ."""
        return f"unix://{self.socket}?db=0"

    @property
    def socket(self) -> Path:
        return self.socket_folder / _SOCKET

    def _data(self) -> Path:
        return self.layout.valkey

    def _pid_file(self) -> Path:
        return self._data() / "valkey.pid"

    def _plan(self, layout: Layout) -> None:
        program = valkey_program()
        self._version = version_of(program)
        self._program = runnable(program, layout.account, layout.programs)
        self._mended = False

    def _command(self) -> list[str]:
        return [str(self._program), str(self._data() / "valkey.conf")]

    def _files(self) -> dict[Path, str]:
        limit = memory.between(128 * memory.MIB, memory.total_memory() // 8, 1024 * memory.MIB)
        settings = {
            "port": "0",  # nothing listens on the network
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self._data()),
            "pidfile": str(self._pid_file()),
            "daemonize": "no",
            "set-proc-title": "no",  # the arguments tell whose server it is
            "appendonly": "yes",
            "appendfsync": "everysec" if self.durable else "no",
            "save": "",
            "maxmemory": str(limit),
            "maxmemory-policy": "noeviction",
            "loglevel": "notice",
            "logfile": "",
        }
        lines = [f"# Valkey {self._version}. Written by oneform at every start."]
        lines += [f"{name} {_quoted(value)}" for name, value in settings.items()]
        return {self._data() / "valkey.conf": "\n".join(lines) + "\n"}

    def _prepare(self, _life: LifeLock) -> None:
        folder = self._data()
        if folder.exists() and folder.stat().st_uid != self.layout.account.uid:
            give_tree(folder, self.layout.account)
        self.layout.own(folder)
        self._pid_file().unlink(missing_ok=True)
        self.socket.unlink(missing_ok=True)

    def _answers(self) -> bool:
        return valkey_answers(self.socket)

    def _on_ready(self) -> None:
        """There is no schema, and whoever reaches the socket may use it."""
        self._mended = False  # what is broken another time can be mended another time

    def _recover(self) -> bool:
        """Put the data of a server that did not start aside, once."""
        files = self._data() / "appendonlydir"
        if self._mended or not files.exists():
            return False
        self._mended = True
        aside = self._data() / "unreadable"
        shutil.rmtree(aside, ignore_errors=True)
        files.rename(aside)
        logger.warning(
            "Valkey could not read its file, now in %s, and starts empty; jobs are handed over "
            "again from PostgreSQL",
            aside,
        )
        return True


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
