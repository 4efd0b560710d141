"""`oneform demo`: everything on one machine, with a county and a story.

The data folder is the demo's own and begins empty at every start; the user's
own servers and settings are left alone. What processes log goes to a file, so
that the story can be read.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NoReturn, TextIO

import click
import structlog
from rich.console import Console

from oneform import migrations
from oneform.cli.base import CliSession, Command, Port, pass_runtime
from oneform.cli.interrupts import Interrupts
from oneform.cli.listening import LEFTOVERS_WITHIN_S, claimed, listen
from oneform.cli.output import print_document
from oneform.cli.supervisor import CannotStart
from oneform.cli.up import serve
from oneform.config import Settings, SettingsError, make_home, variable
from oneform.demo.calling import StoryError
from oneform.demo.county import ACCOUNTS, ASKING, COUNTY_NAME, INVENTED, STAFF, VILLAGE_NAME
from oneform.demo.folder import demo_settings, open_folder
from oneform.demo.story import Outcome, tell_story
from oneform.demo.telling import Teller
from oneform.demo.world import World, build_world, rehearsal_day
from oneform.engines import Engines, erase_engines, start_engines
from oneform.interrupting import INTERRUPTED
from oneform.kernel.clock import Clock
from oneform.runtime import Runtime
from oneform.runtime.logging import configure_logging

log = structlog.get_logger(__name__)

HOST = "127.0.0.1"
"""Nowhere else: passwords are printed, and the figures are invented."""

READY_WITHIN_S = 240.0
LONGEST_LOG = 4 * 1024 * 1024
KEPT = frozenset(map(variable, ("timezone", "calendar", "today", "log_level", "log_format")))
"""Settings of the user's that the demo's processes get too."""


class _Demonstration(Command):
    home = "ONEFORM_HOME/demo, else ~/.oneform/demo; emptied at every start"


@click.command("demo", cls=_Demonstration)
@click.option("--port", default=8080, show_default=True, type=Port())
@click.option("--once", is_flag=True, help="Stop after the story.")
@pass_runtime
def demo(session: CliSession, port: int, once: bool) -> None:
    """Start with a real county and invented figures, and play three requests through."""
    given = click.get_current_context().meta.get("oneform.data_dir")
    folder: Path = given or _own_folder(session.settings)
    settings = demo_settings(session.settings, folder)
    day = rehearsal_day(Clock(settings.timezone, settings.today).today())
    settings = replace(settings, today=day or settings.today)
    password = open_folder(folder)
    with logging_to(folder / "demo.log") as terminal:
        configure_logging(settings, "demo")
        _Demo(session, settings, port, once, password, terminal).run()


def _own_folder(settings: Settings) -> Path:
    # The data folder itself is closed to others, also when the demo is the first to need it.
    make_home(settings.home)
    return settings.home / "demo"


class _Screen(Console):
    """Where its reader was ended by the same Ctrl-C, as in `make demo | tee log`, the story is over."""

    is_unread = False
    end: Callable[[], NoReturn]

    def on_broken_pipe(self) -> None:
        self.is_unread = self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        self.end()


def _console(errors: TextIO, as_json: bool) -> _Screen:
    """Where the story is told: standard output; with `--json` standard error, if it is a terminal."""
    if as_json:
        return _Screen(file=errors, quiet=not errors.isatty())
    # A terminal that knows no Chinese gets question marks, not a stack trace.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    return _Screen()


class _Demo:
    """One run of the command."""

    def __init__(
        self,
        session: CliSession,
        settings: Settings,
        port: int,
        once: bool,
        password: str,
        terminal: TextIO,
    ) -> None:
        self._session = session
        self._settings = settings
        self._port = port
        self._once = once
        self._password = password
        self._errors = terminal
        self._console = _console(terminal, session.as_json)
        self._interrupts = Interrupts()
        self._console.end = self._interrupts.interrupt
        self._teller = Teller(self._console, self._interrupts.unbroken)
        self._outcome: Outcome | None = None
        self._failure: str | None = None
        self._wanting = "nothing answered"

    def run(self) -> None:
        """SystemExit 1 when the story came to a bad end, INTERRUPTED when it came to none."""
        try:
            with self._interrupts.listening():
                self._greet()
                engines = self._begin_anew()
                with engines:
                    found = replace(
                        self._settings,
                        database_url=engines.database_url,
                        redis_url=engines.redis_url,
                    )
                    with self._teller.busy(f"Loading {COUNTY_NAME} …"):
                        world = self._build(found)
                    self._serve(found, world)
        except CannotStart as error:
            self._failure = str(error)
        except KeyboardInterrupt:
            log.info("interrupted")
        if self._failure is not None:
            click.echo(f"{self._failure}; see {self._log}", file=self._errors)
            raise SystemExit(1)
        self._say_at_the_end("Stopped.")
        if self._outcome is None:
            raise SystemExit(INTERRUPTED)

    def _say_at_the_end(self, words: str) -> None:
        with contextlib.suppress(KeyboardInterrupt, OSError):
            self._teller.say(words)
        if self._console.is_unread:
            with contextlib.suppress(OSError):
                click.echo(words, file=self._errors)

    @property
    def _log(self) -> Path:
        return self._settings.home / "demo.log"

    def _greet(self) -> None:
        self._teller.say(f"oneform demo: {COUNTY_NAME} (Zigui, Hubei), 179 villages", style="bold")
        self._teller.say(
            f"Places and fields are real. Every figure is invented: {INVENTED}.", style="dim"
        )
        ignored = sorted(
            name for name in os.environ if name.startswith("ONEFORM_") and name not in KEPT
        )
        if set(ignored) - {variable("home")}:
            names = ", ".join(name for name in ignored if name != variable("home"))
            self._teller.say(f"The demo keeps to itself: {names} is left alone.", style="dim")
        for name in ignored:
            del os.environ[name]
        if self._settings.today is not None:
            os.environ[variable("today")] = self._settings.today.isoformat()
            self._teller.say(f"Rehearsal: today is {self._settings.today}.", style="dim")

    def _begin_anew(self) -> Engines:
        """Find out that nothing is in the way, empty the folder and start its engines."""
        with claimed(self._settings.home) as left:
            if not left:
                self._look_at_port()
            with self._teller.busy("Starting PostgreSQL and Valkey …"):
                if left:
                    self._look_at_port(patience_s=LEFTOVERS_WITHIN_S)
                erase_engines(self._settings.home)
                return start_engines(self._settings.home, durable=False)

    def _look_at_port(self, *, patience_s: float = 0.0) -> None:
        try:
            listen(HOST, self._port, patience_s=patience_s).close()
        except SettingsError as error:
            words = str(error).partition(";")[0]
            raise SettingsError(f"{words}; choose another with --port (make demo PORT=…)") from None

    def _build(self, settings: Settings) -> World:
        assert settings.database_url is not None
        migrations.upgrade(settings.database_url, settings.timezone)
        runtime = Runtime(settings, application="oneform demo")
        try:
            return build_world(runtime, self._password)
        finally:
            runtime.close()

    def _serve(self, settings: Settings, world: World) -> None:
        late = threading.Timer(READY_WITHIN_S, self._give_up)
        late.daemon = True
        waiting = contextlib.ExitStack()

        def when_ready(_runtime: Runtime, address: str) -> bool:
            late.cancel()
            waiting.close()
            with self._interrupts.listening():
                return self._tell(address, world)

        with waiting:
            waiting.enter_context(self._teller.busy("Starting web, workers, relay and schedule …"))
            late.start()
            try:
                serve(
                    settings,
                    host=HOST,
                    port=self._port,
                    web_workers=2,
                    workers=2,
                    bare=True,
                    when_ready=when_ready,
                    say=self._teller.say,
                    when_late=self._tell_late,
                )
            finally:
                # The engines are yet to stop.
                self._interrupts.cease()
                late.cancel()

    def _tell_late(self, wanting: str) -> None:
        if wanting != self._wanting:
            self._wanting = wanting
            self._teller.say(f"Not ready yet: {wanting}; see {self._log}")

    def _give_up(self) -> None:
        self._failure = f"it was not ready within {READY_WITHIN_S:.0f} s: {self._wanting}"
        os.kill(os.getpid(), signal.SIGTERM)

    def _tell(self, address: str, world: World) -> bool:
        """Tell the story. Whether to go on running."""
        began = time.monotonic()
        try:
            outcome = tell_story(address, world, self._teller, goes_on=not self._once)
        except StoryError as error:
            self._failure = str(error)
            return False
        log.info("story told", seconds=round(time.monotonic() - began, 2))
        self._outcome = outcome
        if not outcome.is_balanced:
            self._failure = "the books of a request do not balance"
            return False
        if self._session.as_json:
            print_document(outcome.requests[0])
            sys.stdout.flush()
        if self._once:
            self._teller.say("\nThe books of all three requests balance.", style="bold")
            return False
        self._invite(address, world)
        return True

    def _invite(self, address: str, world: World) -> None:
        teller, form = self._teller, f"{address}/form"
        teller.act("到你了", f"Your turn: the form of {VILLAGE_NAME} is open")
        teller.copied([("form", form), ("user name", STAFF.username), ("password", world.password)])
        teller.say("\nOther accounts, same password; keys of the departments for the API:")
        teller.copied(
            [(each.username, each.role.value.replace("_", " ")) for each in ACCOUNTS[1:]]
            + [(each.code, world.keys[each.code]) for each in ASKING]
            + [("API", f"{address}/docs")]
            + [("files", str(self._settings.home / "files"))]
            + [("log", str(self._log))]
        )
        teller.say("\nCtrl-C stops it. Each start begins anew.")
        if _has_display() and self._console.is_terminal:
            webbrowser.open(form)


def _has_display() -> bool:
    """Whether a browser could show itself; without a display a text browser would take the terminal."""
    if sys.platform == "darwin":
        return "SSH_CONNECTION" not in os.environ
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


@contextlib.contextmanager
def logging_to(path: Path) -> Iterator[TextIO]:
    """Standard error of this process and its children into a file; the former one is given."""
    if path.exists() and path.stat().st_size > LONGEST_LOG:
        path.replace(path.with_suffix(".old"))
    sys.stderr.flush()
    terminal = os.dup(2)
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.dup2(log, 2)
        os.close(log)
        with open(terminal, "w", encoding="utf-8", errors="replace", closefd=False) as stream:
            yield stream
    finally:
        sys.stderr.flush()
        os.dup2(terminal, 2)
        os.close(terminal)
