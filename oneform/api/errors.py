"""Errors of HTTP itself: bodies, parameters, preconditions, rates. Those of the domain are in its parts."""

from __future__ import annotations

from oneform.kernel.errors import DomainError


class MalformedBody(DomainError):
    """The body is not what its media type says."""

    code = "malformed-body"
    title = "The body cannot be read"


class MalformedRequest(DomainError):
    """Something before the body cannot be read."""

    code = "malformed-request"
    title = "The request cannot be read"


class UnsupportedMediaType(DomainError):
    code = "unsupported-media-type"
    title = "A body of another media type is needed"


class InvalidBody(DomainError):
    """The body has mistakes, each with its pointer."""

    code = "invalid-request"
    title = "The request has mistakes"


class InvalidParameters(DomainError):
    """Parameters of the address or the headers have mistakes; the pointer is `?name`."""

    code = "invalid-parameters"
    title = "The parameters have mistakes"


class TooManyRequests(DomainError):
    """`data["retry_after"]`: seconds to wait."""

    code = "too-many-requests"
    title = "Too many requests"


class IdempotencyKeyMissing(DomainError):
    code = "idempotency-key-missing"
    title = "The header Idempotency-Key is required"


class IdempotencyKeyReused(DomainError):
    code = "idempotency-key-reused"
    title = "The Idempotency-Key came with another body before"


class IdempotencyKeyInUse(DomainError):
    code = "idempotency-key-in-use"
    title = "The first request with this Idempotency-Key is still running"
