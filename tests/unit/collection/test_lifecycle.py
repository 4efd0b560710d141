"""The life of an ask, as a table."""

from __future__ import annotations

import pytest

from oneform.collection.lifecycle import (
    ANSWERABLE,
    HOLDING,
    LIVE,
    TRANSITIONS,
    AskEvent,
    AskState,
    next_state,
)

TABLE = """
            answer    send_to_review accept   lapse return   refuse  uphold overturn exempt withdraw  expire  fill
open        answered  in_review      -        -     -        refused -      -        upheld withdrawn expired answered
returned    answered  in_review      -        -     -        refused -      -        upheld withdrawn expired answered
in_review   -         -              answered open  returned -       -      -        upheld withdrawn -       answered
refused     -         -              -        -     -        -       upheld open     upheld withdrawn -       answered
answered    -         -              -        -     -        -       -      -        -      -         -       -
withdrawn   -         -              -        -     -        -       -      -        -      -         -       -
upheld      -         -              -        -     -        -       -      -        -      -         -       -
expired     -         -              -        -     -        -       -      -        -      -         -       -
"""
HEADER, *LINES = [line.split() for line in TABLE.strip().splitlines()]
CASES = [
    (line[0], event, target)
    for line in LINES
    for event, target in zip(HEADER, line[1:], strict=True)
]


@pytest.mark.parametrize(("state", "event", "target"), CASES)
def test_transition(state: str, event: str, target: str) -> None:
    found = next_state(AskState(state), AskEvent(event))
    assert (found.value if found else "-") == target


def test_table_is_complete() -> None:
    assert {state for state, _, _ in CASES} == set(AskState)
    assert {event for _, event, _ in CASES} == set(AskEvent) == set(TRANSITIONS)


def test_nothing_leaves_an_ended_state() -> None:
    ended = set(AskState) - set(LIVE)
    assert not any(next_state(state, event) for state in ended for event in AskEvent)


def test_who_answers_may_be_only_whom_the_ask_waits_for() -> None:
    assert set(ANSWERABLE) < set(LIVE) < set(HOLDING)
