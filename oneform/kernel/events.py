"""What lower parts tell upper ones in the same transaction.

A part declares an event as a dataclass next to its service and emits it; an
upper part offers a handler; `oneform.runtime` connects the two. Handlers run at
once, in the order of registration, in the emitter's transaction: what must be
true together. What may follow later goes through the outbox.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from oneform.kernel.context import Context

E = TypeVar("E")


class Events:
    """A table from event type to handlers."""

    def __init__(self) -> None:
        self._handlers: dict[type[Any], list[Callable[[Context, Any], None]]] = defaultdict(list)

    def on(self, event_type: type[E], handler: Callable[[Context, E], None]) -> None:
        self._handlers[event_type].append(handler)

    def emit(self, ctx: Context, event: object) -> None:
        for handler in self._handlers.get(type(event), ()):
            handler(ctx, event)
