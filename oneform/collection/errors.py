"""Errors of asking and answering."""

from __future__ import annotations

from oneform.kernel.errors import Conflict, Forbidden, Invalid


class InvalidAnswers(Invalid):
    """Answers with mistakes, of which none was recorded.

    `data["invalid"]` lists them as a receipt does: `[{"ask", "code", "detail"}]`.
    """

    code = "invalid-answers"
    title = "Some answers have mistakes"


class AlreadyDecided(Conflict):
    """Somebody else was faster."""

    code = "already-decided"
    title = "This has been decided already"


class NotAmendable(Conflict):
    """The answer is not what the cell holds any more, or not yet."""

    code = "not-amendable"
    title = "This answer cannot be amended"


class OwnDeed(Forbidden):
    """Nobody decides on what they did themselves."""

    code = "own-deed"
    title = "Somebody else has to decide on what you did yourself"
