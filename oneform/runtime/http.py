"""One unit of work for each HTTP request, of the API and of the pages.

The context is the request's, never a service's: services get it as their first
argument. A body that is streamed is sent after the unit has ended; it opens a
context of its own with `current_runtime().context(actor)`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

import flask
import sqlalchemy as sa

from oneform.identity.policy import PUBLIC
from oneform.kernel.actor import Actor
from oneform.kernel.context import Context
from oneform.kernel.errors import DomainError
from oneform.runtime.runtime import Runtime
from oneform.values.errors import TryAgain, has_met_another

R = TypeVar("R")

EXTENSION = "oneform"

ATTEMPTS = 4


def current_runtime() -> Runtime:
    """The runtime that the application was created with."""
    runtime = flask.current_app.extensions[EXTENSION]
    assert isinstance(runtime, Runtime)
    return runtime


def current_context() -> Context:
    """The unit of work of the request in hand; RuntimeError where none is open."""
    ctx = flask.g.get("oneform_context")
    if not isinstance(ctx, Context):
        raise RuntimeError("no unit of work is open: the response is already being sent")
    return ctx


def act_as(actor: Actor) -> Context:
    """Go on as somebody: the credentials of the request have been checked."""
    flask.g.oneform_context = current_context().acting_as(actor)
    return current_context()


def in_unit(work: Callable[[], R], actor: Actor = PUBLIC) -> R:
    """Do the work in one unit: committed before the answer leaves, rolled back on any error.

    Where two units met and one had to give way, the work is done again, so it must not depend
    on what an earlier attempt left in the request. A DomainError with a method `record(ctx)` has
    something to put on record although the deed itself is refused: it is called in a unit of its
    own, as the same actor.
    """
    for attempt in range(ATTEMPTS):
        try:
            return _once(work, actor)
        except (TryAgain, sa.exc.OperationalError) as error:
            if attempt == ATTEMPTS - 1 or not has_met_another(error):
                raise
            time.sleep(random.uniform(0, 0.02 * 2**attempt))
    raise AssertionError("unreachable")


def _once(work: Callable[[], R], actor: Actor) -> R:
    runtime = current_runtime()
    try:
        with runtime.context(actor) as ctx:
            flask.g.oneform_context = ctx
            result = work()
        return result
    except DomainError as error:
        record = getattr(error, "record", None)
        if record is not None:
            with runtime.context(current_context().actor) as ctx:
                record(ctx)
        raise
    finally:
        flask.g.pop("oneform_context", None)
