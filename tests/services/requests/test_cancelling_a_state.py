"""Cancelling a request in the state in which somebody has read it, and in no other."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from factories import (
    VILLAGE,
    asks_of,
    field,
    make_agency,
    make_county,
    make_fields,
    make_person,
    make_request,
)
from waiting import wait_until_blocked

from oneform.collection.commands import GivenAnswer, SubmitAnswers
from oneform.collection.service import submit_answers
from oneform.config import Settings
from oneform.identity.policy import OPERATOR, Principal
from oneform.kernel.clock import FixedClock
from oneform.kernel.errors import Stale
from oneform.requests.reading import get_request
from oneform.requests.views import RequestView
from oneform.requests.withdrawal import cancel_request
from oneform.runtime import Runtime


@pytest.fixture
def second(settings: Settings, clock: FixedClock) -> Iterator[Runtime]:
    """Another process, as far as the database can tell."""
    runtime = Runtime(settings, clock=clock)
    yield runtime
    runtime.close()


@pytest.fixture
def health(runtime: Runtime) -> Principal:
    with runtime.context(OPERATOR) as ctx:
        make_county(ctx)
        make_fields(ctx, field("test.a"))
        return make_agency(ctx, "health")


@pytest.fixture
def request_id(runtime: Runtime, health: Principal) -> uuid.UUID:
    with runtime.context(OPERATOR) as ctx:
        return make_request(ctx, health, ["test.a"])


def read(runtime: Runtime, who: Principal, request_id: uuid.UUID) -> RequestView:
    with runtime.context(who) as ctx:
        return get_request(ctx, request_id)


def test_request_is_not_cancelled_when_an_answer_comes_just_then(
    runtime: Runtime, second: Runtime, health: Principal, request_id: uuid.UUID
) -> None:
    with runtime.context(OPERATOR) as ctx:
        staff = make_person(ctx, "village", "staff", VILLAGE)
        answer = GivenAnswer(ask=asks_of(ctx)["test.a"], value=1)
    etag = read(runtime, health, request_id).etag

    def cancel() -> None:
        with second.context(health) as ctx:
            cancel_request(ctx, request_id, if_match=etag)

    with ThreadPoolExecutor(1) as pool:
        with runtime.context(staff) as ctx:
            submit_answers(ctx, SubmitAnswers(answers=[answer]))
            cancelled = pool.submit(cancel)
            wait_until_blocked(runtime.engine, cancelled)
            assert not cancelled.done()
        with pytest.raises(Stale):
            cancelled.result(timeout=60)
    view = read(runtime, health, request_id)
    assert (view.state, view.cells.answered, view.cells.asked) == ("collecting", 1, 2)


def test_request_is_cancelled_as_it_was_read(
    runtime: Runtime, health: Principal, request_id: uuid.UUID
) -> None:
    etag = read(runtime, health, request_id).etag
    with runtime.context(health) as ctx:
        view = cancel_request(ctx, request_id, if_match=etag)
    assert view.state == "cancelled"
    assert view.etag != etag
    with pytest.raises(Stale), runtime.context(health) as ctx:
        cancel_request(ctx, request_id, if_match=etag)
