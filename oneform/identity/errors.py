"""Errors of identity."""

from __future__ import annotations

from typing import ClassVar

from oneform.kernel.errors import Conflict, DomainError, Unauthenticated


class AlreadyThere(Conflict):
    """An agency or a person of this name exists."""

    code = "already-there"
    title = "There is one of this name already"


class WrongPassword(Unauthenticated):
    """One message for a wrong name, a wrong password and a locked or disabled account."""

    code = "wrong-credentials"
    title = "Wrong username or password"


class TokenRefused(DomainError):
    """No access token is issued (RFC 6749, section 5.2); `error` is the name used there."""

    code = "token-refused"
    title = "No access token"
    error: ClassVar[str] = "invalid_request"


class InvalidClient(TokenRefused):
    error = "invalid_client"


class InvalidScope(TokenRefused):
    error = "invalid_scope"
