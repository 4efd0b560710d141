"""Who is told of what, in the same transaction. The whole table of handlers is here."""

from __future__ import annotations

from oneform.kernel.events import Events


def wire(events: Events) -> None:
    """Connect the events of lower parts to the handlers of upper ones."""
