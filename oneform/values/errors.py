"""Errors of values."""

from __future__ import annotations

from oneform.kernel.errors import DomainError


class TryAgain(DomainError):
    """Two wrote the same cell at the same instant; the unit of work has to be done again."""

    code = "try-again"
    title = "Somebody else wrote the same value at the same moment"
