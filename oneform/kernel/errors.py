"""Errors of the domain: a stable code and data, never an HTTP status.

Every part of the domain raises subclasses of `DomainError`; one table in
`oneform.api.problems` maps their `code` to a status. What belongs to one part
only lives in that part's `errors.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong with an input.

    `pointer` is a JSON pointer (RFC 6901) into the body, or `line 12` for files;
    `code` is stable, `detail` is for people.
    """

    pointer: str
    code: str
    detail: str

    def as_dict(self) -> dict[str, str]:
        return {"pointer": self.pointer, "code": self.code, "detail": self.detail}


class DomainError(Exception):
    """Something that the caller did, or met, and can be told of in words."""

    code: ClassVar[str] = "error"
    title: ClassVar[str] = "Error"

    def __init__(
        self,
        detail: str = "",
        *,
        mistakes: Sequence[Mistake] = (),
        data: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.mistakes = list(mistakes)
        self.data = data or {}


class NotFound(DomainError):
    """The thing does not exist, or the actor must not know whether it does."""

    code = "not-found"
    title = "Not found"


class Forbidden(DomainError):
    """The thing's existence is no secret, but it is outside the actor's reach."""

    code = "forbidden"
    title = "Outside your reach"


class Unauthenticated(DomainError):
    code = "unauthenticated"
    title = "No valid credentials"


class Invalid(DomainError):
    """An input with mistakes, all of them listed."""

    code = "invalid"
    title = "The input has mistakes"


class Conflict(DomainError):
    """The state of things does not allow it (any more)."""

    code = "conflict"
    title = "Not possible in the present state"


class Stale(DomainError):
    """`If-Match` names a state that is no longer the present one."""

    code = "precondition-failed"
    title = "Changed by somebody else in the meantime"
