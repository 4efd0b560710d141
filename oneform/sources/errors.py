"""Errors of sources.

What a connector meets is a `SourceError`: lasting (a table that is not there)
or passing (`SourceDown`: no answer, no connection). What the resolver has to
reckon with is `SourceUnavailable`: try again after a while, then ask people.
"""

from __future__ import annotations

import math

from oneform.kernel.errors import DomainError


class SourceError(DomainError):
    """The store cannot be used as it is described: somebody has to change something."""

    code = "source-failed"
    title = "The source cannot be read"


class SourceDown(SourceError):
    """The store does not answer at present; it may soon."""

    code = "source-down"
    title = "The source does not answer"


class SourceTimeout(SourceDown):
    """The store took longer than the source's `timeout_s`."""

    code = "source-timeout"
    title = "The source did not answer in time"


class SourceUnavailable(DomainError):
    """The source is down, and no call is made before `retry_after` seconds have passed."""

    code = "source-unavailable"
    title = "The source is not available"

    def __init__(self, detail: str, *, retry_after: float) -> None:
        super().__init__(detail, data={"retry_after": math.ceil(retry_after)})
        self.retry_after = retry_after


class SourceBusy(SourceUnavailable):
    """Nothing is wrong with the source, but its limits on calls are used up for the moment."""

    code = "source-busy"
    title = "The source's limit on calls is reached"
