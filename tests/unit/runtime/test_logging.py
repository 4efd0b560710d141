"""The log's lines: for people, or as JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog

from oneform.config import Settings
from oneform.runtime.logging import as_line, configure_logging


def line(**event: object) -> str:
    return as_line(None, "info", {"timestamp": "2026-03-16T01:02:03.456789Z", **event})


def test_line_says_when_how_bad_where_and_what() -> None:
    assert (
        line(level="info", component="relay", event="job done", job="resolve_request", row=7)
        == "2026-03-16T01:02:03.456Z info    relay  job done  job=resolve_request row=7"
    )


@pytest.mark.parametrize("text", ["/a\nb", "\x1b[2J", "a\r", "\u2028"])
def test_what_comes_from_outside_begins_no_line_of_its_own(text: str) -> None:
    for made in (line(event=text), line(event="request", path=text)):
        assert made.isprintable()


def test_values_with_blanks_and_empty_ones_can_be_told_apart() -> None:
    assert line(event="x", a="one two", b="", c="一表通").endswith("x  a='one two' b='' c=一表通")


def test_stack_trace_stands_below_its_line() -> None:
    first, *rest = line(event="failed", exception="Traceback\n  boom").split("\n")
    assert first.endswith("failed")
    assert rest == ["Traceback", "  boom"]


@pytest.fixture
def configure() -> Iterator[Callable[[Settings], None]]:
    """Return what configures the log of this process; afterwards all is as before."""
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    structlog.contextvars.clear_contextvars()  # a request of another test may have left its id
    yield lambda settings: configure_logging(settings, "test")
    root.handlers[:], level = before
    root.setLevel(level)
    structlog.reset_defaults()


def test_json_lines_hold_the_same(
    configure: Callable[[Settings], None], capsys: pytest.CaptureFixture[str]
) -> None:
    configure(Settings(log_format="json"))
    try:
        raise ValueError("boom")
    except ValueError:
        structlog.get_logger("a").exception("failed", path="/x")
    event = json.loads(capsys.readouterr().err)
    assert (event["event"], event["level"], event["component"]) == ("failed", "error", "test")
    assert event["path"] == "/x"
    assert event["exception"].endswith("ValueError: boom")


def test_other_libraries_speak_in_the_same_log(
    configure: Callable[[Settings], None], capsys: pytest.CaptureFixture[str]
) -> None:
    configure(Settings())
    logging.getLogger("oneform.engines").info("PostgreSQL: taking over process %d", 7)
    logging.getLogger("alembic").info("Context impl")
    [told] = capsys.readouterr().err.splitlines()
    assert told.endswith("info    test   PostgreSQL: taking over process 7")


def test_level_is_kept_to(
    configure: Callable[[Settings], None], capsys: pytest.CaptureFixture[str]
) -> None:
    configure(Settings(log_level="warning"))
    structlog.get_logger("b").info("not heard")
    structlog.get_logger("b").warning("heard")
    assert "heard" in (told := capsys.readouterr().err)
    assert "not heard" not in told
