"""Errors of requests. Names are binding (API.md §4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from catalog.whitelist import RejectedField
from oneform.kernel.context import Context
from oneform.kernel.errors import Conflict, DomainError


class InvalidRequest(DomainError):
    """The demand has mistakes, each with its pointer."""

    code = "invalid-request"
    title = "The request has mistakes"


class DueTooSoon(DomainError):
    """Fewer than three working days' notice, without an urgent client."""

    code = "due-too-soon"
    title = "Less than three working days' notice"


class RequestTooLarge(DomainError):
    code = "request-too-large"
    title = "More cells than one request may have"


class OffWhitelist(DomainError):
    """Fields off the whitelist. `record` writes the rejection after the roll-back."""

    code = "off-whitelist"
    title = "Fields that may not be asked for"

    def __init__(
        self, rejected: Sequence[RejectedField], record: Callable[[Context], None]
    ) -> None:
        super().__init__(
            f"{len(rejected)} of the fields cannot be requested; see rejected_fields.",
            data={"rejected_fields": [field.as_dict() for field in rejected]},
        )
        self.record = record


class RequestEnded(Conflict):
    """The request is cancelled or complete."""

    code = "request-ended"
    title = "The request has ended"
