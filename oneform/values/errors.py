"""Errors of values."""

from __future__ import annotations

import sqlalchemy as sa

from oneform.kernel.errors import DomainError

_GAVE_WAY = frozenset({"40001", "40P01"})
"""SQLSTATEs of a serialization failure and of a deadlock."""


class TryAgain(DomainError):
    """Two wrote the same cell at the same instant; the unit of work has to be done again."""

    code = "try-again"
    title = "Somebody else wrote the same value at the same moment"


def has_met_another(error: Exception) -> bool:
    """Whether a unit of work failed only because another one was at the same cells: once more."""
    if isinstance(error, sa.exc.DBAPIError):
        return getattr(error.orig, "sqlstate", None) in _GAVE_WAY
    return isinstance(error, TryAgain)
