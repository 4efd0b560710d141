"""Who is told of what, in the same transaction. The whole table of handlers is here."""

from __future__ import annotations

from catalog.formats import FORMATS
from oneform.areas.events import AreasClosed, AreasClosing, AreasMoved, SubjectClosed, SubjectMoved
from oneform.collection.area_handlers import (
    end_asks_of_closing_areas,
    end_asks_of_subject,
    move_asks_of_closed_areas,
    move_asks_of_moved_areas,
    move_asks_of_subject,
)
from oneform.collection.asks import end_asks_at_once, fill_asks, lock_asks
from oneform.collection.who_asks import WhoAsks
from oneform.kernel.events import Events
from oneform.kernel.jsonschemas import register_formats
from oneform.requests.asked_by import tell_who_asks
from oneform.requests.books import begin_gathering, book_change, book_gathered, read_before
from oneform.requests.books_at_once import book_at_once
from oneform.runtime.tables import PARTS
from oneform.values.events import (
    CellsChanged,
    CellsChanging,
    CellsLocking,
    CellsRecorded,
    CellsRecordingAtOnce,
    ChangesBegun,
    ChangesEnded,
)

assert PARTS  # loaded here, since every program that works is wired


def wire(events: Events) -> None:
    """Connect the events of lower parts to the handlers of upper ones, and formats to the kernel."""
    register_formats(FORMATS)
    events.on(CellsLocking, lock_asks)
    events.on(CellsChanging, read_before)
    events.on(CellsRecorded, fill_asks)
    events.on(CellsChanged, book_change)
    events.on(ChangesBegun, begin_gathering)
    events.on(ChangesEnded, book_gathered)
    # In this order: the books use what the asks have found.
    events.on(CellsRecordingAtOnce, end_asks_at_once)
    events.on(CellsRecordingAtOnce, book_at_once)
    events.on(AreasClosing, end_asks_of_closing_areas)
    events.on(AreasClosed, move_asks_of_closed_areas)
    events.on(AreasMoved, move_asks_of_moved_areas)
    events.on(SubjectMoved, move_asks_of_subject)
    events.on(SubjectClosed, end_asks_of_subject)
    events.on(WhoAsks, tell_who_asks)
