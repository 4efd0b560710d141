"""Whatever goes wrong with a store, in words: no request waits for ever for a source.

What nobody thought of (a driver's bug, a disk that gives up half-way, a value
that no code was written for) is an error of the source's like any other. Its
trace is in the log; the words are for the source's owner, and hold nothing of
the error's own text, which may tell addresses and secrets.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from oneform.kernel.errors import DomainError
from oneform.sources.errors import SourceDown, SourceError

log = structlog.get_logger(__name__)


@contextmanager
def told_as_source_errors(*ours: type[Exception], **where: object) -> Iterator[None]:
    """Turn any error into a SourceError or SourceDown, but those of our own house (`ours`).

    `where` goes to the log.
    """
    try:
        yield
    except SourceError:
        raise
    except ours:
        raise
    except DomainError as error:
        raise SourceError(error.detail) from error
    except Exception as error:
        log.warning("source.unexpected", **where, exc_info=True)
        raise _in_words(error) from error


def _in_words(error: Exception) -> SourceError:
    """An error that nobody thought of, as its source's owner is told of it."""
    if isinstance(error, OSError):
        # A disk or a network that gives up half-way may be there again.
        return SourceDown(f"The source cannot be read: {error.strerror or type(error).__name__}.")
    return SourceError(
        f"The source cannot be read: something unexpected happened ({type(error).__name__}). "
        "The operator finds in the log what it was."
    )
