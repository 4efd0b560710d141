"""Who is told of what, in the same transaction. The whole table of handlers is here."""

from __future__ import annotations

from oneform.collection.asks import fill_asks
from oneform.kernel.events import Events
from oneform.requests.books import book_change, read_before
from oneform.values.events import CellsChanged, CellsChanging, CellsRecorded


def wire(events: Events) -> None:
    """Connect the events of lower parts to the handlers of upper ones."""
    events.on(CellsChanging, read_before)
    events.on(CellsRecorded, fill_asks)
    events.on(CellsChanged, book_change)
