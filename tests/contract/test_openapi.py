"""Schemathesis over the OpenAPI document: no call whatever gives a 5xx or an undocumented answer.

A few examples of each operation in the suite; `make soak` tries 20,000 cases, with
the edges of every schema and chains of calls.
"""

from __future__ import annotations

import flask
import pytest
from everybody import Everybody
from fuzzing import fuzz

from oneform.identity.policy import Role

ACTORS = ["nobody", "key", "reading_key", *(role.value for role in Role)]
IN_THE_SUITE = ("key", "staff")
CASES = 20_000


@pytest.mark.parametrize("who", IN_THE_SUITE)
def test_no_operation_fails_or_answers_what_it_does_not_document(
    app: flask.Flask, world: Everybody, who: str
) -> None:
    found = fuzz(app, world, who, examples=2, chains=3, edges=False, seed=1)
    assert found.cases > 100
    assert found.problems == {}


@pytest.mark.soak
@pytest.mark.parametrize("who", ACTORS)
def test_twenty_thousand_cases_as_everybody(app: flask.Flask, world: Everybody, who: str) -> None:
    seed = ACTORS.index(who)
    found = fuzz(app, world, who, examples=10, chains=20, edges=True, seed=seed)
    assert found.problems == {}
    assert found.cases >= CASES / len(ACTORS)
