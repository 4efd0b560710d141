"""What both servers have in common: start or adopt, wait until ready, stop, kill.

What a server is, its files, its readiness and its signals, is in postgres.py and valkey.py.
"""

import logging
import shutil
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Self

from oneform.engines import processes
from oneform.engines.errors import EngineError
from oneform.engines.layout import Layout, open_layout
from oneform.engines.locks import Claim, LifeLock
from oneform.engines.process import Process, last_line
from oneform.engines.sockets import remove_socket_folder, socket_folder

logger = logging.getLogger(__name__)

START_LIMIT = 600.0
_POLL_SECONDS = 0.02
_REPORT_SECONDS = 10.0
_LEFTOVER_SECONDS = 60.0


def _nothing() -> None:
    """What there is to do meanwhile, as a rule."""


class _NotReadyYet(EngineError):
    """The server lives, but takes longer than we were told to wait."""


class Server(ABC):
    """One server process of a data folder, used as a context manager or by `start` and `stop`.

    A server left by a starter that was killed is taken over if it runs with the same program and
    settings, otherwise it is stopped and replaced. There are never two on one data folder.
    """

    title: ClassVar[str]
    key: ClassVar[str]
    short_key: ClassVar[str]  # in the names of socket folders, which must be short
    program_name: ClassVar[str]
    stop_signals: ClassVar[Sequence[tuple[signal.Signals, float]]]

    def __init__(
        self, home: Path, *, durable: bool = True, start_limit: float = START_LIMIT
    ) -> None:
        """Describe a server; nothing happens before `start`.

        `durable=False` is for tests: nothing is forced to disk, and the server ends with the
        process that started it, however that ends. `start_limit` is how many seconds the server
        may take to be ready (a recovery after a crash can be long) as long as it lives.
        """
        self.home = Path(home)
        self.durable = durable
        self.start_limit = start_limit
        self._layout: Layout | None = None
        self._claim: Claim | None = None
        self._process: Process | None = None
        self._log_start = 0
        self._socket_folder: Path | None = None
        self._meanwhile: Callable[[], None] = _nothing

    # What a kind of server says about itself.

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients reach it. Known once the server has been started."""

    @abstractmethod
    def _plan(self, layout: Layout) -> None:
        """Decide program, arguments and settings; refuse data that cannot be served."""

    @abstractmethod
    def _command(self) -> list[str]: ...

    @abstractmethod
    def _files(self) -> dict[Path, str]:
        """Return the configuration files with their text."""

    @abstractmethod
    def _pid_file(self) -> Path: ...

    @abstractmethod
    def _prepare(self, life: LifeLock) -> None:
        """Make the data if there is none and clear away what a dead server left.

        We hold `life`; what is run here inherits it, as the server does.
        """

    @abstractmethod
    def _answers(self) -> bool:
        """Tell whether it serves. Raises EngineError if it never will."""

    def _last_words(self) -> str:
        """Return the line of the log that best says how it is."""
        return last_line(self.layout.log / f"{self.key}.log", self._log_start)

    @abstractmethod
    def _data(self) -> Path: ...

    def _all_data(self) -> list[Path]:
        """Return the folders that are gone when its data is erased."""
        return [self._data()]

    @abstractmethod
    def _on_ready(self) -> None:
        """Do what a server needs before it is used; done at every start."""

    def _recover(self) -> bool:
        """After a failed start: mend what can be mended; tell whether to try again."""
        return False

    # What all do.

    @property
    def layout(self) -> Layout:
        if self._layout is None:
            raise EngineError(f"{self.title} has not been started")
        return self._layout

    @property
    def socket_folder(self) -> Path:
        """The private folder of its socket."""
        if self._socket_folder is None:
            raise EngineError(f"{self.title} has not been started")
        return self._socket_folder

    @property
    def claimed(self) -> bool:
        """Tell whether it is ours to stop, alive or not."""
        return self._claim is not None

    @property
    def pid(self) -> int | None:
        """The server's process, if it has been started."""
        return None if self._process is None else self._process.pid

    def start(self) -> Self:
        """Start the server, or take over one that was left, and wait until it serves.

        Raises EngineError if another process has started it, if the data cannot be served, or if
        it ends or is not ready within `start_limit` seconds. In the last case it is left to go on:
        to stop a recovery would be to begin it anew, and the next start finds it.
        """
        if self._claim is not None:
            raise EngineError(f"{self.title} has been started already")
        layout = open_layout(self.home, durable=self.durable)
        self._layout = layout
        self._claim = Claim(layout.run / f"{self.key}.lock", layout.home)
        try:
            self._plan(layout)
            self._socket_folder = socket_folder(layout.place, self.short_key, layout.account)
            self._start_and_wait()
        except BaseException as error:
            if isinstance(error, _NotReadyYet) and self.durable and self._process is not None:
                self._process.leave()
                self._process = None
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop the server cleanly: finish what is committed, end every connection."""
        try:
            if self._process is not None:
                self._process.stop(self.stop_signals)
                remove_socket_folder(self.layout.place, self.short_key, self.layout.account)
        finally:
            self._forget()

    def kill(self) -> None:
        """End the server and its children at once, as a power cut would. For tests of faults."""
        if self._process is not None:
            self._process.kill(self._data(), self.program_name)
        self._forget()

    def stop_leftover(self, *, erase: bool = False) -> None:
        """Stop a server that a killed starter left; start none. With `erase`, remove its data.

        Raises EngineError while somebody (this object, say) is using the data folder.
        """
        layout = open_layout(self.home, durable=self.durable)
        claim = Claim(layout.run / f"{self.key}.lock", layout.home)
        try:
            self._layout = layout
            left = self._left_behind()
            if left is not None:
                left.stop(self.stop_signals)
            life = self._life()
            if not life.take(_LEFTOVER_SECONDS):
                raise EngineError(f"processes of an earlier {self.title} do not end")
            life.leave()
            remove_socket_folder(layout.place, self.short_key, layout.account)
            if erase:
                for folder in self._all_data():
                    if folder.exists():
                        shutil.rmtree(folder)
                (layout.place / f"{self.key}.alive").unlink(missing_ok=True)
        finally:
            self._layout = None
            claim.release()

    def alive(self) -> bool:
        """Tell whether the server's process runs."""
        return self._process is not None and self._process.alive()

    def revive(self, meanwhile: Callable[[], None] = _nothing) -> None:
        """Start the server again if it has died since `start`, and wait until it serves.

        That may take as long as a recovery takes; `meanwhile` is called every now and then.
        """
        if not self.alive():
            self._reap()
            self._meanwhile = meanwhile
            try:
                self._start_and_wait()
            finally:
                self._meanwhile = _nothing

    def __enter__(self) -> Self:
        return self if self._claim is not None else self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start_and_wait(self) -> None:
        deadline = time.monotonic() + self.start_limit
        try:
            while True:
                adopted = self._launch(deadline)
                if self._wait_until_ready(deadline):
                    break
                words = self._last_words()
                self._reap()
                if not adopted and not self._recover():
                    log = self.layout.log / f"{self.key}.log"
                    raise EngineError(f"{self.title} did not start: {words} (see {log})")
            self._on_ready()
        except OSError as error:
            raise EngineError(f"{self.title} did not start: {error}") from error

    def _launch(self, deadline: float) -> bool:
        """Make sure that there is a server process; tell whether it is one that was left."""
        life = self._life()
        told = False
        while True:
            left = self._left_behind()
            if left is not None and self._is_as_planned(left):
                logger.info("%s: taking over process %d", self.title, left.pid)
                self._process = left
                return True
            if left is not None:
                logger.info("%s: replacing process %d", self.title, left.pid)
                left.stop(self.stop_signals)
            elif life.take(_POLL_SECONDS):
                try:
                    self._prepare(life)
                    for path, text in self._files().items():
                        self.layout.write_for_server(path, text)
                    self._spawn(life)
                finally:
                    life.leave()
                return False
            elif time.monotonic() >= deadline:
                raise EngineError(f"processes of an earlier {self.title} do not end")
            else:
                if not told:
                    logger.info("%s: waiting for the processes of an earlier one", self.title)
                    told = True
                for pid in processes.processes_in(self._data(), self.program_name):
                    processes.send(pid, signal.SIGQUIT)
                self._meanwhile()

    def _life(self) -> LifeLock:
        return LifeLock(self.layout.place / f"{self.key}.alive")

    def _spawn(self, life: LifeLock) -> None:
        with self.layout.open_log(f"{self.key}.log") as log:
            self._log_start = log.tell()
            self._process = Process.spawn(
                self._command(), account=self.layout.account, log=log, lock=life.descriptor
            )
        if not self.durable:
            self._process.end_with_us(self.layout.account)

    def _wait_until_ready(self, deadline: float) -> bool:
        """Wait until the server serves; False if it ended instead."""
        began = reported = time.monotonic()
        while not self._answers():
            if not self.alive():
                return False
            now = time.monotonic()
            if now >= deadline:
                raise _NotReadyYet(
                    f"{self.title} is not ready after {self.start_limit:.0f} s and goes on; start "
                    f"again to wait for it: {self._last_words()}"
                )
            if now - reported >= _REPORT_SECONDS:
                reported = now
                logger.info(
                    "%s: not ready after %.0f s: %s", self.title, now - began, self._last_words()
                )
            self._meanwhile()
            time.sleep(_POLL_SECONDS)
        return True

    def _left_behind(self) -> Process | None:
        """Return the live server of this data folder that its pid file names, if there is one."""
        try:
            pid = int(self._pid_file().read_text(encoding="utf-8").split()[0])
        except (OSError, ValueError, IndexError):
            return None
        # The number may belong to anything by now; a server names its data folder.
        if pid <= 1 or not processes.is_running(pid):
            return None
        command = processes.command_line(pid)
        return Process(pid) if command is not None and str(self._data()) in command else None

    def _is_as_planned(self, left: Process) -> bool:
        if processes.command_line(left.pid) != " ".join(self._command()):
            return False
        with suppress(OSError):
            return all(
                path.read_text(encoding="utf-8") == text for path, text in self._files().items()
            )
        return False

    def _reap(self) -> None:
        if self._process is not None:
            self._process.reap()
            self._process = None

    def _forget(self) -> None:
        self._reap()
        if self._claim is not None:
            self._claim.release()
            self._claim = None
