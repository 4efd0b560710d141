"""Ctrl-C and a terminal that is closed: how they end a command, and what is left on the screen."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import signal
import sys
import threading
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner
from rich.console import Console

from oneform.cli.base import Command
from oneform.cli.interrupts import Interrupts
from oneform.cli.supervisor import Signals
from oneform.demo.telling import Teller
from oneform.interrupting import INTERRUPTED

HIDDEN, SHOWN = "\x1b[?25l", "\x1b[?25h"

LOOKS_ON = """
import os, signal, sys, time
from oneform.cli.interrupts import Terminal
signal.signal(signal.SIGHUP, lambda *_: None)
terminal = Terminal()
if os.fork() == 0:
    terminal.is_closed()
    os.write(1, b"looks on")
    for _ in range(1000):
        if terminal.is_closed():
            os.write(int(sys.argv[1]), b"closed")
            break
        time.sleep(0.01)
else:
    os.wait()
"""
"""The first process of the session waits for the other and passes nothing on, as `make` does."""


def ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


def test_any_command_is_interrupted_with_a_line() -> None:
    @click.command(cls=Command)
    def long() -> None:
        raise KeyboardInterrupt

    result = CliRunner().invoke(long)
    assert result.exit_code == INTERRUPTED
    assert result.stderr == "\nStopped.\n"


def test_second_interrupt_does_not_disturb_the_cleaning_up() -> None:
    interrupts, done = Interrupts(), []

    def begin() -> None:
        try:
            ctrl_c()
        finally:
            ctrl_c()
            done.append("cleaned up")

    with pytest.raises(KeyboardInterrupt), interrupts.listening():
        begin()
    assert done == ["cleaned up"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_is_unbroken_is_done_to_its_end() -> None:
    interrupts, done = Interrupts(), []

    def whole() -> None:
        with interrupts.unbroken():
            ctrl_c()
            done.append("to its end")
        done.append("and more")

    with pytest.raises(KeyboardInterrupt), interrupts.listening():
        whole()
    assert done == ["to its end"]


def test_interrupt_that_comes_while_an_object_is_finalized_is_not_lost() -> None:
    class Finalized:
        def __del__(self) -> None:
            ctrl_c()

    def work() -> None:
        Finalized()
        threading.Event().wait(30)
        pytest.fail("it was lost")

    with pytest.raises(KeyboardInterrupt), Interrupts().listening():
        work()


def test_what_stops_after_what_it_served_is_not_interrupted() -> None:
    interrupts, signals, done = Interrupts(), Signals(), []

    @contextlib.contextmanager
    def engines() -> Iterator[None]:
        try:
            yield
        finally:
            ctrl_c()
            done.append("stopped")

    with interrupts.listening(), engines():
        with signals.listening():
            with interrupts.listening():
                done.append("story told")
            ctrl_c()
        interrupts.cease()
    assert done == ["story told", "stopped"]
    assert signals.received == 1


def test_cursor_is_shown_also_after_the_earliest_interrupt() -> None:
    interrupts, screen = Interrupts(), io.StringIO()

    @contextlib.contextmanager
    def interrupted() -> Iterator[None]:
        with interrupts.unbroken():
            yield
            ctrl_c()

    teller = Teller(Console(file=screen, force_terminal=True), interrupted)
    with pytest.raises(KeyboardInterrupt), interrupts.listening(), teller.busy("Starting …"):
        pytest.fail("it went on")
    shown = screen.getvalue()
    assert HIDDEN in shown
    assert shown.rfind(SHOWN) > shown.rfind(HIDDEN)


def test_terminal_that_is_closed_is_noticed_by_who_is_not_told() -> None:
    ours, theirs = os.pipe()
    leader, terminal = pty.fork()
    if leader == 0:
        os.set_inheritable(theirs, True)
        os.execv(sys.executable, [sys.executable, "-c", LOOKS_ON, str(theirs)])
    os.close(theirs)
    with open(ours, "rb") as told:
        assert os.read(terminal, 100) == b"looks on"
        os.close(terminal)
        os.waitpid(leader, 0)
        assert told.read() == b"closed"
