"""Logging of a process: one line an event, for people or as JSON, on standard error."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from oneform.config import Settings

NOISY = ("rq", "rq.worker", "rq.cron", "rq.job", "rq.queue", "httpx", "alembic", "asyncio")
"""Loggers of others that are heard from warnings on."""


def configure_logging(settings: Settings, component: str) -> None:
    """Send structlog and the standard library's loggers through one format, marked `component`."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _mark(component),
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.typing.Processor = as_line
    if settings.log_format == "json":
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.PositionalArgumentsFormatter(), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for noisy in NOISY:
        logger = logging.getLogger(noisy)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(max(logging.WARNING, root.level))


def _mark(component: str) -> structlog.typing.Processor:
    def add(
        _logger: object, _method: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        event["component"] = component
        return event

    return add


def as_line(_logger: object, _method: str, event: structlog.typing.EventDict) -> str:
    """An event as a person reads it: when, how bad, where, what, and the rest by name.

    What came from outside cannot begin a line of its own; only a stack trace, at the end, has more
    than one.
    """
    trace = event.pop("exception", None)
    when = str(event.pop("timestamp", ""))
    line = (
        f"{when[:23]}Z {event.pop('level', ''):<7} {event.pop('component', ''):<6} "
        f"{_in_one_line(str(event.pop('event', '')))}"
    )
    rest = " ".join(f"{name}={_value(value)}" for name, value in event.items())
    return "\n".join(filter(None, [f"{line}  {rest}".rstrip(), trace]))


def _value(value: Any) -> str:
    text = str(value)
    return text if text.isprintable() and text and " " not in text else repr(text)


def _in_one_line(text: str) -> str:
    return text if text.isprintable() else repr(text)
